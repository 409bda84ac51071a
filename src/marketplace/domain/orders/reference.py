"""References that can be read over the telephone."""

from __future__ import annotations

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U to mishear or misread
_SPACE = 32**7
_FACTOR = 20_801_763_521  # odd, hence invertible modulo a power of two: references of different orders differ


def public_reference(order_id: int) -> str:
    """A reference that can be read over the telephone, ``K7QM-2XPD``: seven scattered digits and a check digit."""
    value = order_id * _FACTOR % _SPACE
    digits = "".join(_ALPHABET[value >> shift & 31] for shift in range(30, -1, -5))
    check = _ALPHABET[sum((i + 1) * _ALPHABET.index(d) for i, d in enumerate(digits)) % 31]
    return f"{digits[:4]}-{digits[4:]}{check}"
