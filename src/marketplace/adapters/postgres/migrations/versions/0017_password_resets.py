"""Password resets, the devices of sessions, and an end for spent tokens."""

from __future__ import annotations

from alembic import op

revision = "0017_password_resets"
down_revision = "0016_second_factors"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table password_resets (
            id bigint not null,
            address_hash text not null,
            account_id bigint,
            requested_at timestamptz not null,
            code_hash text,
            expires_at timestamptz,
            tries integer not null,
            used_at timestamptz,
            token_hash text,
            token_expires_at timestamptz,
            version integer not null,
            constraint password_resets_pkey primary key (id),
            constraint password_resets_account_id_fkey foreign key (account_id) references accounts (id),
            constraint five_tries_a_reset check (tries >= 0 and tries <= 5)
        );
        create unique index one_reset_per_address on password_resets (address_hash);
        create unique index one_reset_per_token on password_resets (token_hash) where token_hash is not null;
        create index password_resets_account_id_idx on password_resets (account_id);
        create index password_resets_requested_at_idx on password_resets (requested_at);
        create index one_time_codes_requested_at_idx on one_time_codes (requested_at);
        """
    )
    op.execute(
        """
        -- Of sessions that are open now nothing is known but that they are.
        alter table sessions
            add column device text not null default '',
            add column ip text not null default '';
        alter table sessions
            alter column device drop default,
            alter column ip drop default;
        alter table session_tokens add column expires_at timestamptz;
        -- No earlier than the truth: each token was made before its session's newest one.
        update session_tokens t set expires_at = s.expires_at from sessions s where s.id = t.session_id;
        alter table session_tokens alter column expires_at set not null;
        create index session_tokens_expired_idx on session_tokens (expires_at);
        """
    )


def downgrade() -> None:
    op.execute(
        """
        drop index session_tokens_expired_idx;
        alter table session_tokens drop column expires_at;
        alter table sessions drop column device, drop column ip;
        drop index one_time_codes_requested_at_idx;
        drop table password_resets;
        """
    )
