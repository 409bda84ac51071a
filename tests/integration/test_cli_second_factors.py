"""Second factors from the command line, on a real database."""

import json

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from marketplace.domain.shared.errors import MarketplaceError
from marketplace.entrypoints.cli.main import marketplace
from marketplace.entrypoints.container import build_container
from marketplace.entrypoints.settings import Settings

OLD, NEW = "an-old-secret-of-thirty-two-characters", "a-new-secret-of-thirty-two-characters!"


@pytest.fixture
def run(clean_database, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", clean_database)
    monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path))
    monkeypatch.setenv("ARGON2_MEMORY_KIB", "8")

    def command(*arguments, given="", **environ):
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        result = CliRunner().invoke(marketplace, arguments, input=given)
        if isinstance(result.exception, MarketplaceError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result

    return command


@pytest.fixture
def ada(run, clean_database):
    """The id of an account whose second factor is set up, sealed with a key of OLD."""
    given = "a good long one\n"
    made = run("users", "create-admin", "ada", "ada@example.com", "--password-stdin", "--json", given=given)
    account_id = json.loads(made.stdout)["id"]
    container = build_container(Settings.from_env({"DATABASE_URL": clean_database, "SECRET_KEY": OLD}))
    sealed = container.second_factors.codes().sealed("JBSWY3DP", account_id)
    with container.backend.engine().begin() as connection:
        connection.execute(
            sa.text("insert into second_factors values (:id, :sealed, now(), now(), -1, '{}', 1)"),
            {"id": account_id, "sealed": sealed},
        )
    container.backend.engine().dispose()
    return account_id


def test_takes_the_second_factor_of_whoever_lost_it(run, ada):
    result = json.loads(run("users", "reset-second-factor", "ada@example.com", "--json").stdout)
    assert result["id"] == ada
    with pytest.raises(MarketplaceError) as refused:
        run("users", "reset-second-factor", "ada")
    assert refused.value.code == "second_factor_missing"


def test_seals_all_anew_once_the_secret_has_changed(run, ada):
    result = run("keys", "reseal", "--json", SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=OLD)
    assert json.loads(result.stdout) == {"resealed": 1, "broken": []}
    again = run("keys", "reseal", "--json", SECRET_KEY=NEW, SECRET_KEY_FALLBACKS="")
    assert json.loads(again.stdout) == {"resealed": 1, "broken": []}


def test_says_which_cannot_be_opened(run, ada):
    with pytest.raises(MarketplaceError) as refused:
        run("keys", "reseal", SECRET_KEY=NEW)
    assert refused.value.code == "seal_broken"
    assert "reset-second-factor" in str(refused.value)
