"""`marketplace doctor`: what is wrong, and how to mend it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import click

from marketplace.application.ports.provider_events import Refusal
from marketplace.domain.shared.errors import MarketplaceError
from marketplace.entrypoints.cli.console import json_option, settings_from_environment, show
from marketplace.entrypoints.container import Container, build_memory_container
from marketplace.entrypoints.container.processes import opened_container, opened_database
from marketplace.entrypoints.settings import BadConfiguration, Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``remedy`` is empty when it is as it should be."""

    what: str
    ok: bool
    detail: str
    remedy: str = ""


class Unfit(MarketplaceError):
    code = "unfit"


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check the configuration and everything that is needed, and say how to mend what is wrong."""
    findings = list(examine())
    if as_json:
        show([{"what": f.what, "ok": f.ok, "detail": f.detail, "remedy": f.remedy} for f in findings], as_json=True)
    else:
        for finding in findings:
            click.echo(f"{'ok ' if finding.ok else 'BAD'}  {finding.what}: {finding.detail}")
            if finding.remedy:
                click.echo(f"     {finding.remedy}")
    if not all(finding.ok for finding in findings):
        raise Unfit("Something is not as it should be; the remedies stand above.")


def examine() -> Iterator[Finding]:
    """Look at everything, from the configuration outwards; what cannot be reached ends the round."""
    try:
        settings = settings_from_environment()
    except BadConfiguration as error:
        for fault in error.faults:
            yield Finding("configuration", False, fault, "Set the variable; .env.example describes each.")
        return
    yield Finding("configuration", True, f"{settings.env}, payments: {settings.stripe.provider_name}")
    yield _home(settings)
    yield _rate_limits(settings)
    yield _payments(settings)
    yield from _database(settings)


def _home(settings: Settings) -> Finding:
    place = settings.home
    while not place.exists():
        place = place.parent
    if os.access(place, os.W_OK):
        return Finding("home", True, str(settings.home))
    return Finding("home", False, f"{place} cannot be written to", "Set MARKETPLACE_HOME to a folder of your own.")


def _rate_limits(settings: Settings) -> Finding:
    if not settings.redis_url:
        return Finding("rate limits", True, "counted in each process" if settings.rate_limit_enabled else "off")
    fault = build_memory_container(settings).rate_limiting.rate_limits().fault()
    if fault is None:
        return Finding("redis", True, "answers")
    return Finding("redis", False, fault, "See that it runs and that REDIS_URL is right, or unset the variable.")


def _payments(settings: Settings) -> Finding:
    """Reading our balance moves nothing, and only a key that is right may."""
    if not settings.stripe.is_used:
        return Finding("payments", True, "simulated: no real money moves")
    gateway = build_memory_container(settings).payment_gateway()
    try:
        gateway.balance(settings.currency)
    except MarketplaceError as error:
        remedy = "See that STRIPE_SECRET_KEY is right and may read balances, and that this machine reaches Stripe."
        return Finding("payments", False, f"Stripe: {error}", remedy)
    return Finding("payments", True, f"Stripe answers, {'real money moves' if gateway.livemode else 'a test account'}")


def _database(configured: Settings) -> Iterator[Finding]:
    kind = "DATABASE_URL" if configured.database_url else f"embedded, in {configured.home}"
    try:
        with opened_database(configured) as settings, opened_container(settings) as container:
            faults = container.backend.readiness().check()
            webhooks = _webhooks(container) if not faults else None
    except MarketplaceError as error:
        yield Finding(
            "database", False, f"{kind}: {error}", "Set DATABASE_URL to a PostgreSQL 15 or newer, or PG_BIN_DIR."
        )
        return
    if "database" in faults:
        yield Finding(
            "database", False, f"{kind}: {faults['database']}", "See that it runs and that the address is right."
        )
        return
    yield Finding("database", True, kind)
    if "migrations" in faults:
        yield Finding("migrations", False, faults["migrations"], "marketplace db upgrade")
    else:
        yield Finding("migrations", True, "up to date")
    if webhooks is not None:
        yield webhooks


def _webhooks(container: Container) -> Finding:
    """Only who knows a secret of ours can sign, so that a wrong time is a wrong clock; strangers prove nothing."""
    refused = container.backend.webhook_refusals().since(container.clock().now() - timedelta(days=1))
    off = [each for each in refused if each.refusal is Refusal.TIME]
    if off:
        last = max(off, key=lambda each: each.last_at)
        direction = "behind" if last.seconds_off > 0 else "ahead of"
        count = sum(each.count for each in off)
        detail = (
            f"{count} events were refused since yesterday for the time they were signed at: "
            f"this machine's clock is {abs(last.seconds_off)} seconds {direction} the payment provider's"
        )
        return Finding(
            "webhooks", False, detail, "Set the clock, and have it kept by NTP. The provider sends them again."
        )
    unsigned = sum(each.count for each in refused if each.refusal is Refusal.SIGNATURE)
    if not unsigned:
        return Finding("webhooks", True, "none refused since yesterday")
    detail = f"{unsigned} refused since yesterday without a signature of ours: strangers, or a secret that was replaced"
    return Finding("webhooks", True, detail)
