"""Chargebacks with their movements on our balance, and disputes. Amounts are minor units of ``currency``."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import conv

from marketplace.adapters.postgres.tables.metadata import metadata, moment

_NOTHING = sa.text("''")
_ZERO = sa.text("0")

chargebacks = sa.Table(
    "chargebacks",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("provider_chargeback_id", sa.Text, nullable=False),
    sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("payment_id", sa.BigInteger, sa.ForeignKey("payments.id"), nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    # The provider's own words, then what they mean to us: null until it was read under a lease.
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default=_NOTHING),
    sa.Column("stage", sa.Text),
    # What was shared out among the sellers and us as lost; null until then.
    sa.Column("lost", sa.BigInteger),
    # {"field": text}: what speaks against it, as it was sent to the provider.
    sa.Column("evidence", JSONB, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("evidence_attempt", sa.Integer, nullable=False, server_default=_ZERO),
    sa.Column("failures", sa.Integer, nullable=False, server_default=_ZERO),
    moment("opened_at"),
    moment("evidence_due_at", nullable=True),
    moment("evidence_submitted_at", nullable=True),
    moment("decided_at", nullable=True),
    moment("next_check_at", nullable=True),
    moment("locked_until", nullable=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("provider_chargeback_id", name=conv("one_chargeback_a_provider_dispute")),
    sa.CheckConstraint("amount >= 0 and (lost is null or lost > 0)", name=conv("chargeback_amounts_are_not_negative")),
    sa.CheckConstraint(
        "stage in ('inquiry', 'inquiry_closed', 'open', 'won', 'lost', 'appeal', 'prevented')",
        name=conv("known_chargeback_stage"),
    ),
)
sa.Index("chargebacks_order_idx", chargebacks.c.order_id, chargebacks.c.id)
sa.Index("chargebacks_payment_idx", chargebacks.c.payment_id)
sa.Index("chargebacks_newest_idx", chargebacks.c.opened_at, chargebacks.c.id)
sa.Index("chargebacks_stage_newest_idx", chargebacks.c.stage, chargebacks.c.opened_at, chargebacks.c.id)
sa.Index("chargebacks_due_idx", chargebacks.c.next_check_at, postgresql_where=sa.text("next_check_at is not null"))

# Each movement once, whatever chargeback names it.
chargeback_movements = sa.Table(
    "chargeback_movements",
    metadata,
    sa.Column("balance_transaction_id", sa.Text, primary_key=True),
    sa.Column("chargeback_id", sa.BigInteger, sa.ForeignKey("chargebacks.id"), nullable=False),
    # The disputed money, negative when it was withdrawn; the fee for it, negative when it was given back.
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("fee", sa.BigInteger, nullable=False),
    moment("created_at"),
)
sa.Index(
    "chargeback_movements_chargeback_idx",
    chargeback_movements.c.chargeback_id,
    chargeback_movements.c.created_at,
    chargeback_movements.c.balance_transaction_id,
)

_OPEN = "status in ('open', 'awaiting_seller', 'under_review')"

disputes = sa.Table(
    "disputes",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("sale_id", sa.BigInteger, sa.ForeignKey("sales.id"), nullable=False),
    sa.Column("buyer_id", sa.BigInteger, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("seller_id", sa.BigInteger, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("desired_outcome", sa.Text),
    sa.Column("outcome", sa.Text),
    # What went back to the buyer by the outcome.
    sa.Column("amount", sa.BigInteger),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False, server_default=_NOTHING),
    sa.Column("resolved_by", sa.BigInteger, sa.ForeignKey("accounts.id")),
    sa.Column("refund_id", sa.BigInteger, sa.ForeignKey("refunds.id")),
    sa.Column("chargeback_id", sa.BigInteger, sa.ForeignKey("chargebacks.id")),
    moment("opened_at"),
    moment("respond_by", nullable=True),
    moment("resolved_at", nullable=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.CheckConstraint(
        "status in ('open', 'awaiting_seller', 'under_review', 'resolved', 'closed', 'withdrawn')",
        name=conv("known_dispute_status"),
    ),
    sa.CheckConstraint(
        "reason in ('not_received', 'not_as_described', 'counterfeit', 'wrong_item', 'damaged', 'other', 'chargeback')",
        name=conv("known_dispute_reason"),
    ),
    sa.CheckConstraint(
        "outcome in ('refund', 'partial_refund', 'replacement', 'dismissed')", name=conv("known_dispute_outcome")
    ),
    sa.CheckConstraint(
        "desired_outcome in ('refund', 'partial_refund', 'replacement')", name=conv("known_desired_outcome")
    ),
    sa.CheckConstraint("(reason = 'chargeback') = (chargeback_id is not null)", name=conv("chargebacks_are_named")),
    sa.CheckConstraint(f"({_OPEN}) = (resolved_at is null)", name=conv("ended_disputes_have_an_end")),
)
sa.Index(
    "one_open_dispute_a_sale",
    disputes.c.sale_id,
    unique=True,
    postgresql_where=sa.text(f"{_OPEN} and chargeback_id is null"),
)
sa.Index("one_dispute_a_sale_and_chargeback", disputes.c.chargeback_id, disputes.c.sale_id, unique=True)
sa.Index("disputes_sale_idx", disputes.c.sale_id, disputes.c.opened_at, disputes.c.id)
sa.Index("disputes_order_idx", disputes.c.order_id, disputes.c.opened_at, disputes.c.id)
sa.Index("disputes_newest_idx", disputes.c.opened_at, disputes.c.id)
sa.Index("disputes_status_newest_idx", disputes.c.status, disputes.c.opened_at, disputes.c.id)
sa.Index("disputes_buyer_newest_idx", disputes.c.buyer_id, disputes.c.opened_at, disputes.c.id)
sa.Index("disputes_seller_newest_idx", disputes.c.seller_id, disputes.c.opened_at, disputes.c.id)
