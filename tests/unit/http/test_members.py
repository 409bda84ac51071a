"""Another e-mail address, the terms, and the company behind a professional account, over HTTP."""

import re
from datetime import timedelta

import pytest

from marketplace.adapters.memory.identity import InMemoryIdentityQueries
from marketplace.application.identity.profile import UpdateMe
from marketplace.application.ports.audit import AuditFilter
from marketplace.application.ports.pages import PageRequest
from marketplace.domain.identity.accounts import AccountType
from marketplace.domain.sellers import SellerStatus
from marketplace.entrypoints.http.app import create_app
from tests.builders import a_seller

PASSWORD = "a good long one"
ME, INFO = "/api/v1/users/me/", "/api/v1/users/me/professional-info/"
COMPANY = {
    "company_name": "Cartes & Cie",
    "siret_number": "73282932000074",
    "vat_number": "FR44732829320",
    "company_address": "12 rue de la Paix\n75002 Paris",
}


@pytest.fixture
def join(client):
    def register(username="ash-ketchum", **changes):
        body = {
            "username": username,
            "email": f"{username}@example.com",
            "password": PASSWORD,
            "confirm_password": PASSWORD,
            "first_name": "Ash",
            "last_name": "Ketchum",
            "accept_terms": True,
        }
        answer = client.post("/api/v1/auth/register/", json={**body, **changes})
        assert answer.status_code == 201, answer.json
        return {"Authorization": f"Bearer {answer.json['access_token']}"}

    return register


@pytest.fixture
def ash(join):
    """The header of a member who has just joined."""
    return join()


@pytest.fixture
def mails(container):
    """What was mailed to an address, the newest first."""

    def read(to):
        container.relay_events()()
        return [mail for mail in container.backend.mailbox().messages(limit=50) if mail.to == to]

    return read


@pytest.fixture
def code_for(mails):
    return lambda to: re.search(r"\b\d{6}\b", mails(to)[0].text)[0]


@pytest.fixture
def verify(client):
    return lambda email, otp: client.post("/api/v1/auth/verify-email/", json={"email": email, "otp": otp})


@pytest.fixture
def verified_ash(ash, verify, code_for):
    assert verify("ash-ketchum@example.com", code_for("ash-ketchum@example.com")).status_code == 200
    return ash


@pytest.fixture
def ask(client):
    def patch(header, email="satoshi@example.com", **changes):
        return client.patch(ME, json={"email": email, "current_password": PASSWORD, **changes}, headers=header)

    return patch


def code_of(answer):
    return answer.status_code, answer.json["code"]


class TestEmailChange:
    def test_the_old_address_holds_until_the_new_one_is_proven(
        self, verified_ash, ask, verify, client, mails, code_for
    ):
        asked = ask(verified_ash, first_name="Satoshi")
        assert asked.status_code == 200
        assert (asked.json["email"], asked.json["pending_email"]) == (
            "ash-ketchum@example.com",
            "satoshi@example.com",
        )
        assert (asked.json["first_name"], asked.json["is_email_verified"]) == ("Satoshi", True)
        proven = verify("SATOSHI@example.com", code_for("satoshi@example.com"))
        assert proven.status_code == 200
        assert (proven.json["user"]["email"], proven.json["user"]["pending_email"]) == ("satoshi@example.com", None)
        for name, status in (("satoshi@example.com", 200), ("ash-ketchum@example.com", 401)):
            answer = client.post("/api/v1/auth/login/", json={"username": name, "password": PASSWORD})
            assert answer.status_code == status

    def test_the_old_address_is_told_and_gets_no_code(self, verified_ash, ask, mails):
        ask(verified_ash)
        told = mails("ash-ketchum@example.com")[0]
        assert told.subject == "Your e-mail address is about to change"
        assert "satoshi@example.com" not in told.text
        assert re.search(r"\b\d{6}\b", told.text) is None

    def test_an_address_that_was_never_proven_is_not_told(self, ash, ask, mails, verify, code_for, client):
        ask(ash)
        assert [mail.subject for mail in mails("ash-ketchum@example.com")] == ["Your verification code"]
        assert verify("satoshi@example.com", code_for("satoshi@example.com")).status_code == 200
        assert client.get(ME, headers=ash).json["is_email_verified"] is True

    def test_is_written_in_the_language_of_the_account(self, verified_ash, ask, mails):
        ask(verified_ash, language="fr")
        assert mails("satoshi@example.com")[0].subject == "Confirmez votre nouvelle adresse e-mail"
        assert mails("ash-ketchum@example.com")[0].subject == "Votre adresse e-mail va changer"

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"email": "satoshi@example.com"}, "current_password"),
            ({"email": "satoshi@example.com", "current_password": "wrong"}, "current_password"),
            ({"email": "satoshi", "current_password": PASSWORD}, "email"),
            ({"current_password": PASSWORD}, "current_password"),
            ({"email": "satoshi@example.com", "current_password": PASSWORD, "language": "xx"}, "language"),
        ],
    )
    def test_needs_the_password_and_is_refused_whole(self, ash, client, body, field):
        answer = client.patch(ME, json={"first_name": "Satoshi", **body}, headers=ash)
        assert code_of(answer) == (422, "validation_error")
        assert list(answer.json["errors"]) == [field]
        user = client.get(ME, headers=ash).json
        assert (user["first_name"], user["pending_email"]) == ("Ash", None)

    def test_guessing_the_password_is_shut_out(self, ash, ask):
        # Ten for the whole world, and ten more from where the owner is known to be.
        answers = [ask(ash, current_password=f"wrong {number}") for number in range(22)]
        assert {answer.status_code for answer in answers[:9]} == {422}
        assert code_of(answers[-1]) == (429, "throttled")
        assert code_of(ask(ash)) == (429, "throttled")

    def test_nobody_learns_that_an_address_has_an_account(self, verified_ash, join, ask, mails, verify):
        join("misty")
        taken = ask(verified_ash, "misty@example.com")
        assert (taken.status_code, taken.json["pending_email"]) == (200, "misty@example.com")
        assert mails("misty@example.com")[0].subject == "You already have an account with this address"
        assert code_of(verify("misty@example.com", "123456")) == (422, "invalid_code")

    def test_whoever_proves_an_address_first_has_it(self, verified_ash, join, ask, verify, code_for, client):
        ask(verified_ash)
        code = code_for("satoshi@example.com")
        join("satoshi")
        assert code_of(verify("satoshi@example.com", code))[0] == 422  # it is the new member's to prove
        assert verify("satoshi@example.com", code_for("satoshi@example.com")).status_code == 200
        assert code_of(verify("satoshi@example.com", code)) == (409, "email_taken")
        assert client.get(ME, headers=verified_ash).json["email"] == "ash-ketchum@example.com"

    def test_a_code_proves_the_address_it_was_mailed_to_and_no_other(self, verified_ash, ask, verify, code_for, clock):
        ask(verified_ash)
        code = code_for("satoshi@example.com")
        clock.advance(timedelta(minutes=1))
        ask(verified_ash, "victim@example.com")
        assert code_of(verify("victim@example.com", code)) == (422, "invalid_code")
        assert code_of(verify("satoshi@example.com", code)) == (422, "invalid_code")

    def test_can_be_asked_for_once_a_minute_and_the_code_be_sent_again(
        self, verified_ash, ask, client, clock, verify, code_for
    ):
        ask(verified_ash)
        again = ask(verified_ash, "other@example.com")
        assert code_of(again) == (429, "throttled")
        assert client.get(ME, headers=verified_ash).json["pending_email"] == "satoshi@example.com"
        clock.advance(timedelta(minutes=1))
        resent = client.post("/api/v1/auth/resend-verification-email/", json={}, headers=verified_ash)
        assert resent.status_code == 202
        assert verify("satoshi@example.com", code_for("satoshi@example.com")).status_code == 200

    def test_is_taken_back_with_the_present_address(self, verified_ash, ask, verify, code_for):
        ask(verified_ash)
        code = code_for("satoshi@example.com")
        assert ask(verified_ash, "ASH-KETCHUM@example.com").json["pending_email"] is None
        assert code_of(verify("satoshi@example.com", code)) == (422, "invalid_code")


class TestTerms:
    def test_are_shown_as_they_were_accepted(self, ash, client):
        user = client.get(ME, headers=ash).json
        assert (user["terms_version"], user["needs_to_accept_terms"]) == ("2026-01", False)
        assert user["terms_accepted_at"] == user["created_at"]

    def test_new_ones_are_accepted_by_their_reader(self, container, ash, client, clock):
        clock.advance(timedelta(days=1))
        members = container.members
        update = UpdateMe(
            unit_of_work=container.unit_of_work(),
            clock=clock,
            ids=container.backend.ids(),
            owner=container.second_factors.owner(),
            terms_version="2027-01",
        )
        queries = InMemoryIdentityQueries(container.backend.store(), "2027-01")
        with container.backend.identity_queries.override(queries), members.update_me.override(update):
            client = create_app(container).test_client()
            assert client.get(ME, headers=ash).json["needs_to_accept_terms"] is True
            user = client.patch(ME, json={"accept_terms": True}, headers=ash).json
            assert (user["terms_version"], user["needs_to_accept_terms"]) == ("2027-01", False)
            assert user["terms_accepted_at"] > user["created_at"]

    def test_without_any_nobody_orders_or_applies_to_sell(self, verified_ash, client, container):
        account = container.backend.store().table("accounts")[client.get(ME, headers=verified_ash).json["id"]]
        account.terms_version, account.terms_accepted_at = "", None
        user = client.get(ME, headers=verified_ash).json
        assert (user["terms_version"], user["terms_accepted_at"], user["needs_to_accept_terms"]) == (None, None, True)
        address = {"name": "Ash", "street": "Rue de la Paix", "city": "Paris", "country": "FR"}
        tries = [("/api/v1/orders/", {"shipping_address": address}), ("/api/v1/sellers/", {"shop_name": "Ash's"})]
        for path, body in tries:
            answer = client.post(path, json=body, headers=verified_ash)
            assert (answer.status_code, answer.json["missing"]) == (403, ["accepted_terms"])
        client.patch(ME, json={"accept_terms": True}, headers=verified_ash)
        assert [client.post(path, json=body, headers=verified_ash).status_code for path, body in tries] == [409, 201]

    def test_cannot_be_taken_back(self, ash, client):
        answer = client.patch(ME, json={"accept_terms": False}, headers=ash)
        assert code_of(answer) == (422, "validation_error")


class TestProfessionalInfo:
    @pytest.fixture
    def professional(self, join):
        return join(account_type="professional")

    def test_is_empty_until_it_is_told(self, client, professional):
        assert client.get(INFO, headers=professional).json == dict.fromkeys(COMPANY, "")

    def test_is_given_back_in_its_compact_form(self, client, professional):
        typed = {**COMPANY, "siret_number": "732 829 320 00074", "vat_number": "fr 44 732 829 320"}
        answer = client.put(INFO, json=typed, headers=professional)
        assert (answer.status_code, answer.json) == (200, COMPANY)
        assert client.get(INFO, headers=professional).json == COMPANY

    def test_is_replaced_as_a_whole(self, client, professional):
        client.put(INFO, json=COMPANY, headers=professional)
        other = {"company_name": "Cards Ltd", "vat_number": "DE136695976", "siret_number": None}
        answer = client.put(INFO, json=other, headers=professional)
        assert answer.json == {**other, "siret_number": "", "company_address": ""}

    def test_takes_an_address_in_parts(self, client, professional):
        parts = {"street": "rue de la Paix", "street_number": "12", "city": "Paris", "country": "FR"}
        answer = client.put(INFO, json={**COMPANY, "company_address": parts}, headers=professional)
        address = answer.json["company_address"]
        assert parts.items() <= address.items()
        assert client.put(INFO, json={**COMPANY, "company_address": address}, headers=professional).json == answer.json

    @pytest.mark.parametrize(
        ("changes", "fields"),
        [
            ({"siret_number": "73282932000075"}, ["siret_number"]),
            ({"siret_number": "35600000049838"}, ["siret_number"]),
            ({"vat_number": "FR44732829321"}, ["vat_number"]),
            ({"vat_number": "ZZ1"}, ["vat_number"]),
            ({"vat_number": "", "siret_number": " "}, ["siret_number", "vat_number"]),
            ({"company_name": ""}, ["company_name"]),
            ({"company_name": "x" * 121}, ["company_name"]),
            ({"company_address": 5}, ["company_address"]),
            ({"company_address": {"street": "x", "city": "y", "country": "XX"}}, ["company_address.country"]),
            ({"company_address": {"street": "x", "country": "FR"}}, ["company_address.city"]),
            ({"is_verified": True}, ["is_verified"]),
        ],
    )
    def test_refuses_what_is_wrong_and_names_it(self, client, professional, changes, fields):
        answer = client.put(INFO, json={**COMPANY, **changes}, headers=professional)
        assert code_of(answer) == (422, "validation_error")
        assert sorted(answer.json["errors"]) == fields
        assert client.get(INFO, headers=professional).json["company_name"] == ""

    def test_is_not_an_individuals(self, client, ash):
        answer = client.put(INFO, json=COMPANY, headers=ash)
        assert code_of(answer) == (409, "not_professional")
        assert client.patch(ME, json={"account_type": "professionnel"}, headers=ash).status_code == 200
        assert client.put(INFO, json=COMPANY, headers=ash).status_code == 200
        client.patch(ME, json={"account_type": "individual"}, headers=ash)
        assert client.get(INFO, headers=ash).json["company_name"] == ""

    def test_whoever_was_approved_to_sell_stays_what_they_are(self, client, professional, container):
        client.put(INFO, json=COMPANY, headers=professional)
        id = client.get(ME, headers=professional).json["id"]
        with container.backend.unit_of_work() as uow:
            uow.sellers.add(a_seller(id))
            uow.commit()
        answer = client.patch(ME, json={"account_type": "individual"}, headers=professional)
        assert code_of(answer) == (409, "account_type_fixed")
        assert client.patch(ME, json={"account_type": "professional"}, headers=professional).status_code == 200
        with container.backend.unit_of_work() as uow:
            assert uow.accounts.get(id).account_type is AccountType.PROFESSIONAL
            assert uow.sellers.find(id).status is SellerStatus.APPROVED

    @pytest.mark.parametrize(
        ("changes", "still_checked"),
        [
            ({}, True),
            ({"company_address": "1 place du March\u00e9\n44000 Nantes"}, True),
            ({"company_name": "Cartes & Autres"}, False),
            ({"siret_number": "", "vat_number": "DE136695976"}, False),
        ],
    )
    def test_another_company_than_the_checked_one_has_to_be_checked(
        self, client, professional, container, changes, still_checked
    ):
        client.put(INFO, json=COMPANY, headers=professional)
        id = client.get(ME, headers=professional).json["id"]
        with container.backend.unit_of_work() as uow:
            uow.sellers.add(a_seller(id))
            uow.commit()
        assert client.put(INFO, json={**COMPANY, **changes}, headers=professional).status_code == 200
        with container.backend.unit_of_work() as uow:
            assert uow.sellers.get(id).kyc_verified is still_checked
        withdrawn = AuditFilter(action="seller.identity_withdrawn")
        page = container.backend.audit_queries().entries(PageRequest(), wanted=withdrawn)
        assert [(entry.subject_id, entry.actor_id, entry.after["kyc_verified"]) for entry in page.items] == (
            [] if still_checked else [(str(id), id, False)]
        )

    def test_needs_a_token(self, client):
        assert code_of(client.get(INFO)) == (401, "not_authenticated")
        assert code_of(client.put(INFO, json=COMPANY)) == (401, "not_authenticated")
