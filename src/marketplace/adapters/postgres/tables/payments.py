"""Payments, refunds and the inbox of provider events. Amounts are minor units of ``currency``."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import conv

from marketplace.adapters.postgres.tables.metadata import metadata, moment

_NOTHING = sa.text("''")
_ZERO = sa.text("0")

payments = sa.Table(
    "payments",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("buyer_id", sa.BigInteger, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    # In whose name it is created at the provider, and how often that was asked in other words.
    sa.Column("customer_id", sa.Text),
    sa.Column("create_attempt", sa.Integer, nullable=False, server_default=sa.text("1")),
    # The provider's names: of the payment, of the charge that succeeded, and of the movement on our balance.
    sa.Column("intent_id", sa.Text),
    sa.Column("charge_id", sa.Text),
    sa.Column("balance_transaction_id", sa.Text),
    sa.Column("confirm_attempts", sa.Integer, nullable=False, server_default=_ZERO),
    sa.Column("cancel_refusals", sa.Integer, nullable=False, server_default=_ZERO),
    sa.Column("last_decline_code", sa.Text, nullable=False, server_default=_NOTHING),
    sa.Column("cancel_wanted", sa.Text, nullable=False, server_default=_NOTHING),
    sa.Column("cancel_wanted_by", sa.BigInteger, sa.ForeignKey("accounts.id")),
    sa.Column("quarantine", sa.Text, nullable=False, server_default=_NOTHING),
    sa.Column("failures", sa.Integer, nullable=False, server_default=_ZERO),
    moment("created_at"),
    moment("due_at"),
    moment("next_check_at", nullable=True),
    moment("locked_until", nullable=True),
    moment("succeeded_at", nullable=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("order_id", name=conv("one_payment_an_order")),
    sa.UniqueConstraint("intent_id", name=conv("one_payment_an_intent")),
    sa.UniqueConstraint("charge_id", name=conv("one_payment_a_charge")),
    sa.CheckConstraint("amount > 0", name=conv("payment_above_zero")),
    sa.CheckConstraint(
        "status in ('creating', 'requires_payment_method', 'requires_action', 'processing', 'succeeded', 'canceled')",
        name=conv("known_payment_status"),
    ),
    sa.CheckConstraint(
        "status <> 'succeeded' or (intent_id is not null and charge_id is not null and succeeded_at is not null)",
        name=conv("succeeded_payment_has_a_charge"),
    ),
    sa.CheckConstraint("cancel_wanted in ('', 'buyer', 'window')", name=conv("known_cancel_wish")),
    sa.CheckConstraint("create_attempt > 0", name=conv("payment_creations_counted")),
)
sa.Index("payments_due_idx", payments.c.next_check_at, postgresql_where=sa.text("next_check_at is not null"))

refunds = sa.Table(
    "refunds",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("payment_id", sa.BigInteger, sa.ForeignKey("payments.id"), nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("provider_refund_id", sa.Text),
    sa.Column("attempt", sa.Integer, nullable=False, server_default=sa.text("1")),
    sa.Column("failure_reason", sa.Text, nullable=False, server_default=_NOTHING),
    sa.Column("failures", sa.Integer, nullable=False, server_default=_ZERO),
    # The provider's names of those that failed before it was tried again.
    sa.Column("earlier_provider_refund_ids", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    sa.Column("settled_by", sa.BigInteger, sa.ForeignKey("accounts.id")),
    sa.Column("settled_note", sa.Text, nullable=False, server_default=_NOTHING),
    moment("decided_at"),
    moment("first_sent_at", nullable=True),
    moment("next_check_at", nullable=True),
    moment("locked_until", nullable=True),
    moment("settled_at", nullable=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("provider_refund_id", name=conv("one_refund_a_provider_refund")),
    sa.CheckConstraint("amount > 0", name=conv("refund_above_zero")),
    sa.CheckConstraint(
        "status in ('decided', 'sending', 'pending', 'succeeded', 'failed', 'settled_elsewhere')",
        name=conv("known_refund_status"),
    ),
    sa.CheckConstraint("cause in ('not_shipped', 'platform', 'seller', 'buyer')", name=conv("known_refund_cause")),
    sa.CheckConstraint(
        "(status = 'settled_elsewhere') = (settled_at is not null)", name=conv("settled_refunds_say_when")
    ),
    sa.CheckConstraint("status = 'decided' or first_sent_at is not null", name=conv("refund_recorded_before_sent")),
)
sa.Index("refunds_order_idx", refunds.c.order_id, refunds.c.id)
sa.Index("refunds_status_idx", refunds.c.status, refunds.c.decided_at, refunds.c.id)
sa.Index("refunds_newest_idx", refunds.c.decided_at, refunds.c.id)
sa.Index("refunds_payment_idx", refunds.c.payment_id)
sa.Index("refunds_due_idx", refunds.c.next_check_at, postgresql_where=sa.text("next_check_at is not null"))

# What a refund moves, a row for each sale: the components of its return.
refund_parts = sa.Table(
    "refund_parts",
    metadata,
    sa.Column("refund_id", sa.BigInteger, sa.ForeignKey("refunds.id"), primary_key=True),
    sa.Column("sale_id", sa.BigInteger, sa.ForeignKey("sales.id"), primary_key=True),
    sa.Column("seller_id", sa.BigInteger, sa.ForeignKey("accounts.id"), nullable=False),
    # {"line id": quantity}: the pieces that go back.
    sa.Column("pieces", JSONB, nullable=False),
    sa.Column("items", sa.BigInteger, nullable=False),
    sa.Column("commission", sa.BigInteger, nullable=False),
    sa.Column("processing", sa.BigInteger, nullable=False),
    sa.Column("shipping", sa.BigInteger, nullable=False),
    sa.Column("seller_commission", sa.BigInteger, nullable=False),
    sa.Column("seller_fees", sa.BigInteger, nullable=False),
    sa.Column("seller_net", sa.BigInteger, nullable=False),
)

webhook_inbox = sa.Table(
    "webhook_inbox",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("object_id", sa.Text, nullable=False),
    sa.Column("intent_id", sa.Text),
    sa.Column("order_id", sa.BigInteger),
    sa.Column("refund_id", sa.BigInteger),
    sa.Column("account", sa.Text),
    sa.Column("livemode", sa.Boolean, nullable=False),
    sa.Column("api_version", sa.Text, nullable=False),
    # As it came, less its secrets.
    sa.Column("payload", JSONB, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default=_ZERO),
    sa.Column("last_error", sa.Text, nullable=False, server_default=_NOTHING),
    moment("created_at"),
    moment("received_at"),
    moment("run_at"),
    moment("locked_until", nullable=True),
    moment("closed_at", nullable=True),
    sa.CheckConstraint(
        "status in ('waiting', 'done', 'ignored', 'unmatched', 'rejected', 'dead')", name=conv("known_inbox_status")
    ),
)
sa.Index(
    "webhook_inbox_due_idx",
    webhook_inbox.c.run_at,
    webhook_inbox.c.id,
    postgresql_where=sa.text("status in ('waiting', 'unmatched')"),
)
sa.Index("webhook_inbox_closed_idx", webhook_inbox.c.closed_at, postgresql_where=sa.text("closed_at is not null"))
sa.Index(
    "webhook_inbox_dead_idx",
    webhook_inbox.c.received_at,
    webhook_inbox.c.id,
    postgresql_where=sa.text("status = 'dead'"),
)
