"""Invoices and credit notes: append-only, by trigger, and numbered by counters that are locked while they count."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import conv

from marketplace.adapters.postgres.tables.metadata import metadata, moment

documents = sa.Table(
    "documents",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("year", sa.Integer, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    # What it is about: there is one document for each fact.
    sa.Column("fact", sa.Text, nullable=False),
    # Whom it is for. The account outlives its owner's leaving, and so does the document.
    sa.Column("account_id", sa.BigInteger, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id"), nullable=False),
    # The invoice that a credit note refers to.
    sa.Column("invoice_id", sa.BigInteger, sa.ForeignKey("documents.id")),
    moment("issued_at"),
    # All that stands on it, in words and minor units.
    sa.Column("content", JSONB, nullable=False),
    sa.UniqueConstraint("kind", "year", "sequence", name=conv("one_document_a_number")),
    sa.UniqueConstraint("number", name=conv("documents_number_key")),
    sa.UniqueConstraint("fact", name=conv("one_document_a_fact")),
    sa.CheckConstraint(
        "kind in ('order_invoice', 'credit_note', 'fee_invoice', 'fee_credit_note')", name=conv("known_document_kind")
    ),
    sa.CheckConstraint("sequence >= 1", name=conv("documents_count_from_one")),
    sa.CheckConstraint(
        "(kind in ('credit_note', 'fee_credit_note')) = (invoice_id is not null)",
        name=conv("credit_notes_refer_to_an_invoice"),
    ),
)
sa.Index("documents_newest_idx", documents.c.issued_at, documents.c.id)
sa.Index("documents_account_idx", documents.c.account_id, documents.c.issued_at, documents.c.id)
sa.Index("documents_order_idx", documents.c.order_id, documents.c.issued_at, documents.c.id)

document_counters = sa.Table(
    "document_counters",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("year", sa.Integer, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
    # No document of the series is dated before it.
    moment("last_at"),
    sa.CheckConstraint("last >= 1", name=conv("counters_have_counted")),
)
