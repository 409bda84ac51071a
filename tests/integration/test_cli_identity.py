"""`marketplace users` and `marketplace outbox`, on a real database."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from marketplace.adapters.postgres.outbox import PostgresOutbox
from marketplace.domain.shared.errors import MarketplaceError
from marketplace.entrypoints.cli.main import marketplace

PASSWORD = "a good long one\n"


@pytest.fixture
def run(clean_database, monkeypatch, tmp_path):
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
def ada(run):
    def make(name="ada"):
        result = run("users", "create-admin", name, f"{name}@example.com", "--password-stdin", "--json", given=PASSWORD)
        return json.loads(result.stdout)

    return make


class TestUsers:
    def test_makes_an_admin_with_a_verified_address(self, ada):
        made = ada()
        assert (made["username"], made["email"], made["roles"]) == ("ada", "ada@example.com", ["admin", "buyer"])
        assert made["is_email_verified"] is True

    def test_asks_for_the_password_twice(self, run):
        result = run("users", "create-admin", "ada", "ada@example.com", given=PASSWORD * 2)
        assert result.exit_code == 0
        assert "username: ada" in result.stdout
        assert PASSWORD.strip() not in result.output

    @pytest.mark.parametrize(
        ("name", "email", "password", "code"),
        [
            ("ada", "ada@", PASSWORD, "validation_error"),
            ("a", "ada@example.com", PASSWORD, "validation_error"),
            ("ada", "ada@example.com", "\n", "validation_error"),
            ("bob", "other@example.com", PASSWORD, "username_taken"),
        ],
    )
    def test_refuses_bad_input(self, run, ada, name, email, password, code):
        ada("bob")
        with pytest.raises(MarketplaceError) as caught:
            run("users", "create-admin", name, email, "--password-stdin", given=password)
        assert caught.value.code == code

    def test_lists_accounts(self, run, ada):
        ada("ada")
        ada("bob")
        run("users", "grant", "bob", "verifier")
        everyone = json.loads(run("users", "list", "--json").stdout)
        assert [row["username"] for row in everyone] == ["ada", "bob"]
        verifiers = json.loads(run("users", "list", "--json", "--role", "verifier").stdout)
        assert [row["username"] for row in verifiers] == ["bob"]
        assert len(json.loads(run("users", "list", "--json", "--limit", "1").stdout)) == 1
        assert "ada" in run("users", "list").stdout

    def test_lists_more_than_a_page(self, run, clean_database):
        engine = sa.create_engine(clean_database)
        with engine.begin() as connection:
            connection.execute(
                sa.text(
                    "insert into accounts select n, 'u' || n, 'u' || n, n || '@x.fr', n || '@x.fr', '', '', '', '',"
                    " 'individual', '{buyer}', 'en', true, false, false, '1', now(), now(), 1"
                    " from generate_series(1, 150) n"
                )
            )
        engine.dispose()
        assert len(json.loads(run("users", "list", "--json").stdout)) == 150

    def test_a_new_seller_can_sell_and_a_revoked_one_cannot(self, run, ada):
        ada()
        assert json.loads(run("users", "grant", "ada", "seller", "--json").stdout)["roles"] == [
            "admin",
            "buyer",
            "seller",
        ]
        vouched = json.loads(run("sellers", "vouch", "ada", "--json").stdout)
        assert (vouched["status"], vouched["is_selling"]) == ("approved", True)
        assert json.loads(run("users", "revoke", "ada", "seller", "--json").stdout)["roles"] == ["admin", "buyer"]
        run("users", "revoke", "ada", "seller")
        with pytest.raises(MarketplaceError) as caught:
            run("sellers", "suspend", "ada", "--reason", "again")
        assert caught.value.code == "illegal_transition"

    def test_suspends_and_reinstates(self, run, ada):
        ada()
        assert json.loads(run("users", "suspend", "ADA@example.com", "--json").stdout)["is_suspended"] is True
        assert json.loads(run("users", "reinstate", "ada", "--json").stdout)["is_suspended"] is False

    def test_knows_no_role_that_does_not_exist(self, run, ada):
        ada()
        assert run("users", "grant", "ada", "king").exit_code == 2
        assert run("users", "revoke", "ada", "buyer").exit_code == 2


class TestOutbox:
    @pytest.fixture
    def dead_letter(self, ada, clean_database):
        ada()
        engine = sa.create_engine(clean_database)
        outbox = PostgresOutbox(engine)
        now = datetime.now(UTC)
        (delivery,) = outbox.lease(now=now, lease_for=timedelta(minutes=1), limit=10)
        outbox.failed(delivery.id, error="unavailable: The mail server is down.", now=now, retry_at=None)
        engine.dispose()
        return delivery.id

    def test_shows_what_waits_and_what_was_given_up(self, run, dead_letter):
        status = json.loads(run("outbox", "status", "--json").stdout)
        assert (status["waiting"], status["in_flight"], status["dead"]) == (0, 0, 1)
        (letter,) = status["dead_letters"]
        assert (letter["id"], letter["name"], letter["attempts"]) == (dead_letter, "EmailVerified", 1)
        assert letter["last_error"] == "unavailable: The mail server is down."
        assert "EmailVerified" in run("outbox", "status").stdout

    def test_replays_one_or_all(self, run, dead_letter):
        assert json.loads(run("outbox", "replay", str(dead_letter + 1), "--json").stdout) == {"replayed": 0}
        assert run("outbox", "replay", str(dead_letter)).stdout == "replayed: 1\n"
        assert json.loads(run("outbox", "replay", "--all", "--json").stdout) == {"replayed": 0}
        status = run("outbox", "status").stdout
        assert "waiting: 1" in status

    def test_wants_to_know_which(self, run):
        assert run("outbox", "replay").exit_code == 2
        assert run("outbox", "replay", "--all", "1").exit_code == 2


class TestPersonalData:
    def test_export_prints_one_document(self, run, ada, tmp_path):
        ada()
        ada("bob")
        document = json.loads(run("users", "export", "bob").stdout)
        assert (document["format"], document["account"]["username"]) == ("marketplace-export/1", "bob")
        assert [entry["action"] for entry in document["audit"]] == ["account.exported", "account.created"]
        assert run("users", "export", "ada", "--output", str(tmp_path / "ada.json")).exit_code == 0
        assert json.loads((tmp_path / "ada.json").read_text())["account"]["email"] == "ada@example.com"

    def test_erase_asks_first(self, run, ada):
        ada()
        ada("bob")
        assert run("users", "erase", "bob", given="n\n").exit_code == 1
        assert "bob" in run("users", "list").stdout
        assert run("users", "erase", "bob", given="y\n").exit_code == 0
        assert "bob" not in run("users", "list").stdout

    def test_erase_refuses_the_last_admin(self, run, ada):
        ada()
        with pytest.raises(MarketplaceError) as refusal:
            run("users", "erase", "ada", "--yes")
        assert refusal.value.code == "last_admin"

    def test_erase_is_recorded_without_a_name(self, run, ada):
        ada()
        erased = ada("bob")["id"]
        assert json.loads(run("users", "erase", "bob", "--yes", "--json").stdout) == {"id": erased, "erased": True}
        with pytest.raises(MarketplaceError, match="no account called 'bob'"):
            run("users", "export", "bob")
