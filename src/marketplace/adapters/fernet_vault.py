"""Sealing by Fernet: AES-128 in CBC mode with HMAC-SHA256, by the cryptography package."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from marketplace.application.ports.second_factors import SealBroken, Vault


class FernetVault(Vault):
    """The first of ``keys``, of 32 bytes each, seals; all of them open."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])

    def seal(self, text: str, *, label: str) -> str:
        return self._fernet.encrypt(f"{label}\0{text}".encode()).decode()

    def open(self, sealed: str, *, label: str) -> str:
        try:
            found, _, text = self._fernet.decrypt(sealed.encode()).decode().partition("\0")
        except InvalidToken as error:
            raise _broken() from error
        if found != label:
            raise _broken()
        return text

    def reseal(self, sealed: str) -> str:
        try:
            return self._fernet.rotate(sealed.encode()).decode()
        except InvalidToken as error:
            raise _broken() from error


def _broken() -> SealBroken:
    return SealBroken(
        "What another SECRET_KEY sealed cannot be opened with the present one: name it in SECRET_KEY_FALLBACKS, or "
        "take a second factor away: marketplace users reset-second-factor NAME."
    )
