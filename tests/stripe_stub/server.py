"""The loopback server: HTTP, who may ask, keys that are remembered, faults. What is answered is in ``answers``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

from tests.stripe_stub import accounts, payments, transfers  # noqa: F401  # they register what they answer
from tests.stripe_stub.answers import HANDLERS, Call, shown
from tests.stripe_stub.errors import Refusal
from tests.stripe_stub.faults import Fault, Faults, When
from tests.stripe_stub.specification import specification
from tests.stripe_stub.world import World

API_KEY = "sk_test_stub"
_MAX_KEY = 255


class Dropped(Exception):
    """The connection ends without an answer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came. ``key`` is its Idempotency-Key."""

    verb: str
    path: str
    text: str
    headers: Mapping[str, str] = field(repr=False)

    @property
    def key(self) -> str | None:
        return self.headers.get("Idempotency-Key")


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def _json(status: int, body: Any, **headers: str) -> Reply:
    return Reply(status, json.dumps(body).encode(), {name.replace("_", "-"): value for name, value in headers.items()})


class StubServer:
    """``asked``: every request that came. ``unfit``: answers of our own that do not fit Stripe's description."""

    def __init__(self) -> None:
        self.spec = specification()
        self.faults = Faults()
        self.lock = Lock()
        self.reset(World(now=lambda: datetime.now(UTC)))
        stub = self

        class Handler(_Handler):
            server_stub = stub

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.faults.clear()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def reset(self, world: World) -> None:
        """Forget everything: another test begins."""
        self.faults.clear()
        self.world = world
        self.asked: list[Asked] = []
        self.unfit: list[str] = []
        self._answered: dict[str, tuple[tuple[str, str, str], Reply]] = {}
        self._in_flight: set[str] = set()

    def forget_keys(self) -> None:
        """A day has gone by: what a key was answered with is not remembered any more."""
        with self.lock:
            self._answered.clear()

    # --- one request

    def answer(self, asked: Asked) -> Reply:
        """Raises Dropped."""
        self.asked.append(asked)
        try:
            self._admit(asked)
            fault = self.faults.meet(asked.verb, asked.path)
            if fault is not None:
                return self._faulty(asked, fault)
            return self._once(asked)
        except Refusal as refusal:
            return _json(refusal.status, refusal.body)

    def _faulty(self, asked: Asked, fault: Fault) -> Reply:
        for moment in When:
            if fault.hang is moment or fault.drop is moment:
                if moment is When.AFTER:
                    self._once(asked)
                if fault.hang is moment:
                    with self._held(asked.key):
                        fault.wait()
                raise Dropped
        if fault.status is not None:
            error = {"type": "api_error", "message": "An unknown error occurred.", **fault.error}
            again = {} if fault.should_retry is None else {"Stripe_Should_Retry": str(fault.should_retry).lower()}
            reply = _json(fault.status, {"error": error}, **again)
            if fault.kept and asked.key:
                self._answered[asked.key] = _fingerprint(asked), reply
            return reply
        true = self._once(asked)
        return true if fault.garbled is None else Reply(true.status, fault.garbled, true.headers)

    def _admit(self, asked: Asked) -> None:
        if asked.headers.get("Authorization") != f"Bearer {API_KEY}":
            raise Refusal(401, "Invalid API Key provided.")
        version = asked.headers.get("Stripe-Version")
        if version != self.spec.version:
            raise Refusal(400, f"Invalid Stripe API version: {version}, not {self.spec.version}")
        if asked.headers.get("Stripe-Account"):
            raise Refusal(403, "Nothing here is done at a connected account.", code="account_invalid")
        if asked.verb == "POST" and not 0 < len(asked.key or "") <= _MAX_KEY:
            raise Refusal(400, f"A POST needs an Idempotency-Key of at most {_MAX_KEY} characters.")

    def _once(self, asked: Asked) -> Reply:
        """Do it, unless its key has been answered: then answer the same."""
        with self.lock:
            if asked.verb != "POST" or asked.key is None:
                return self._carry_out(asked)[0]
            if asked.key in self._in_flight:
                message = "There is currently another in-progress request using this Idempotent Key."
                raise Refusal(409, message, code="idempotency_key_in_use", type="invalid_request_error")
            before = self._answered.get(asked.key)
            if before is None:
                reply, is_kept = self._carry_out(asked)
                if is_kept:
                    self._answered[asked.key] = _fingerprint(asked), reply
                return reply
            fingerprint, reply = before
            if fingerprint != _fingerprint(asked):
                message = f"Keys for idempotent requests can only be used with the same parameters: {asked.key}"
                raise Refusal(400, message, type="idempotency_error")
            return Reply(reply.status, reply.body, {**reply.headers, "Idempotent-Replayed": "true"})

    def _carry_out(self, asked: Asked) -> tuple[Reply, bool]:
        """The answer, and whether it is remembered."""
        path, _, query = asked.path.partition("?")
        operation = self.spec.operation(asked.verb, path)
        try:
            if operation is None:
                raise Refusal(404, f"Unrecognized request URL ({asked.verb}: {path}).", kept=False)
            given = self.spec.read(operation, asked.text if asked.verb == "POST" else query)
            self.world.key = asked.key
            call = Call(world=self.world, names=operation.names, given=given, path=path)
            expand = given.get("expand", [])
            answer = shown(self.world, HANDLERS[asked.verb, operation.template](call), expand)
        except Refusal as refusal:
            # The second version of the interface remembers what succeeded, and tries the rest again.
            return _json(refusal.status, refusal.body), refusal.kept and not path.startswith("/v2/")
        self.unfit += [f"{asked.verb} {path}: {fault}" for fault in self.spec.faults(operation.gives, answer)]
        return _json(200, answer), True

    @contextmanager
    def _held(self, key: str | None) -> Iterator[None]:
        with self.lock:
            self._in_flight.add(key or "")
        try:
            yield
        finally:
            with self.lock:
                self._in_flight.discard(key or "")


def _fingerprint(asked: Asked) -> tuple[str, str, str]:
    return asked.verb, asked.path, asked.text


class _Handler(BaseHTTPRequestHandler):
    server_stub: StubServer
    protocol_version = "HTTP/1.1"
    # Header and body in one write: in two, each answer waits 40 ms for the other side's acknowledgement.
    wbufsize = 1 << 16
    timeout = 60

    def do_POST(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what came is in ``asked``."""

    def _answer(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        parts = urlsplit(self.path)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        try:
            reply = self.server_stub.answer(Asked(self.command, path, text, dict(self.headers.items())))
        except Dropped:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", "Request-Id": "req_stub", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
