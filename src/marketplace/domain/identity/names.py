"""What accounts are called: user names and e-mail addresses, and when two of them are the same."""

from __future__ import annotations

import re
import unicodedata

from marketplace.domain.identity.languages import LANGUAGES
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.text import checked_text

MAX_EMAIL = 254
_USERNAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{1,28})[A-Za-z0-9]", re.ASCII)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]+")
# Default_Ignorable_Code_Point of the Unicode Character Database: soft hyphen, joiners, selectors, fillers, tags.
_INVISIBLE_RANGES = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
_INVISIBLE = dict.fromkeys(code for first, last in _INVISIBLE_RANGES for code in range(first, last + 1))
_PHONE_NUMBER = re.compile(r"\+?[0-9][0-9 ()./-]{3,28}[0-9]", re.ASCII)


def name_key(text: str) -> str:
    """The form in which two user names, or two e-mail addresses, are the same whatever their case or Unicode form.

    It is NFKC_Casefold of the Unicode Standard (section 3.13, rule R5 on NFD): full case folding, compatible forms made
    one, and what nobody sees left out. The letters of different alphabets that look alike stay different; a user name,
    which others see, has ASCII letters only.
    """
    seen = unicodedata.normalize("NFD", text.translate(_INVISIBLE))
    once = unicodedata.normalize("NFKC", seen.casefold())
    # Twice, since the compatible form of a letter may be a capital one, and that of a sign one that nobody sees.
    return unicodedata.normalize("NFKC", once.casefold().translate(_INVISIBLE)).strip()


def checked_username(text: str) -> str:
    """Raises Invalid. There is no ``@`` in one, so that it can never be taken for an e-mail address."""
    username = text.strip()
    if not _USERNAME.fullmatch(username):
        raise _refused(
            "username",
            "It takes 3 to 30 letters (A to Z), digits, dots, hyphens, underscores; at either end no sign.",
        )
    return username


def checked_email(text: str) -> str:
    """Raises Invalid on what cannot be an address; the doors look more closely."""
    email = checked_text(text, field="email", minimum=1, maximum=MAX_EMAIL)
    if not _EMAIL.fullmatch(email):
        raise _refused("email", "It is not an e-mail address.")
    if any(ord(character) in _INVISIBLE for character in email):
        raise _refused("email", "It holds characters that nobody sees; type it instead of copying it.")
    return email


def checked_language(text: str) -> str:
    """A language by its two letters (ISO 639-1). Raises Invalid, naming those that there are."""
    if text not in LANGUAGES:
        known = ", ".join(sorted(LANGUAGES))
        raise _refused("language", f"{text!r} is not the two letters of a language; there are: {known}.")
    return text


def checked_phone_number(text: str) -> str:
    """A telephone number as people write it, or nothing. Raises Invalid."""
    number = text.strip()
    if number and not _PHONE_NUMBER.fullmatch(number):
        raise _refused("phone_number", "It takes a telephone number, such as +33 1 23 45 67 89.")
    return number


def _refused(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", errors={field: [message]})
