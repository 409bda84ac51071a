"""What accounts, codes, sessions and addresses promise, whatever keeps them."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.application.ports.pages import PageRequest
from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import Account, AccountType, EmailTaken, UsernameTaken
from marketplace.domain.identity.addresses import Address, AddressType
from marketplace.domain.identity.codes import CodePurpose, OneTimeCode
from marketplace.domain.identity.sessions import Session
from marketplace.domain.shared.errors import ConcurrencyConflict, NotFound
from marketplace.domain.shared.ids import AccountId, AddressId, CodeId, SessionId

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def an_account(id: int = 1, **changes) -> Account:
    values = {
        "username": f"member-{id}",
        "email": f"Member{id}@example.com",
        "password_hash": "hash",
        "first_name": "Ash",
        "last_name": "Ketchum",
        "account_type": AccountType.INDIVIDUAL,
        "language": "en",
        "terms_accepted_at": NOW,
        "created_at": NOW,
    }
    return Account(id=AccountId(id), **{**values, **changes})


def a_session(id: int = 10, account_id: int = 1, **changes) -> Session:
    values = {"token_hash": f"token-{id}", "started_at": NOW, "refreshed_at": NOW, "expires_at": NOW + DAY}
    return Session(id=SessionId(id), account_id=AccountId(account_id), **{**values, **changes})


def a_code(id: int = 20, account_id: int = 1, **changes) -> OneTimeCode:
    values = {"purpose": CodePurpose.VERIFY_EMAIL, "requested_at": NOW}
    return OneTimeCode(id=CodeId(id), account_id=AccountId(account_id), **{**values, **changes})


def an_address(id: int = 30, account_id: int = 1, **changes) -> Address:
    values = {"name": "Ash Ketchum", "street": "Rue de la Paix", "city": "Paris", "country": "FR", "created_at": NOW}
    return Address(id=AddressId(id), account_id=AccountId(account_id), **{**values, **changes})


def put(unit_of_work, *things) -> None:
    with unit_of_work() as uow:
        for thing in things:
            match thing:
                case Account():
                    uow.accounts.add(thing)
                case Session():
                    uow.sessions.add(thing)
                case OneTimeCode():
                    uow.codes.add(thing)
                case Address():
                    uow.addresses.add(thing)
        uow.commit()


class AccountContract:
    """Subclasses provide the fixtures ``unit_of_work``, a factory, and ``queries``, on the same empty store."""

    def test_gives_back_what_was_added(self, unit_of_work):
        account = an_account(
            phone_number="+33 1 23 45 67 89",
            roles=frozenset({Role.BUYER, Role.ADMIN}),
            account_type=AccountType.PROFESSIONAL,
            is_email_verified=True,
            is_suspended=True,
            subscribed_to_newsletter=True,
        )
        put(unit_of_work, account)
        with unit_of_work() as uow:
            assert uow.accounts.get(account.id) == account
            assert uow.accounts.get_for_update(account.id) == account

    def test_knows_nothing_of_an_account_that_was_not_committed(self, unit_of_work):
        with unit_of_work() as uow:
            uow.accounts.add(an_account())
        with unit_of_work() as uow, pytest.raises(NotFound):
            uow.accounts.get(AccountId(1))

    @pytest.mark.parametrize(
        "name", ["member-1", "MEMBER-1", "member1@example.com", "MEMBER1@EXAMPLE.COM", " \uff4dember1@example.com"]
    )
    def test_finds_one_by_any_spelling_of_its_names(self, unit_of_work, name):
        put(unit_of_work, an_account(1), an_account(2))
        with unit_of_work() as uow:
            assert uow.accounts.by_name(name).id == 1

    def test_finds_nobody_by_a_name_that_nobody_has(self, unit_of_work):
        put(unit_of_work, an_account(1))
        with unit_of_work() as uow:
            assert uow.accounts.by_name("nobody") is None
            assert uow.accounts.by_name("nobody@example.com") is None
            assert uow.accounts.by_name("half a character \udcff") is None

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"username": "MEMBER-1"}, UsernameTaken),
            ({"email": "member1@EXAMPLE.com"}, EmailTaken),
            ({"email": "\uff2dember1@example.com"}, EmailTaken),
        ],
    )
    def test_refuses_a_name_that_somebody_has_in_another_spelling(self, unit_of_work, changes, error):
        put(unit_of_work, an_account(1))
        with pytest.raises(error):
            put(unit_of_work, an_account(2, **changes))

    def test_refuses_a_stale_save(self, unit_of_work):
        put(unit_of_work, an_account())
        with unit_of_work() as uow:
            stale = uow.accounts.get(AccountId(1))
        with unit_of_work() as uow:
            fresh = uow.accounts.get(AccountId(1))
            fresh.change({"first_name": "Misty"})
            uow.accounts.save(fresh)
            uow.commit()
        stale.change({"first_name": "Brock"})
        with unit_of_work() as uow, pytest.raises(ConcurrencyConflict):
            uow.accounts.save(stale)

    def test_shows_an_account_as_it_is(self, unit_of_work, queries):
        put(unit_of_work, an_account(roles=frozenset({Role.BUYER, Role.ADMIN}), phone_number="0123456789"))
        view = queries.me(AccountId(1))
        assert (view.id, view.username, view.email) == (1, "member-1", "Member1@example.com")
        assert (view.first_name, view.last_name, view.phone_number) == ("Ash", "Ketchum", "0123456789")
        assert (view.account_type, view.language, view.created_at) == (AccountType.INDIVIDUAL, "en", NOW)
        assert view.roles == (Role.ADMIN, Role.BUYER)
        assert (view.is_email_verified, view.is_suspended, view.subscribed_to_newsletter) == (False, False, False)

    def test_shows_no_account_that_does_not_exist(self, queries):
        with pytest.raises(NotFound):
            queries.me(AccountId(1))

    def test_lists_accounts_and_those_with_a_role(self, unit_of_work, queries):
        admin = an_account(3, roles=frozenset({Role.BUYER, Role.ADMIN}))
        put(unit_of_work, an_account(1), an_account(2), admin)
        first = queries.accounts(page=PageRequest(size=2))
        rest = queries.accounts(page=PageRequest(size=2, after=first.next))
        assert [view.id for view in first.items] == [1, 2]
        assert [view.id for view in rest.items] == [3]
        assert (first.count, first.count_is_exact) == (3, True)
        admins = queries.accounts(page=PageRequest(), role=Role.ADMIN)
        assert [view.id for view in admins.items] == [3]
        assert [view.id for view in queries.accounts(page=PageRequest(ordering="-id")).items] == [3, 2, 1]

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ({"is_suspended": True}, [3]),
            ({"is_suspended": False}, [1, 2]),
            ({"starting_with": "MIS"}, [1, 3]),
            ({"starting_with": "misty@k"}, [1]),
            ({"starting_with": "isty"}, []),
            ({"starting_with": "m_s"}, []),
            ({"starting_with": "%"}, []),
            ({"starting_with": "mis", "is_suspended": True}, [3]),
            ({"starting_with": "mis", "role": Role.ADMIN}, [1]),
        ],
    )
    def test_finds_accounts_by_what_they_are_and_how_they_begin(self, unit_of_work, queries, wanted, found):
        put(
            unit_of_work,
            an_account(1, username="Misty", email="misty@kanto.org", roles=frozenset({Role.BUYER, Role.ADMIN})),
            an_account(2, username="brock", email="brock@kanto.org"),
            an_account(3, username="gym", email="mist@johto.org", is_suspended=True),
        )
        page = queries.accounts(page=PageRequest(), **wanted)
        assert [view.id for view in page.items] == found
        assert page.count == len(found)

    def test_knows_the_admins_who_are_let_in(self, unit_of_work):
        admin = frozenset({Role.BUYER, Role.ADMIN})
        put(unit_of_work, an_account(1, roles=admin), an_account(2), an_account(3, roles=admin, is_suspended=True))
        with unit_of_work() as uow:
            assert uow.accounts.admins_for_update() == {1}


class SessionContract:
    """As above."""

    @pytest.fixture(autouse=True)
    def _member(self, unit_of_work):
        put(unit_of_work, an_account(1), an_account(2))

    def test_finds_a_session_by_each_token_it_ever_had(self, unit_of_work):
        put(unit_of_work, a_session())
        with unit_of_work() as uow:
            session = uow.sessions.by_token("token-10")
            assert session == a_session()
            session.refresh(presented="token-10", fresh="token-11", now=NOW, lifetime=DAY)
            uow.sessions.save(session)
            uow.commit()
        with unit_of_work() as uow:
            assert uow.sessions.by_token("token-10") == uow.sessions.by_token("token-11") == session

    def test_finds_none_by_a_token_that_nobody_got(self, unit_of_work):
        put(unit_of_work, a_session())
        with unit_of_work() as uow:
            assert uow.sessions.by_token("invented") is None

    def test_forgets_a_refresh_that_was_not_committed(self, unit_of_work):
        put(unit_of_work, a_session())
        with unit_of_work() as uow:
            session = uow.sessions.by_token("token-10")
            session.refresh(presented="token-10", fresh="token-11", now=NOW, lifetime=DAY)
            uow.sessions.save(session)
        with unit_of_work() as uow:
            assert uow.sessions.by_token("token-11") is None
            assert uow.sessions.by_token("token-10").token_hash == "token-10"

    def test_tells_who_is_behind_a_session(self, unit_of_work, queries):
        admin = an_account(3, roles=frozenset({Role.BUYER, Role.ADMIN}), is_email_verified=True)
        put(unit_of_work, admin, a_session(10, 1), a_session(11, 3))
        actor = queries.actor(AccountId(1), SessionId(10))
        assert (actor.account_id, actor.roles, actor.is_email_verified) == (1, {Role.BUYER}, False)
        actor = queries.actor(AccountId(3), SessionId(11))
        assert (actor.roles, actor.is_email_verified) == ({Role.BUYER, Role.ADMIN}, True)

    @pytest.mark.parametrize(("account_id", "session_id"), [(1, 12), (2, 10), (9, 10)])
    def test_nobody_is_behind_a_session_that_is_not_the_accounts(self, unit_of_work, queries, account_id, session_id):
        put(unit_of_work, a_session(10, 1))
        assert queries.actor(AccountId(account_id), SessionId(session_id)) is None

    def test_nobody_is_behind_a_revoked_session(self, unit_of_work, queries):
        put(unit_of_work, a_session(10, 1, revoked_at=NOW))
        assert queries.actor(AccountId(1), SessionId(10)) is None

    def test_nobody_is_behind_the_session_of_a_suspended_account(self, unit_of_work, queries):
        put(unit_of_work, an_account(3, is_suspended=True), a_session(10, 3))
        assert queries.actor(AccountId(3), SessionId(10)) is None

    def test_ends_every_open_session_of_one_account(self, unit_of_work, queries):
        put(unit_of_work, a_session(10, 1), a_session(11, 1), a_session(12, 1, revoked_at=NOW), a_session(13, 2))
        with unit_of_work() as uow:
            assert uow.sessions.revoke_all(AccountId(1), now=NOW) == 2
            uow.commit()
        open_ones = [id for account, id in ((1, 10), (1, 11), (2, 13)) if queries.actor(account, id) is not None]
        assert open_ones == [13]

    def test_forgets_sessions_that_expired_long_ago_and_their_tokens(self, unit_of_work):
        put(unit_of_work, a_session(10), a_session(11), a_session(12, expires_at=NOW + 3 * DAY))
        with unit_of_work() as uow:
            assert uow.sessions.purge(expired_before=NOW + 2 * DAY, limit=1) == 1
            assert uow.sessions.purge(expired_before=NOW + 2 * DAY, limit=10) == 1
            uow.commit()
        with unit_of_work() as uow:
            assert uow.sessions.by_token("token-10") is None
            assert uow.sessions.by_token("token-11") is None
            assert uow.sessions.by_token("token-12") is not None


class CodeContract:
    """As above."""

    @pytest.fixture(autouse=True)
    def _member(self, unit_of_work):
        put(unit_of_work, an_account(1), an_account(2))

    def test_gives_back_what_was_added_and_saved(self, unit_of_work):
        put(unit_of_work, a_code())
        with unit_of_work() as uow:
            code = uow.codes.of(AccountId(1), CodePurpose.VERIFY_EMAIL)
            assert code == a_code()
            code.issue("hash", now=NOW)
            code.redeem("hash", now=NOW)
            uow.codes.save(code)
            uow.commit()
        with unit_of_work() as uow:
            assert uow.codes.of(AccountId(1), CodePurpose.VERIFY_EMAIL) == code
            assert uow.codes.of(AccountId(2), CodePurpose.VERIFY_EMAIL) is None

    def test_keeps_one_for_each_account_and_purpose(self, unit_of_work):
        put(unit_of_work, a_code(20, 1), a_code(21, 2))
        with pytest.raises(ConcurrencyConflict):
            put(unit_of_work, a_code(22, 1))


class AddressContract:
    """As above."""

    @pytest.fixture(autouse=True)
    def _member(self, unit_of_work):
        put(unit_of_work, an_account(1), an_account(2))

    def test_gives_back_what_was_added(self, unit_of_work):
        address = an_address(
            street_number="12 bis",
            state="Île-de-France",
            postal_code="75002",
            phone_number="0123456789",
            address_type=AddressType.COMPANY,
        )
        put(unit_of_work, address)
        with unit_of_work() as uow:
            assert uow.addresses.get(address.id) == address

    def test_counts_changes_and_removes(self, unit_of_work):
        put(unit_of_work, an_address(30), an_address(31), an_address(32, account_id=2))
        with unit_of_work() as uow:
            assert uow.addresses.count(AccountId(1)) == 2
            address = uow.addresses.get(AddressId(30))
            address.change({"city": "Lyon"})
            uow.addresses.save(address)
            uow.addresses.remove(AddressId(31))
            uow.commit()
        with unit_of_work() as uow:
            assert uow.addresses.count(AccountId(1)) == 1
            assert uow.addresses.get(AddressId(30)).city == "Lyon"
            with pytest.raises(NotFound):
                uow.addresses.get(AddressId(31))

    def test_shows_ones_own_the_oldest_first(self, unit_of_work, queries):
        put(unit_of_work, an_address(31), an_address(30), an_address(32, account_id=2))
        page = queries.addresses(AccountId(1), page=PageRequest(size=1))
        assert [view.id for view in page.items] == [30]
        rest = queries.addresses(AccountId(1), page=PageRequest(size=1, after=page.next))
        assert [view.id for view in rest.items] == [31]
        assert page.count == 2

    def test_shows_one_of_ones_own(self, unit_of_work, queries):
        put(unit_of_work, an_address(30, street_number="4", state="S", postal_code="P", phone_number="01234567"))
        view = queries.address(AccountId(1), AddressId(30))
        assert (view.name, view.street_number, view.street) == ("Ash Ketchum", "4", "Rue de la Paix")
        assert (view.city, view.state, view.postal_code, view.country) == ("Paris", "S", "P", "FR")
        assert (view.phone_number, view.address_type, view.created_at) == ("01234567", AddressType.BOTH, NOW)

    @pytest.mark.parametrize(("account_id", "address_id"), [(2, 30), (1, 99)])
    def test_shows_nobody_elses(self, unit_of_work, queries, account_id, address_id):
        put(unit_of_work, an_address(30))
        with pytest.raises(NotFound):
            queries.address(AccountId(account_id), AddressId(address_id))
