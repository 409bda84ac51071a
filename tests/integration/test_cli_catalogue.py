"""`marketplace catalogue`: files in and out, on PostgreSQL."""

from __future__ import annotations

import gzip
import json

import pytest

from marketplace.application.catalogue.import_catalogue import MAX_LINE
from marketplace.entrypoints.cli.main import main
from tests.catalogue_files import EXCERPT, documents, excerpt, lines_of


@pytest.fixture
def run(capsys, monkeypatch, database_factory):
    for name in ("MARKETPLACE_HOME", "MARKETPLACE_ENV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", database_factory())

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["catalogue", *map(str, arguments)])
        return ended.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def folder(tmp_path):
    """Writes the two files, packed or not."""

    def write(*, sets=None, cards=None, packed=False):
        for name, lines in (("sets", sets), ("cards", cards)):
            data = b"\n".join(excerpt(name) if lines is None else lines) + b"\n"
            (tmp_path / f"{name}.jsonl{'.gz' if packed else ''}").write_bytes(gzip.compress(data) if packed else data)
        return tmp_path

    return write


def test_imports_and_the_second_time_changes_nothing(run):
    status, out, err = run("import", EXCERPT)
    assert (status, err.strip()) == (0, "")
    assert "refused: 0" in out
    status, out, _ = run("import", EXCERPT, "--json")
    report = json.loads(out)
    assert status == 0
    assert report["cards"] == {"added": 0, "changed": 0, "unchanged": len(excerpt("cards"))}
    assert report["sets"]["unchanged"] == len(excerpt("sets"))


def test_tells_broken_lines_and_imports_the_rest(run, folder):
    lines = excerpt("cards")[:10]
    broken = [*lines[:3], b"{", b"x" * (3 * MAX_LINE), *lines[3:]]
    status, out, err = run("import", folder(cards=broken, packed=True))
    assert status == 1
    assert "cards line 4: The line is not JSON" in err
    assert f"cards line 5: The line is longer than {MAX_LINE} bytes." in err
    assert "refused: 2" in out
    status, out, _ = run("import", folder(cards=broken), "--json")
    report = json.loads(out)
    assert (status, report["refused_count"], report["cards"]["unchanged"]) == (1, 2, 10)
    assert report["refused"][0] == {"file": "cards", "line": 4, "reason": report["refused"][0]["reason"]}


def test_tells_no_more_broken_lines_than_anyone_reads(run, folder):
    status, _, err = run("import", folder(cards=[b"{"] * 1003))
    assert status == 1
    assert err.endswith("... and 3 more refused lines\n")


def test_exports_what_it_imported(run, tmp_path):
    run("import", EXCERPT)
    for options in ([], ["--gzip"]):
        target = tmp_path / f"out{len(options)}" / "deeper"
        status, out, _ = run("export", target, *options, "--json")
        assert (status, json.loads(out)) == (0, {"sets": len(excerpt("sets")), "cards": len(excerpt("cards"))})
        opened = gzip.open if options else open
        with opened(next(target.glob("cards.jsonl*")), "rb") as file:
            exported = {each["id"]: each for each in documents(file)}
        assert exported == {each["id"]: each for each in documents(excerpt("cards"))}
        status, out, _ = run("import", target, "--json")
        assert json.loads(out)["cards"]["unchanged"] == len(exported)


def test_needs_both_files(run, folder, tmp_path):
    status, _, err = run("import", tmp_path)
    assert status == 2
    assert "holds neither sets.jsonl nor sets.jsonl.gz" in err
    folder(packed=True)
    (tmp_path / "cards.jsonl.gz").unlink()
    assert run("import", tmp_path)[0] == 2
    assert run("import", tmp_path / "nowhere")[0] == 2


def test_says_when_a_file_breaks_off(run, folder):
    directory = folder(packed=True)
    packed = directory / "cards.jsonl.gz"
    packed.write_bytes(packed.read_bytes()[:-2000])
    status, _, err = run("import", directory)
    assert status == 1
    assert "cannot be read to its end" in err


def test_updates_what_changed_since(run, folder):
    run("import", EXCERPT)
    cards = documents(excerpt("cards"))
    cards[5]["rarity"] = "Legendary"
    status, out, _ = run("import", folder(cards=lines_of(cards)), "--json")
    assert (status, json.loads(out)["cards"]["changed"]) == (0, 1)
