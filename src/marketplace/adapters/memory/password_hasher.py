"""Passwords hashed quickly, for tests: salted, but no obstacle to whoever has the hashes."""

from __future__ import annotations

import hashlib
import hmac
import os

from marketplace.application.ports.identity import PasswordHasher
from marketplace.domain.identity.django_hashes import DjangoHash, is_django_hash

_NOBODYS = "1$00$00"


class FastPasswordHasher(PasswordHasher):
    def __init__(self, rounds: int = 1) -> None:
        self._rounds = rounds

    def hash(self, password: str) -> str:
        return _hashed(password, os.urandom(8).hex(), self._rounds)

    def verify(self, password_hash: str | None, password: str) -> bool:
        if password_hash is not None and is_django_hash(password_hash):
            return DjangoHash.of(password_hash).verify(password)
        known = password_hash or _NOBODYS
        rounds, _, rest = known.partition("$")
        if not rounds.isdecimal():
            return False
        fits = hmac.compare_digest(known, _hashed(password, rest.partition("$")[0], int(rounds)))
        return fits and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        return not password_hash.startswith(f"{self._rounds}$")


def _hashed(password: str, salt: str, rounds: int) -> str:
    digest = hashlib.pbkdf2_hmac("sha256", password.encode("utf-8", "surrogatepass"), salt.encode(), rounds)
    return f"{rounds}${salt}${digest.hex()}"
