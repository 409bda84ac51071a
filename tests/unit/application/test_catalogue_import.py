"""Taking in a catalogue: broken lines are told, the rest goes in."""

import json
from dataclasses import asdict

import pytest

from marketplace.adapters.memory.catalogue.imports import InMemoryCatalogueImport
from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.store import InMemoryIdSequence, InMemoryStore
from marketplace.application.catalogue.import_catalogue import (
    MAX_LINE,
    MAX_REPORTED,
    CatalogueReport,
    ImportCatalogue,
)
from marketplace.application.ports.catalogue import Written
from tests.catalogue_files import documents, excerpt, lines_of

SETS = excerpt("sets")
CARDS = [line for line in excerpt("cards") if b'"set_id":"base1"' in line][:10]
CARD = documents(CARDS)[0]


@pytest.fixture
def run():
    catalogue = InMemoryCatalogueImport(InMemoryStore(), InMemoryIdSequence())
    return ImportCatalogue(clock=FixedClock(), catalogue=catalogue, batch=4)


def reasons(report: CatalogueReport) -> dict[int, str]:
    assert report.refused_count == len(report.refused)
    return {line.line: line.reason for line in report.refused}


class TestBrokenLines:
    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (b"{", "not JSON"),
            (b"not json", "not JSON"),
            (b"[" * 100_000, "not JSON"),
            (b'{"hp": NaN}', "NaN is no JSON number"),
            (b'{"hp": ' + b"9" * 5000 + b"}", "not JSON"),
            (b'"text"', "JSON object"),
            (b'{"id": "\xff"}', "not UTF-8"),
            (b"{" + b" " * MAX_LINE, "longer than"),
            (lines_of([{**CARD, "id": "two words"}])[0], "id:"),
            (lines_of([{**CARD, "id": "x-1", "set_id": "nowhere"}])[0], "no set 'nowhere'"),
            (b'{"id": "base1-1", "game": "pokemon", "name": "\\ud800"}', "name:"),
        ],
    )
    def test_are_told_with_their_number_and_the_rest_goes_in(self, run, line, reason):
        report = run(sets=SETS, cards=[*CARDS[:5], line, *CARDS[5:]])
        assert report.cards == Written(added=len(CARDS))
        assert list(reasons(report)) == [6]
        assert reason in reasons(report)[6]
        assert report.refused[0].file == "cards"

    def test_of_sets_are_told_as_well(self, run):
        report = run(sets=[b"{}", *SETS], cards=CARDS)
        assert report.sets == Written(added=len(SETS))
        assert (report.refused[0].file, report.refused[0].line) == ("sets", 1)

    def test_are_told_when_an_id_comes_again(self, run):
        again = {**CARD, "id": CARD["id"].upper(), "name": "Other"}
        report = run(sets=SETS, cards=[*CARDS, *lines_of([again])])
        assert "Line 1 has the id" in reasons(report)[len(CARDS) + 1]
        assert report.cards == Written(added=len(CARDS))

    def test_are_told_when_a_code_belongs_to_another_set(self, run):
        base = next(each for each in documents(SETS) if each["id"] == "base1")
        thief = {**base, "id": "thief", "code": "bs"}
        for lines in ([*SETS, *lines_of([thief])], lines_of([thief])):
            report = run(sets=lines, cards=[])
            assert "The set base1 of this region has the code" in reasons(report)[len(lines)]

    def test_are_counted_without_end_and_listed_with_one(self, run):
        report = run(sets=[], cards=[b"{"] * (MAX_REPORTED + 5))
        assert (report.refused_count, len(report.refused)) == (MAX_REPORTED + 5, MAX_REPORTED)


class TestLines:
    def test_may_be_empty(self, run):
        report = run(sets=SETS, cards=[b"\n", *CARDS, b"  \r\n", b""])
        assert (report.cards, report.refused) == (Written(added=len(CARDS)), [])

    def test_may_begin_with_a_byte_order_mark(self, run):
        report = run(sets=[b"\xef\xbb\xbf" + SETS[0], *SETS[1:]], cards=CARDS)
        assert report.refused == []

    def test_are_counted_as_they_are_done(self, run):
        done = []
        run(sets=SETS, cards=[*CARDS, b"{"], progress=done.append)
        assert sum(done) == len(SETS) + len(CARDS) + 1
        assert max(done) <= 4

    def test_may_be_none_at_all(self, run):
        report = run(sets=[], cards=[])
        assert (report.sets, report.cards, report.refused_count) == (Written(), Written(), 0)

    def test_end_in_a_report_that_is_json(self, run):
        assert json.dumps(asdict(run(sets=SETS, cards=[b"{"])))
