"""Who is asking: bearer tokens in, an ``Actor`` as the database knows it at this moment out.

A token carries the account (``sub``) and the session (``sid``) and nothing else: roles and flags are read from the
database, so that a change counts at once. Keys have ids (``kid``), the first signs, all verify, with one algorithm.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache, wraps
from typing import Any, ParamSpec

import jwt
import orjson
from flask import Flask, Response, current_app, g, make_response, request
from flask_jwt_extended import JWTManager, create_access_token
from flask_smorest import Blueprint as SmorestBlueprint
from jwt import ExpiredSignatureError, InvalidTokenError, PyJWTError

from marketplace.application.access import Actor
from marketplace.domain.shared.errors import Unauthenticated
from marketplace.domain.shared.ids import MAX_ID, AccountId, SessionId
from marketplace.entrypoints.http import idempotency
from marketplace.entrypoints.http.blueprints import BEARER
from marketplace.entrypoints.http.idempotency import Reveal

ALGORITHM = "HS256"
_BEARER = re.compile(r"Bearer +[\w-]+\.[\w-]+\.[\w-]+", re.ASCII | re.IGNORECASE)
_LONGEST_HEADER = 2048
_EXTENSION = "marketplace-auth"
# When a token was made only matters where the clocks of two servers differ, and then it must not.
_OPTIONS: jwt.types.Options = {"require": ["exp", "sub"], "verify_aud": False, "verify_iat": False}

P = ParamSpec("P")

ActorLookup = Callable[[AccountId, SessionId], Actor | None]
"""The account behind a session; None when either is gone, revoked or suspended."""


class TokenExpired(Unauthenticated):
    code = "token_expired"


def install(app: Flask, *, keys: dict[str, str], lifetime: timedelta, actor: ActorLookup) -> None:
    """``keys`` by key id, the one that signs first."""
    signing = next(iter(keys))
    app.config.update(
        JWT_ALGORITHM=ALGORITHM,
        JWT_DECODE_ALGORITHMS=[ALGORITHM],
        JWT_TOKEN_LOCATION=["headers"],
        JWT_ACCESS_TOKEN_EXPIRES=lifetime,
        JWT_SECRET_KEY=keys[signing],
        # For tokens in cookies, which we do not take: nothing needs the claim.
        JWT_COOKIE_CSRF_PROTECT=False,
        # "Not before now" only fails where the clocks of two servers differ.
        JWT_ENCODE_NBF=False,
    )
    manager = JWTManager(app)

    @manager.additional_headers_loader
    def name_the_key(identity: str) -> dict[str, str]:
        return {"kid": signing}

    app.extensions[_EXTENSION] = _Verification(keys=keys, actor=actor)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Verification:
    """By PyJWT itself: flask-jwt-extended, which makes the tokens, decodes each three times to verify it."""

    keys: dict[str, str] = field(repr=False)
    actor: ActorLookup

    def claims(self, token: str) -> dict[str, Any]:
        """Raises PyJWTError."""
        key = self.keys.get(_key_id(token.partition(".")[0]))
        if key is None:
            raise InvalidTokenError("The token names a key that is not ours.")
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=[ALGORITHM], options=_OPTIONS)
        if claims.get("type") != "access":
            raise InvalidTokenError("Not an access token.")
        return claims

    def caller(self, claims: dict[str, Any]) -> Actor | None:
        account, session = claims["sub"], claims.get("sid")
        if not (account.isascii() and account.isdigit() and type(session) is int and 0 < session <= MAX_ID):
            return None
        return self.actor(AccountId(int(account)), SessionId(session)) if int(account) <= MAX_ID else None


@lru_cache(maxsize=64)
def _key_id(header: str) -> str:
    """What the first part of a token names; nothing when it cannot be read."""
    try:
        named = orjson.loads(base64.urlsafe_b64decode(header + "=="))["kid"]
    except (ValueError, TypeError, KeyError, IndexError):
        return ""
    return named if isinstance(named, str) else ""


def access_token(account_id: AccountId, session_id: SessionId) -> str:
    return str(create_access_token(str(account_id), additional_claims={"sid": session_id}))


def signed_in(
    *, secrets: Sequence[str] = (), reveal: Reveal | None = None
) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    """Let only signed-in callers in; ``current_actor()`` says who. Right under the route, above ``arguments``.

    A POST with an ``Idempotency-Key`` is done once: ``secrets`` are the paths in its answer (``payment.client_secret``)
    that are not kept, ``reveal(actor, body)`` reads them again when the answer is repeated.
    """

    def decorate(view: Callable[P, Any]) -> Callable[P, Any]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
            actor = authenticate()
            if request.method != "POST" or idempotency.HEADER not in request.headers:
                return view(*args, **kwargs)

            def do() -> Response:
                return make_response(current_app.ensure_sync(view)(*args, **kwargs))

            return idempotency.once(actor, do, secrets=secrets, reveal=reveal)

        documented: Callable[P, Any] = SmorestBlueprint.doc(security=[{BEARER: []}])(guarded)
        return documented

    return decorate


def claimed_account() -> int | None:
    """The account that the caller's token names, by its signature alone: who it is counted on, not what it may do.

    None without a token, and on a bad one.
    """
    if "Authorization" not in request.headers:
        return None
    try:
        account = _claims()["sub"]
    except (PyJWTError, RecursionError):
        return None
    return int(account) if account.isascii() and account.isdigit() and len(account) < 17 else None


def _claims() -> dict[str, Any]:
    """What the caller's token says, looked at once a request. Raises PyJWTError."""
    known: dict[str, Any] | None = g.get("token_claims")
    if known is None:
        header = request.headers.get("Authorization", "")
        if len(header) > _LONGEST_HEADER or not _BEARER.fullmatch(header):
            raise InvalidTokenError
        verification: _Verification = current_app.extensions[_EXTENSION]
        known = g.token_claims = verification.claims(header.rpartition(" ")[2])
    return known


def authenticate() -> Actor:
    """Raises Unauthenticated or TokenExpired."""
    verification: _Verification = current_app.extensions[_EXTENSION]
    try:
        claims = _claims()
        actor = verification.caller(claims)
        if actor is None:
            raise InvalidTokenError("Nobody's session.")
    except ExpiredSignatureError:
        raise TokenExpired("The access token has expired; get a new one from /api/v1/auth/token/refresh/.") from None
    except (PyJWTError, RecursionError):
        raise Unauthenticated(
            "Sign in first: send the access token of /api/v1/auth/login/ as `Authorization: Bearer <token>`."
        ) from None
    actor = replace(actor, origin=request.remote_addr or "")
    g.actor, g.session_id = actor, SessionId(claims["sid"])
    return actor


def current_actor() -> Actor:
    """The caller, in a view under ``signed_in``."""
    actor: Actor = g.actor
    return actor


def current_session() -> SessionId:
    """The session that the caller's token belongs to, in a view under ``signed_in``."""
    session: SessionId = g.session_id
    return session


def optional_actor() -> Actor | None:
    """The caller where anybody may call; None without a token. Raises as ``authenticate`` on a bad one."""
    if "Authorization" not in request.headers:
        return None
    return authenticate()
