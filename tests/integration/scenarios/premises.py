"""What all scenarios of a test process share: the real parts on PostgreSQL and on the tests' Stripe, and the doors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from werkzeug.test import Client

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.mailer import InMemoryMailer
from marketplace.adapters.postgres.provider_events import WRITE_EVERY_SECONDS, PostgresWebhookRefusals
from marketplace.adapters.stripe_gateway.client import StripeApi
from marketplace.adapters.stripe_gateway.gateway import StripeGateway
from marketplace.application.ports.payment_gateway import WebhookSource
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import PostgresBackend
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.settings import Settings
from tests.stripe_stub import SECRETS, StripeStub
from tests.stripe_till import StripeWithCourier
from tests.till import Till

START = FixedClock().now()
ADDRESSES = {
    "platform": "/api/v1/webhooks/stripe/",
    "connect": "/api/v1/webhooks/stripe/connect/",
    "thin": "/api/v1/webhooks/stripe/thin/",
}
TIDYING = "purge"
"""What jobs are called that throw away what is done with long ago: they have a turn before the check."""


class Stand:
    """What the parts take for one of them: whichever a test has put ``behind`` it."""

    behind: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)


class Premises:
    """Everything that costs time to make and keeps nothing between tests: the parts list, the doors, connections."""

    def __init__(self, database_url: str, home: Path, stub: StripeStub) -> None:
        self.stub, self.clock, self.gateway, self.mailer = stub, FixedClock(), Stand(), Stand()
        self.gateway.behind, self.mailer.behind = self.a_gateway(), InMemoryMailer(self.clock)
        settings = Settings.from_env(
            {
                "DATABASE_URL": database_url,
                "MARKETPLACE_HOME": str(home),
                "ALLOWED_HOSTS": "localhost",
                "LOG_LEVEL": "error",
                "STRIPE_SECRET_KEY": stub.api_key,
                "STRIPE_PUBLIC_KEY": "pk_test_stub",
                "STRIPE_API_BASE": stub.url,
            }
        )
        self.container = Container(
            settings=settings,
            backend=PostgresBackend(url=settings.database_url, settings=settings),
            clock=self.clock,
        )
        self.container.backend.mailer.override(self.mailer)
        self.container.payment_provider.gateway.override(self.gateway)
        self.engine: sa.Engine = self.container.backend.engine()
        # Each refused event is written at once, whatever was refused in the test before.
        refusals = PostgresWebhookRefusals(self.engine, monotonic=count(step=WRITE_EVERY_SECONDS).__next__)
        self.container.backend.webhook_refusals.override(refusals)
        self.jobs: Mapping[str, Callable[[], int]] = self.container.jobs()
        self.browser: Client = create_app(self.container).test_client()

    def a_gateway(
        self, secrets: Mapping[str, Collection[str]] | None = None, *, patience: float = 5.0
    ) -> StripeGateway:
        """``secrets`` of the addresses for events by their names, where they are not the usual ones; ``patience`` in
        seconds that an answer may take."""
        api = StripeApi(self.stub.api_key, base=self.stub.url, timeout=(3.05, patience), sleep=lambda _: None)
        known = {name: [secret] for name, secret in SECRETS.items()} | dict(secrets or {})
        return StripeGateway(
            api, currency="EUR", secrets={WebhookSource(name): list(secrets) for name, secrets in known.items()}
        )

    def close(self) -> None:
        self.container.backend.reader().dispose()
        self.engine.dispose()


@dataclass(kw_only=True)
class ScenarioTill(Till):
    """A till whose provider is the tests' Stripe, and whose use cases are those of the parts list."""

    premises: Premises

    def make_provider(self) -> StripeWithCourier:
        self.premises.stub.reset(now=self.premises.clock.now)
        return StripeWithCourier(self.premises.a_gateway(), self.premises.stub)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.premises.gateway.behind = self.gateway
        parts = self.premises.container
        self.market.place_order = parts.place_order()
        self.settlement, self.check_payment, self.check_refund = (
            parts.settlement(),
            parts.check_payment(),
            parts.check_refund(),
        )
        self.start_payment, self.pay_order, self.cancel_order = (
            parts.start_payment(),
            parts.pay_order(),
            parts.cancel_order(),
        )
        self.process_webhooks, self.receive_webhook = parts.webhooks.process(), parts.webhooks.receive()
        self.deliver = replace(self.deliver, receive=self.receive_webhook)
        self.send_refunds, self.send_payouts = parts.send_refunds(), parts.payouts.send()
        self.send_recoveries, self.verify_ledger = parts.payouts.recover(), parts.verify_ledger()

    def work(self) -> None:
        """Bring the provider's events, and run every job of the worker, until none finds anything to do now."""
        jobs = [self.deliver, *(job for name, job in self.premises.jobs.items() if not name.startswith(TIDYING))]
        idle = 0
        for job in islice(cycle(jobs), 50 * len(jobs)):
            idle = 0 if job() else idle + 1
            if idle == len(jobs):
                return
        raise AssertionError("The jobs do not come to an end.")
