"""The configuration: environment variables, read once into a frozen object, every fault reported at once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from dotenv import dotenv_values

from marketplace.application.ports.rate_limits import RateLimit
from marketplace.domain.identity.accounts import TERMS_VERSION
from marketplace.domain.identity.django_hashes import MAX_ITERATIONS
from marketplace.domain.shared.errors import MarketplaceError
from marketplace.domain.shared.money import Money, exponent
from marketplace.entrypoints.document_settings import BucketSettings, PlatformSettings, read_bucket, read_platform
from marketplace.entrypoints.environment import Reader, database_url
from marketplace.entrypoints.keys import Purpose, derived
from marketplace.entrypoints.stripe_settings import StripeSettings, read_stripe

DEVELOPMENT, STAGING, PRODUCTION = "development", "staging", "production"
DEFAULT_SECRET_KEY = "development-only-secret-key-change-me"
MOST_SIGNING_KEYS = 10
_LEAST_VARIETY = 10
"""Different characters in a secret: 32 random ones, even hexadecimal digits, have fewer once in ten thousand times."""


class BadConfiguration(MarketplaceError):
    """One or more variables are missing or wrong; the message has a line for each."""

    code = "bad_configuration"

    def __init__(self, faults: list[str]) -> None:
        super().__init__("The configuration is not usable:\n" + "\n".join(f"  {fault}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything that can be configured. The name of a field is its variable's in lower case, unless said otherwise."""

    env: str
    """MARKETPLACE_ENV: development, staging or production."""
    home: Path
    """MARKETPLACE_HOME: folder of the embedded database, the mail and the media; ``var``."""
    debug: bool
    """DEBUG: log at level debug unless LOG_LEVEL is set; never shows in an answer; refused in production."""
    secret_key: str = field(repr=False)
    """SECRET_KEY: at least 32 characters; read by ``key`` alone. Only development has a default."""
    secret_key_fallbacks: tuple[str, ...] = field(repr=False)
    """SECRET_KEY_FALLBACKS: comma-separated, earlier values of SECRET_KEY, which open what they sealed."""
    port: int
    """PORT: 8000."""
    public_url: str
    """PUBLIC_URL: the address that clients use, without a slash at its end; http://127.0.0.1:PORT."""
    allowed_hosts: tuple[str, ...]
    """ALLOWED_HOSTS: host names that are answered, comma-separated, ``.example.com`` for a domain and all below it,
    ``*`` for any; by default the host of PUBLIC_URL, localhost and 127.0.0.1."""
    cors_allowed_origins: tuple[str, ...]
    """CORS_ALLOWED_ORIGINS: origins whose pages may call the API, comma-separated; none."""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    """TRUSTED_PROXIES: addresses and networks (10.0.0.0/8) of the reverse proxies in front, comma-separated; what
    others say in X-Forwarded-For, -Proto, -Host or Forwarded is not believed; none."""
    redis_url: str = field(repr=False)
    """REDIS_URL: redis://:password@host:port/0, where all processes count requests together; empty: each for itself."""
    rate_limit_enabled: bool
    """RATE_LIMIT_ENABLED: off in development, else on."""
    rate_limit_anonymous: RateLimit
    """RATE_LIMIT_ANONYMOUS: requests an address may send without signing in; 100/hour."""
    rate_limit_authenticated: RateLimit
    """RATE_LIMIT_AUTHENTICATED: requests an account may send; 1000/hour."""
    rate_limit_login: RateLimit
    """RATE_LIMIT_LOGIN: at each of log-in, codes, reset and registration, for an address and for a name; 5/minute."""
    web_workers: int
    """WEB_WORKERS: server processes; one a core, at most 2."""

    database_url: str = field(repr=False)
    """DATABASE_URL, or DATABASE_NAME with _USER, _PASSWORD, _HOST and _PORT; empty for the embedded server."""
    database_pool_size: int
    """DATABASE_POOL_SIZE: connections a process keeps for transactions, and as many for reads; under load it opens as
    many more; 5."""
    database_connect_timeout: int
    """DATABASE_CONNECT_TIMEOUT: seconds; 5."""
    database_statement_timeout: int
    """DATABASE_STATEMENT_TIMEOUT: seconds after which a statement is given up; 10."""
    pg_bin_dir: Path | None
    """PG_BIN_DIR: folder with ``postgres`` and ``initdb`` for the embedded server, instead of the wheel's."""

    jwt_access_token_lifetime: timedelta
    """JWT_ACCESS_TOKEN_LIFETIME: minutes; 60."""
    jwt_refresh_token_lifetime: timedelta
    """JWT_REFRESH_TOKEN_LIFETIME: days; 1."""
    jwt_signing_keys: tuple[str, ...] = field(repr=False)
    """JWT_SIGNING_KEYS: comma-separated, each of at least 32 characters; the first signs, all verify; by default one
    that is derived from SECRET_KEY."""
    require_staff_2fa: bool
    """REQUIRE_STAFF_2FA: admins and verifiers are such only once they have a second factor; false."""
    argon2_memory_kib: int
    """ARGON2_MEMORY_KIB: 19456."""
    argon2_time_cost: int
    """ARGON2_TIME_COST: 2."""
    argon2_parallelism: int
    """ARGON2_PARALLELISM: 1."""
    imported_pbkdf2_iterations: int
    """IMPORTED_PBKDF2_ITERATIONS: those of the hashes that ``users import`` brought, for as long as some are left, so
    that every log-in takes as long as theirs; 0 for none."""
    terms_version: str
    """TERMS_VERSION: the terms in force; members are asked to accept another one; 2026-01."""

    currency: str
    """CURRENCY: the one settlement currency, ISO 4217; EUR."""
    platform_commission_percent: Decimal
    """PLATFORM_COMMISSION_PERCENT: a fraction from 0 to 1, charged on both sides; 0.05."""
    buyer_processing_percent: Decimal
    """BUYER_PROCESSING_PERCENT: a fraction from 0 to 1; 0.06."""
    buyer_processing_min: Money
    """BUYER_PROCESSING_MIN: an amount in CURRENCY; 5.00."""
    buyer_shipping_fee: Money
    """BUYER_SHIPPING_FEE: an amount in CURRENCY, once an order; 10.00."""
    cart_reservation: timedelta
    """CART_RESERVATION_MINUTES: how long a cart claim lasts; 30."""
    cart_max_hold: timedelta
    """CART_MAX_HOLD_MINUTES: how long a claim can be renewed; 120, no less than CART_RESERVATION_MINUTES."""
    payment_window: timedelta
    """PAYMENT_WINDOW_MINUTES: how long an order waits for its payment; 30."""
    complaint: timedelta
    """COMPLAINT_DAYS: how long after the receipt of a sale its buyer may complain before it completes; 3."""
    auto_complete: timedelta
    """AUTO_COMPLETE_DAYS: when a sale whose receipt nobody confirms completes, from its shipment; 14."""

    dispute_unshipped: timedelta
    """DISPUTE_UNSHIPPED_DAYS: how long after its payment a sale that is not shipped can be disputed; 7."""
    dispute_seller: timedelta
    """DISPUTE_SELLER_DAYS: how long the seller of a disputed sale has to answer; 5."""

    stripe: StripeSettings
    """STRIPE_...: the payment provider."""

    platform: PlatformSettings
    """PLATFORM_...: who issues invoices, and the VAT in the marketplace's fees."""
    bucket: BucketSettings
    """AWS_...: where files are kept."""

    payout_minimum: Money
    """PAYOUT_MINIMUM: an amount in CURRENCY; sellers are paid once what is due to them comes to it; 0."""
    receivable_write_off: timedelta
    """RECEIVABLE_WRITE_OFF_DAYS: after so long what a seller owes can be written off; 180."""

    email_host: str
    """EMAIL_HOST: the mail server; empty for the mail folder, which only development accepts."""
    email_port: int
    """EMAIL_PORT: 587."""
    email_host_user: str
    """EMAIL_HOST_USER: empty for no log-in."""
    email_host_password: str = field(repr=False)
    """EMAIL_HOST_PASSWORD."""
    email_use_tls: bool
    """EMAIL_USE_TLS: STARTTLS; true."""
    email_from: str
    """EMAIL_FROM: the sender; Marketplace <noreply@example.com>."""

    notification_retention: timedelta
    """NOTIFICATION_RETENTION_DAYS: how long members find in the application what they were told; 180."""

    log_format: str
    """LOG_FORMAT: json, text, or auto: text on a terminal, else json."""
    log_level: str
    """LOG_LEVEL: debug, info, warning or error; info."""
    log_file: Path | None
    """LOG_FILE: log there, rotated by size and day, instead of to the standard error."""
    metrics_token: str = field(repr=False)
    """METRICS_TOKEN: lets a monitor read /health/detailed/ as ``Authorization: Bearer``; at least 16 characters."""

    def key(self, purpose: Purpose) -> bytes:
        """The key for one purpose, derived from SECRET_KEY."""
        return derived(self.secret_key, purpose)

    @property
    def brand(self) -> str:
        """What the marketplace calls itself in letters: the name in EMAIL_FROM."""
        return parseaddr(self.email_from)[0] or "Marketplace"

    @property
    def is_development(self) -> bool:
        return self.env == DEVELOPMENT

    @property
    def has_demo(self) -> bool:
        """Whether there may be a demo market, whose people everybody can be and whose money is nobody's."""
        return self.is_development and not self.stripe.is_used

    @property
    def jwt_keys(self) -> dict[str, str]:
        """Signing keys by key id, the one that signs first."""
        return {key_id(key): key for key in self.jwt_signing_keys}

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Raises BadConfiguration, naming every variable that is missing or wrong and what it takes."""
        read = Reader(environ)
        env = read.one_of("MARKETPLACE_ENV", DEVELOPMENT, (DEVELOPMENT, STAGING, PRODUCTION))
        secret_key = _secret_key(read, env)
        debug = read.boolean("DEBUG", False)
        port = read.integer("PORT", 8000, low=1, high=65535)
        public_url = _public_url(read, port)
        currency = _currency(read)
        reservation = read.integer("CART_RESERVATION_MINUTES", 30, low=1, high=24 * 60)
        settings = cls(
            env=env,
            home=read.path("MARKETPLACE_HOME") or Path("var").absolute(),
            debug=debug,
            secret_key=secret_key,
            secret_key_fallbacks=_fallbacks(read, secret_key),
            port=port,
            public_url=public_url,
            allowed_hosts=read.words("ALLOWED_HOSTS") or _own_hosts(public_url),
            cors_allowed_origins=read.words("CORS_ALLOWED_ORIGINS"),
            trusted_proxies=read.networks("TRUSTED_PROXIES"),
            redis_url=read.redis_url("REDIS_URL"),
            rate_limit_enabled=read.boolean("RATE_LIMIT_ENABLED", env != DEVELOPMENT),
            rate_limit_anonymous=read.rate_limit("RATE_LIMIT_ANONYMOUS", "100/hour"),
            rate_limit_authenticated=read.rate_limit("RATE_LIMIT_AUTHENTICATED", "1000/hour"),
            rate_limit_login=read.rate_limit("RATE_LIMIT_LOGIN", "5/minute"),
            web_workers=read.integer("WEB_WORKERS", min(2, os.cpu_count() or 1), low=1, high=64),
            database_url=database_url(read),
            database_pool_size=read.integer("DATABASE_POOL_SIZE", 5, low=1, high=200),
            database_connect_timeout=read.integer("DATABASE_CONNECT_TIMEOUT", 5, low=1, high=60),
            database_statement_timeout=read.integer("DATABASE_STATEMENT_TIMEOUT", 10, low=1, high=600),
            pg_bin_dir=read.path("PG_BIN_DIR"),
            jwt_access_token_lifetime=timedelta(
                minutes=read.integer("JWT_ACCESS_TOKEN_LIFETIME", 60, low=1, high=24 * 60)
            ),
            jwt_refresh_token_lifetime=timedelta(days=read.integer("JWT_REFRESH_TOKEN_LIFETIME", 1, low=1, high=365)),
            jwt_signing_keys=_signing_keys(read, secret_key),
            require_staff_2fa=read.boolean("REQUIRE_STAFF_2FA", False),
            argon2_memory_kib=read.integer("ARGON2_MEMORY_KIB", 19456, low=8, high=1024 * 1024),
            argon2_time_cost=read.integer("ARGON2_TIME_COST", 2, low=1, high=20),
            argon2_parallelism=read.integer("ARGON2_PARALLELISM", 1, low=1, high=16),
            imported_pbkdf2_iterations=read.integer("IMPORTED_PBKDF2_ITERATIONS", 0, low=0, high=MAX_ITERATIONS),
            terms_version=read.text("TERMS_VERSION", TERMS_VERSION),
            currency=currency,
            platform_commission_percent=read.rate("PLATFORM_COMMISSION_PERCENT", "0.05"),
            buyer_processing_percent=read.rate("BUYER_PROCESSING_PERCENT", "0.06"),
            buyer_processing_min=read.money("BUYER_PROCESSING_MIN", "5", currency),
            buyer_shipping_fee=read.money("BUYER_SHIPPING_FEE", "10", currency),
            cart_reservation=timedelta(minutes=reservation),
            cart_max_hold=timedelta(
                minutes=read.integer("CART_MAX_HOLD_MINUTES", max(120, reservation), low=reservation, high=7 * 24 * 60)
            ),
            payment_window=timedelta(minutes=read.integer("PAYMENT_WINDOW_MINUTES", 30, low=1, high=24 * 60)),
            complaint=timedelta(days=read.integer("COMPLAINT_DAYS", 3, low=1, high=90)),
            auto_complete=timedelta(days=read.integer("AUTO_COMPLETE_DAYS", 14, low=1, high=365)),
            dispute_unshipped=timedelta(days=read.integer("DISPUTE_UNSHIPPED_DAYS", 7, low=1, high=90)),
            dispute_seller=timedelta(days=read.integer("DISPUTE_SELLER_DAYS", 5, low=1, high=90)),
            stripe=read_stripe(read, is_production=env == PRODUCTION, is_development=env == DEVELOPMENT),
            platform=read_platform(read, is_production=env == PRODUCTION),
            bucket=read_bucket(read),
            payout_minimum=read.money("PAYOUT_MINIMUM", "0", currency),
            receivable_write_off=timedelta(days=read.integer("RECEIVABLE_WRITE_OFF_DAYS", 180, low=1, high=3650)),
            email_host=read.text("EMAIL_HOST"),
            email_port=read.integer("EMAIL_PORT", 587, low=1, high=65535),
            email_host_user=read.text("EMAIL_HOST_USER"),
            email_host_password=read.text("EMAIL_HOST_PASSWORD"),
            email_use_tls=read.boolean("EMAIL_USE_TLS", True),
            email_from=read.text("EMAIL_FROM", "Marketplace <noreply@example.com>"),
            notification_retention=timedelta(days=read.integer("NOTIFICATION_RETENTION_DAYS", 180, low=1, high=3650)),
            log_format=read.one_of("LOG_FORMAT", "auto", ("auto", "json", "text")),
            log_level=read.one_of("LOG_LEVEL", "debug" if debug else "info", ("debug", "info", "warning", "error")),
            log_file=read.path("LOG_FILE"),
            metrics_token=read.secret("METRICS_TOKEN", least=16),
        )
        _refuse_unsafe(read, settings)
        if read.faults:
            raise BadConfiguration(read.faults)
        return settings


def read_environment(dotenv: Path = Path(".env")) -> dict[str, str]:
    """The process environment, over what a ``.env`` file says; outside development the file is not read."""
    environ = dict(os.environ)
    if environ.get("MARKETPLACE_ENV", DEVELOPMENT) != DEVELOPMENT or not dotenv.is_file():
        return environ
    return {name: value for name, value in dotenv_values(dotenv).items() if value is not None} | environ


def key_id(key: str) -> str:
    """The ``kid`` that names a signing key in a token's header."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def _secret_key(read: Reader, env: str) -> str:
    secret = read.secret("SECRET_KEY", least=32) or DEFAULT_SECRET_KEY
    if env != DEVELOPMENT and secret == DEFAULT_SECRET_KEY:
        read.fault("SECRET_KEY", f"{env} needs one of its own: at least 32 random characters")
    elif env == PRODUCTION and len(set(secret)) < _LEAST_VARIETY:
        read.fault("SECRET_KEY", "it is too regular to be random; make one as .env.example says")
    return secret


def _fallbacks(read: Reader, secret_key: str) -> tuple[str, ...]:
    earlier = read.words("SECRET_KEY_FALLBACKS")
    if any(len(key) < 32 for key in earlier):
        read.fault("SECRET_KEY_FALLBACKS", "each takes at least 32 characters; separate several by commas")
    if secret_key in earlier:
        read.fault("SECRET_KEY_FALLBACKS", "takes earlier values of SECRET_KEY, not the present one")
    return earlier


def _signing_keys(read: Reader, secret_key: str) -> tuple[str, ...]:
    keys = read.words("JWT_SIGNING_KEYS")
    if any(len(key) < 32 for key in keys):
        read.fault("JWT_SIGNING_KEYS", "each key takes at least 32 characters; separate several by commas")
    if len(set(keys)) != len(keys):
        read.fault("JWT_SIGNING_KEYS", "the same key is named twice")
    if secret_key in keys:
        read.fault("JWT_SIGNING_KEYS", "SECRET_KEY is no signing key; `marketplace keys rotate` makes one")
    if len(keys) > MOST_SIGNING_KEYS:
        read.fault("JWT_SIGNING_KEYS", f"takes at most {MOST_SIGNING_KEYS} keys; drop the last ones")
    return keys or (derived(secret_key, Purpose.ACCESS_TOKENS).hex(),)


def _public_url(read: Reader, port: int) -> str:
    url = read.text("PUBLIC_URL", f"http://127.0.0.1:{port}").rstrip("/")
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment:
            return url
    except ValueError:
        pass
    read.fault("PUBLIC_URL", f"takes an address such as https://cards.example.com, not {url!r}")
    return f"http://127.0.0.1:{port}"


def _own_hosts(public_url: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((urlsplit(public_url).hostname or "localhost", "localhost", "127.0.0.1", "[::1]")))


def _currency(read: Reader) -> str:
    currency = read.text("CURRENCY", "EUR")
    try:
        exponent(currency)
    except MarketplaceError as error:
        read.fault("CURRENCY", str(error))
        return "EUR"
    return currency


def _refuse_unsafe(read: Reader, settings: Settings) -> None:
    if not settings.is_development and not settings.email_host:
        read.fault("EMAIL_HOST", f"{settings.env} needs a mail server; only development keeps its mail in a folder")
    if settings.env == PRODUCTION and settings.debug:
        read.fault("DEBUG", "must be off in production")
