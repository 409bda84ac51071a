"""What the books are checked against, in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from marketplace.adapters.memory.ledger import InMemoryLedgerQueries
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.ledger import (
    AccountBalance,
    AuditFacts,
    BrokenJournal,
    ChargebackFacts,
    DebtFacts,
    LedgerAudit,
    OrderFacts,
    PayoutFacts,
    RefundFacts,
    RefundJournal,
    SaleFacts,
    StockFacts,
)
from marketplace.domain.disputes import Dispute
from marketplace.domain.ledger import REFUNDS_PAYABLE, Journal, JournalKind
from marketplace.domain.listings import Listing
from marketplace.domain.orders.order import Order, Sale
from marketplace.domain.payments.chargebacks import Chargeback
from marketplace.domain.payments.refund import Refund, RefundStatus
from marketplace.domain.payouts import Payout
from marketplace.domain.recoveries import Recovery
from marketplace.domain.reservations import Reservation
from marketplace.domain.shared.ids import AccountId, JournalId, ListingId, OrderId, SaleId
from marketplace.domain.shared.money import Money

_OF_REFUNDS = (
    JournalKind.REFUND_DECIDED,
    JournalKind.REFUND_CREATED,
    JournalKind.REFUND_FAILED,
    JournalKind.REFUND_SETTLED,
)


class InMemoryLedgerAudit(LedgerAudit):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    @contextmanager
    def snapshot(self) -> Iterator[AuditFacts]:
        with self._store.lock:
            yield _Snapshot(self._store)


class _Snapshot(AuditFacts):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store
        self._orders: list[Order] = sorted(store.table("orders").values(), key=lambda order: order.id)
        self._journals: list[Journal] = sorted(store.table("journals").values(), key=lambda j: j.id or 0)

    def broken_journals(self) -> Iterator[BrokenJournal]:
        for journal in self._journals:
            total, lines = sum(line.amount for line in journal.lines), len(journal.lines)
            if total or not lines:
                yield BrokenJournal(
                    id=JournalId(journal.id or 0),
                    kind=journal.kind,
                    source_key=journal.source_key,
                    total=total,
                    lines=lines,
                    lines_posted=lines,
                )

    def stray_journals(self) -> Iterator[tuple[str, OrderId]]:
        known = {order.id for order in self._orders}
        for journal in self._journals:
            if journal.order_id is not None and journal.order_id not in known:
                yield journal.source_key, journal.order_id

    def balances(self) -> Sequence[AccountBalance]:
        return InMemoryLedgerQueries(self._store).balances()

    def orders(self) -> Iterator[OrderFacts]:
        of_order: dict[OrderId | None, list[Journal]] = defaultdict(list)
        for journal in self._journals:
            of_order[journal.order_id].append(journal)
        payouts: dict[SaleId, Payout] = {each.sale_id: each for each in self._store.table("payouts").values()}
        disputes: list[Dispute] = list(self._store.table("disputes").values())
        claimed = {dispute.sale_id for dispute in disputes if dispute.is_open}
        chargebacks: list[Chargeback] = list(self._store.table("chargebacks").values())
        for order in self._orders:
            yield replace(
                _order(order, of_order[order.id]),
                sales=tuple(_sale(sale, payouts.get(sale.id), sale.id in claimed) for sale in order.sales),
                chargebacks=tuple(_chargeback(each) for each in chargebacks if each.order_id == order.id),
            )

    def refunds(self) -> Iterator[RefundFacts]:
        refunds: list[Refund] = sorted(self._store.table("refunds").values(), key=lambda refund: refund.id)
        for refund in refunds:
            yield RefundFacts(
                id=refund.id,
                order_id=refund.order_id,
                amount=refund.amount,
                has_failed=refund.status in (RefundStatus.FAILED, RefundStatus.SETTLED_ELSEWHERE),
                provider_refund_id=refund.provider_refund_id,
                earlier_provider_refund_ids=refund.earlier_provider_refund_ids,
                is_settled=refund.status is RefundStatus.SETTLED_ELSEWHERE,
            )

    def refund_journals(self) -> Iterator[RefundJournal]:
        for journal in self._journals:
            if journal.kind in _OF_REFUNDS:
                owed = sum(line.amount for line in journal.lines if line.account == REFUNDS_PAYABLE)
                yield RefundJournal(
                    kind=journal.kind,
                    source_key=journal.source_key,
                    order_id=journal.order_id,
                    amount=Money(abs(owed), journal.currency),
                )

    def debts(self) -> Iterator[DebtFacts]:
        owed: dict[tuple[AccountId, str], int] = defaultdict(int)
        recoveries: list[Recovery] = list(self._store.table("recoveries").values())
        for recovery in recoveries:
            gone = recovery.reversed_amount + recovery.netted_amount + recovery.written_off_amount
            owed[recovery.seller_id, recovery.amount.currency] += recovery.amount.amount - gone
        for (seller_id, currency), left in sorted(owed.items()):
            yield DebtFacts(seller_id=seller_id, left=Money(left, currency))

    def listings(self) -> Iterator[StockFacts]:
        reserved: dict[ListingId, int] = defaultdict(int)
        reservations: list[Reservation] = list(self._store.table("reservations").values())
        for reservation in reservations:
            if reservation.counts():
                reserved[reservation.listing_id] += reservation.quantity
        listings: list[Listing] = sorted(self._store.table("listings").values(), key=lambda listing: listing.id)
        for listing in listings:
            yield StockFacts(
                listing_id=listing.id,
                stock=listing.stock,
                # Memory keeps no count beside the reservations, unless somebody wrote one.
                claimed=listing.claimed or reserved[listing.id],
                reserved=reserved[listing.id],
            )


def _order(order: Order, journals: list[Journal]) -> OrderFacts:
    moves: dict[tuple[str, str], int] = defaultdict(int)
    for journal in journals:
        for line in journal.lines:
            moves[journal.kind, line.account] += line.amount
    return OrderFacts(
        id=order.id,
        reference=order.reference,
        currency=order.currency,
        is_paid=order.paid_at is not None,
        base=order.base,
        commission=order.commission,
        processing=order.processing,
        shipping=order.shipping,
        fees=order.fees,
        sales=(),
        captures=tuple(j.lines for j in journals if j.kind is JournalKind.PAYMENT_CAPTURED),
        moves=dict(moves),
    )


def _sale(sale: Sale, payout: Payout | None, is_claimed: bool) -> SaleFacts:
    return SaleFacts(
        id=sale.id,
        seller_id=sale.seller_id,
        base=sale.base,
        commission=sale.commission,
        seller_fees=sale.seller_fees,
        returned=sale.returned,
        lines=sum(line.subtotal.amount for line in sale.lines),
        lines_returned=sum((line.unit_price * line.returned).amount for line in sale.lines),
        payout=None if payout is None else _payout(payout),
        is_claimed=is_claimed,
    )


def _payout(payout: Payout) -> PayoutFacts:
    return PayoutFacts(
        status=payout.status,
        amount=payout.amount.amount,
        remaining=payout.remaining,
        transferred=payout.transferred_amount,
    )


def _chargeback(chargeback: Chargeback) -> ChargebackFacts:
    return ChargebackFacts(
        amount=sum(movement.amount for movement in chargeback.movements),
        fee=sum(movement.fee for movement in chargeback.movements),
        lost=chargeback.lost or 0,
    )
