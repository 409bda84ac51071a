"""Unit tests run without a network."""

import socket
from typing import NoReturn

import pytest


class SocketsAreClosedError(AssertionError):
    """A unit test tried to reach something outside of its process."""


def _refuse(*_: object, **__: object) -> NoReturn:
    raise SocketsAreClosedError("a unit test opened a socket: use the in-memory adapter, or move the test")


@pytest.fixture(autouse=True)
def _no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections and listeners. Making a socket stays allowed: asyncio makes a pair of its own."""
    for name in ("connect", "connect_ex", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, name, _refuse)
    monkeypatch.setattr(socket, "getaddrinfo", _refuse)
