"""Payouts, what keeps them back, and what is taken back of them. Amounts are minor units of ``currency``."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.schema import conv

from marketplace.adapters.postgres.tables.metadata import metadata, moment

_NOTHING = sa.text("''")
_ZERO = sa.text("0")
_NO = sa.text("false")

payouts = sa.Table(
    "payouts",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("sale_id", sa.BigInteger, sa.ForeignKey("sales.id"), nullable=False),
    sa.Column("seller_id", sa.BigInteger, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    # The seller's net as agreed; what went back out of it, what was taken back of it, what paid the seller's debts.
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("withheld_amount", sa.BigInteger, nullable=False, server_default=_ZERO),
    sa.Column("reclaimed_amount", sa.BigInteger, nullable=False, server_default=_ZERO),
    sa.Column("netted_amount", sa.BigInteger, nullable=False, server_default=_ZERO),
    sa.Column("transferred_amount", sa.BigInteger, nullable=False, server_default=_ZERO),
    sa.Column("batch_id", sa.BigInteger),
    sa.Column("attempt", sa.Integer, nullable=False, server_default=sa.text("1")),
    # What the transfer under way was asked for with; null while none is.
    sa.Column("sending_amount", sa.BigInteger),
    sa.Column("destination", sa.Text),
    sa.Column("source_charge", sa.Text),
    moment("first_sent_at", nullable=True),
    sa.Column("transfer_id", sa.Text),
    sa.Column("blocked", sa.Boolean, nullable=False, server_default=_NO),
    sa.Column("last_error", sa.Text, nullable=False, server_default=_NOTHING),
    sa.Column("failures", sa.Integer, nullable=False, server_default=_ZERO),
    sa.Column("refusals", sa.Integer, nullable=False, server_default=_ZERO),
    sa.Column("reversed_elsewhere", sa.BigInteger, nullable=False, server_default=_ZERO),
    sa.Column("kept_long_told", sa.Boolean, nullable=False, server_default=_NO),
    moment("created_at"),
    moment("due_at", nullable=True),
    moment("paid_at", nullable=True),
    moment("next_check_at", nullable=True),
    moment("locked_until", nullable=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("sale_id", name=conv("one_payout_a_sale")),
    sa.UniqueConstraint("transfer_id", name=conv("one_payout_a_transfer")),
    sa.CheckConstraint(
        "status in ('pending', 'due', 'sending', 'paid', 'on_hold', 'reversed')", name=conv("known_payout_status")
    ),
    sa.CheckConstraint(
        "amount >= 0 and withheld_amount >= 0 and reclaimed_amount >= 0 and netted_amount >= 0"
        " and transferred_amount >= 0",
        name=conv("payout_not_below_zero"),
    ),
    sa.CheckConstraint("withheld_amount + reclaimed_amount <= amount", name=conv("no_more_reversed_than_owed")),
    sa.CheckConstraint(
        "withheld_amount + netted_amount + transferred_amount <= amount", name=conv("no_more_paid_than_owed")
    ),
    sa.CheckConstraint(
        "(status = 'sending') = (first_sent_at is not null)"
        " and num_nonnulls(first_sent_at, sending_amount, destination) in (0, 3)",
        name=conv("transfer_recorded_before_sent"),
    ),
    sa.CheckConstraint("(transferred_amount > 0) = (transfer_id is not null)", name=conv("transferred_by_a_transfer")),
    sa.CheckConstraint("status <> 'paid' or paid_at is not null", name=conv("paid_payout_has_a_day")),
)
sa.Index("payouts_order_idx", payouts.c.order_id, payouts.c.id)
sa.Index("payouts_seller_idx", payouts.c.seller_id, payouts.c.id)
sa.Index("payouts_status_idx", payouts.c.status, payouts.c.id)
# Workers look for few among many: sellers below the minimum wait for long, and what is over stays for ever.
sa.Index(
    "payouts_to_send_idx",
    payouts.c.next_check_at,
    payouts.c.id,
    postgresql_where=sa.text(
        "next_check_at is not null and (status = 'sending' or status = 'due' and batch_id is not null)"
    ),
)
sa.Index(
    "payouts_to_gather_idx",
    payouts.c.seller_id,
    payouts.c.id,
    postgresql_where=sa.text("status = 'due' and batch_id is null"),
)
sa.Index(
    "payouts_to_hold_idx",
    payouts.c.seller_id,
    payouts.c.id,
    postgresql_where=sa.text("status in ('pending', 'due')"),
)
sa.Index(
    "payouts_kept_idx",
    payouts.c.created_at,
    payouts.c.id,
    postgresql_where=sa.text("status not in ('paid', 'reversed') and not kept_long_told"),
)

payout_holds = sa.Table(
    "payout_holds",
    metadata,
    sa.Column("payout_id", sa.BigInteger, sa.ForeignKey("payouts.id"), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    moment("opened_at"),
    moment("released_at", nullable=True),
    sa.CheckConstraint(
        "reason in ('dispute', 'chargeback', 'seller_suspended', 'operator', 'currency')",
        name=conv("known_hold_reason"),
    ),
)
sa.Index(
    "payout_holds_open_idx",
    payout_holds.c.reason,
    payout_holds.c.payout_id,
    postgresql_where=sa.text("released_at is null"),
)

recoveries = sa.Table(
    "recoveries",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("payout_id", sa.BigInteger, sa.ForeignKey("payouts.id"), nullable=False),
    sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id"), nullable=False),
    sa.Column("sale_id", sa.BigInteger, sa.ForeignKey("sales.id"), nullable=False),
    sa.Column("seller_id", sa.BigInteger, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("reversed_amount", sa.BigInteger, nullable=False, server_default=_ZERO),
    sa.Column("netted_amount", sa.BigInteger, nullable=False, server_default=_ZERO),
    sa.Column("written_off_amount", sa.BigInteger, nullable=False, server_default=_ZERO),
    sa.Column("sending_amount", sa.BigInteger, nullable=False, server_default=_ZERO),
    sa.Column("attempt", sa.Integer, nullable=False, server_default=sa.text("1")),
    moment("first_sent_at", nullable=True),
    sa.Column("reversal_id", sa.Text),
    sa.Column("last_error", sa.Text, nullable=False, server_default=_NOTHING),
    sa.Column("failures", sa.Integer, nullable=False, server_default=_ZERO),
    moment("decided_at"),
    moment("ended_at", nullable=True),
    moment("next_check_at", nullable=True),
    moment("locked_until", nullable=True),
    sa.Column("version", sa.Integer, nullable=False),
    # Its idempotency key is made of these two, hence unique as well.
    sa.UniqueConstraint("cause", "seller_id", name=conv("one_recovery_a_cause")),
    sa.UniqueConstraint("reversal_id", name=conv("one_recovery_a_reversal")),
    sa.CheckConstraint(
        "status in ('decided', 'sending', 'reversed', 'refused', 'settled')", name=conv("known_recovery_status")
    ),
    sa.CheckConstraint(
        "amount > 0 and reversed_amount >= 0 and netted_amount >= 0 and written_off_amount >= 0"
        " and reversed_amount + netted_amount + written_off_amount <= amount",
        name=conv("no_more_recovered_than_owed"),
    ),
    sa.CheckConstraint(
        "status not in ('reversed', 'settled')"
        " or reversed_amount + netted_amount + written_off_amount = amount and ended_at is not null",
        name=conv("ended_recovery_is_whole"),
    ),
    sa.CheckConstraint(
        "status <> 'sending' or first_sent_at is not null and sending_amount > 0",
        name=conv("reversal_recorded_before_sent"),
    ),
)
sa.Index("recoveries_payout_idx", recoveries.c.payout_id, recoveries.c.id)
sa.Index("recoveries_seller_idx", recoveries.c.seller_id, recoveries.c.id)
sa.Index(
    "recoveries_owed_idx",
    recoveries.c.seller_id,
    recoveries.c.decided_at,
    recoveries.c.id,
    postgresql_where=sa.text("status = 'refused'"),
)
sa.Index(
    "recoveries_due_idx",
    recoveries.c.next_check_at,
    recoveries.c.id,
    postgresql_where=sa.text("next_check_at is not null"),
)
