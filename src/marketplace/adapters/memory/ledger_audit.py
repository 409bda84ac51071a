"""What the books are checked against, in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from marketplace.adapters.memory.ledger import InMemoryLedgerQueries
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.ledger import (
    AccountBalance,
    AuditFacts,
    BrokenJournal,
    LedgerAudit,
    OrderFacts,
    RefundFacts,
    RefundJournal,
    SaleFacts,
    StockFacts,
)
from marketplace.domain.ledger import REFUNDS_PAYABLE, Journal, JournalKind
from marketplace.domain.listings import Listing
from marketplace.domain.orders.order import Order, Sale
from marketplace.domain.payments.refund import Refund, RefundStatus
from marketplace.domain.reservations import Reservation
from marketplace.domain.shared.ids import JournalId, ListingId, OrderId
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
        for order in self._orders:
            yield _order(order, of_order[order.id])

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
        sales=tuple(_sale(sale) for sale in order.sales),
        captures=tuple(j.lines for j in journals if j.kind is JournalKind.PAYMENT_CAPTURED),
        moves=dict(moves),
    )


def _sale(sale: Sale) -> SaleFacts:
    return SaleFacts(
        id=sale.id,
        seller_id=sale.seller_id,
        base=sale.base,
        commission=sale.commission,
        seller_fees=sale.seller_fees,
        returned=sale.returned,
        lines=sum(line.subtotal.amount for line in sale.lines),
        lines_returned=sum((line.unit_price * line.returned).amount for line in sale.lines),
    )
