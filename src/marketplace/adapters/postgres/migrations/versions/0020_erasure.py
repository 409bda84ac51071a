"""Members who leave: when they did, nothing that begins for them afterwards, and what the audit trail lets go of."""

from __future__ import annotations

from alembic import op

revision = "0020_erasure"
down_revision = "0019_notifications"
branch_labels = None
depends_on = None

# Each begins something for the account in that column. A claim in a cart tells of nobody, ends by itself and is the
# write that has to be quick: it goes without.
_GUARDED = {
    "addresses": "account_id",
    "listings": "seller_id",
    "notifications": "account_id",
    "one_time_codes": "account_id",
    "orders": "buyer_id",
    "payout_accounts": "account_id",
    "second_factors": "account_id",
    "seller_profiles": "account_id",
    "sessions": "account_id",
}


def upgrade() -> None:
    op.execute("alter table accounts add column erased_at timestamptz")
    # Ended ones too: they tell of devices and places.
    op.execute("create index sessions_account_idx on sessions (account_id, id)")
    # A request that began before the erasure may write after it. The lock waits for an erasure that is under way, and
    # the row is read again then: whoever comes too late is refused, whichever use case it is.
    op.execute(
        """
        create function refuse_the_erased() returns trigger language plpgsql as $$
        declare
            owner bigint;
            gone timestamptz;
        begin
            if tg_argv[0] = 'account_id' then owner := new.account_id;
            elsif tg_argv[0] = 'buyer_id' then owner := new.buyer_id;
            else owner := new.seller_id;
            end if;
            select a.erased_at into gone from accounts a where a.id = owner for key share;
            if gone is not null then
                raise exception 'Account % was erased.', owner
                    using errcode = 'check_violation', constraint = 'nothing_begins_for_the_erased';
            end if;
            return new;
        end $$;
        """
    )
    for table, column in _GUARDED.items():
        op.execute(
            f"create trigger {table}_are_of_somebody before insert on {table}"
            f" for each row execute function refuse_the_erased('{column}')"
        )
    # Where somebody called from, and what was written about them, can be taken out of the trail, never changed:
    # both give way to one fixed mark, and everything else stands.
    op.execute(
        """
        create function let_the_audit_trail_forget() returns trigger language plpgsql as $$
        begin
            if new.origin not in (old.origin, '(erased)') or new.reason not in (old.reason, '(erased)')
                or (new.id, new.occurred_at, new.actor_id, new.roles, new.action, new.subject_type, new.subject_id,
                    new.before, new.after)
                is distinct from (old.id, old.occurred_at, old.actor_id, old.roles, old.action, old.subject_type,
                    old.subject_id, old.before, old.after)
            then
                raise exception 'The audit trail is append-only: % on % is refused.', tg_op, tg_table_name
                    using errcode = 'integrity_constraint_violation';
            end if;
            return new;
        end $$;

        drop trigger audit_entries_are_append_only on audit_entries;
        create trigger audit_entries_are_append_only before delete or truncate on audit_entries
            for each statement execute function refuse_to_change_the_audit_trail();
        create trigger audit_entries_only_forget before update on audit_entries
            for each row execute function let_the_audit_trail_forget();
        """
    )


def downgrade() -> None:
    op.execute(
        """
        drop trigger audit_entries_only_forget on audit_entries;
        drop trigger audit_entries_are_append_only on audit_entries;
        create trigger audit_entries_are_append_only before update or delete or truncate on audit_entries
            for each statement execute function refuse_to_change_the_audit_trail();
        drop function let_the_audit_trail_forget();
        """
    )
    for table in _GUARDED:
        op.execute(f"drop trigger {table}_are_of_somebody on {table}")
    op.execute("drop function refuse_the_erased()")
    op.execute("drop index sessions_account_idx")
    op.execute("alter table accounts drop column erased_at")
