"""Which passwords are good enough. What a password is compared with is its NFKC form, so that any keyboard types it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from marketplace.domain.identity.names import name_key
from marketplace.domain.shared.errors import Invalid

MIN_PASSWORD = 10
MAX_PASSWORD = 128
_LIKE_A_NAME = 4
"""Parts of a name that are shorter than this may occur in a password."""

# The common passwords of ten characters and more; the shorter ones are refused for their length.
_COMMON_WORDS = """
0123456789 0987654321 1029384756 1111111111 1122334455 11223344556677 1234512345 1234567890 12345678901 123456789012
12345678910 123456789a 123456789q 123456789qwe 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc 1qazxsw2 987654321a a123456789
aa12345678 abc1234567 abc123456789 abcd123456 abcdefghij administrator asd123456789 asdfghjkl1 asdfghjklm azertyuiop
azertyuiop123 baseball123 changeme123 charlie123 dragonball football123 iloveyou123 iloveyou12 liverpool1 letmein123
manchester marketplace michelle123 mypassword password01 password1! password11 password12 password123 password1234
password12345 passw0rd123 p@ssw0rd123 pokemon123 pokemon1234 princess123 q1w2e3r4t5 q1w2e3r4t5y6 qazwsxedc1
qazwsxedcrfv qwe123456789 qwer123456 qwerty1234 qwerty12345 qwerty123456 qwertyuiop qwertyuiop1 qwertyuiop123
qwertyuiop[] secret1234 sunshine123 superman123 trustno1trustno1 unbelievable welcome123 welcome1234 whatever123
zaq12wsxcde3 zxcvbnm123 zxcvbnm1234
"""
_COMMON = frozenset(_COMMON_WORDS.split())


def normal_form(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def checked_password(password: str, *, names: Iterable[str]) -> str:
    """The normal form of a new password. Raises Invalid on a weak one; ``names`` are what its owner is called."""
    normal = normal_form(password)
    folded = normal.casefold()
    parts = (name_key(part) for name in names for part in name.split("@")[0].split())
    if len(normal) < MIN_PASSWORD:
        raise _refused(f"It has {len(normal)} characters and needs at least {MIN_PASSWORD}.")
    if len(normal) > MAX_PASSWORD:
        raise _refused(f"It has {len(normal)} characters; the most is {MAX_PASSWORD}.")
    if folded in _COMMON or len(set(folded)) < 4:
        raise _refused("It is one of those that are tried first; choose another.")
    if any(len(part) >= _LIKE_A_NAME and part in folded and 2 * len(part) >= len(folded) for part in parts):
        raise _refused("It is too much like your name or e-mail address; choose another.")
    return normal


def _refused(message: str) -> Invalid:
    return Invalid(f"password: {message}", errors={"password": [message]})
