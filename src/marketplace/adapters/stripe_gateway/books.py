"""What Stripe holds for us, what moved it, and what it had to tell: for reconciliation and for what was missed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NotRequired, TypedDict, cast

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


class _Range(TypedDict):
    gte: int
    lte: NotRequired[int]


class _Place(TypedDict):
    """A page of a list, which has the newest first: between two seconds, both included, before or after a name.

    The parameters that all lists have in common: for the SDK each has types of its own.
    """

    created: _Range
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
            return client.v1.balance_transactions.list(cast("BalanceTransactionListParams", place))

        return [
            _movement_of(movement, what)
            for movement in self._oldest_first(what, page, since=since, after=after, limit=limit)
        ]

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
            return client.v1.events.list(cast("EventListParams", place))

        return list(_events_of(self._oldest_first(what, page, since=since, after=after, limit=limit)))

    def _oldest_first(self, what: str, page: _Page, *, since: datetime, after: str | None, limit: int) -> list[Object]:
        begin = seconds(since)
        if after is not None:
            try:
                return self._following(what, page, begin, named(after), limit)
            except ProviderObjectUnknown:
                pass  # the provider has forgotten the place, as it does with events after a month: from the beginning
        found = self._oldest(what, page, begin)
        if found and len(found) < limit:
            with reading(what):
                found += self._following(what, page, begin, found[-1]["id"], limit - len(found))
        return found[:limit]

    def _following(self, what: str, page: _Page, begin: int, after: str, limit: int) -> list[Object]:
        found: list[Object] = []
        while len(found) < limit:
            asked = min(PAGE, limit - len(found))
            rows, _ = self._page(what, page, {"created": {"gte": begin}, "limit": asked, "ending_before": after})
            found.extend(reversed(rows))
            if len(rows) < asked:
                break
            after = found[-1]["id"]
        return found

    def _oldest(self, what: str, page: _Page, begin: int) -> list[Object]:
        """The first of all from ``begin`` on, though lists begin with the newest: the time is halved until a page holds
        what is left. For a year that takes some thirty requests, however much there was."""
        with reading(what):
            rows, has_more = self._page(what, page, {"created": {"gte": begin}, "limit": PAGE})
            end = rows[0]["created"] if has_more else begin
            while has_more and begin < end:
                middle = (begin + end) // 2
                rows, has_more = self._page(what, page, {"created": {"gte": begin, "lte": middle}, "limit": PAGE})
                if rows:
                    end = middle
                else:
                    begin, has_more = middle + 1, True
            return list(reversed(self._second(what, page, begin) if has_more else rows))

    def _second(self, what: str, page: _Page, begin: int) -> list[Object]:
        """All of one second, which is as short a time as can be asked for."""
        created: _Range = {"gte": begin, "lte": begin}
        return list(
            self._api.pages(
                what,
                lambda client, name: page(
                    client,
                    {"created": created, "limit": PAGE}
                    if name is None
                    else {"created": created, "limit": PAGE, "starting_after": name},
                ),
            )
        )

    def _page(self, what: str, page: _Page, place: _Place) -> tuple[Sequence[Object], bool]:
        found = self._api.read(what, lambda client: page(client, place))
        return rows_of(found), bool(found.get("has_more"))


def _events_of(found: Sequence[Object]) -> Iterator[ProviderEvent]:
    """One that cannot be read must not hide those that come after it."""
    for event in found:
        try:
            yield event_of(event)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError) as error:
            _log.warning("event %s cannot be read: %s", event.get("id"), type(error).__name__)


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
