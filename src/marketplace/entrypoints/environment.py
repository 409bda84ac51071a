"""Reading single environment variables, collecting what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import quote

from marketplace.application.ports.rate_limits import RateLimit
from marketplace.domain.shared.errors import MarketplaceError
from marketplace.domain.shared.money import Money, step

_DRIVER = "postgresql+psycopg2://"
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_REDIS_SCHEMES = ("redis", "rediss", "redis+unix")
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


class Reader:
    """Reads variables; one that is unset or empty takes its default. ``faults`` has a line for each bad one."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[str] = []

    def fault(self, name: str, message: str) -> None:
        self.faults.append(f"{name}: {message}")

    def text(self, name: str, default: str = "") -> str:
        return self._environ.get(name, "").strip() or default

    def secret(self, name: str, *, least: int) -> str:
        """As ``text``, but of at least so many characters, and never repeated in a fault."""
        value = self.text(name)
        if value and len(value) < least:
            self.fault(name, f"takes at least {least} characters")
        return value

    def words(self, name: str) -> tuple[str, ...]:
        return tuple(word.strip() for word in self.text(name).split(",") if word.strip())

    def one_of(self, name: str, default: str, choices: Sequence[str]) -> str:
        value = self.text(name, default).lower()
        if value not in choices:
            self.fault(name, f"takes one of {', '.join(choices)}, not {value!r}")
            return default
        return value

    def boolean(self, name: str, default: bool) -> bool:
        value = self.text(name).lower()
        if value and value not in _YES + _NO:
            self.fault(name, f"takes true or false, not {value!r}")
        return value in _YES if value else default

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdigit() and len(value) < 10 and low <= int(value) <= high):
            self.fault(name, f"takes a whole number from {low} to {high}, not {value!r}")
            return default
        return int(value)

    def rate(self, name: str, default: str) -> Decimal:
        value = self.text(name, default)
        try:
            rate = Decimal(value)
            if rate.is_finite() and 0 <= rate <= 1:
                return rate
        except InvalidOperation:
            pass
        self.fault(name, f"takes a fraction from 0 to 1, such as 0.05 for five per cent, not {value!r}")
        return Decimal(default)

    def rate_limit(self, name: str, default: str) -> RateLimit:
        value = self.text(name, default)
        amount, _, period = (part.strip() for part in value.partition("/"))
        seconds = _SECONDS.get(period.lower())
        if seconds is None or not (amount.isascii() and amount.isdigit() and 0 < int(amount[:8]) <= 1_000_000):
            self.fault(name, f"takes a number from 1 to 1000000 per {', '.join(_SECONDS)}, {default}, not {value!r}")
            return self.rate_limit("", default)
        return RateLimit(int(amount), seconds)

    def networks(self, name: str) -> tuple[IPv4Network | IPv6Network, ...]:
        networks = []
        for word in self.words(name):
            try:
                networks.append(ip_network(word))
            except ValueError:
                self.fault(name, f"takes addresses and networks such as 10.0.0.0/8, comma-separated, not {word!r}")
        if any(network.prefixlen == 0 for network in networks):
            self.fault(name, "a network of everybody would let anybody say who they are; name the proxies alone")
        return tuple(networks)

    def redis_url(self, name: str) -> str:
        url = self.text(name)
        if url and (url.partition("://")[0] not in _REDIS_SCHEMES or not url.partition("://")[2]):
            self.fault(name, "takes redis://:password@host:port/0, rediss:// with TLS")  # the value holds a password
            return ""
        return url

    def money(self, name: str, default: str, currency: str) -> Money:
        value = self.text(name, default)
        try:
            money = Money.parse(value, currency)
        except MarketplaceError as error:
            self.fault(name, str(error))
            return Money.parse(default, currency)
        if money.amount < 0 or money.amount % step(currency):
            self.fault(name, f"takes an amount from 0 up that can be charged in {currency}, not {value!r}")
            return Money.parse(default, currency)
        return money

    def path(self, name: str) -> Path | None:
        value = self.text(name)
        return Path(value).expanduser().absolute() if value else None


def database_url(read: Reader) -> str:
    """The database's address for SQLAlchemy, empty for the embedded server.

    SQLAlchemy 2.1 takes a bare ``postgresql://`` to mean psycopg 3, so the scheme always names the driver.
    """
    url = read.text("DATABASE_URL")
    if url:
        scheme, mark, rest = url.partition("://")
        if not mark or scheme not in ("postgres", "postgresql", "postgresql+psycopg2"):
            read.fault("DATABASE_URL", "takes postgresql://user:password@host:port/name")  # the value holds a password
            return ""
        return _DRIVER + rest
    name = read.text("DATABASE_NAME")
    if not name:
        return ""
    user, password = read.text("DATABASE_USER", "postgres"), read.text("DATABASE_PASSWORD")
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    port = read.integer("DATABASE_PORT", 5432, low=1, high=65535)
    return f"{_DRIVER}{login}@{read.text('DATABASE_HOST', 'localhost')}:{port}/{quote(name, safe='')}"
