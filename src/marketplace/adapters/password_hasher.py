"""Passwords hashed with Argon2id, a bounded number at once; those of a Django shop are known until their log-in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from argon2 import PasswordHasher as Argon2
from argon2 import Type
from argon2.exceptions import InvalidHashError, VerificationError

from marketplace.application.ports.identity import PasswordHasher
from marketplace.domain.identity.django_hashes import DjangoHash, is_django_hash, stretched
from marketplace.domain.shared.errors import Invalid, Unavailable

_MAX_WAIT_SECONDS = 5.0
_ARGON2 = "$argon2"


class Argon2PasswordHasher(PasswordHasher):
    """Each hash takes ``memory_kib`` and some 20 ms of a core: ``at_once`` keeps a rush of log-ins from taking all.

    A hash that was imported takes longer, as long as its iterations are many. ``imported_iterations``, unless 0, are
    done for every other name as well, so that the time of an answer does not tell which names were imported.
    """

    def __init__(
        self,
        *,
        memory_kib: int,
        time_cost: int,
        parallelism: int,
        at_once: int = 4,
        max_wait: float = _MAX_WAIT_SECONDS,
        imported_iterations: int = 0,
    ) -> None:
        self._argon2 = Argon2(memory_cost=memory_kib, time_cost=time_cost, parallelism=parallelism, type=Type.ID)
        self._slots = BoundedSemaphore(at_once)
        self._max_wait = max_wait
        self._imported_iterations = imported_iterations
        # Made now: made for the first name that nobody has, it would tell that one apart by taking twice as long.
        self._nobodys = self._argon2.hash("nobody's password")

    def hash(self, password: str) -> str:
        with self._slot():
            return self._argon2.hash(_encoded(password))

    def verify(self, password_hash: str | None, password: str) -> bool:
        imported = _imported(password_hash)
        # What is no hash of ours, such as that of an account without a password, is nobody's.
        ours = password_hash if password_hash is not None and password_hash.startswith(_ARGON2) else None
        with self._slot():
            fits_ours = self._fits(ours or self._nobodys, password) and ours is not None
            if imported is not None:
                return imported.verify(password)
            if self._imported_iterations:
                stretched(password, "as long as an imported one", self._imported_iterations)
        return fits_ours

    def _fits(self, password_hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(password_hash, _encoded(password))
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, password_hash: str) -> bool:
        return not password_hash.startswith(_ARGON2) or self._argon2.check_needs_rehash(password_hash)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=self._max_wait):
            raise Unavailable("Too many people are logging in at this moment; try again shortly.")
        try:
            yield
        finally:
            self._slots.release()


def _imported(password_hash: str | None) -> DjangoHash | None:
    if password_hash is None or not is_django_hash(password_hash):
        return None
    try:
        return DjangoHash.of(password_hash)
    except Invalid:
        return None  # put into the database by other means than an import


def _encoded(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
