"""The stock file: what is read of it, whatever a spreadsheet or a person made of it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.application.listings import stock_file
from marketplace.application.listings.stock_file import (
    BrokenRow,
    StockRow,
    WrongStockFile,
    header,
    read_stock_file,
    write_stock_file,
)
from marketplace.application.ports.catalogue import PrintKey
from marketplace.application.ports.listings import StockLine
from marketplace.domain.shared.money import MAX_AMOUNT
from tests.builders import euros

HEADER = "Game,Card Name,Set Code,Number,Language,Condition,Finish,First Edition,Grade,Quantity,Price EUR,Comments"
GROVYLE = "pokemon,Grovyle,DR,31,en,NM,reverse,N,,1,3.11,"


def read(*lines: str, end: str = "\n", start: bytes = b"", currency: str = "EUR") -> list[StockRow | BrokenRow]:
    return read_stock_file(start + end.join([HEADER, *lines, ""]).encode(), currency=currency)


def reason(line: str) -> str:
    (row,) = read(line)
    assert isinstance(row, BrokenRow), row
    return row.reason


def with_cell(column: str, value: str) -> str:
    cells = dict(zip(HEADER.split(","), GROVYLE.split(","), strict=True))
    assert column in cells
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow({**cells, column: value}.values())
    return out.getvalue()


class TestReading:
    def test_reads_every_cell(self):
        (row,) = read('Pokemon,Noctali,evs,215,FR,nm,Holo,y,psa 10,2,12.50,"Near mint, sleevée"')
        assert row == StockRow(
            row=1,
            card=PrintKey(tcg_type="pokemon", region="intl", set_code="EVS", number="215"),
            language="fr",
            condition="NM",
            finish="holo",
            first_edition=True,
            shadowless=False,
            grade="PSA 10",
            quantity=2,
            price=euros(1250),
            comment="Near mint, sleevée",
        )

    @pytest.mark.parametrize(("language", "region"), [("en", "intl"), ("de", "intl"), ("ja", "jp"), ("ko", "intl")])
    def test_looks_for_japanese_cards_among_the_japanese_sets(self, language, region):
        (row,) = read(with_cell("Language", language))
        assert row.card.region == region

    def test_reads_a_shadowless_print(self):
        (row,) = read(with_cell("Finish", "holo-shadowless"))
        assert (row.finish, row.shadowless) == ("holo", True)

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
    def test_takes_what_windows_and_spreadsheets_write(self, end, start):
        rows = read(GROVYLE, with_cell("Comments", "Évoli"), end=end, start=start)
        assert [row.comment for row in rows] == ["", "Évoli"]

    def test_keeps_lines_and_quotation_marks_within_a_cell(self):
        first, second = read(with_cell("Comments", 'two\nlines, "so called"'), GROVYLE)
        assert (first.comment, second.row) == ('two\nlines, "so called"', 2)

    def test_counts_rows_as_a_spreadsheet_does(self):
        rows = read("", GROVYLE, ",,,,,,,,,,,", GROVYLE, "", "")
        assert [row.row for row in rows] == [2, 4]

    def test_reads_an_empty_file(self):
        assert read() == []

    @pytest.mark.parametrize(
        ("condition", "grade", "comment", "description"),
        [
            ("NM", "", "", ""),
            ("NM", "", "Sleeved", "Sleeved"),
            ("NM", "PSA 10", "", "Condition NM."),
            ("NM", "PSA 10", "Sleeved", "Condition NM. Sleeved"),
            ("", "PSA 10", "Sleeved", "Sleeved"),
        ],
    )
    def test_tells_the_condition_of_a_graded_card_in_its_description(self, condition, grade, comment, description):
        (row,) = read(f"pokemon,Grovyle,DR,31,en,{condition},reverse,N,{grade},1,3.11,{comment}")
        assert row.description == description


class TestBrokenRows:
    @pytest.mark.parametrize(
        ("column", "value", "told"),
        [
            ("Quantity", "", "Quantity"),
            ("Quantity", "-1", "Quantity"),
            ("Quantity", "1.5", "Quantity"),
            ("Quantity", "two", "Quantity"),
            ("Quantity", "\u0661", "Quantity"),
            ("Quantity", "9999999999", "Quantity"),
            ("Price EUR", "", "price"),
            ("Price EUR", "0", "price"),
            ("Price EUR", "-1.00", "price"),
            ("Price EUR", "1,00", "price"),
            ("Price EUR", "3.111", "price"),
            ("Price EUR", "1e3", "price"),
            ("Price EUR", "NaN", "price"),
            ("Price EUR", "1000000.00", "price"),
            ("First Edition", "maybe", "First Edition"),
            ("First Edition", "", "First Edition"),
            ("Game", "", "Game"),
            ("Set Code", " ", "Set Code"),
            ("Number", "", "Number"),
            ("Language", "", "Language"),
            ("Finish", "", "Finish"),
            ("Number", "a\0b", "Number"),
            ("Comments", "=1+1", "formula"),
            ("Comments", " =1+1", "formula"),
            ("Comments", "+33 1 23", "formula"),
            ("Comments", "-", "formula"),
            ("Comments", "@home", "formula"),
            ("Comments", "\t1", "formula"),
            ("Card Name", "=HYPERLINK(1)", "formula"),
            ("Set Code", "@SUM(A1)", "formula"),
        ],
    )
    def test_tells_what_is_wrong(self, column, value, told):
        assert told in reason(with_cell(column, value))

    @pytest.mark.parametrize("line", ["pokemon,Grovyle", GROVYLE + ",more", "just words"])
    def test_tells_that_cells_are_missing_or_too_many(self, line):
        assert "instead of 12" in reason(line)

    @pytest.mark.parametrize("broken", ['pokemon,"Grovyle,DR', 'pokemon,"Gro"vyle,DR', 'pokemon,3" box,DR'])
    def test_goes_on_after_a_quotation_mark_that_is_not_closed(self, broken):
        first, *rest = read(broken, *[GROVYLE] * 80)
        assert isinstance(first, BrokenRow)
        assert [row.row for row in rest] == list(range(2, 82))

    def test_takes_a_pair_of_quotation_marks_within_a_cell_as_they_are(self):
        (row,) = read('pokemon,Grovyle,DR,31,en,NM,reverse,N,,1,3.11,a "fine" card')
        assert row.comment == 'a "fine" card'

    def test_does_not_let_one_row_hide_the_others(self):
        rows = read(GROVYLE, with_cell("Quantity", "x"), GROVYLE)
        assert [isinstance(row, StockRow) for row in rows] == [True, False, True]


class TestWrongFiles:
    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\n",
            b"pokemon,Grovyle\n",
            HEADER.replace("EUR", "USD").encode(),
            HEADER.replace("Grade,", "").encode(),
            HEADER.replace(",", ";").encode(),
            b'"' + HEADER.encode(),
        ],
    )
    def test_refuses_another_header_as_a_whole(self, data):
        with pytest.raises(WrongStockFile, match="The first line must be: Game,Card Name"):
            read_stock_file(data + b"\n" + GROVYLE.encode(), currency="EUR")

    def test_names_the_currency_in_the_header(self):
        assert read_stock_file((HEADER.replace("EUR", "USD") + "\n").encode(), currency="USD") == []

    def test_refuses_what_is_not_utf_8(self):
        with pytest.raises(WrongStockFile, match="not UTF-8"):
            read_stock_file(f"{HEADER}\n{with_cell('Comments', 'é')}".encode("latin-1"), currency="EUR")

    def test_refuses_a_file_that_is_too_large(self, monkeypatch):
        monkeypatch.setattr(stock_file, "MAX_BYTES", 200)
        with pytest.raises(WrongStockFile, match="Split it"):
            read(*[GROVYLE] * 10)

    def test_refuses_more_rows_than_it_takes(self, monkeypatch):
        monkeypatch.setattr(stock_file, "MAX_ROWS", 2)
        assert len(read(GROVYLE, GROVYLE)) == 2
        with pytest.raises(WrongStockFile, match="more than 2 rows"):
            read(GROVYLE, GROVYLE, GROVYLE)


def a_line(**changes) -> StockLine:
    values = {
        "listing_id": 1,
        "tcg_type": "pokemon",
        "name": "Grovyle",
        "set_code": "DR",
        "number": "31",
        "language": "en",
        "condition": "NM",
        "version": "reverse",
        "grade": None,
        "stock": 1,
        "price": 311,
        "description": "",
        "imported": True,
    }
    return StockLine(**{**values, **changes})


def write(*lines: StockLine) -> list[str]:
    return write_stock_file(lines, currency="EUR").splitlines()


class TestWriting:
    def test_writes_what_an_import_takes(self):
        assert write(a_line()) == [HEADER, GROVYLE]
        assert header("EUR") == HEADER.split(",")

    def test_gives_a_graded_card_its_own_condition_back(self):
        line = a_line(condition="GRADED", grade="PSA 10", description="Condition EX. Sleeved")
        assert write(line)[1] == "pokemon,Grovyle,DR,31,en,EX,reverse,N,PSA 10,1,3.11,Sleeved"

    def test_leaves_the_condition_of_a_graded_card_out_where_nobody_told_it(self):
        line = a_line(condition="GRADED", grade="PSA 10", description="Sleeved")
        assert write(line)[1] == "pokemon,Grovyle,DR,31,en,,reverse,N,PSA 10,1,3.11,Sleeved"

    def test_writes_prints_as_finish_and_edition(self):
        assert ",holo,Y," in write(a_line(version="holo-first-edition"))[1]
        assert ",holo-shadowless,Y," in write(a_line(version="holo-first-edition-shadowless"))[1]

    @pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x"])
    def test_quotes_what_a_spreadsheet_would_run(self, name):
        assert f",'{name}," in write(a_line(name=name))[1]


words = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=20).map(str.strip).filter(bool)
plain = words.filter(lambda text: text[0] not in "=+-@'")
lines = st.builds(
    a_line,
    name=plain,
    set_code=st.sampled_from(["DR", "EVS", "SHF:SV"]),
    number=st.sampled_from(["4", "006", "TG03", "!", "?"]),
    language=st.sampled_from(["en", "fr", "ja"]),
    version=st.sampled_from(["normal", "holo-first-edition", "holo-first-edition-shadowless", "holo-shadowless"]),
    stock=st.integers(0, 1_000_000),
    price=st.integers(1, MAX_AMOUNT),
    # What a spreadsheet would run is quoted on the way out, and comes back without the quotation mark.
    description=st.one_of(
        st.just(""), words, st.builds("{}{}".format, st.sampled_from(["=", "-", "'+", "''@"]), words)
    ),
)


@given(st.lists(lines, max_size=5), st.booleans())
def test_what_was_written_is_read_back(stock, windows):
    text = write_stock_file(stock, currency="EUR")
    # A cell keeps its own line ends; only those between rows become Windows'.
    data = text.encode() if not windows else b"\xef\xbb\xbf" + text.encode()
    rows = read_stock_file(data, currency="EUR")
    assert all(isinstance(row, StockRow) for row in rows), rows
    assert [(row.card.set_code, row.card.number, row.language, row.quantity, row.price.amount) for row in rows] == [
        (line.set_code, line.number, line.language, line.stock, line.price) for line in stock
    ]
    assert [row.description for row in rows] == [line.description for line in stock]


@given(st.binary(max_size=300))
def test_no_bytes_are_more_than_refused(data):
    for body in (data, HEADER.encode() + b"\n" + data):
        try:
            rows = read_stock_file(body, currency="EUR")
        except WrongStockFile:
            continue
        assert all(row.row > 0 for row in rows)


@given(st.lists(st.text(st.characters(blacklist_categories=["Cs"]), max_size=12), min_size=12, max_size=12))
def test_no_cells_are_more_than_refused(cells):
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    for row in read(out.getvalue()):
        assert isinstance(row, StockRow | BrokenRow)
