"""A ``Till`` on the tests' Stripe: the same use cases, the gateway to Stripe, and its events brought to us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.stripe_gateway.client import StripeApi
from marketplace.adapters.stripe_gateway.gateway import StripeGateway
from marketplace.application.ports.payment_gateway import WebhookSource
from marketplace.application.ports.provider_state import SignedDelivery
from tests.stripe_stub import SECRETS, StripeStub
from tests.till import Till


class StripeWithCourier:
    """The gateway, and what the simulated provider has besides: a courier, and sellers who finish their onboarding."""

    def __init__(self, gateway: StripeGateway, stub: StripeStub) -> None:
        self.gateway, self.stub = gateway, stub
        self._waiting: dict[str, SignedDelivery] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.gateway, name)

    def due_deliveries(self, *, lease_for: timedelta, limit: int) -> Sequence[SignedDelivery]:
        for told in self.stub.deliveries():
            id = told.event["id"]
            source = WebhookSource(told.destination)
            self._waiting[id] = SignedDelivery(
                event_id=id, source=source, body=told.body, headers=told.headers, attempts=1
            )
        return list(self._waiting.values())[:limit]

    def delivered(self, delivery: SignedDelivery) -> None:
        del self._waiting[delivery.event_id]

    def refused(self, delivery: SignedDelivery) -> None:
        raise AssertionError(f"an event of Stripe was refused: {delivery.event_id}")

    def finish_onboarding(self, account: str, *, link: str | None, succeed: bool) -> None:
        if succeed:
            self.stub.activate(account)
        else:
            self.stub.restrict(account)


@dataclass(kw_only=True)
class StripeTill(Till):
    """``stub`` forgets everything when a till is made, and keeps its time by the market's clock."""

    stub: StripeStub

    def make_provider(self) -> StripeWithCourier:
        clock: FixedClock = self.market.clock
        self.stub.reset(now=clock.now)
        api = StripeApi(self.stub.api_key, base=self.stub.url, timeout=(3.05, 5.0), sleep=lambda _: None)
        secrets = {source: [SECRETS[source.value]] for source in WebhookSource}
        return StripeWithCourier(StripeGateway(api, currency="EUR", secrets=secrets), self.stub)


def stripe_till(like: Till, stub: StripeStub) -> StripeTill:
    """A till on the stores of ``like``, with Stripe in the place of the simulated provider."""
    return StripeTill(
        market=like.market,
        state=like.state,
        inbox=like.inbox,
        queries=like.queries,
        audit=like.audit,
        events=like.events,
        refusals=like.refusals,
        sweeps=like.sweeps,
        stub=stub,
    )
