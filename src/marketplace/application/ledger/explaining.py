"""How the amounts of an order came about, and where each cent is now, in words that need no knowledge of the code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from marketplace.application.access import Actor, require_role
from marketplace.application.ledger.wording import said
from marketplace.application.ports.ledger import LedgerEntry, LedgerQueries
from marketplace.application.ports.orders import OrderQueries
from marketplace.application.ports.pages import MAX_PAGE_SIZE, PageRequest
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain import ledger
from marketplace.domain.fees import AppliedFee
from marketplace.domain.identity import Role
from marketplace.domain.ledger import AccountType, JournalKind, account_type, is_account
from marketplace.domain.orders.order import Order
from marketplace.domain.payments.refund import Refund
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import MAX_ID, FeeScheduleId, OrderId
from marketplace.domain.shared.money import Money

MOST_JOURNALS = 1000
"""Of one order; no order comes near it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """One seller's part of a fee: ``exact`` is what it would be without rounding, in minor units."""

    seller_id: int
    base: Money
    share: Money
    exact: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FeeExplained:
    """``text``: the rule, the value before rounding, and what bounded it. ``shares``: by largest remainder."""

    component: str
    payer: str
    amount: Money
    text: str
    shares: tuple[Share, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SaleExplained:
    sale_id: int
    seller_id: int
    base: Money
    commission: Money
    seller_fees: Money
    net: Money
    returned: Money
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundExplained:
    refund_id: int
    amount: Money
    status: str
    cause: str
    reason: str
    decided_at: datetime
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class EventExplained:
    """A journal, in words. ``lines``: (account, debit positive and credit negative)."""

    journal_id: int
    kind: str
    source_key: str
    occurred_at: datetime
    text: str
    lines: tuple[tuple[str, Money], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """``amount`` of what was captured is at ``place``; negative: it is missing there, and somebody bears it."""

    place: str
    amount: Money


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderExplained:
    """``fee_schedule_id`` is None when the fees were those of the settings. ``places`` add up to ``captured``."""

    order_id: int
    reference: str
    status: str
    total: Money
    fee_schedule_id: FeeScheduleId | None
    fees: tuple[FeeExplained, ...]
    sales: tuple[SaleExplained, ...]
    refunds: tuple[RefundExplained, ...]
    events: tuple[EventExplained, ...]
    captured: Money
    places: tuple[Place, ...]

    @property
    def text(self) -> str:
        """All of it, to be read."""
        return "\n".join(_told(self))


@dataclass(frozen=True, kw_only=True, slots=True)
class ExplainOrder:
    """Tell of any amount of an order why it is that, and where it is now."""

    unit_of_work: Callable[[], UnitOfWork]
    orders: OrderQueries
    ledger: LedgerQueries

    def __call__(self, *, actor: Actor, order: str) -> OrderExplained:
        """``order`` is its id or its public reference. Raises Forbidden and NotFound, and Invalid for neither."""
        require_role(actor, Role.ADMIN)
        order_id = self._id(order)
        with self.unit_of_work() as uow:
            found, refunds = uow.orders.get(order_id), uow.refunds.of_order(order_id)
        entries = self._entries(order_id)
        captured, places = _where(entries, found.currency)
        return OrderExplained(
            order_id=found.id,
            reference=found.reference,
            status=found.status.value,
            total=found.total,
            fee_schedule_id=found.fee_schedule_id,
            fees=tuple(_fee(fee) for fee in found.fees),
            sales=tuple(_sales(found)),
            # By time, since each process takes its ids from a block of its own.
            refunds=tuple(map(_refund, sorted(refunds, key=lambda refund: (refund.decided_at, refund.id)))),
            events=tuple(_event(entry) for entry in entries),
            captured=captured,
            places=places,
        )

    def _id(self, order: str) -> OrderId:
        wanted = order.strip()
        if wanted.isascii() and wanted.isdigit():
            if int(wanted) > MAX_ID:
                raise Invalid(f"order: {wanted[:20]} is no id; ids end at {MAX_ID}.")
            return OrderId(int(wanted))
        return OrderId(self.orders.order_called(wanted).id)

    def _entries(self, order_id: OrderId) -> Sequence[LedgerEntry]:
        """Its journals, the earliest first."""
        found: list[LedgerEntry] = []
        request = PageRequest(size=MAX_PAGE_SIZE)
        while len(found) < MOST_JOURNALS:
            page = self.ledger.entries(request, order_id=order_id)
            found += page.items
            if page.next is None:
                break
            request = PageRequest(size=MAX_PAGE_SIZE, after=page.next)
        return found[::-1]


def _fee(fee: AppliedFee) -> FeeExplained:
    """The exact share is the fee times the seller's base over the whole base."""
    shares = tuple(
        Share(
            seller_id=part.seller_id,
            base=Money(part.base, fee.currency),
            share=Money(part.share, fee.currency),
            exact=_in_full(fee.amount * part.base, fee.base),
        )
        for part in fee.parts
        if part.share or len(fee.parts) > 1
    )
    return FeeExplained(
        component=fee.rule.component.value,
        payer=fee.rule.payer.value,
        amount=fee.money,
        text=str(fee),
        shares=shares if any(share.share.amount for share in shares) else (),
    )


def _in_full(dividend: int, divisor: int) -> str:
    """At most four decimals are shown; the split itself is reckoned in whole numbers."""
    return f"{Decimal(dividend) / (divisor or 1):.4f}".rstrip("0").rstrip(".")


def _sales(order: Order) -> Iterator[SaleExplained]:
    for sale in order.sales:
        base, net = Money(sale.base, order.currency), Money(sale.net, order.currency)
        commission, fees = Money(sale.commission, order.currency), Money(sale.seller_fees, order.currency)
        returned = Money(sale.returned, order.currency)
        text = f"sale {sale.id} of seller {sale.seller_id}: {base} of items, less {commission} commission"
        text += f" and {fees} other fees" if sale.seller_fees else ""
        text += f", leaves the seller {net}"
        text += f"; items worth {returned} went back" if sale.returned else ""
        yield SaleExplained(
            sale_id=sale.id,
            seller_id=sale.seller_id,
            base=base,
            commission=commission,
            seller_fees=fees,
            net=net,
            returned=returned,
            text=text,
        )


def _refund(refund: Refund) -> RefundExplained:
    currency = refund.amount.currency
    parts = []
    for part in refund.parts:
        given = part.components
        back = [
            f"{Money(amount, currency)} {name}"
            for name, amount in (
                ("for items", given.items),
                ("commission", given.commission),
                ("processing fee", given.processing),
                ("shipping", given.shipping),
            )
            if amount
        ]
        borne = (
            f"{Money(given.seller_net, currency)} of the item price comes from seller {part.seller_id}, "
            f"{Money(given.seller_commission + given.seller_fees, currency)} had been withheld as fees and is ours"
        )
        parts.append(f"sale {part.sale_id}: {', '.join(back)}; {borne}")
    return RefundExplained(
        refund_id=refund.id,
        amount=refund.amount,
        status=refund.status.value,
        cause=refund.cause.value,
        reason=refund.reason,
        decided_at=refund.decided_at,
        text=(
            f"refund {refund.id} of {refund.amount} ({refund.cause}: {refund.reason}), {refund.status}. "
            f"{'. '.join(parts)}. "
            "Fees go back in proportion to all that has gone back so far, less what went back before, so that any "
            "number of parts adds up to the whole"
        ),
    )


def _event(entry: LedgerEntry) -> EventExplained:
    return EventExplained(
        journal_id=entry.id,
        kind=entry.kind.value,
        source_key=entry.source_key,
        occurred_at=entry.occurred_at,
        text=said(entry),
        lines=tuple((line.account, line.amount) for line in entry.lines),
    )


# --- where the money is


def _where(entries: Sequence[LedgerEntry], currency: str) -> tuple[Money, tuple[Place, ...]]:
    """What was captured, and the places that it is at: they add up to it, since every journal adds up to nothing."""
    places: dict[str, int] = defaultdict(int)
    captured = 0
    for entry in entries:
        for line in entry.lines:
            if line.account != ledger.STRIPE_BALANCE:
                places[line.account] -= line.amount.amount
            elif entry.kind is JournalKind.PAYMENT_CAPTURED:
                captured += line.amount.amount
            else:
                places[_LEFT_BY.get(entry.kind, f"moved by {entry.kind}")] -= line.amount.amount
    shown = tuple(Place(place=_called(at, of=n), amount=Money(n, currency)) for at, n in places.items() if n)
    return Money(captured, currency), shown


_LEFT_BY: Mapping[JournalKind, str] = {
    JournalKind.STRIPE_FEE: "paid to the payment provider as its fee",
    JournalKind.TRANSFER_CREATED: "transferred to sellers",
    JournalKind.TRANSFER_REVERSED: "taken back from sellers",
    JournalKind.REFUND_CREATED: "sent back to the buyer",
    JournalKind.REFUND_FAILED: "sent back to the buyer",
    JournalKind.CHARGEBACK_WITHDRAWN: "taken by the buyer's bank, with its fee",
    JournalKind.CHARGEBACK_WON: "given back by the buyer's bank",
}
_PLACES: Mapping[str, str] = {
    ledger.REFUNDS_PAYABLE: "owed to the buyer, not sent yet",
    ledger.SHIPPING: "collected for carriers",
    ledger.COMMISSION_BUYER: "our revenue: commission of the buyer",
    ledger.COMMISSION_SELLER: "our revenue: commission of the sellers",
    ledger.PROCESSING_FEE: "our revenue: processing fee",
    ledger.SELLER_FEES: "our revenue: other fees of sellers",
    ledger.STRIPE_FEES: "our cost: the provider's fee",
    ledger.DISPUTE_FEES: "our cost: the provider's fee for chargebacks",
    ledger.CHARGEBACK_LOSSES: "our cost: lost in chargebacks",
    ledger.BAD_DEBT: "our cost: written off",
    ledger.DISPUTED_FUNDS: "still claimed from the buyer's bank",
    ledger.SUSPENSE: "waiting for somebody to decide whose it is",
    ledger.BANK: "paid from our bank",
}
_OF_SELLER = {
    "pending": "of seller {} until the sale is complete",
    "on_hold": "of seller {}, kept back",
    "payable": "of seller {}, to be transferred",
}


def _called(place: str, *, of: int) -> str:
    """``place`` is an account, or has its name already; ``of`` an order so many minor units are there."""
    return _PLACES.get(place) or (_of_account(place, of) if is_account(place) else place)


def _of_account(account: str, amount: int) -> str:
    parts = account.split(":")
    if account_type(account) is AccountType.LIABILITY and parts[-1] in _OF_SELLER:
        return _OF_SELLER[parts[-1]].format(parts[2])
    if account.startswith("assets:seller_receivable:"):
        # More than the order has made them owe: it has paid for another one.
        return f"kept for what seller {parts[-1]} owed us" if amount > 0 else f"owed to us by seller {parts[-1]}"
    return account


# --- all of it, to be read


def _told(explained: OrderExplained) -> Iterator[str]:
    rules = "the settings" if explained.fee_schedule_id is None else f"fee schedule {explained.fee_schedule_id}"
    yield f"Order {explained.reference} ({explained.order_id}), {explained.status}, {explained.total}"
    yield ""
    yield f"How it was priced, by the rules of {rules}:"
    for fee in explained.fees:
        yield f"- {fee.text}"
        for share in fee.shares:
            yield (
                f"    seller {share.seller_id} bears {share.share}: exactly {share.exact} minor units for "
                f"{share.base} of items, rounded down, what was left over going to the largest remainders"
            )
    yield from (f"- {sale.text}" for sale in explained.sales)
    if explained.refunds:
        yield ""
        yield "What went back:"
        yield from (f"- {refund.text}" for refund in explained.refunds)
    yield ""
    yield "What happened:"
    for event in explained.events:
        yield f"- {event.occurred_at:%Y-%m-%d %H:%M:%S} journal {event.journal_id}: {event.text}"
    if not explained.events:
        yield "- nothing was paid"
    yield ""
    yield f"Where the money is: {explained.captured} were captured ="
    yield from (f"  {place.amount!s:>16}  {place.place}" for place in explained.places)
