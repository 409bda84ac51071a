"""Accounts, one-time codes, sessions, addresses."""

from __future__ import annotations

from alembic import op

revision = "0002_identity"
down_revision = "0001_kernel"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table accounts (
            id bigint not null,
            username text not null,
            username_key text not null,
            email text not null,
            email_key text not null,
            password_hash text not null,
            first_name text not null,
            last_name text not null,
            phone_number text not null,
            account_type text not null,
            roles text[] not null,
            language text not null,
            is_email_verified boolean not null,
            is_suspended boolean not null,
            subscribed_to_newsletter boolean not null,
            terms_version text not null,
            terms_accepted_at timestamptz not null,
            created_at timestamptz not null,
            version integer not null,
            constraint accounts_pkey primary key (id),
            constraint known_account_type check (account_type in ('individual', 'professional')),
            constraint known_roles check (roles <@ array['buyer', 'seller', 'verifier', 'admin'])
        );
        create unique index one_account_per_username on accounts (username_key);
        create unique index one_account_per_email on accounts (email_key);
        create index accounts_roles_idx on accounts using gin (roles);
        """
    )
    op.execute(
        """
        create table one_time_codes (
            id bigint not null,
            account_id bigint not null,
            purpose text not null,
            requested_at timestamptz not null,
            code_hash text,
            expires_at timestamptz,
            tries integer not null,
            used_at timestamptz,
            version integer not null,
            constraint one_time_codes_pkey primary key (id),
            constraint one_time_codes_account_id_fkey foreign key (account_id) references accounts (id),
            constraint five_tries_a_code check (tries >= 0 and tries <= 5)
        );
        create unique index one_code_per_purpose on one_time_codes (account_id, purpose);
        """
    )
    op.execute(
        """
        create table sessions (
            id bigint not null,
            account_id bigint not null,
            token_hash text not null,
            started_at timestamptz not null,
            refreshed_at timestamptz not null,
            expires_at timestamptz not null,
            revoked_at timestamptz,
            version integer not null,
            constraint sessions_pkey primary key (id),
            constraint sessions_account_id_fkey foreign key (account_id) references accounts (id)
        );
        create index sessions_open_idx on sessions (account_id, id) where revoked_at is null;
        create index sessions_expired_idx on sessions (expires_at);
        create table session_tokens (
            token_hash text not null,
            session_id bigint not null,
            constraint session_tokens_pkey primary key (token_hash),
            constraint session_tokens_session_id_fkey
                foreign key (session_id) references sessions (id) on delete cascade
        );
        create index session_tokens_session_id_idx on session_tokens (session_id);
        """
    )
    op.execute(
        """
        create table addresses (
            id bigint not null,
            account_id bigint not null,
            name text not null,
            street_number text not null,
            street text not null,
            city text not null,
            state text not null,
            postal_code text not null,
            country text not null,
            phone_number text not null,
            address_type text not null,
            created_at timestamptz not null,
            version integer not null,
            constraint addresses_pkey primary key (id),
            constraint addresses_account_id_fkey foreign key (account_id) references accounts (id),
            constraint known_address_type check (address_type in ('billing', 'delivery', 'both', 'company'))
        );
        create index addresses_account_id_idx on addresses (account_id, id);
        """
    )


def downgrade() -> None:
    op.execute(
        "drop table addresses; drop table session_tokens; drop table sessions; drop table one_time_codes;"
        " drop table accounts"
    )
