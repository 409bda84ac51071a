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
_PHONE_NUMBER = re.compile(r"\+?[0-9][0-9 ()./-]{3,28}[0-9]", re.ASCII)


def name_key(text: str) -> str:
    """The form in which two user names, or two e-mail addresses, are the same whatever their case or Unicode form."""
    once = unicodedata.normalize("NFKC", text.casefold())
    # Twice, since the compatible form of a letter may be a capital one.
    return unicodedata.normalize("NFKC", once.casefold()).strip()


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
