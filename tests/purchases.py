"""A purchase as the store holds it: two sellers, one buyer, one order, in whatever state a test needs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from marketplace.adapters.memory.store import InMemoryIdSequence
from marketplace.application.payments.returns import refund_pieces
from marketplace.application.payouts.positions import open_payouts
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain import journals
from marketplace.domain.fees import FeeSchedule
from marketplace.domain.identity.accounts import Account
from marketplace.domain.listings import Listing
from marketplace.domain.orders.order import Order, OrderItem, PostalAddress
from marketplace.domain.payments.payment import Payment
from marketplace.domain.payments.refund import Refund, RefundCause
from marketplace.domain.sellers import SellerProfile
from marketplace.domain.shared.money import Money

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
BUYER, FIRST_SELLER, SECOND_SELLER = 100, 201, 202
ORDER, REFUND = 7, 61
SCHEDULE = FeeSchedule.standard(
    currency="EUR",
    commission_rate=Decimal("0.05"),
    processing_rate=Decimal("0.06"),
    processing_minimum=500,
    shipping=1000,
)
ADDRESS = PostalAddress(
    name="Ada Lovelace",
    street_number="12",
    street="Rue des Cartes",
    city="Lyon",
    state="",
    postal_code="69001",
    country="FR",
    phone_number="+33123456789",
)
NEAR_MINT = {
    "language": {"id": 1, "code": "en", "name": "English"},
    "version": {"id": 3, "code": "holo", "name": "Holo"},
    "condition": {"id": 2, "code": "NM", "label": "Near mint", "is_graded": False},
    "grade": None,
}
GRADED = {
    **NEAR_MINT,
    "condition": {"id": 8, "code": "GRADED", "label": "Graded", "is_graded": True},
    "grade": {"id": 9, "grader": "PSA", "value": "10"},
}


def a_listing(id: int, seller_id: int, *, price: int = 5005, stock: int = 3) -> Listing:
    return Listing.offer(
        id,
        seller_id=seller_id,
        product_id=id,
        variant_id=id,
        price=Money(price, "EUR"),
        stock=stock,
        now=NOW,
    )


def an_order(id: int = ORDER) -> Order:
    """The worked example ``two_sellers_tie``: one card for 50.05 EUR of each of two sellers."""
    items = [
        OrderItem(
            listing_id=listing,
            seller_id=seller,
            product_id=listing,
            variant_id=listing,
            title=title,
            variant=variant,
            quantity=1,
            unit_price=Money(5005, "EUR"),
        )
        for listing, seller, title, variant in (
            (501, FIRST_SELLER, "Charizard", NEAR_MINT),
            (502, SECOND_SELLER, "Blue-Eyes White Dragon", GRADED),
        )
    ]
    return Order.place(
        id=id,
        sale_ids=[id * 10 + 1, id * 10 + 2],
        line_ids=[id * 100 + 1, id * 100 + 2],
        buyer_id=BUYER,
        items=items,
        schedule=SCHEDULE,
        shipping_address=ADDRESS,
        billing_address=None,
        now=NOW,
        payment_due_at=NOW + timedelta(minutes=30),
    )


def a_payment(order: Order) -> Payment:
    return Payment.open(
        id=order.id + 1000,
        order_id=order.id,
        buyer_id=order.buyer_id,
        amount=order.total,
        provider="simulated",
        due_at=order.payment_due_at,
        now=NOW,
    )


PAYOUT_IDS = InMemoryIdSequence(20_000_001)


def store_market(unit_of_work: Callable[[], UnitOfWork]) -> None:
    """The buyer, the two sellers, and their listings."""
    with unit_of_work() as uow:
        for id, username, name in (
            (BUYER, "ada", "Ada"),
            (FIRST_SELLER, "red", ""),
            (SECOND_SELLER, "kaiba", "Seto"),
        ):
            email = f"{username}@example.com"
            uow.accounts.add(
                Account.open(id=id, username=username, email=email, password_hash="x", first_name=name, now=NOW)
            )
        for id, shop in ((FIRST_SELLER, "Card Cave"), (SECOND_SELLER, "Kaiba Corner")):
            uow.sellers.add(SellerProfile.of(id, shop_name=shop, now=NOW, email_verified=True))
        uow.listings.add(a_listing(501, FIRST_SELLER))
        uow.listings.add(a_listing(502, SECOND_SELLER))
        uow.commit()


def store_unpaid_order(unit_of_work: Callable[[], UnitOfWork], id: int = ORDER) -> None:
    order = an_order(id)
    with unit_of_work() as uow:
        uow.orders.add(order)
        uow.payments.add(a_payment(order))
        uow.commit()


def store_paid_order(
    unit_of_work: Callable[[], UnitOfWork], id: int = ORDER, *, missing: dict[int, int] | None = None
) -> None:
    """An order that was paid; ``missing`` pieces by line are refunded at once, as for late money."""
    store_unpaid_order(unit_of_work, id)
    with unit_of_work() as uow:
        order, payment = uow.orders.get_for_update(id), uow.payments.of_order_for_update(id)
        order.pay(missing or {}, now=NOW)
        payment.started(f"pi_{id}")
        payment.succeed(f"ch_{id}", now=NOW)
        uow.ledger.post(
            journals.payment_captured(
                charge_id=f"ch_{id}",
                order_id=order.id,
                currency=order.currency,
                total=order.total.amount,
                sellers=[(s.seller_id, s.net, s.commission, s.seller_fees) for s in order.sales],
                commission=order.commission,
                processing=order.processing,
                shipping=order.shipping,
                at=NOW,
            )
        )
        uow.ledger.post(
            journals.stripe_fee(balance_transaction_id=f"txn_{id}", order_id=order.id, currency="EUR", fee=207, at=NOW)
        )
        open_payouts(uow, order, ids=PAYOUT_IDS, now=NOW)
        if missing:
            pieces = {
                sale.id: {line.id: missing[line.id] for line in sale.lines if line.id in missing}
                for sale in order.sales
                if any(line.id in missing for line in sale.lines)
            }
            refund_pieces(
                uow,
                order,
                payment,
                pieces,
                id=REFUND,
                cause=RefundCause.NOT_SHIPPED,
                reason="came late",
                ids=PAYOUT_IDS,
                now=NOW,
            )
        uow.orders.save(order)
        uow.payments.save(payment)
        uow.commit()


def store_refund(
    unit_of_work: Callable[[], UnitOfWork],
    order_id: int = ORDER,
    *,
    id: int = REFUND,
    pieces: dict[int, dict[int, int]] | None = None,
    reason: str = "The seller could not find the card",
) -> Refund:
    """A refund that was decided, by default of all that the first seller sold."""
    with unit_of_work() as uow:
        order, payment = uow.orders.get_for_update(order_id), uow.payments.of_order(order_id)
        chosen = pieces or {order.sales[0].id: {line.id: line.quantity for line in order.sales[0].lines}}
        refund = refund_pieces(
            uow,
            order,
            payment,
            chosen,
            id=id,
            cause=RefundCause.SELLER,
            reason=reason,
            ids=PAYOUT_IDS,
            now=NOW,
        )
        uow.orders.save(order)
        uow.commit()
    return refund
