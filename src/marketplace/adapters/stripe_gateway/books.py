"""What Stripe holds for us, what moved it, and what it had to tell: for reconciliation and for what was missed."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NotRequired, TypedDict

from marketplace.adapters.stripe_gateway.client import PAGE, Object, StripeApi, named, reading, rows_of
from marketplace.adapters.stripe_gateway.currencies import from_stripe
from marketplace.adapters.stripe_gateway.events import event_of
from marketplace.adapters.stripe_gateway.shapes import moment, name_of, seconds, text
from marketplace.application.ports.payment_gateway import (
    BalanceTransaction,
    PlatformPayout,
    PlatformPayoutStatus,
    ProviderBalance,
    ProviderEvent,
    ProviderObjectUnknown,
)

if TYPE_CHECKING:
    from stripe import StripeClient, StripeObject
    from stripe.params import BalanceTransactionListParams, EventListParams

_log = logging.getLogger(__name__)

_PAYOUT_STATUS = {
    "paid": PlatformPayoutStatus.PAID,
    "failed": PlatformPayoutStatus.FAILED,
    "canceled": PlatformPayoutStatus.CANCELED,
}


class _Place(TypedDict):
    """Where on a list a page begins: lists have the newest first."""

    limit: int
    starting_after: NotRequired[str]
    ending_before: NotRequired[str]


_Page = Callable[["StripeClient", _Place], "StripeObject"]


class Books:
    _api: StripeApi

    def balance(self, currency: str) -> ProviderBalance:
        """What is held back counts as pending: it is ours and not to be had now."""
        what = "read our balance"
        found = self._api.read(what, lambda client: client.v1.balance.retrieve())
        with reading(what):
            return ProviderBalance(
                currency=currency,
                available=_sum(found, "available", currency),
                pending=_sum(found, "pending", currency) + _sum(found, "connect_reserved", currency),
            )

    def balance_transactions(self, *, since: datetime, after: str | None, limit: int) -> Sequence[BalanceTransaction]:
        what = "list the movements on our balance"

        def page(client: StripeClient, place: _Place) -> StripeObject:
            params: BalanceTransactionListParams = {"created": {"gte": seconds(since)}, "limit": place["limit"]}
            if "starting_after" in place:
                params["starting_after"] = place["starting_after"]
            if "ending_before" in place:
                params["ending_before"] = place["ending_before"]
            return client.v1.balance_transactions.list(params)

        return [_movement_of(movement, what) for movement in self._oldest_first(what, page, after=after, limit=limit)]

    def get_platform_payout(self, payout_id: str) -> PlatformPayout:
        name, what = named(payout_id), "read a payout to our bank"
        payout = self._api.read(what, lambda client: client.v1.payouts.retrieve(name))
        with reading(what):
            return PlatformPayout(
                id=payout["id"],
                amount=from_stripe(payout["amount"], payout["currency"]),
                currency=payout["currency"].upper(),
                status=_PAYOUT_STATUS.get(payout["status"], PlatformPayoutStatus.IN_TRANSIT),
                balance_transaction_id=name_of(payout.get("balance_transaction")),
                failure_balance_transaction_id=name_of(payout.get("failure_balance_transaction")),
                failure_code=text(payout.get("failure_code")),
                created_at=moment(payout["created"]),
            )

    def events(self, *, since: datetime, after: str | None, limit: int) -> Sequence[ProviderEvent]:
        what = "list events"

        def page(client: StripeClient, place: _Place) -> StripeObject:
            params: EventListParams = {"created": {"gte": seconds(since)}, "limit": place["limit"]}
            if "starting_after" in place:
                params["starting_after"] = place["starting_after"]
            if "ending_before" in place:
                params["ending_before"] = place["ending_before"]
            return client.v1.events.list(params)

        return list(_events_of(self._oldest_first(what, page, after=after, limit=limit)))

    def _oldest_first(self, what: str, page: _Page, *, after: str | None, limit: int) -> list[Object]:
        if after is not None:
            try:
                return self._following(what, page, named(after), limit)
            except ProviderObjectUnknown:
                pass  # the provider has forgotten the place, as it does with events after a month: from the beginning
        last: deque[Object] = deque(maxlen=limit)
        last.extend(self._api.pages(what, lambda client, name: page(client, _from(name))))
        return list(reversed(last))

    def _following(self, what: str, page: _Page, after: str, limit: int) -> list[Object]:
        found: list[Object] = []
        while len(found) < limit:
            place: _Place = {"ending_before": after, "limit": min(PAGE, limit - len(found))}
            rows = rows_of(self._api.read(what, lambda client, place=place: page(client, place)))  # type: ignore[misc]
            found.extend(reversed(rows))
            if len(rows) < place["limit"]:
                break
            after = found[-1]["id"]
        return found


def _events_of(found: Sequence[Object]) -> Iterator[ProviderEvent]:
    """One that cannot be read must not hide those that come after it."""
    for event in found:
        try:
            yield event_of(event)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError) as error:
            _log.warning("event %s cannot be read: %s", event.get("id"), type(error).__name__)


def _from(name: str | None) -> _Place:
    return {"limit": PAGE} if name is None else {"limit": PAGE, "starting_after": name}


def _sum(balance: Object, part: str, currency: str) -> int:
    funds = [each for each in balance.get(part) or [] if each["currency"].upper() == currency]
    return sum(from_stripe(each["amount"], currency) for each in funds)


def _movement_of(movement: Object, what: str) -> BalanceTransaction:
    with reading(what):
        currency = movement["currency"]
        return BalanceTransaction(
            id=movement["id"],
            type=movement["type"],
            reporting_category=text(movement.get("reporting_category")),
            source=name_of(movement.get("source")) or "",
            amount=from_stripe(movement["amount"], currency),
            fee=from_stripe(movement["fee"], currency),
            net=from_stripe(movement["net"], currency),
            currency=currency.upper(),
            created_at=moment(movement["created"]),
            available_at=moment(movement["available_on"]),
        )
