"""Commands that need a database: DATABASE_URL, and the embedded server when there is none."""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres.databases import create_database, drop_database, named
from marketplace.adapters.postgres.provider_events import PostgresWebhookRefusals
from marketplace.application.ports.payment_gateway import WebhookSource
from marketplace.application.ports.provider_events import Refusal
from marketplace.entrypoints.cli.main import main


@pytest.fixture
def run(capsys, monkeypatch):
    for name in ("DATABASE_URL", "MARKETPLACE_HOME", "MARKETPLACE_ENV"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        return ended.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def url(database_factory):
    return database_factory()


@pytest.fixture
def empty(url):
    """A database without a schema."""
    name = f"{sa.make_url(url).database}_empty"
    create_database(url, name)
    create_database(url, name)  # again, which changes nothing
    yield named(url, name)
    drop_database(url, name)


@pytest.fixture
def home():
    folder = Path(tempfile.mkdtemp(prefix="marketplace-cli-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_the_schema_goes_up_and_down(run, empty):
    assert json.loads(run("db", "current", "--json", DATABASE_URL=empty)[1])["current"] is None
    status, out, _ = run("db", "upgrade", "0001_kernel", DATABASE_URL=empty)
    assert (status, out) == (0, "The database is at 0001_kernel.\n")
    status, out, _ = run("db", "upgrade", DATABASE_URL=empty)
    newest = json.loads(run("db", "current", "--json", DATABASE_URL=empty)[1])
    assert newest["current"] == newest["newest"]
    assert run("db", "downgrade", "base", DATABASE_URL=empty)[:2] == (0, "The database is at base.\n")


def test_doctor_finds_that_all_is_well(run, url):
    status, out, _ = run("doctor", DATABASE_URL=url)
    assert status == 0
    assert "BAD" not in out


def test_doctor_finds_what_is_to_be_migrated_and_says_how(run, empty):
    status, out, err = run("doctor", DATABASE_URL=empty)
    assert status == 1
    assert err.startswith("unfit: ")
    assert "marketplace db upgrade" in out


def test_doctor_finds_a_database_that_does_not_answer(run):
    status, out, _ = run("doctor", "--json", DATABASE_URL="postgresql://nobody@127.0.0.1:1/x")
    assert status == 1
    assert [(each["what"], each["ok"]) for each in json.loads(out)][-1] == ("database", False)


@pytest.mark.parametrize(
    ("refusal", "seconds_off", "is_ok", "said"),
    [
        (Refusal.TIME, 900, False, "this machine's clock is 900 seconds behind the payment provider's"),
        (Refusal.TIME, -900, False, "this machine's clock is 900 seconds ahead of the payment provider's"),
        (Refusal.SIGNATURE, 0, True, "1 refused since yesterday without a signature of ours"),
        (Refusal.CONTENT, 0, True, "none refused since yesterday"),
    ],
)
def test_scenario_52_doctor_finds_a_wrong_clock_by_the_events_that_it_refuses(
    run, url, refusal, seconds_off, is_ok, said
):
    engine = sa.create_engine(url)
    refusals = PostgresWebhookRefusals(engine)
    refusals.note(WebhookSource.PLATFORM, refusal, seconds_off=seconds_off, now=datetime.now(UTC))
    engine.dispose()
    status, out, _ = run("doctor", "--json", DATABASE_URL=url)
    (finding,) = [each for each in json.loads(out) if each["what"] == "webhooks"]
    assert (status == 0, finding["ok"]) == (is_ok, is_ok)
    assert said in finding["detail"]
    assert ("NTP" in finding["remedy"]) is not is_ok


def test_doctor_finds_a_redis_that_does_not_answer(run, url):
    status, out, _ = run("doctor", "--json", DATABASE_URL=url, REDIS_URL="redis://:hunter2@127.0.0.1:1/0")
    assert status == 1
    (finding,) = [each for each in json.loads(out) if not each["ok"]]
    assert finding["what"] == "redis"
    assert "REDIS_URL" in finding["remedy"]
    assert "hunter2" not in out


def test_doctor_finds_that_there_is_no_server_to_start(run, home, tmp_path):
    status, out, _ = run("doctor", "--json", MARKETPLACE_HOME=str(home), PG_BIN_DIR=str(tmp_path))
    assert status == 1
    assert json.loads(out)[-1]["what"] == "database"
    assert "DATABASE_URL" in json.loads(out)[-1]["remedy"]


def test_a_command_starts_the_embedded_server_for_as_long_as_it_needs(run, home):
    status, _, err = run("db", "upgrade", MARKETPLACE_HOME=str(home))
    assert status == 0, err
    status, out, _ = run("ledger", "verify", "--json", MARKETPLACE_HOME=str(home))
    assert status == 0, out
    assert not list(home.rglob("postmaster.pid"))


def test_a_command_migrates_the_embedded_database_on_its_way(run, home):
    status, out, err = run("outbox", "status", "--json", MARKETPLACE_HOME=str(home))
    assert status == 0, err
    assert json.loads(out)


def test_a_command_refuses_a_database_of_ones_own_that_is_not_migrated(run, empty):
    status, out, err = run("outbox", "status", DATABASE_URL=empty)
    assert (status, out) == (1, "")
    assert err.startswith("unavailable: ")
