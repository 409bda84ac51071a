"""Reading one line of an import: each field checked, every fault of the line collected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import MAX_ID

MAX_NAME = 300
MAX_ATTRIBUTES = 32_768
"""Characters of JSON of what has no field of its own."""
MAX_DEPTH = 8

ID = re.compile(r"[!-~]{1,100}")
GAME = re.compile(r"[a-z][a-z0-9-]{0,29}")
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Row:
    """The fields of a line, taken one by one; what was not taken is the rest. ``finish`` raises what was wrong."""

    def __init__(self, raw: object) -> None:
        if not isinstance(raw, Mapping):
            raise Invalid(f'A line is a JSON object such as {{"id": "base1-4", ...}}, not {_short(raw)}.')
        self._left = dict(raw)
        self.errors: dict[str, list[str]] = {}

    def fault(self, field: str, message: str) -> None:
        self.errors.setdefault(field, []).append(message)

    def key(self, field: str, pattern: re.Pattern[str], example: str) -> str:
        value = self._left.pop(field, None)
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        self.fault(field, f"{_short(value)} will not do; a text such as {example} is needed.")
        return ""

    def text(self, field: str, longest: int, *, required: bool = False) -> str | None:
        value = self._left.pop(field, None)
        if value is None and not required:
            return None
        if not isinstance(value, str) or (required and not value.strip()):
            self.fault(field, f"{_short(value)} will not do; a text is needed.")
            return None
        if len(value) > longest:
            self.fault(field, f"{len(value)} characters are too many; at most {longest} are stored.")
        if _is_unstorable(value):
            self.fault(field, f"{_short(value)} holds a control character or half a character.")
        return value

    def texts(self, field: str, keys: re.Pattern[str] | None = None) -> dict[str, str]:
        value = self._left.pop(field, None)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.fault(field, f"{_short(value)} will not do; an object of texts is needed.")
            return {}
        for key, each in value.items():
            if (keys and not keys.fullmatch(key)) or _is_unstorable(key) or len(key) > 50:
                self.fault(field, f"{_short(key)} is no key that belongs here.")
            if not isinstance(each, str) or not each.strip() or len(each) > MAX_NAME or _is_unstorable(each):
                self.fault(field, f"{_short(each)} will not do; a text of at most {MAX_NAME} characters is needed.")
        return dict(value)

    def count(self, field: str, *, at_most: int) -> int:
        value = self._left.pop(field, None)
        if value is None:
            return 0
        if type(value) is not int or not 0 <= value <= at_most:
            self.fault(field, f"{_short(value)} will not do; a whole number from 0 to {at_most} is needed.")
            return 0
        return value

    def day(self, field: str) -> date | None:
        value = self._left.pop(field, None)
        if value is None:
            return None
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            self.fault(field, f"{_short(value)} is not a date such as 1999-01-09.")
            return None

    def rest(self, known: Mapping[str, type]) -> dict[str, Any]:
        """Everything else: what is known has its type, what is not is stored as it is, within bounds."""
        for field, of in known.items():
            value = self._left.get(field)
            if value is not None and type(value) is not of:
                self.fault(field, f"{_short(value)} will not do; {_TYPES[of]} is needed.")
        size = 0
        for field, value in self._left.items():
            try:
                size += _measured(field) + _measured(value)
            except _Unstorable as fault:
                self.fault(field if len(field) <= 50 and not _is_unstorable(field) else "", str(fault))
        if size > MAX_ATTRIBUTES:
            self.fault("", f"{size} characters of further fields are too many; at most {MAX_ATTRIBUTES} are stored.")
        return self._left

    def finish(self) -> None:
        """Raises Invalid with every fault of the line."""
        if self.errors:
            said = (
                f"{field}: {message}" if field else message for field, all in self.errors.items() for message in all
            )
            raise Invalid(" ".join(said), errors=self.errors)


_TYPES = {str: "a text", int: "a whole number", bool: "true or false", list: "a list"}


class _Unstorable(Exception):
    pass


def _measured(value: object, depth: int = 0) -> int:
    """About how many characters of JSON it takes. Raises _Unstorable for what a database or a client cannot hold."""
    if isinstance(value, str):
        if _is_unstorable(value):
            raise _Unstorable(f"{_short(value)} holds a control character or half a character.")
        return len(value) + 2
    if value is None or isinstance(value, bool):
        return 5
    if isinstance(value, int):
        if abs(value) > MAX_ID:
            raise _Unstorable(f"{_short(value)} is beyond what every JSON client reads exactly.")
        return 16
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise _Unstorable(f"{value} is not a number that JSON has.")
        return 24
    if depth == MAX_DEPTH:
        raise _Unstorable(f"It is nested deeper than {MAX_DEPTH} levels.")
    if isinstance(value, list):
        return 2 + sum(_measured(each, depth + 1) for each in value)
    if isinstance(value, dict):
        return 2 + sum(_measured(key, depth + 1) + _measured(each, depth + 1) for key, each in value.items())
    raise _Unstorable(f"{_short(value)} is not something that JSON has.")


def _is_unstorable(text: str) -> bool:
    if _CONTROL.search(text):
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _short(value: object) -> str:
    said = ascii(value) if isinstance(value, str) and _is_unstorable(value) else repr(value)
    return said if len(said) <= 60 else said[:57] + "..."
