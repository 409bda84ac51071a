"""The accounts of a Django shop: read with care, taken in once, refused row by row."""

import json
from collections import Counter
from datetime import UTC, datetime

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.identity import InMemoryAccounts
from marketplace.application.access import OPERATOR, Actor
from marketplace.application.identity.account_file import AccountRow, WrongAccountFile, read_account_file
from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import AccountType, UsernameTaken
from marketplace.domain.identity.sessions import InvalidCredentials
from marketplace.domain.shared.errors import Forbidden
from marketplace.domain.shared.ids import AccountId
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend
from marketplace.entrypoints.settings import Settings

PASSWORD = "a good long one"
# Made by Django 5.2 of it.
HASH = "pbkdf2_sha256$1000$seasalt$UtozKumtz5RsLCCiizMvF1/UZUb80ES52rIc9JQwO6g="
HEADER = "id,username,email,password,first_name,last_name,is_active,date_joined,is_staff,last_login,is_email_verified"


def a_row(name="ash", **changes):
    row = {
        "username": name,
        "email": f"{name}@example.com",
        "password": HASH,
        "first_name": "Ash",
        "last_name": "Ketchum",
        "is_active": "t",
        "date_joined": "2020-05-01 10:00:00+02",
        "is_staff": "f",
        "is_email_verified": "",
    }
    return {**row, **changes}


def csv_of(*rows):
    columns = HEADER.split(",")
    return "\n".join([HEADER, *(",".join(row.get(column, "") for column in columns) for row in rows)]).encode()


def json_of(*rows):
    return "\n".join(json.dumps(row) for row in rows).encode()


class Shop:
    """A marketplace in memory, and what it imports."""

    def __init__(self):
        self.clock = FixedClock()
        self.container = Container(settings=Settings.from_env({}), backend=MemoryBackend(), clock=self.clock)
        self.unit_of_work = self.container.backend.unit_of_work

    def bring(self, data, **options):
        return self.container.members.import_accounts()(actor=OPERATOR, data=data, **options)

    def account(self, name):
        with self.unit_of_work() as uow:
            return uow.accounts.by_name(name)

    def log_in(self, name, password=PASSWORD):
        return self.container.log_in()(name=name, password=password)


@pytest.fixture
def shop():
    return Shop()


class TestImport:
    @pytest.mark.parametrize("write", [csv_of, json_of])
    def test_takes_an_account_in_as_it_was(self, shop, write):
        report = shop.bring(write(a_row(is_email_verified="true")))
        assert report.counts == {"created": 1, "exists": 0, "refused": 0}
        assert report.iterations == 1000
        account = shop.account("ash@example.com")
        assert (account.username, account.first_name, account.last_name) == ("ash", "Ash", "Ketchum")
        assert account.created_at == datetime(2020, 5, 1, 8, tzinfo=UTC)
        assert (account.is_email_verified, account.is_suspended, account.roles) == (True, False, {Role.BUYER})
        assert (account.terms_version, account.terms_accepted_at) == ("", None)
        assert shop.container.backend.store().events == []

    def test_its_owner_logs_in_as_before_and_is_hashed_anew(self, shop):
        shop.bring(csv_of(a_row()))
        with pytest.raises(InvalidCredentials):
            shop.log_in("ash", "wrong")
        assert shop.account("ash").password_hash == HASH
        assert shop.log_in("ash@example.com")
        assert not shop.account("ash").password_hash.startswith("pbkdf2_sha256")
        assert shop.log_in("ash")

    def test_brings_along_neither_a_verified_address_nor_rights_unless_it_is_said(self, shop):
        shop.bring(csv_of(a_row(is_staff="t"), a_row("misty", is_active="f")))
        assert shop.account("ash").roles == {Role.BUYER}
        assert shop.account("ash").is_email_verified is False
        assert shop.account("misty").is_suspended is True
        shop.bring(csv_of(a_row("brock", is_staff="t"), a_row("gary")), with_staff=True)
        assert shop.account("brock").roles == {Role.BUYER, Role.ADMIN}
        assert shop.account("gary").roles == {Role.BUYER}

    def test_the_same_file_again_changes_nothing(self, shop):
        data = csv_of(a_row(), a_row("misty"), a_row("x"))
        first = shop.bring(data)
        before = shop.account("ash")
        shop.log_in("ash")
        again = shop.bring(data, with_staff=True, rename=False)
        assert first.counts == {"created": 2, "exists": 0, "refused": 1}
        assert again.counts == {"created": 0, "exists": 2, "refused": 1}
        after = shop.account("ash")
        assert after.id == before.id
        assert after.password_hash != HASH

    def test_a_dry_run_tells_the_same_and_does_nothing(self, shop):
        data = csv_of(a_row(), a_row("ash2", email="ASH@example.com"), a_row("x"))
        dry = shop.bring(data, dry_run=True)
        assert shop.account("ash") is None
        assert shop.bring(data).rows == dry.rows

    def test_an_account_without_a_password_stays_without(self, shop):
        shop.bring(csv_of(a_row(password="!0NFL7IjWU26HaCNg5gHdWdKC19OuGHlw2MgzQNIb")))
        for password in (PASSWORD, "!", "", "!0NFL7IjWU26HaCNg5gHdWdKC19OuGHlw2MgzQNIb"):
            with pytest.raises(InvalidCredentials):
                shop.log_in("ash", password)

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"username": "a b"}, "username: It takes"),
            ({"username": ""}, "username: It is missing"),
            ({"email": ""}, "email: It is missing"),
            ({"email": "ash@"}, "not an e-mail address"),
            ({"password": ""}, "password: It is missing"),
            ({"password": "hunter2"}, "password: It is no pbkdf2_sha256"),
            ({"password": "md5$salt$hash"}, "password: It is no pbkdf2_sha256"),
            ({"password": HASH.replace("1000", "2000001")}, "password: Its iterations"),
            ({"is_active": "maybe"}, "is_active: 'maybe' is neither true nor false"),
            ({"date_joined": "yesterday"}, "date_joined: 'yesterday' is no moment"),
            ({"date_joined": "0001-01-01T00:00:00+23:00"}, "date_joined"),
            ({"date_joined": "2126-01-01T00:00:00Z"}, "is yet to come"),
            ({"first_name": "x" * 81}, "first_name: It has 81 characters"),
        ],
    )
    def test_refuses_a_broken_row_with_its_line_and_takes_the_rest(self, shop, changes, reason):
        report = shop.bring(csv_of(a_row("misty"), a_row(**changes), a_row("brock")))
        assert report.counts == {"created": 2, "exists": 0, "refused": 1}
        (refused,) = [row for row in report.rows if row.reason]
        assert refused.line == 3
        assert reason in refused.reason
        assert "hunter2" not in refused.reason

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"language": "xx"}, "language"),
            ({"account_type": "robot"}, "account_type: 'robot' is neither"),
            ({"phone_number": "call me"}, "phone_number"),
            ({"username": 5}, "username: It is not a text"),
            ({"username": None}, "username: It is missing"),
            ({"is_active": 2}, "is_active"),
        ],
    )
    def test_refuses_what_json_can_say_wrong(self, shop, changes, reason):
        report = shop.bring(json_of(a_row(**changes)))
        assert reason in report.rows[0].reason

    def test_takes_what_else_an_account_has(self, shop):
        shop.bring(json_of(a_row(account_type="professional", language="fr", phone_number="0123456789")))
        account = shop.account("ash")
        assert (account.account_type, account.language) == (AccountType.PROFESSIONAL, "fr")
        assert account.phone_number == "0123456789"

    def test_a_name_that_another_account_has_is_refused_or_renamed(self, shop):
        shop.bring(csv_of(a_row("ash")))
        rows = csv_of(a_row("ASH", email="other@example.com"), a_row("José.Müller", email="jose@example.com"))
        refused = shop.bring(rows)
        assert [row.outcome for row in refused.rows] == ["refused", "refused"]
        renamed = shop.bring(rows, rename=True)
        assert renamed.counts["created"] == 2
        ash, jose = shop.account("other@example.com"), shop.account("jose@example.com")
        assert ash.username == f"ASH-{ash.id}"
        assert jose.username == "Jose.Muller"
        assert renamed.rows[1].reason == "It is 'José.Müller' no longer."
        assert shop.bring(rows, rename=True).counts == {"created": 0, "exists": 2, "refused": 0}

    def test_names_are_made_of_whatever_there_is(self, shop):
        names = ["ash@pokemon.example", "\u5c0f\u667a", "a", "--x--", "n" * 150]
        shop.bring(json_of(*(a_row(name, email=f"m{n}@example.com") for n, name in enumerate(names))), rename=True)
        made = [shop.account(f"m{number}@example.com").username for number in range(len(names))]
        assert made[0] == "ash"
        assert made[1:4] == ["member", "membera", "memberx"]
        assert made[4] == "n" * 30

    def test_an_address_that_comes_twice_is_refused_the_second_time(self, shop):
        report = shop.bring(csv_of(a_row(), a_row("misty", email="ASH@example.com")))
        assert [(row.line, row.outcome) for row in report.rows] == [(2, "created"), (3, "refused")]
        assert report.rows[1].reason == "email: Line 2 has this address already."

    def test_many_are_stored_in_batches_and_progress_is_told(self, shop):
        heard = []
        rows = [a_row(f"member{number}") for number in range(1_200)]
        report = shop.bring(csv_of(*rows), progress=lambda done, total: heard.append((done, total)))
        assert report.counts["created"] == 1_200
        assert heard == [(0, 1_200), (500, 1_200), (1_000, 1_200), (1_200, 1_200)]

    def test_a_registration_that_gets_in_the_way_is_seen_at_the_next_try(self, shop, monkeypatch):
        shop.bring(csv_of(a_row()))
        real, lies = InMemoryAccounts.taken, iter([set(), set()])
        monkeypatch.setattr(InMemoryAccounts, "taken", lambda self, **names: next(lies, None) or real(self, **names))
        report = shop.bring(csv_of(a_row("ash", email="other@example.com"), a_row("misty")))
        assert Counter(row.outcome for row in report.rows) == {"refused": 1, "created": 1}

    def test_gives_up_when_registrations_keep_getting_in_the_way(self, shop, monkeypatch):
        shop.bring(csv_of(a_row()))
        monkeypatch.setattr(InMemoryAccounts, "taken", lambda self, **names: set())
        with pytest.raises(UsernameTaken):
            shop.bring(csv_of(a_row("ash", email="other@example.com")))

    def test_is_recorded_with_every_admin_that_it_makes(self, shop):
        shop.bring(csv_of(a_row(is_staff="t"), a_row("misty")), with_staff=True)
        entries = shop.container.backend.store().table("audit_entries").values()
        assert sorted((entry.action, entry.subject_type) for entry in entries) == [
            ("account.created", "account"),
            ("account.imported", "import"),
        ]
        (imported,) = [entry for entry in entries if entry.action == "account.imported"]
        assert imported.after["accounts"] == 2

    def test_only_admins_may(self, shop):
        with pytest.raises(Forbidden):
            shop.container.members.import_accounts()(actor=Actor(account_id=AccountId(1)), data=csv_of(a_row()))


class TestFile:
    def test_takes_the_columns_under_both_names_and_tells_the_others(self):
        data = f"E-Mail,EMAIL,Username,Password_Hash,email_verified,id\n,a@example.com,ash,{HASH},1,7\n"
        file = read_account_file(b"\xef\xbb\xbf" + data.encode())
        assert file.ignored_columns == ["e-mail", "id"]
        (row,) = file.rows
        assert (row.email, row.is_email_verified, row.is_active, row.date_joined) == ("a@example.com", True, True, None)
        assert HASH not in repr(row)

    def test_takes_dumps_of_django(self):
        line = {"model": "auth.user", "pk": 1, "fields": a_row(is_active=True, date_joined="2020-05-01T10:00:00Z")}
        (row,) = read_account_file(json_of(line)).rows
        assert (row.username, row.is_active) == ("ash", True)
        assert row.date_joined == datetime(2020, 5, 1, 10, tzinfo=UTC)

    def test_takes_a_moment_without_a_zone_for_utc(self):
        (row,) = read_account_file(csv_of(a_row(date_joined="2020-05-01 10:00:00"))).rows
        assert row.date_joined == datetime(2020, 5, 1, 10, tzinfo=UTC)

    def test_counts_lines_of_the_file_whatever_is_in_a_cell(self):
        quoted = f'1,ash,ash@example.com,{HASH},"A\nsh",K,t,,f,,\n\n2,x\n3,misty,m@example.com,{HASH},,,,,,,\n'
        rows = read_account_file(f"{HEADER}\n{quoted}".encode()).rows
        assert [row.line for row in rows] == [2, 5, 6]
        assert isinstance(rows[2], AccountRow)
        assert rows[1].reason == "It has 2 cells instead of 11."

    def test_a_quotation_mark_that_is_never_closed_is_told_with_its_line(self):
        data = csv_of(a_row(), a_row("misty", first_name='"A'), a_row("brock"))
        rows = read_account_file(data).rows
        assert [row.line for row in rows] == [2, 3]
        assert rows[1].reason.startswith("It is not CSV")

    @pytest.mark.parametrize(
        "line",
        ["{", "[1]", '{"username": NaN}', "[" * 100_000, "null"],
        ids=["cut", "list", "NaN", "deep", "null"],
    )
    def test_a_broken_line_of_json_is_told_with_its_number(self, line):
        rows = read_account_file(json_of(a_row()) + f"\n\n{line}\n".encode()).rows
        assert [row.line for row in rows] == [1, 3]
        assert not isinstance(rows[1], AccountRow)

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "empty"),
            (b" \n", "empty"),
            (b"\xff\xfe", "not UTF-8"),
            (b"username,email\nash,a@example.com\n", "missing: password"),
            (b"x" * 101, "101 bytes; the most is 100"),
        ],
    )
    def test_a_file_that_is_none_is_refused_whole(self, data, reason, monkeypatch):
        monkeypatch.setattr("marketplace.application.identity.account_file.MAX_BYTES", 100)
        with pytest.raises(WrongAccountFile, match=reason):
            read_account_file(data)

    def test_a_file_of_too_many_is_refused_whole(self, monkeypatch):
        monkeypatch.setattr("marketplace.application.identity.account_file.MAX_ROWS", 2)
        with pytest.raises(WrongAccountFile, match="more than 2 accounts"):
            read_account_file(csv_of(a_row("a"), a_row("b"), a_row("c")))
