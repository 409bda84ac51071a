"""What members are told in the application, and what they chose to be told."""

from __future__ import annotations

from alembic import op

revision = "0019_notifications"
down_revision = "0018_account_search"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table notifications (
            id bigint not null,
            account_id bigint not null,
            kind text not null,
            occasion text not null,
            title text not null,
            body text not null,
            link text not null,
            created_at timestamptz not null,
            read_at timestamptz,
            constraint notifications_pkey primary key (id),
            constraint notifications_account_id_fkey foreign key (account_id) references accounts (id),
            constraint told_once unique (account_id, occasion)
        );
        create index notifications_newest_idx on notifications (account_id, created_at, id);
        create index notifications_unread_idx on notifications (account_id, created_at, id) where read_at is null;
        create index notifications_created_at_idx on notifications (created_at);
        create table notification_preferences (
            account_id bigint not null,
            kind text not null,
            channel text not null,
            wanted boolean not null,
            constraint notification_preferences_pkey primary key (account_id, kind, channel),
            constraint notification_preferences_account_id_fkey foreign key (account_id) references accounts (id)
        );
        """
    )


def downgrade() -> None:
    op.execute("drop table notification_preferences")
    op.execute("drop table notifications")
