"""The ledger. Triggers in its migration let rows be added only, and only whole journals that balance."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.schema import conv

from marketplace.adapters.postgres.tables.metadata import metadata, moment

journals = sa.Table(
    "journals",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("source_key", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    moment("occurred_at"),
    # No foreign key: what is written here outlives everything else.
    sa.Column("order_id", sa.BigInteger),
    # How many lines belong to it, so that none can follow later.
    sa.Column("line_count", sa.Integer, nullable=False),
    sa.UniqueConstraint("kind", "source_key", name=conv("one_journal_a_fact")),
    sa.CheckConstraint("line_count >= 2", name=conv("journal_has_lines")),
)
sa.Index("journals_order_idx", journals.c.order_id, journals.c.id, postgresql_where=sa.text("order_id is not null"))
sa.Index("journals_kind_idx", journals.c.kind, journals.c.occurred_at, journals.c.id)
sa.Index("journals_newest_idx", journals.c.occurred_at, journals.c.id)

journal_lines = sa.Table(
    "journal_lines",
    metadata,
    sa.Column("journal_id", sa.BigInteger, sa.ForeignKey("journals.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    # Sorted alike on every server, whatever its locale.
    sa.Column("account", sa.Text(collation="C"), nullable=False),
    # Minor units of the journal's currency: debit positive, credit negative.
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.CheckConstraint("amount <> 0", name=conv("line_moves_something")),
    sa.CheckConstraint("position >= 1", name=conv("line_position_from_one")),
)
sa.Index("journal_lines_account_idx", journal_lines.c.account, journal_lines.c.journal_id)
