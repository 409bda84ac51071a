"""The payment provider: Stripe when there is a key for it, else the simulated one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from secrets import token_hex
from typing import TypeVar

from dependency_injector import containers, providers

from marketplace.adapters.simulated_gateway.gateway import SimulatedGateway
from marketplace.adapters.simulated_gateway.signatures import webhook_secret
from marketplace.adapters.stripe_gateway.accounts import AccountsApi
from marketplace.adapters.stripe_gateway.client import StripeApi
from marketplace.adapters.stripe_gateway.gateway import StripeGateway
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import WebhookSource
from marketplace.entrypoints.keys import Purpose
from marketplace.entrypoints.settings import Settings

DELIVER_SIMULATED_EVENTS = "deliver simulated events"
_Job = TypeVar("_Job", bound=Callable[[], int])


def stripe_gateway(settings: Settings) -> StripeGateway:
    stripe = settings.stripe
    return StripeGateway(
        StripeApi(stripe.secret_key, base=stripe.api_base),
        currency=settings.currency,
        secrets={
            WebhookSource.PLATFORM: stripe.webhook_secrets,
            WebhookSource.CONNECT: stripe.connect_webhook_secrets,
            WebhookSource.THIN: stripe.thin_webhook_secrets,
        },
        accounts_api=AccountsApi(stripe.accounts_api),
    )


def jobs_with(settings: Settings, jobs: Mapping[str, _Job]) -> dict[str, _Job]:
    """Those that this provider needs: Stripe delivers its events itself."""
    return {name: job for name, job in jobs.items() if name != DELIVER_SIMULATED_EVENTS or not settings.stripe.is_used}


class PaymentProvider(containers.DeclarativeContainer):
    """``gateway`` is what use cases speak to; ``simulated`` has pages and a courier besides, which Stripe has not."""

    settings = providers.Dependency(instance_of=Settings)
    backend = providers.DependenciesContainer()
    clock: providers.Dependency[Clock] = providers.Dependency()

    simulated = providers.Singleton(
        SimulatedGateway,
        backend.provider_state,
        clock=clock,
        secrets=providers.List(
            providers.Callable(webhook_secret, settings.provided.key.call(Purpose.SIMULATED_WEBHOOKS))
        ),
        public_url=settings.provided.public_url,
        token=providers.Object(partial(token_hex, 12)),
    )
    stripe = providers.Singleton(stripe_gateway, settings)
    gateway = providers.Selector(settings.provided.stripe.provider_name, simulated=simulated, stripe=stripe)
