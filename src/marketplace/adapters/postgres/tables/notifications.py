"""What members are told in the application, and what they chose to be told."""

from __future__ import annotations

import sqlalchemy as sa

from marketplace.adapters.postgres.tables.identity import accounts
from marketplace.adapters.postgres.tables.metadata import metadata, moment

notifications = sa.Table(
    "notifications",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("account_id", sa.ForeignKey(accounts.c.id), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("occasion", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("link", sa.Text, nullable=False),
    moment("created_at"),
    moment("read_at", nullable=True),
    sa.UniqueConstraint("account_id", "occasion", name="told_once"),
)
_columns = notifications.c
sa.Index("notifications_newest_idx", _columns.account_id, _columns.created_at, _columns.id)
sa.Index(
    "notifications_unread_idx",
    _columns.account_id,
    _columns.created_at,
    _columns.id,
    postgresql_where=_columns.read_at.is_(None),
)
sa.Index("notifications_created_at_idx", _columns.created_at)

notification_preferences = sa.Table(
    "notification_preferences",
    metadata,
    sa.Column("account_id", sa.ForeignKey(accounts.c.id), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("wanted", sa.Boolean, nullable=False),
)
