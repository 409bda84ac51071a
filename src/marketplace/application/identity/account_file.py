"""Accounts of a Django shop as a file: CSV with a header, or an object a line (JSON lines).

    username,email,password,first_name,last_name,is_active,date_joined,is_staff,is_email_verified

User name, e-mail address and password hash are needed, the rest is what a new account has. Columns that are not known
here (``id``, ``last_login``) are left out and told. A line of JSON may be one of ``dumpdata``'s, its columns in
``fields``. UTF-8, with or without a byte order mark.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

from marketplace.domain.shared.errors import Invalid

MAX_BYTES = 64 * 1024 * 1024
MAX_ROWS = 200_000
_NEEDED = ("username", "email", "password")
_OTHER_NAMES = {"password_hash": "password", "email_verified": "is_email_verified"}
_TEXTS = ("first_name", "last_name", "phone_number", "language", "account_type")
_FLAGS = ("is_active", "is_staff", "is_email_verified")
_COLUMNS = {*_NEEDED, *_TEXTS, *_FLAGS, "date_joined"}
# As Django, PostgreSQL's COPY, spreadsheets and JSON write them.
_TRUE, _FALSE = {"true", "t", "1", "yes", "y"}, {"false", "f", "0", "no", "n"}


class WrongAccountFile(Invalid):
    """The file as a whole cannot be read; nothing of it was imported."""

    code = "invalid_file"


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountRow:
    """An account as the other shop had it. ``line`` counts from 1, the header being a line. ``texts`` are not empty."""

    line: int
    username: str
    email: str
    password_hash: str = field(repr=False)
    texts: Mapping[str, str]
    is_active: bool
    is_staff: bool
    is_email_verified: bool
    date_joined: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokenRow:
    line: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountFile:
    rows: list[AccountRow | BrokenRow]
    ignored_columns: list[str]


def read_account_file(data: bytes) -> AccountFile:
    """Raises WrongAccountFile on a file that is too large, not UTF-8, empty, or lacks a column that is needed."""
    if len(data) > MAX_BYTES:
        raise WrongAccountFile(f"The file has {len(data)} bytes; the most is {MAX_BYTES}. Split it.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WrongAccountFile(f"The file is not UTF-8 (byte {error.start}); save it with that encoding.") from error
    if not text.strip():
        raise WrongAccountFile("The file is empty.")
    rows: list[AccountRow | BrokenRow] = []
    ignored: set[str] = set()
    for line, record in _json_records(text) if text.lstrip().startswith("{") else _csv_records(text):
        if len(rows) == MAX_ROWS:
            raise WrongAccountFile(f"The file has more than {MAX_ROWS} accounts. Split it.")
        try:
            if isinstance(record, Invalid):
                raise record
            known = {_OTHER_NAMES.get(name, name): value for name, value in record.items()}
            ignored.update(known.keys() - _COLUMNS)
            rows.append(_row(line, known))
        except Invalid as error:
            rows.append(BrokenRow(line=line, reason=str(error)))
    return AccountFile(rows=rows, ignored_columns=sorted(ignored))


def _csv_records(text: str) -> Iterator[tuple[int, Mapping[str, Any] | Invalid]]:
    """Each record with the line on which it begins. Raises WrongAccountFile on a header that lacks something."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = [name.strip().lower() for name in next(reader)]
    missing = [name for name in _NEEDED if name not in {_OTHER_NAMES.get(column, column) for column in header}]
    if missing:
        raise WrongAccountFile(f"The first line has to name the columns; missing: {', '.join(missing)}.")
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield line, Invalid(f"It is not CSV: {error}.")
            continue
        if cells is None:
            return
        if len(cells) == len(header):
            yield line, dict(zip(header, cells, strict=True))
        elif any(cells):
            yield line, Invalid(f"It has {len(cells)} cells instead of {len(header)}.")


def _json_records(text: str) -> Iterator[tuple[int, Mapping[str, Any] | Invalid]]:
    for number, line in enumerate(io.StringIO(text), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            yield number, Invalid(f"It is not JSON: {error}.")
            continue
        if isinstance(record, dict):
            inner = record.get("fields")
            yield number, inner if isinstance(inner, dict) else record
        else:
            yield number, Invalid("It is not an object.")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _row(line: int, record: Mapping[str, Any]) -> AccountRow:
    """Raises Invalid, naming the column."""
    texts = {name: text for name in _TEXTS if (text := _text(record, name))}
    username, email, password_hash = (_text(record, name) for name in _NEEDED)
    for name, value in zip(_NEEDED, (username, email, password_hash), strict=True):
        if not value:
            raise Invalid(f"{name}: It is missing.")
    return AccountRow(
        line=line,
        username=username,
        email=email,
        password_hash=password_hash,
        texts=texts,
        is_active=_flag(record, "is_active", default=True),
        is_staff=_flag(record, "is_staff", default=False),
        is_email_verified=_flag(record, "is_email_verified", default=False),
        date_joined=_moment(record, "date_joined"),
    )


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Invalid(f"{name}: It is not a text.")
    return value.strip()


def _flag(record: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = record.get(name)
    if value is None or value == "":
        return default
    text = str(value).strip().lower()
    if text not in _TRUE | _FALSE:
        raise Invalid(f"{name}: {text[:20]!r} is neither true nor false.")
    return text in _TRUE


def _moment(record: Mapping[str, Any], name: str) -> datetime | None:
    """A moment without a zone is taken for UTC, as Django keeps them."""
    text = _text(record, name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(f"{name}: {text[:40]!r} is no moment such as 2024-05-01T12:00:00Z.") from None
