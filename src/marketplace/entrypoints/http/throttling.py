"""How much anybody may ask: by account when signed in, else by address; and little of what lets guessers try.

Every answer tells where its caller stands (``RateLimit-Limit``, ``-Remaining``, ``-Reset``); a refusal says when to
come back. What this counts may be lost, and is counted anew. The counters that lock names are others, in the database:
see application/identity/attempts.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from flask import Flask, Response, g, request

from marketplace.application.ports.identity import Secrets
from marketplace.application.ports.rate_limits import RateLimit, RateLimits, Standing, Throttled
from marketplace.domain.identity.names import name_key
from marketplace.domain.shared.networks import network_of
from marketplace.entrypoints.http.auth import claimed_account
from marketplace.entrypoints.http.blueprints import PREFIX

_EXEMPT = (
    "/health/",
    "/metrics",
    "/static/",
    "/swagger/",
    "/redoc/",
    f"{PREFIX}/openapi.json",
    f"{PREFIX}/webhooks/",
    # One click in a mail program comes from its provider, for thousands of members from one address.
    "/unsubscribe/",
)
_DOORS = f"{PREFIX}/auth/"
_REFRESH = f"{PREFIX}/auth/token/refresh/"
_NOT_GUESSED_AT = (_REFRESH, f"{PREFIX}/auth/logout/", f"{PREFIX}/auth/sessions/")
"""Below ``_DOORS``, but with nothing in them that anybody could guess."""
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_NAMES = ("username", "email")
_LONGEST_NAME = 320

_network = lru_cache(maxsize=8192)(network_of)


@dataclass(frozen=True, kw_only=True, slots=True)
class Throttle:
    """``door`` holds for each way in (log-in, codes, reset, registration) by address, and again by name.

    ``is_known(name, address)`` tells whether the owner of a name has been let in from there before: they are not held
    up by strangers who try the same name.
    """

    limits: RateLimits
    anonymous: RateLimit
    authenticated: RateLimit
    door: RateLimit
    secrets: Secrets
    is_known: Callable[[str, str], bool]

    def count(self) -> None:
        """Raises Throttled. Before anything else is looked at, the body included."""
        path = request.path
        if request.method == "OPTIONS" or path.startswith(_EXEMPT):
            return
        account, network = claimed_account(), _network(request.remote_addr or "")
        if path == _REFRESH:
            self._hit(self.authenticated, f"refresh/{network}")
        elif account is not None:
            self._hit(self.authenticated, f"account/{account}")
        elif not _is_door():
            self._hit(self.anonymous, f"address/{network}")
        if _is_door():
            if account is None:
                # Beside what is only looked at: whoever has read a lot can still sign in.
                self._hit(self.anonymous, f"doors/{network}")
            self._hit(self.door, f"door/{request.endpoint}/{network}")

    def count_names(self) -> None:
        """Raises Throttled. After the body has been read."""
        if not _is_door():
            return
        account, body = claimed_account(), g.get("body")
        if account is not None:
            self._hit(self.door, f"door/{request.endpoint}/account/{account}")
        if isinstance(body, dict):
            for field in _NAMES:
                name = body.get(field)
                if isinstance(name, str) and len(name) <= _LONGEST_NAME:
                    self._hit_name(name)

    def _hit_name(self, name: str) -> None:
        key = f"door/{request.endpoint}/name/{self.secrets.digest('rate limit', name_key(name))}"
        standing = self.limits.hit(self.door, key)
        if not standing.allowed and self.is_known(name, request.remote_addr or ""):
            standing = self.limits.hit(self.door, f"{key}/{_network(request.remote_addr or '')}")
        _note(standing, self.door)

    def _hit(self, limit: RateLimit, key: str) -> None:
        _note(self.limits.hit(limit, key), limit)


def install(app: Flask, throttle: Throttle) -> None:
    app.before_request(throttle.count)
    app.after_request(_tell)


def install_names(app: Flask, throttle: Throttle) -> None:
    """After what reads the body."""
    app.before_request(throttle.count_names)


def _is_door() -> bool:
    return (
        request.url_rule is not None
        and request.method not in _READING
        and request.path.startswith(_DOORS)
        and not request.path.startswith(_NOT_GUESSED_AT)
    )


def _note(standing: Standing, limit: RateLimit) -> None:
    """Of several limits the caller is told the one that they will meet first. Raises Throttled."""
    before: Standing | None = g.get("standing")
    if before is None or standing.remaining <= before.remaining:
        g.standing = standing
    if not standing.allowed:
        raise Throttled(
            f"More than {limit.amount} requests in {limit.seconds} seconds; try again in {standing.reset} seconds.",
            retry_after=standing.reset,
        )


def _tell(response: Response) -> Response:
    standing: Standing | None = g.get("standing")
    if standing is not None:
        headers = response.headers
        headers["RateLimit-Limit"] = str(standing.limit)
        headers["RateLimit-Remaining"] = str(standing.remaining)
        headers["RateLimit-Reset"] = str(standing.reset)
    return response
