"""Shop names unique in every form, holidays by the clock, and sellers' accounts at the payment provider."""

from __future__ import annotations

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0014_sellers"
down_revision = "0013_attempts"
branch_labels = None
depends_on = None

_SELLING = "(s.may_sell and (s.holiday_from is null or s.holiday_from > p_now or s.holiday_until <= p_now))"
_FUNCTIONS = ("claim_stock", "lock_cart")


def upgrade() -> None:
    op.execute(
        """
        alter table seller_profiles
            add column shop_name_key text,
            add column holiday_from timestamptz,
            add column holiday_until timestamptz,
            add constraint holiday_has_a_length
                check (holiday_from < holiday_until and num_nonnulls(holiday_from, holiday_until) in (0, 2));
        -- Whoever was on holiday without an end is so for a year, or until they say otherwise.
        update seller_profiles set holiday_from = now(), holiday_until = now() + interval '365 days' where holiday;
        alter table seller_profiles rename column is_selling to may_sell;
        update seller_profiles set may_sell = true
        where status = 'approved' and email_verified and kyc_verified and payouts_ready;
        alter table seller_profiles drop column holiday;
        """
    )
    _fill_keys()
    op.execute(
        """
        alter table seller_profiles alter column shop_name_key set not null;
        drop index one_shop_name;
        create unique index one_shop_name on seller_profiles (shop_name_key);
        create index seller_profiles_oldest_idx on seller_profiles (created_at, account_id);
        create index seller_profiles_status_idx on seller_profiles (status, created_at, account_id);
        """
    )
    _replace("s.is_selling", _SELLING)
    op.execute(
        """
        create table payout_accounts (
            account_id bigint not null,
            provider text not null,
            attempt integer not null default 1,
            request jsonb,
            provider_account_id text,
            transfers text not null,
            payouts_enabled boolean not null default false,
            requirements_due text[] not null default '{}',
            disabled_reason text not null default '',
            failures integer not null default 0,
            created_at timestamptz not null,
            checked_at timestamptz,
            next_check_at timestamptz,
            locked_until timestamptz,
            version integer not null,
            constraint payout_accounts_pkey primary key (account_id),
            constraint payout_accounts_account_id_fkey foreign key (account_id) references accounts (id),
            constraint known_transfers_state check (transfers in ('inactive', 'pending', 'active')),
            constraint what_is_not_made_can_be_asked_for
                check (provider_account_id is not null or request is not null),
            constraint payout_attempts_counted check (attempt > 0 and failures >= 0)
        );
        create unique index one_seller_a_payout_account on payout_accounts (provider_account_id);
        create index payout_accounts_due_idx on payout_accounts (next_check_at, account_id)
            where next_check_at is not null;
        """
    )


def downgrade() -> None:
    op.execute(
        """
        drop table payout_accounts;
        drop index seller_profiles_status_idx;
        drop index seller_profiles_oldest_idx;
        drop index one_shop_name;
        create unique index one_shop_name on seller_profiles (lower(shop_name));
        """
    )
    _replace(_SELLING, "s.is_selling")
    op.execute(
        """
        alter table seller_profiles add column holiday boolean not null default false;
        update seller_profiles set holiday = now() between holiday_from and holiday_until
        where holiday_from is not null;
        alter table seller_profiles rename column may_sell to is_selling;
        update seller_profiles set is_selling = false where holiday;
        alter table seller_profiles
            drop constraint holiday_has_a_length,
            drop column shop_name_key, drop column holiday_from, drop column holiday_until;
        """
    )


def _replace(old: str, new: str) -> None:
    """In the functions that claim stock, which stay word for word the same otherwise."""
    connection = op.get_bind()
    for name in _FUNCTIONS:
        query = sa.text("select pg_get_functiondef(oid) from pg_proc where proname = :name")
        definition = connection.execute(query, {"name": name}).scalar_one()
        if old not in definition:
            raise RuntimeError(f"The function {name} is not the one that this migration knows.")
        connection.exec_driver_sql(definition.replace(old, new))


def _fill_keys() -> None:
    """Of two shops whose names are the same now, the younger one gets its number behind its name."""
    connection = op.get_bind()
    taken: set[str] = set()
    shops = connection.execute(sa.text("select account_id, shop_name from seller_profiles order by account_id"))
    for account_id, name in shops.all():
        shop_name = name if _key(name) not in taken else f"{name} {account_id}"
        taken.add(_key(shop_name))
        connection.execute(
            sa.text("update seller_profiles set shop_name = :name, shop_name_key = :key where account_id = :id"),
            {"name": shop_name, "key": _key(shop_name), "id": account_id},
        )


def _key(text: str) -> str:
    """As ``text_key`` made it when this was written."""
    shown = "".join(character for character in text if unicodedata.category(character) != "Cf")
    once = unicodedata.normalize("NFKC", shown.casefold())
    return " ".join(unicodedata.normalize("NFKC", once.casefold()).split())
