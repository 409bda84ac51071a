"""Which passwords are good enough. What a password is compared with is its NFKC form, so that any keyboard types it.

Long, not one of those that are tried first, not the owner's name: what NIST SP 800-63B (5.1.1.2) asks for, and none of
the rules on capitals and digits that it advises against.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from itertools import pairwise

from marketplace.domain.identity.django_hashes import is_django_hash
from marketplace.domain.identity.names import name_key
from marketplace.domain.shared.errors import Invalid

MIN_PASSWORD = 10
MAX_PASSWORD = 128
_FEWEST_CHARACTERS = 4
"""Different ones, so that nobody keeps a finger on one key."""
_LIKE_A_NAME = 4
"""Parts of a name that are shorter than this may occur in a password."""
_COMMON_PASSWORDS = "common_passwords.txt"
"""Beside this module, one a line in lower case, with its origin and licence in ``common_passwords.LICENSE``. Those that
are shorter than MIN_PASSWORD are not in it: they are refused for their length."""

# What this trade, this country's keyboards and this product add to the list.
_OUR_WORDS = frozenset(
    [
        "11223344556677",
        "123456789012",
        "aa12345678",
        "asd123456789",
        "asdfghjklm",
        "azertyuiop123",
        "baseball123",
        "changeme123",
        "marketplace",
        "michelle123",
        "motdepasse",
        "motdepasse1",
        "motdepasse123",
        "p@ssw0rd123",
        "passw0rd123",
        "pokemon1234",
        "qwe123456789",
        "qwer123456",
        "secret1234",
        "sunshine123",
        "trustno1trustno1",
        "unbelievable",
        "welcome1234",
        "whatever123",
        "yugioh1234",
        "zaq12wsxcde3",
        "zxcvbnm1234",
    ]
)


def normal_form(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def presented_form(password: str, password_hash: str | None) -> str:
    """What to compare with a hash: the normal form, but for a Django shop's, which took it as it was typed."""
    return password if password_hash is not None and is_django_hash(password_hash) else normal_form(password)


def checked_password(password: str, *, names: Iterable[str], field: str = "password") -> str:
    """The normal form of a new password. Raises Invalid on a weak one; ``names`` are what its owner is called.

    That is user name, e-mail address, first and last name. ``field`` is what the caller knows the password as.
    """
    normal = normal_form(password)
    folded = normal.casefold()
    if len(normal) < MIN_PASSWORD:
        raise _refused(field, f"It has {len(normal)} characters and needs at least {MIN_PASSWORD}.")
    if len(normal) > MAX_PASSWORD:
        raise _refused(field, f"It has {len(normal)} characters; the most is {MAX_PASSWORD}.")
    if len(set(folded)) < _FEWEST_CHARACTERS or folded in common_passwords():
        raise _refused(field, "It is one of those that are tried first; choose another.")
    if _is_like_a_name(folded, names):
        raise _refused(field, "It is too much like your name or e-mail address; choose another.")
    return normal


@cache
def common_passwords() -> frozenset[str]:
    """Read once, since they come with the program."""
    listed = files("marketplace.domain.identity").joinpath(_COMMON_PASSWORDS).read_text(encoding="utf-8")
    return _OUR_WORDS | frozenset(listed.splitlines())


def _is_like_a_name(folded: str, names: Iterable[str]) -> bool:
    """Whether a name, or one turned round, makes half of the password or more; signs between letters do not count."""
    letters = _letters(folded)
    return any(
        2 * len(name) >= len(letters) and (name in letters or name[::-1] in letters)
        for name in _spellings(names)
        if len(name) >= _LIKE_A_NAME
    )


def _spellings(names: Iterable[str]) -> Iterator[str]:
    """Each name whole and part by part, of an e-mail address what is in front of the @ too, and neighbours in a row."""
    keys = [name_key(name) for name in names]
    fronts = [key.partition("@")[0] for key in keys]
    yield from map(_letters, keys)
    for front in fronts:
        yield _letters(front)
        yield from "".join(c if c.isalnum() else " " for c in front).split()
    for first, second in pairwise(fronts):
        yield _letters(first + second)
        yield _letters(second + first)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _refused(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", errors={field: [message]})
