"""The password hashes of Django shops: ``pbkdf2_sha256$<iterations>$<salt>$<hash>``, good for one more log-in each.

As Django 5.2 writes and reads them: https://docs.djangoproject.com/en/5.2/topics/auth/passwords/. The password is taken
as it was typed there, not in its normal form.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Self

from marketplace.domain.shared.errors import Invalid

ALGORITHM = "pbkdf2_sha256"
MAX_ITERATIONS = 2_000_000
"""About a second of a core. Django 5.2 does 1,000,000; an import that asks for more would stall every log-in."""
UNUSABLE = "!"
"""What no password fits: its owner asks for a new one."""
_MAX_SALT = 128
_DIGEST_BYTES = 32
_ITERATIONS = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class DjangoHash:
    iterations: int
    salt: str = field(repr=False)
    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, text: str) -> Self:
        """Raises Invalid, without a word of the hash, on anything that is not such a hash."""
        algorithm, *parts = text.split("$")
        if algorithm != ALGORITHM or len(parts) != 3:
            raise _refused(f"It is no {ALGORITHM}$iterations$salt$hash.")
        iterations, salt, encoded = parts
        if not _ITERATIONS.fullmatch(iterations) or int(iterations) > MAX_ITERATIONS:
            raise _refused(f"Its iterations are not a number from 1 to {MAX_ITERATIONS}.")
        if not 1 <= len(salt) <= _MAX_SALT or not (salt.isascii() and salt.isprintable()):
            raise _refused(f"Its salt is not 1 to {_MAX_SALT} printable ASCII characters.")
        try:
            digest = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            digest = b""
        if len(digest) != _DIGEST_BYTES:
            raise _refused(f"Its hash is not {_DIGEST_BYTES} bytes in base64.")
        return cls(int(iterations), salt, digest)

    def verify(self, password: str) -> bool:
        """In constant time, once it is computed, which takes as long as the iterations are many."""
        return hmac.compare_digest(self.digest, stretched(password, self.salt, self.iterations))


def is_django_hash(password_hash: str) -> bool:
    """Whether it claims to be one: a log-in replaces it by one of ours."""
    return password_hash.startswith(f"{ALGORITHM}$")


def stretched(password: str, salt: str, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode("utf-8", "surrogatepass"), salt.encode(), iterations)


def _refused(message: str) -> Invalid:
    return Invalid(f"password: {message}", errors={"password": [message]})
