"""Where a seller's money stands: every move of it, in the status of its payout and in the ledger at once.

Everything here runs in the caller's transaction, with the order locked; payouts are locked after it.
"""

from __future__ import annotations

from datetime import datetime

from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain import journals, ledger
from marketplace.domain.orders.order import Order, Sale
from marketplace.domain.payout_states import HoldReason, PayoutStatus
from marketplace.domain.payouts import Payout
from marketplace.domain.recoveries import Recovery
from marketplace.domain.shared.ids import PayoutId, RecoveryId, SaleId
from marketplace.domain.shared.money import Money


def open_payouts(uow: UnitOfWork, order: Order, *, ids: IdSequence, now: datetime) -> None:
    """The order was paid: a payout for each of its sales, pending, also for a sale that nothing is left of."""
    for sale, id in zip(order.sales, ids.take(len(order.sales)), strict=True):
        uow.payouts.add(
            Payout.open(
                id=PayoutId(id),
                order_id=order.id,
                sale_id=sale.id,
                seller_id=sale.seller_id,
                amount=Money(sale.net, order.currency),
                now=now,
            )
        )


def fall_due(uow: UnitOfWork, sale: Sale, order: Order, *, now: datetime) -> None:
    """A sale is complete: its seller is to be paid, unless the payout is kept back. Repeating it changes nothing."""
    payout = uow.payouts.of_sale_for_update(sale.id)
    amount = payout.remaining
    became_due = payout.fall_due(now=now)
    uow.payouts.save(payout)
    if became_due and amount:
        uow.ledger.post(
            journals.order_completed(
                sale_id=sale.id,
                order_id=order.id,
                seller_id=payout.seller_id,
                currency=payout.amount.currency,
                amount=amount,
                at=now,
            )
        )


def take_from_seller(
    uow: UnitOfWork, order: Order, sale_id: SaleId, amount: int, *, cause: str, ids: IdSequence, now: datetime
) -> str:
    """So many minor units of a sale's net go back to the buyer. The ledger account to debit for it.

    ``cause`` is ``refund:<id>`` or ``chargeback:<id>``, each at most once for a sale. What was sent already, or is
    being sent, becomes a recovery. Raises NotFound until the sale is paid, and Invalid for more than is left of it.
    """
    payout = uow.payouts.of_sale_for_update(sale_id)
    account = payout.ledger_account
    of_itself = payout.take(amount)
    uow.payouts.save(payout)
    if of_itself:
        return account
    if amount:
        _recover(uow, payout, amount, cause=cause, id=RecoveryId(ids.next()), now=now)
    return ledger.receivable(payout.seller_id)


def hold(uow: UnitOfWork, order: Order, sale_id: SaleId, *, key: str, reason: HoldReason, now: datetime) -> None:
    """Keep a sale's payout back until ``release`` with the same key. Repeating it changes nothing.

    Raises NotFound until the sale is paid.
    """
    hold_payout(uow, uow.payouts.of_sale_for_update(sale_id), key=key, reason=reason, now=now)


def release(uow: UnitOfWork, order: Order, sale_id: SaleId, *, key: str, now: datetime) -> None:
    """End one hold; after the last the payout goes its way again. Repeating it changes nothing.

    Raises NotFound until the sale is paid.
    """
    release_payout(uow, uow.payouts.of_sale_for_update(sale_id), key=key, now=now)


def hold_payout(uow: UnitOfWork, payout: Payout, *, key: str, reason: HoldReason, now: datetime) -> None:
    """As ``hold``, of a payout that is locked, and its order with it."""
    source = payout.ledger_account
    became_held = payout.hold(key=key, reason=reason, now=now)
    uow.payouts.save(payout)
    if became_held:
        post_hold(uow, payout, source, now=now)


def release_payout(uow: UnitOfWork, payout: Payout, *, key: str, now: datetime) -> None:
    """As ``release``, of a payout that is locked, and its order with it."""
    ended = payout.release(key=key, now=now)
    uow.payouts.save(payout)
    if ended is not None and payout.remaining:
        journal = journals.dispute_release if ended.reason.is_claim else journals.payout_release
        uow.ledger.post(
            journal(
                hold_key=ended.journal_key,
                sale_id=payout.sale_id,
                order_id=payout.order_id,
                seller_id=payout.seller_id,
                currency=payout.amount.currency,
                amount=payout.remaining,
                target=payout.ledger_account,
                at=now,
            )
        )


def post_hold(uow: UnitOfWork, payout: Payout, source: str, *, now: datetime) -> None:
    """What remains of a payout that is on hold now moves there from ``source``."""
    if payout.remaining:
        first = payout.open_holds[0]
        journal = journals.dispute_hold if first.reason.is_claim else journals.payout_hold
        uow.ledger.post(
            journal(
                hold_key=first.journal_key,
                sale_id=payout.sale_id,
                order_id=payout.order_id,
                seller_id=payout.seller_id,
                currency=payout.amount.currency,
                amount=payout.remaining,
                source=source,
                at=now,
            )
        )


def _recover(uow: UnitOfWork, payout: Payout, amount: int, *, cause: str, id: RecoveryId, now: datetime) -> None:
    recovery = Recovery.decide(
        id=id,
        payout_id=payout.id,
        order_id=payout.order_id,
        sale_id=payout.sale_id,
        seller_id=payout.seller_id,
        amount=Money(amount, payout.amount.currency),
        cause=cause,
        now=now,
    )
    if payout.transferred_amount:
        recovery.transfer_is_done(now=now)
    elif payout.status is not PayoutStatus.SENDING:
        recovery.refuse("nothing was transferred that could be taken back", now=now)
    uow.recoveries.add(recovery)
