"""What accounts promise about companies, addresses that wait for their proof, and many accounts at once."""

import pytest

from marketplace.application.ports.identity import CompanyView
from marketplace.domain.identity.accounts import TERMS_VERSION, EmailTaken, UsernameTaken
from marketplace.domain.identity.companies import Company
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId, SessionId
from tests.contracts.identity import DAY, NOW, a_session, an_account, put


def add_all(unit_of_work, *accounts) -> None:
    with unit_of_work() as uow:
        uow.accounts.add_all(accounts)
        uow.commit()


class MemberContract:
    """Subclasses provide the fixtures ``unit_of_work``, a factory, and ``queries``, on the same empty store."""

    @pytest.mark.parametrize("address", ["12 rue de la Paix\nParis", {"street": "rue de la Paix", "city": "Paris"}, ""])
    def test_gives_back_the_company_and_what_waits_for_its_proof(self, unit_of_work, queries, address):
        company = Company(company_name="Cards", siret_number="73282932000074", vat_number="", company_address=address)
        account = an_account(
            company=company,
            pending_email="New@example.com",
            pending_email_at=NOW,
            terms_version="",
            terms_accepted_at=None,
        )
        put(unit_of_work, account)
        with unit_of_work() as uow:
            assert uow.accounts.get(account.id) == account
        view = queries.company(account.id)
        assert (view.company_name, view.siret_number, view.vat_number) == ("Cards", "73282932000074", "")
        assert view.company_address == address
        view = queries.me(account.id)
        assert (view.pending_email, view.terms_version, view.terms_accepted_at) == ("New@example.com", "", None)
        assert view.needs_to_accept_terms is True
        with unit_of_work() as uow:
            account.change({"account_type": "individual"})
            account.accept_terms(TERMS_VERSION, now=NOW)
            uow.accounts.save(account)
            uow.commit()
        assert queries.company(account.id) == CompanyView()
        assert queries.me(account.id).needs_to_accept_terms is False

    def test_shows_no_company_of_an_account_that_does_not_exist(self, queries):
        with pytest.raises(NotFound):
            queries.company(AccountId(1))

    def test_finds_who_was_the_last_to_want_an_address(self, unit_of_work):
        put(
            unit_of_work,
            an_account(1, pending_email="new@example.com", pending_email_at=NOW),
            an_account(2, pending_email="NEW@example.com", pending_email_at=NOW + DAY),
            an_account(3, pending_email="other@example.com", pending_email_at=NOW + 2 * DAY),
            an_account(4),
        )
        with unit_of_work() as uow:
            assert uow.accounts.by_pending_email("\uff4eew@example.com").id == 2
            assert uow.accounts.by_pending_email("member4@example.com") is None
            assert uow.accounts.by_pending_email("") is None

    def test_tells_of_an_actor_whether_they_have_accepted_any_terms(self, unit_of_work, queries):
        put(unit_of_work, an_account(1), an_account(2, terms_version="", terms_accepted_at=None))
        put(unit_of_work, a_session(10, 1), a_session(11, 2))
        assert queries.actor(AccountId(1), SessionId(10)).has_accepted_terms is True
        assert queries.actor(AccountId(2), SessionId(11)).has_accepted_terms is False

    def test_adds_many_at_once_and_tells_which_names_are_taken(self, unit_of_work):
        add_all(unit_of_work, an_account(1), an_account(2))
        add_all(unit_of_work)
        with unit_of_work() as uow:
            assert uow.accounts.get(AccountId(2)).version == 1
            taken = uow.accounts.taken(
                usernames={"member-1", "member-9"}, emails={"member2@example.com", "member9@example.com"}
            )
            assert set(taken) == {"member-1", "member2@example.com"}
            assert set(uow.accounts.taken(usernames=(), emails=())) == set()

    @pytest.mark.parametrize(
        ("changes", "error"),
        [({"username": "MEMBER-1"}, UsernameTaken), ({"email": "MEMBER1@example.com"}, EmailTaken)],
    )
    def test_adds_none_of_many_when_a_name_is_taken(self, unit_of_work, changes, error):
        put(unit_of_work, an_account(1))
        with pytest.raises(error):
            add_all(unit_of_work, an_account(2), an_account(3, **changes))
        with unit_of_work() as uow, pytest.raises(NotFound):
            uow.accounts.get(AccountId(2))
