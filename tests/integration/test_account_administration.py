"""Admins at work at once on a real database, and the audit trail on the command line."""

from __future__ import annotations

import json
from functools import partial
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from marketplace.application.access import Actor, LastAdmin
from marketplace.application.identity.administration import ChangeAccess
from marketplace.domain.identity import Role
from marketplace.domain.shared.errors import MarketplaceError
from marketplace.domain.shared.ids import AccountId
from marketplace.entrypoints.cli.main import marketplace
from tests.contracts.audit import an_act, record
from tests.contracts.identity import an_account

ADMIN = frozenset({Role.BUYER, Role.ADMIN})


@pytest.fixture
def engine(clean_database):
    engine = sa.create_engine(clean_database, pool_size=10)
    yield engine
    engine.dispose()


@pytest.fixture
def unit_of_work(engine):
    return partial(PostgresUnitOfWork, engine)


def test_two_admins_who_demote_each_other_at_once_leave_one(unit_of_work):
    change = ChangeAccess(unit_of_work=unit_of_work, clock=FixedClock())
    with unit_of_work() as uow:
        for id in (1, 2):
            uow.accounts.add(an_account(id, roles=ADMIN))
        uow.commit()
    barrier, ended = Barrier(2), []

    def demote(actor: int, other: int) -> None:
        barrier.wait()
        try:
            change(actor=Actor(account_id=AccountId(actor), roles=ADMIN), account_id=AccountId(other), roles=set())
        except LastAdmin as error:
            ended.append(error.code)
        else:
            ended.append("done")

    threads = [Thread(target=demote, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with unit_of_work() as uow:
        left = uow.accounts.admins_for_update()
    assert sorted(ended) == ["done", "last_admin"]
    assert len(left) == 1


class TestCommands:
    @pytest.fixture
    def run(self, clean_database, monkeypatch, tmp_path):
        monkeypatch.setenv("DATABASE_URL", clean_database)
        monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path))
        monkeypatch.setenv("ARGON2_MEMORY_KIB", "8")

        def command(*arguments, given=""):
            result = CliRunner().invoke(marketplace, arguments, input=given)
            if isinstance(result.exception, MarketplaceError):
                raise result.exception
            return result

        return command

    @pytest.fixture
    def history(self, run):
        """The id of an account that was made and then suspended by the operator."""
        created = run(
            "users", "create-admin", "ada", "ada@example.com", "--password-stdin", "--json", given="a good long one\n"
        )
        run("users", "suspend", "ada", "--reason", "Left the company")
        return str(json.loads(created.stdout)["id"])

    def test_lists_what_the_operator_did(self, run, history):
        suspended, created = json.loads(run("audit", "list", "--json").stdout)
        assert (created["action"], created["subject"]) == ("account.created", {"type": "account", "id": history})
        assert (suspended["action"], suspended["reason"]) == ("account.suspended", "Left the company")
        assert {(entry["actor"], entry["origin"]) for entry in (created, suspended)} == {(None, "command line")}
        assert (suspended["before"], suspended["after"]) == ({"is_suspended": False}, {"is_suspended": True})

    def test_tells_changes_in_a_table(self, run, history):
        text = run("audit", "list").stdout
        assert "is_suspended: False > True" in text
        assert f"account {history}" in text

    @pytest.mark.parametrize(
        ("arguments", "count"),
        [
            (["--action", "account.created"], 1),
            (["--actor", "1"], 0),
            (["--subject-type", "account"], 2),
            (["--subject-type", "order"], 0),
            (["--from", "2000-01-01T00:00:00Z"], 2),
            (["--to", "2000-01-01T00:00:00+01:00"], 0),
            (["--limit", "1"], 1),
        ],
    )
    def test_filters(self, run, history, arguments, count):
        assert len(json.loads(run("audit", "list", "--json", *arguments).stdout)) == count

    @pytest.mark.parametrize("moment", ["yesterday", "2026-01-31T12:00:00", "0001-01-01T00:00:00+23:59"])
    def test_refuses_what_is_no_instant(self, run, moment):
        assert run("audit", "list", "--from", moment).exit_code == 2

    def test_takes_an_instant_of_any_distance_from_utc(self, run):
        assert run("audit", "list", "--to", "0106-05-16T13:11:11+22:17").exit_code == 0

    @pytest.mark.parametrize("option", ["--subject-type", "--subject-id", "--action"])
    def test_refuses_a_byte_that_is_no_character(self, run, option):
        assert run("audit", "list", "--subject-type", "account", option, "half \udcff").exit_code == 2

    def test_an_id_alone_names_nothing(self, run):
        with pytest.raises(MarketplaceError) as refused:
            run("audit", "list", "--subject-id", "5")
        assert refused.value.code == "validation_error"

    def test_goes_on_past_a_page(self, run, unit_of_work):
        record(unit_of_work, *(an_act(number) for number in range(150)))
        assert len(json.loads(run("audit", "list", "--json", "--limit", "1000").stdout)) == 150
        assert len(json.loads(run("audit", "list", "--json", "--limit", "120").stdout)) == 120
