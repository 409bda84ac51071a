"""The configuration of the payment provider: Stripe's keys, or none for the simulated one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from marketplace.entrypoints.environment import Reader

_SECRET_KEY = re.compile(r"(?:sk|rk)_(?P<mode>test|live)_[A-Za-z0-9_]+")
_PUBLIC_KEY = re.compile(r"pk_(?P<mode>test|live)_[A-Za-z0-9_]+")
_WEBHOOK_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]{8,}")
_PROVIDER = "STRIPE_SECRET_KEY"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, kw_only=True, slots=True)
class StripeSettings:
    """What stands for the provider: with no ``secret_key`` it is simulated, and the rest is not looked at."""

    secret_key: str = field(repr=False)
    """STRIPE_SECRET_KEY: sk_live_... or a restricted rk_live_... in production, a test key elsewhere; empty: none."""
    public_key: str
    """STRIPE_PUBLIC_KEY: pk_live_... or pk_test_..., which clients show the payment form with."""
    webhook_secrets: tuple[str, ...] = field(repr=False)
    """STRIPE_WEBHOOK_SECRET: whsec_..., comma-separated, of the address that events of our own account come to."""
    connect_webhook_secrets: tuple[str, ...] = field(repr=False)
    """STRIPE_CONNECT_WEBHOOK_SECRET: the same of the address that events of sellers' accounts come to."""
    thin_webhook_secrets: tuple[str, ...] = field(repr=False)
    """STRIPE_THIN_WEBHOOK_SECRET: the same of the address that notices without content come to."""
    accounts_api: str
    """STRIPE_ACCOUNTS_API: v1 or v2, which makes sellers' accounts; v2."""
    api_base: str
    """STRIPE_API_BASE: another address on this machine in place of Stripe's, for tests; refused in production."""

    @property
    def is_used(self) -> bool:
        return bool(self.secret_key)

    @property
    def provider_name(self) -> str:
        """``stripe`` or ``simulated``."""
        return "stripe" if self.is_used else "simulated"


def read_stripe(read: Reader, *, is_production: bool, is_development: bool) -> StripeSettings:
    """Faults are left with ``read``; none repeats a secret."""
    stripe = StripeSettings(
        secret_key=read.text(_PROVIDER),
        public_key=read.text("STRIPE_PUBLIC_KEY"),
        webhook_secrets=_secrets(read, "STRIPE_WEBHOOK_SECRET"),
        connect_webhook_secrets=_secrets(read, "STRIPE_CONNECT_WEBHOOK_SECRET"),
        thin_webhook_secrets=_secrets(read, "STRIPE_THIN_WEBHOOK_SECRET"),
        accounts_api=read.one_of("STRIPE_ACCOUNTS_API", "v2", ("v1", "v2")),
        api_base=read.text("STRIPE_API_BASE"),
    )
    if stripe.is_used:
        _check_keys(read, stripe, is_production=is_production)
        _check_webhooks(read, stripe, is_production=is_production, is_development=is_development)
    elif is_production:
        read.fault(_PROVIDER, "production needs a real payment provider: the secret key of a Stripe account")
    if stripe.api_base and (is_production or not _is_loopback(stripe.api_base)):
        read.fault("STRIPE_API_BASE", "is for tests: http://127.0.0.1:PORT outside production; unset it")
    return stripe


def _secrets(read: Reader, name: str) -> tuple[str, ...]:
    secrets = read.words(name)
    if not all(_WEBHOOK_SECRET.fullmatch(secret) for secret in secrets):
        read.fault(name, "takes secrets such as whsec_..., comma-separated; each address at Stripe shows its own")
    return secrets


def _check_keys(read: Reader, stripe: StripeSettings, *, is_production: bool) -> None:
    secret, public = _SECRET_KEY.fullmatch(stripe.secret_key), _PUBLIC_KEY.fullmatch(stripe.public_key)
    wanted = "live" if is_production else "test"
    if secret is None:
        read.fault(
            _PROVIDER, f"takes a secret key such as sk_{wanted}_..., or a restricted one such as rk_{wanted}_..."
        )
    elif secret["mode"] != wanted:
        # A live key would take real money for what is a trial; a test key would send goods for none.
        where = "production" if is_production else "development and staging"
        read.fault(_PROVIDER, f"is a {secret['mode']} key; {where} takes a {wanted} key")
    if public is None:
        read.fault("STRIPE_PUBLIC_KEY", f"takes the publishable key that belongs to STRIPE_SECRET_KEY: pk_{wanted}_...")
    elif secret is not None and public["mode"] != secret["mode"]:
        read.fault("STRIPE_PUBLIC_KEY", f"is a {public['mode']} key, but STRIPE_SECRET_KEY is a {secret['mode']} key")


def _check_webhooks(read: Reader, stripe: StripeSettings, *, is_production: bool, is_development: bool) -> None:
    """Without events everything still happens, later: what is open is asked for. That will do for a trial alone."""
    if not stripe.webhook_secrets and not is_development:
        read.fault("STRIPE_WEBHOOK_SECRET", "is needed with STRIPE_SECRET_KEY: without it no event can be believed")
    if not stripe.connect_webhook_secrets and is_production:
        read.fault("STRIPE_CONNECT_WEBHOOK_SECRET", "is needed in production: events of sellers' accounts come with it")


def _is_loopback(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme == "http" and parts.hostname in _LOOPBACK and parts.port is not None
    except ValueError:
        return False
