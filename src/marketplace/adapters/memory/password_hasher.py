"""Passwords hashed quickly, for tests: salted, but no obstacle to whoever has the hashes."""

from __future__ import annotations

import hashlib
import hmac
import os

from marketplace.application.ports.identity import PasswordHasher

_NOBODYS = "1$00$00"


class FastPasswordHasher(PasswordHasher):
    def __init__(self, rounds: int = 1) -> None:
        self._rounds = rounds

    def hash(self, password: str) -> str:
        return _hashed(password, os.urandom(8).hex(), self._rounds)

    def verify(self, password_hash: str | None, password: str) -> bool:
        known = password_hash or _NOBODYS
        rounds, salt, _ = known.split("$")
        return hmac.compare_digest(known, _hashed(password, salt, int(rounds))) and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        return not password_hash.startswith(f"{self._rounds}$")


def _hashed(password: str, salt: str, rounds: int) -> str:
    digest = hashlib.pbkdf2_hmac("sha256", password.encode("utf-8", "surrogatepass"), salt.encode(), rounds)
    return f"{rounds}${salt}${digest.hex()}"
