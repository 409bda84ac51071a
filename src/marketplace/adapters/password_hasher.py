"""Passwords hashed with Argon2id, a bounded number at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from argon2 import PasswordHasher as Argon2
from argon2 import Type
from argon2.exceptions import InvalidHashError, VerificationError

from marketplace.application.ports.identity import PasswordHasher
from marketplace.domain.shared.errors import Unavailable

_MAX_WAIT_SECONDS = 5.0


class Argon2PasswordHasher(PasswordHasher):
    """Each hash takes ``memory_kib`` and some 20 ms of a core: ``at_once`` keeps a rush of log-ins from taking all."""

    def __init__(
        self,
        *,
        memory_kib: int,
        time_cost: int,
        parallelism: int,
        at_once: int = 4,
        max_wait: float = _MAX_WAIT_SECONDS,
    ) -> None:
        self._argon2 = Argon2(memory_cost=memory_kib, time_cost=time_cost, parallelism=parallelism, type=Type.ID)
        self._slots = BoundedSemaphore(at_once)
        self._max_wait = max_wait
        # Made now: made for the first name that nobody has, it would tell that one apart by taking twice as long.
        self._nobodys = self._argon2.hash("nobody's password")

    def hash(self, password: str) -> str:
        with self._slot():
            return self._argon2.hash(_encoded(password))

    def verify(self, password_hash: str | None, password: str) -> bool:
        against = self._nobodys if password_hash is None else password_hash
        with self._slot():
            try:
                self._argon2.verify(against, _encoded(password))
            except (VerificationError, InvalidHashError):
                return False
        return password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        return self._argon2.check_needs_rehash(password_hash)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=self._max_wait):
            raise Unavailable("Too many people are logging in at this moment; try again shortly.")
        try:
            yield
        finally:
            self._slots.release()


def _encoded(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
