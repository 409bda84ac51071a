"""The stock file: a seller's stock as CSV, a row a listing; read with care, since spreadsheets and people write it.

    Game,Card Name,Set Code,Number,Language,Condition,Finish,First Edition,Grade,Quantity,Price EUR,Comments

UTF-8, with or without a byte order mark; the price column names the currency. (region, set code, number) names one
card: Japanese rows belong to region jp, all others to intl. The card name is for people and is not compared.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from marketplace.application.ports.catalogue import PrintKey
from marketplace.application.ports.listings import StockLine
from marketplace.domain.listings import parsed_price
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.money import Money
from marketplace.domain.shared.text import is_formula

MAX_BYTES = 8 * 1024 * 1024
MAX_ROWS = 50_000
_MAX_LINES_A_ROW = 50
_COLUMNS = (
    "Game",
    "Card Name",
    "Set Code",
    "Number",
    "Language",
    "Condition",
    "Finish",
    "First Edition",
    "Grade",
    "Quantity",
    "Price",
    "Comments",
)
_QUANTITY = re.compile(r"\d{1,9}", re.ASCII)
_SHADOWLESS = "-shadowless"
_FIRST_EDITION = "-first-edition"
_GRADED_NOTE = re.compile(r"Condition ([A-Z]{2})\.(?: (.*))?", re.DOTALL)


class WrongStockFile(Invalid):
    """The file as a whole cannot be read; nothing of it was imported."""

    code = "invalid_file"


@dataclass(frozen=True, kw_only=True, slots=True)
class StockRow:
    """One row that can be read. ``row`` counts from 1, the header not counted. ``grade`` is empty when ungraded."""

    row: int
    card: PrintKey
    language: str
    condition: str
    finish: str
    first_edition: bool
    shadowless: bool
    grade: str
    quantity: int
    price: Money
    comment: str

    @property
    def description(self) -> str:
        """The comment; a graded card is sold by its grade, so that its own condition is told in front of it."""
        if not self.grade or not self.condition:
            return self.comment
        return f"Condition {self.condition}. {self.comment}".rstrip()


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokenRow:
    row: int
    reason: str


def header(currency: str) -> list[str]:
    return [f"Price {currency}" if name == "Price" else name for name in _COLUMNS]


def read_stock_file(data: bytes, *, currency: str) -> list[StockRow | BrokenRow]:
    """The rows in order. Raises WrongStockFile on a file that is too large, not UTF-8, or has another header."""
    if len(data) > MAX_BYTES:
        raise WrongStockFile(f"The file has {len(data)} bytes; the most is {MAX_BYTES}. Split it.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WrongStockFile(
            f"The file is not UTF-8 (byte {error.start}); save it as CSV with the encoding UTF-8."
        ) from error
    records = _records(text)
    found = next(records, None)
    if found is None or found[1] is None or [cell.strip() for cell in found[1]] != header(currency):
        raise WrongStockFile(f"The first line must be: {','.join(header(currency))}")
    rows: list[StockRow | BrokenRow] = []
    for number, cells in records:
        if number > MAX_ROWS:
            raise WrongStockFile(f"The file has more than {MAX_ROWS} rows. Split it.")
        if cells is None:
            rows.append(BrokenRow(row=number, reason="A quotation mark is not closed, or stands inside of a cell."))
        elif cells:
            rows.append(_row(number, cells, currency))
    return rows


def write_stock_file(lines: Iterable[StockLine], *, currency: str) -> str:
    """The file whose import would change nothing of what ``lines`` tell. Cells that are formulas are quoted."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header(currency))
    for line in lines:
        writer.writerow([_harmless(cell) for cell in _cells(line, currency)])
    return out.getvalue()


def _records(text: str) -> Iterator[tuple[int, list[str] | None]]:
    """(record number, cells), the header being record 0; no cells for an empty line, None where quotes do not match.

    A record ends where its quotation marks are even in number, so that a mark that is never closed costs one row only.
    """
    lines = io.StringIO(text, newline="").readlines()
    at = number = 0
    while at < len(lines):
        record, end = lines[at], at + 1
        while record.count('"') % 2 and end < min(len(lines), at + _MAX_LINES_A_ROW):
            record += lines[end]
            end += 1
        closed = record.count('"') % 2 == 0
        yield number, _split(record) if closed else None
        at = end if closed else at + 1
        number += 1


def _split(record: str) -> list[str] | None:
    try:
        cells = next(csv.reader([record.rstrip("\r\n")], strict=True), [])
    except csv.Error:
        return None
    return cells if any(cell.strip() for cell in cells) else []


def _row(number: int, cells: list[str], currency: str) -> StockRow | BrokenRow:
    if len(cells) != len(_COLUMNS):
        return BrokenRow(row=number, reason=f"It has {len(cells)} cells instead of {len(_COLUMNS)}.")
    try:
        return _checked(number, dict(zip(_COLUMNS, cells, strict=True)), currency)
    except Invalid as error:
        return BrokenRow(row=number, reason=str(error))


def _checked(number: int, raw: dict[str, str], currency: str) -> StockRow:
    price = parsed_price(raw["Price"].strip(), currency)
    quantity = raw["Quantity"].strip()
    if not _QUANTITY.fullmatch(quantity):
        raise Invalid(f"Quantity: {quantity[:20]!r} is not a whole number from 0 up.")
    for name, cell in raw.items():
        if is_formula(cell) or is_formula(cell.strip()):
            raise Invalid(f"{name}: {cell[:20]!r} is a formula to a spreadsheet; begin it with another sign.")
    cells = {name: _unquoted(text.strip()) for name, text in raw.items()}
    first_edition = cells["First Edition"].upper()
    if first_edition not in ("Y", "N"):
        raise Invalid(f"First Edition: {first_edition[:20]!r} is neither Y nor N.")
    for name in ("Game", "Set Code", "Number", "Language", "Finish"):
        if not cells[name] or "\0" in cells[name]:
            raise Invalid(f"{name}: there is nothing that names one.")
    language = cells["Language"].lower()
    finish = cells["Finish"].lower()
    return StockRow(
        row=number,
        card=PrintKey(
            tcg_type=cells["Game"].lower(),
            region="jp" if language == "ja" else "intl",
            set_code=cells["Set Code"].upper(),
            number=cells["Number"],
        ),
        language=language,
        condition=cells["Condition"].upper(),
        finish=finish.removesuffix(_SHADOWLESS),
        first_edition=first_edition == "Y",
        shadowless=finish.endswith(_SHADOWLESS),
        grade=cells["Grade"].upper(),
        quantity=int(quantity),
        price=price,
        comment=cells["Comments"],
    )


def _cells(line: StockLine, currency: str) -> list[str]:
    condition, comment = line.condition, line.description
    if line.grade:
        note = _GRADED_NOTE.fullmatch(line.description)
        condition, comment = (note[1], note[2] or "") if note else ("", line.description)
    first_edition = _FIRST_EDITION in line.version
    return [
        line.tcg_type,
        line.name,
        line.set_code,
        line.number,
        line.language,
        condition,
        line.version.replace(_FIRST_EDITION, ""),
        "Y" if first_edition else "N",
        line.grade or "",
        str(line.stock),
        Money(line.price, currency).decimal,
        comment,
    ]


def _harmless(cell: str) -> str:
    return f"'{cell}" if is_formula(cell.lstrip("'")) else cell


def _unquoted(cell: str) -> str:
    """What ``_harmless`` was given, so that an exported description comes back as it was."""
    return cell[1:] if cell.startswith("'") and is_formula(cell.lstrip("'")) else cell
