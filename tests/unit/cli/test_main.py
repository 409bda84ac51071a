"""The command line's frame: groups on demand, exit status, JSON."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

from marketplace import __version__
from marketplace.domain.shared.errors import Conflict
from marketplace.entrypoints.cli import console, main
from marketplace.entrypoints.settings import Settings


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main.main(list(arguments))
    return ended.value.code, *capsys.readouterr()


@pytest.fixture
def command(monkeypatch):
    """Put a command of the test's own into the place of `openapi`."""

    def put(function):
        monkeypatch.setattr(main.LazyGroup, "get_command", lambda self, ctx, name: click.command()(function))

    return put


def test_the_help_lists_every_command(capsys):
    status, out, _ = run(capsys, "--help")
    assert status == 0
    assert all(name in out for name in main.COMMANDS)


def test_the_version(capsys):
    assert run(capsys, "--version") == (0, f"marketplace, version {__version__}\n", "")


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_command_can_be_loaded_and_explains_itself(capsys, name):
    status, out, _ = run(capsys, name, "--help")
    assert status == 0
    assert "Usage: marketplace" in out


@pytest.mark.parametrize("arguments", [["nope"], ["db", "nope"], ["db", "current", "--nope"], ["db", "downgrade"]])
def test_wrong_usage_is_status_2(capsys, arguments):
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert "Usage:" in err


def test_a_refusal_is_status_1_with_its_code(capsys, command):
    def refuse():
        raise Conflict("Not now.")

    command(refuse)
    assert run(capsys, "openapi") == (1, "", "conflict: Not now.\n")


def test_a_file_that_is_not_there_is_status_1_or_2(capsys, command):
    def fail():
        raise click.FileError("x.csv", "not there")

    command(fail)
    status, _, err = run(capsys, "openapi")
    assert status == 1
    assert "x.csv" in err


@pytest.mark.parametrize(("raised", "status"), [(click.Abort(), 130), (click.exceptions.Exit(3), 3)])
def test_an_interruption_has_its_status(capsys, command, raised, status):
    def end():
        raise raised

    command(end)
    assert run(capsys, "openapi")[0] == status


def test_bad_configuration_names_everything_that_is_wrong(capsys, monkeypatch):
    monkeypatch.setenv("PORT", "x")
    monkeypatch.setenv("CURRENCY", "XXX")
    status, _, err = run(capsys, "db", "current")
    assert status == 1
    assert err.startswith("bad_configuration: ")
    assert "PORT:" in err
    assert "CURRENCY:" in err


def test_the_api_document_is_exported_without_a_database(capsys, tmp_path):
    assert run(capsys, "openapi", "export", str(tmp_path / "api.json"))[0] == 0
    document = json.loads((tmp_path / "api.json").read_text("utf-8"))
    assert document["openapi"] == "3.1.0"
    _, out, _ = run(capsys, "openapi", "export")
    assert json.loads(out) == document


def test_the_module_is_the_same_program():
    done = subprocess.run(
        [sys.executable, "-m", "marketplace", "--version"], capture_output=True, text=True, check=True
    )
    assert __version__ in done.stdout


ROWS = [{"id": 1, "name": "Charizard", "note": None}, {"id": 2, "name": "Pikachu", "note": "x" * 100}]


def test_data_is_shown_as_json(capsys):
    console.show(ROWS, as_json=True)
    assert json.loads(capsys.readouterr().out) == ROWS


def test_rows_are_shown_in_columns_and_never_cut(capsys):
    console.show(ROWS, as_json=False, columns=("id", "name", "note"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["id", "name", "note"]
    assert lines[2].split() == ["2", "Pikachu", "x" * 100]


def test_no_rows_are_said_to_be_none(capsys):
    console.show([], as_json=False, columns=("id",))
    assert capsys.readouterr().out.endswith("(none)\n")


def test_a_single_thing_is_shown_line_by_line(capsys):
    console.show({"current": "0009", "newest": None}, as_json=False)
    assert capsys.readouterr().out == "current: 0009\nnewest: None\n"


def test_progress_goes_to_the_standard_error(capsys):
    with console.progress("Reading", total=3) as at:
        at(3)
    assert capsys.readouterr().out == ""


class TestDoctor:
    def findings(self, capsys):
        status, out, err = run(capsys, "doctor", "--json")
        return status, json.loads(out), err

    def test_bad_configuration_is_found_first(self, capsys, monkeypatch):
        monkeypatch.setenv("PORT", "x")
        status, findings, err = self.findings(capsys)
        assert status == 1
        assert [(each["what"], each["ok"]) for each in findings] == [("configuration", False)]
        assert "unfit" in err

    def test_a_home_that_cannot_be_written_to_is_found(self, tmp_path, monkeypatch):
        from marketplace.entrypoints.cli import doctor

        monkeypatch.setattr(doctor.os, "access", lambda *_: False)
        assert not doctor._home(Settings.from_env({"MARKETPLACE_HOME": str(tmp_path / "a" / "b")})).ok
