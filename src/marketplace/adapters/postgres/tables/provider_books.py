"""The payment provider's movements, which journals stand for them, and what comparing the two left open."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import conv

from marketplace.adapters.postgres.tables.metadata import metadata, moment

_NOTHING = sa.text("''")

provider_movements = sa.Table(
    "provider_movements",
    metadata,
    # The provider's own name for it.
    sa.Column("id", sa.Text(collation="C"), primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("reporting_category", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("fee", sa.BigInteger, nullable=False),
    sa.Column("net", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    moment("created_at"),
    moment("available_at"),
    # Whether it needs no more looking at.
    sa.Column("settled", sa.Boolean, nullable=False, server_default=sa.false()),
)
sa.Index("provider_movements_unsettled_idx", provider_movements.c.id, postgresql_where=sa.text("not settled"))

movement_journals = sa.Table(
    "movement_journals",
    metadata,
    sa.Column("journal_id", sa.BigInteger, sa.ForeignKey("journals.id"), primary_key=True),
    sa.Column("movement_id", sa.Text(collation="C"), sa.ForeignKey("provider_movements.id"), nullable=False),
)
sa.Index("movement_journals_movement_idx", movement_journals.c.movement_id)

ledger_differences = sa.Table(
    "ledger_differences",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("ours", sa.BigInteger),
    sa.Column("theirs", sa.BigInteger),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("movement_id", sa.Text(collation="C")),
    sa.Column("journal_id", sa.BigInteger),
    moment("opened_at"),
    sa.Column("resolution", sa.Text),
    moment("resolved_at", nullable=True),
    # No foreign key: what operators decided about the books outlives their accounts.
    sa.Column("resolved_by", sa.BigInteger),
    sa.Column("note", sa.Text, nullable=False, server_default=_NOTHING),
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("kind", "subject", name=conv("one_difference_a_subject")),
    sa.CheckConstraint(
        "kind in ('movement_without_journal', 'journal_without_movement', 'amounts_differ', 'balance')",
        name=conv("known_difference_kind"),
    ),
    sa.CheckConstraint("resolution in ('matched', 'explained', 'booked')", name=conv("known_difference_resolution")),
    sa.CheckConstraint("(resolution is null) = (resolved_at is null)", name=conv("resolved_differences_say_how")),
)
sa.Index("ledger_differences_newest_idx", ledger_differences.c.opened_at, ledger_differences.c.id)
sa.Index("ledger_differences_open_idx", ledger_differences.c.id, postgresql_where=sa.text("resolved_at is null"))

reconciliations = sa.Table(
    "reconciliations",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("status", sa.Text, nullable=False),
    moment("since"),
    moment("started_at"),
    moment("finished_at", nullable=True),
    moment("locked_until"),
    moment("next_due_at", nullable=True),
    moment("movements_until"),
    sa.Column("journals_until", sa.BigInteger, nullable=False),
    sa.Column("seen", sa.Integer, nullable=False),
    sa.Column("matched", sa.Integer, nullable=False),
    sa.Column("booked", sa.Integer, nullable=False),
    sa.Column("opened", sa.Integer, nullable=False),
    sa.Column("closed", sa.Integer, nullable=False),
    sa.Column("balances", JSONB, nullable=False),
    sa.Column("error", sa.Text, nullable=False, server_default=_NOTHING),
    sa.Column("version", sa.Integer, nullable=False),
    sa.CheckConstraint("status in ('running', 'done', 'failed')", name=conv("known_reconciliation_status")),
)
sa.Index("reconciliations_newest_idx", reconciliations.c.started_at, reconciliations.c.id)
sa.Index(
    "one_reconciliation_at_a_time",
    reconciliations.c.status,
    unique=True,
    postgresql_where=sa.text("status = 'running'"),
)
