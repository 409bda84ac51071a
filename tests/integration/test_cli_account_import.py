"""`marketplace users import`, on a real database."""

import json

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from marketplace.domain.shared.errors import MarketplaceError
from marketplace.entrypoints.cli.main import marketplace

# Made by Django 5.2 of "a good long one".
HASH = "pbkdf2_sha256$1000$seasalt$UtozKumtz5RsLCCiizMvF1/UZUb80ES52rIc9JQwO6g="
FILE = f"""id,username,email,password,first_name,last_name,is_active,date_joined,is_staff
1,ash,ash@example.com,{HASH},Ash,Ketchum,t,2020-05-01 10:00:00+00,t
2,misty,misty@example.com,{HASH},Misty,,f,2021-05-01 10:00:00+00,f
3,x,x@example.com,{HASH},,,t,,f
"""


@pytest.fixture
def run(clean_database, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", clean_database)
    monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path))
    monkeypatch.setenv("ARGON2_MEMORY_KIB", "8")

    def command(*arguments):
        result = CliRunner().invoke(marketplace, arguments)
        if isinstance(result.exception, MarketplaceError):
            raise result.exception
        return result

    return command


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "accounts.csv"
    path.write_text(FILE)
    return str(path)


@pytest.fixture
def stored(clean_database):
    def read(statement):
        engine = sa.create_engine(clean_database, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement))]

    return read


def test_takes_a_file_in_tells_each_row_and_may_be_run_again(run, file, stored):
    first = run("users", "import", file)
    assert first.exit_code == 1
    assert "created: 2\nexists: 0\nrefused: 1" in first.stdout
    assert "line 4: refused x: username: It takes 3 to 30 letters" in first.stderr
    assert "Columns that are not known here: id." in first.stderr
    assert "IMPORTED_PBKDF2_ITERATIONS=1000" in first.stderr
    assert HASH not in first.output
    again = run("users", "import", file, "--json")
    report = json.loads(again.stdout)
    assert report["counts"] == {"created": 0, "exists": 2, "refused": 1}
    assert [row["line"] for row in report["rows"]] == [2, 3, 4]
    assert stored("select username, roles, is_suspended, is_email_verified, terms_accepted_at from accounts") == [
        ("ash", ["buyer"], False, False, None),
        ("misty", ["buyer"], True, False, None),
    ]
    assert stored("select count(*) from outbox") == [(0,)]


def test_makes_admins_only_when_it_is_told_to_and_records_it(run, file, stored):
    assert run("users", "import", file, "--with-staff", "--rename", "--json").exit_code == 0
    assert stored("select username from accounts where 'admin' = any(roles)") == [("ash",)]
    assert stored("select username from accounts where email = 'x@example.com'") == [("memberx",)]
    assert stored("select action, origin from audit_entries order by id") == [
        ("account.imported", "command line"),
        ("account.created", "command line"),
    ]


def test_a_dry_run_stores_nothing(run, file, stored):
    report = json.loads(run("users", "import", file, "--dry-run", "--json").stdout)
    assert (report["dry_run"], report["counts"]["created"], report["pbkdf2_iterations"]) == (True, 2, 1000)
    assert stored("select count(*) from accounts") == [(0,)]


def test_shows_an_account_with_the_company_behind_it(run, file):
    run("users", "import", file)
    shown = json.loads(run("users", "show", "ASH@example.com", "--json").stdout)
    assert (shown["username"], shown["account_type"], shown["terms_accepted_at"]) == ("ash", "individual", None)
    assert (shown["needs_to_accept_terms"], shown["company_name"], shown["siret_number"]) == (True, "", "")
    assert "needs_to_accept_terms: True" in run("users", "show", "misty").stdout
    with pytest.raises(MarketplaceError) as caught:
        run("users", "show", "nobody")
    assert caught.value.code == "not_found"


def test_a_file_that_is_none_is_refused_whole(run, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("nothing\n")
    with pytest.raises(MarketplaceError) as caught:
        run("users", "import", str(path))
    assert caught.value.code == "invalid_file"
    assert run("users", "import", str(tmp_path / "absent")).exit_code == 2
