"""Stock files for tests: the excerpt that is kept here, and what each of its rows must become."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

EXCERPT = Path(__file__).parent / "data" / "listings"
HEADER = "Game,Card Name,Set Code,Number,Language,Condition,Finish,First Edition,Grade,Quantity,Price EUR,Comments"

Expected = dict[int, tuple[str, int, int]]
"""External id of the card, quantity and price in cents, by row."""


def stock_excerpt() -> bytes:
    return (EXCERPT / "seller_stock.csv").read_bytes()


def key_of(path: Path) -> Expected:
    with path.open(encoding="utf-8", newline="") as file:
        return {
            int(line["row"]): (line["card_id"], int(line["quantity"]), int(line["price_cents"]))
            for line in csv.DictReader(file)
        }


def excerpt_key() -> Expected:
    return key_of(EXCERPT / "seller_stock_key.csv")


def stock_file(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows, ""]).encode()


def changed(data: bytes, row: int, **cells: str) -> bytes:
    """The same file with other cells in one row; columns with an underscore for the space in their name."""
    lines = list(csv.reader(data.decode().splitlines()))
    for name, value in cells.items():
        lines[row][HEADER.split(",").index(name.replace("_", " "))] = value
    return to_bytes(lines)


def to_bytes(lines: Iterable[Iterable[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue().encode()
