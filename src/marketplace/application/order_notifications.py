"""Mail about orders: what buyer and sellers are told, each piece of news once.

A seller never learns the buyer's e-mail address, nor what other sellers sold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.application.ports.identity import AccountView, IdentityQueries
from marketplace.application.ports.notifications import Mail, Mailer
from marketplace.application.ports.orders import OrderQueries, OrderView
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.orders.events import ItemsMissing, OrderEndedUnpaid, OrderPaid, SaleMade
from marketplace.domain.orders.order import Order, PostalAddress, Sale, SaleLine
from marketplace.domain.orders.status import OrderStatus
from marketplace.domain.payments.refund import RefundDecided, RefundFailed, RefundPart
from marketplace.domain.shared.ids import AccountId, OrderId, RefundId, SaleId
from marketplace.domain.shared.money import Money, half_up, step

OrderNews = OrderPaid | SaleMade | OrderEndedUnpaid | ItemsMissing | RefundDecided | RefundFailed

_SIGNATURE = "\n\nThe Marketplace team\n"
_WIDTH = 68

_ENDED = {
    OrderStatus.CANCELLED: (
        "was cancelled",
        "you cancelled your order {order} before it was paid. Nothing was charged, and its items are free again.",
    ),
    OrderStatus.PAYMENT_FAILED: (
        "could not be paid",
        "the payment of your order {order} was declined, and the time to pay it is over. Nothing was charged.\n\n"
        "The items are still in your cart, but nobody keeps them for you any longer: if they are still there, you can "
        "order them again, perhaps with another card.",
    ),
    OrderStatus.EXPIRED: (
        "was not paid in time",
        "your order {order} was not paid in time, so it has ended. Nothing was charged.\n\n"
        "The items are still in your cart, but nobody keeps them for you any longer: if they are still there, you can "
        "order them again.",
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class MailOrderNews:
    """Tell buyers and sellers by mail what has happened to an order."""

    unit_of_work: Callable[[], UnitOfWork]
    identity_queries: IdentityQueries
    order_queries: OrderQueries
    mailer: Mailer

    def __call__(self, news: OrderNews) -> None:
        """Raises Unavailable when a message was not taken. Doing it again sends no second message."""
        match news:
            case OrderPaid():
                self._confirm(OrderId(news.order_id))
            case SaleMade():
                self._tell_seller_of_sale(OrderId(news.order_id), SaleId(news.sale_id))
            case OrderEndedUnpaid():
                self._tell_of_end(OrderId(news.order_id), OrderStatus(news.outcome))
            case ItemsMissing():
                self._tell_of_missing(OrderId(news.order_id), SaleId(news.sale_id))
            case RefundDecided():
                self._tell_of_refund(news)
            case _:
                self._tell_of_failed_refund(OrderId(news.order_id), RefundId(news.refund_id))

    def _order(self, id: OrderId) -> Order:
        with self.unit_of_work() as uow:
            return uow.orders.get(id)

    def _send(self, message_id: str, to: AccountId, subject: str, *paragraphs: str) -> None:
        account = self.identity_queries.me(to)
        text = "\n\n".join([f"Hello {_called(account)},", *paragraphs]) + _SIGNATURE
        self.mailer.send(Mail(message_id=message_id, to=account.email, subject=subject, text=text))

    def _confirm(self, order_id: OrderId) -> None:
        order = self.order_queries.order(order_id)
        self._send(
            f"order-{order.id}-paid",
            AccountId(order.buyer_id),
            f"Your order {order.reference} is confirmed",
            f"thank you: your order {order.reference} is paid, and its sellers have been asked to send it.",
            *_bought(order),
            _totals(order),
            f"It goes to\n\n{_address(order.shipping_address)}",
            "Each seller sends their own parcel. Please confirm each one when it has arrived.",
        )

    def _tell_seller_of_sale(self, order_id: OrderId, sale_id: SaleId) -> None:
        order = self._order(order_id)
        sale = order.sale(sale_id)
        owed = sale.net - half_up(sale.net * sale.returned, sale.base, step(order.currency))
        self._send(
            f"sale-{sale.id}-made",
            sale.seller_id,
            f"You have sold: {sale.reference}",
            f"you have made a sale, {sale.reference}. It is paid; please send it soon.",
            "\n".join(_line(line, line.open_quantity, order.currency) for line in sale.lines if line.open_quantity),
            f"You receive {Money(owed, order.currency)} for it, fees deducted, once the buyer has it.",
            f"Send it to\n\n{_address(order.shipping_address)}",
            "Enter the carrier and the tracking number when the parcel is on its way.",
        )

    def _tell_of_end(self, order_id: OrderId, outcome: OrderStatus) -> None:
        order = self._order(order_id)
        subject, text = _ENDED[outcome]
        self._send(
            f"order-{order.id}-{outcome}",
            order.buyer_id,
            f"Your order {order.reference} {subject}",
            text.format(order=order.reference),
        )

    def _tell_of_missing(self, order_id: OrderId, sale_id: SaleId) -> None:
        order = self._order(order_id)
        sale = order.sale(sale_id)
        missing = "\n".join(_line(line, line.returned, order.currency) for line in sale.lines if line.returned)
        self._send(
            f"sale-{sale.id}-missing-buyer",
            order.buyer_id,
            f"Part of your order {order.reference} cannot be supplied",
            f"your payment for order {order.reference} came after its time to pay had ended, and by then these items "
            "had gone to somebody else:",
            missing,
            "You get their price back with all fees that belong to them; a message of its own says how much. We are "
            "sorry for the disappointment.",
        )
        self._send(
            f"sale-{sale.id}-missing-seller",
            sale.seller_id,
            f"Part of sale {sale.reference} is refunded",
            f"the buyer of sale {sale.reference} paid late, when you no longer had all of it. These items are refunded "
            "to the buyer, so please do not send them:",
            missing,
            _rest(sale),
        )

    def _tell_of_refund(self, news: RefundDecided) -> None:
        with self.unit_of_work() as uow:
            refund = uow.refunds.get(RefundId(news.refund_id))
            order = uow.orders.get(refund.order_id)
        self._send(
            f"refund-{refund.id}-decided",
            order.buyer_id,
            f"{refund.amount} of your order {order.reference} go back to you",
            f"we are giving you back {refund.amount} of your order {order.reference}, to where you paid from. Banks "
            "take up to ten days to show it.",
            *_reason(refund.reason),
        )
        for part in refund.parts:
            self._tell_seller_of_refund(order, part, refund.id)

    def _tell_seller_of_refund(self, order: Order, part: RefundPart, refund_id: RefundId) -> None:
        sale = order.sale(part.sale_id)
        pieces = [_line(line, part.pieces[line.id], order.currency) for line in sale.lines if part.pieces.get(line.id)]
        self._send(
            f"refund-{refund_id}-sale-{sale.id}",
            sale.seller_id,
            f"A refund of sale {sale.reference}",
            f"the buyer of sale {sale.reference} gets money back: {Money(part.components.seller_net, order.currency)} "
            "less are paid out to you for it.",
            *(["It is for:\n\n" + "\n".join(pieces)] if pieces else []),
            _rest(sale),
        )

    def _tell_of_failed_refund(self, order_id: OrderId, refund_id: RefundId) -> None:
        with self.unit_of_work() as uow:
            refund = uow.refunds.get(refund_id)
        order = self._order(order_id)
        self._send(
            f"refund-{refund.id}-failed",
            order.buyer_id,
            f"We could not return {refund.amount} to you yet",
            f"your bank did not take the {refund.amount} that we wanted to give you back for order {order.reference}. "
            "You will get them: we shall write to you to agree on another way.",
        )


def _called(account: AccountView) -> str:
    return account.first_name or account.username


def _reason(reason: str) -> Iterable[str]:
    return [f"The reason: {reason}."] if reason else []


def _rest(sale: Sale) -> str:
    left = sum(line.open_quantity for line in sale.lines)
    if not left:
        return "Nothing of this sale is left to send."
    return f"The rest of the sale, {left} {'piece' if left == 1 else 'pieces'}, stays as it is."


def _bought(order: OrderView) -> Iterable[str]:
    for sale in order.sales:
        lines = [
            _item(item.title, item.variant, item.quantity, Money(item.unit_price, order.currency))
            for item in sale.items
        ]
        yield f"Sold by {sale.shop_name} ({sale.reference})\n" + "\n".join(lines)


def _line(line: SaleLine, quantity: int, currency: str) -> str:
    return _item(line.title, line.variant, quantity, Money(line.unit_price.amount, currency))


def _item(title: str, variant: Mapping[str, Any], quantity: int, unit_price: Money) -> str:
    return _row(f"  {quantity} x {title}{_kind(variant)}", unit_price * quantity)


def _kind(variant: Mapping[str, Any]) -> str:
    """What kind of copy it is, in brackets: language, print, condition, grade."""
    grade = variant.get("grade")
    words = [
        variant.get("language", {}).get("name"),
        variant.get("version", {}).get("name"),
        f"{grade['grader']} {grade['value']}" if grade else variant.get("condition", {}).get("label"),
    ]
    named = ", ".join(word for word in words if word)
    return f" ({named})" if named else ""


def _totals(order: OrderView) -> str:
    amounts = {
        "Items": order.base,
        "Service fee": order.commission,
        "Payment processing": order.processing,
        "Shipping": order.shipping,
        "Total": order.total,
    }
    return "\n".join(_row(name, Money(amount, order.currency)) for name, amount in amounts.items())


def _row(label: str, amount: Money) -> str:
    """The amount at the right-hand side, after the label."""
    return f"{label}{' ' * max(2, _WIDTH - len(label) - len(str(amount)))}{amount}"


def _address(address: PostalAddress) -> str:
    lines = (
        address.name,
        f"{address.street_number} {address.street}".strip(),
        f"{address.postal_code} {address.city}".strip(),
        address.state,
        address.country,
        address.phone_number,
    )
    return "\n".join(f"  {line}" for line in lines if line)
