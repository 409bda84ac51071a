"""The books as plain data, the same over HTTP and on the command line: amounts as decimals."""

from __future__ import annotations

from typing import Any

from marketplace.application.ledger.explaining import OrderExplained
from marketplace.domain.reconciliation import Difference, Reconciliation
from marketplace.domain.shared.money import Money


def explanation_body(found: OrderExplained) -> dict[str, Any]:
    """How an order's amounts came about."""
    return {
        "order": found.order_id,
        "reference": found.reference,
        "status": found.status,
        "currency": found.total.currency,
        "total": found.total.decimal,
        "fee_schedule": found.fee_schedule_id,
        "fees": [
            {
                "component": fee.component,
                "payer": fee.payer,
                "amount": fee.amount.decimal,
                "text": fee.text,
                "shares": [
                    {
                        "seller": share.seller_id,
                        "base": share.base.decimal,
                        "share": share.share.decimal,
                        "exact": share.exact,
                    }
                    for share in fee.shares
                ],
            }
            for fee in found.fees
        ],
        "sales": [
            {
                "sale": sale.sale_id,
                "seller": sale.seller_id,
                "base": sale.base.decimal,
                "commission": sale.commission.decimal,
                "seller_fees": sale.seller_fees.decimal,
                "net": sale.net.decimal,
                "returned": sale.returned.decimal,
                "text": sale.text,
            }
            for sale in found.sales
        ],
        "refunds": [
            {
                "refund": refund.refund_id,
                "amount": refund.amount.decimal,
                "status": refund.status,
                "cause": refund.cause,
                "reason": refund.reason,
                "decided_at": refund.decided_at,
                "text": refund.text,
            }
            for refund in found.refunds
        ],
        "events": [
            {
                "journal": event.journal_id,
                "kind": event.kind,
                "source_key": event.source_key,
                "occurred_at": event.occurred_at,
                "text": event.text,
                "lines": [{"account": account, "amount": amount.decimal} for account, amount in event.lines],
            }
            for event in found.events
        ],
        "captured": found.captured.decimal,
        "places": [{"place": place.place, "amount": place.amount.decimal} for place in found.places],
        "text": found.text,
    }


def run_body(run: Reconciliation) -> dict[str, Any]:
    """One comparison with the provider's books."""
    return {
        "id": run.id,
        "status": run.status.value,
        "since": run.since,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "next_due_at": run.next_due_at,
        "seen": run.seen,
        "matched": run.matched,
        "booked": run.booked,
        "opened": run.opened,
        "closed": run.closed,
        "balances": [
            {"currency": currency, **{name: Money(amount, currency).decimal for name, amount in sides.items()}}
            for currency, sides in sorted(run.balances.items())
        ],
        "error": run.error,
    }


def difference_body(difference: Difference) -> dict[str, Any]:
    """What a comparison has left for an operator."""
    return {
        "id": difference.id,
        "kind": difference.kind.value,
        "subject": difference.subject,
        "currency": difference.currency,
        "ours": _decimal(difference.ours, difference.currency),
        "theirs": _decimal(difference.theirs, difference.currency),
        "detail": difference.detail,
        "opened_at": difference.opened_at,
        "resolution": None if difference.resolution is None else difference.resolution.value,
        "resolved_at": difference.resolved_at,
        "note": difference.note,
    }


def _decimal(amount: int | None, currency: str) -> str | None:
    return None if amount is None else Money(amount, currency).decimal
