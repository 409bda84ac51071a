"""Joining, signing in, and one's own account over HTTP."""

import re
from datetime import timedelta

import pytest

from marketplace.application.access import Actor
from marketplace.domain.identity import Role
from marketplace.domain.shared.ids import AccountId

OPERATOR = Actor(account_id=AccountId(0), roles=frozenset({Role.ADMIN}))
PASSWORD = "a good long one"


@pytest.fixture
def post(client):
    def send(path, body, **kwargs):
        return client.post(f"/api/v1{path}", json=body, **kwargs)

    return send


@pytest.fixture
def register(post):
    def join(**changes):
        body = {
            "username": "ash-ketchum",
            "email": "ash@example.com",
            "password": PASSWORD,
            "confirm_password": PASSWORD,
            "first_name": "Ash",
            "last_name": "Ketchum",
            "accept_terms": True,
        }
        return post("/auth/register/", {**body, **changes})

    return join


@pytest.fixture
def ash(register):
    """The header of a member who has just joined."""
    return {"Authorization": f"Bearer {register().json['access_token']}"}


@pytest.fixture
def mailed_code(container):
    def read():
        container.relay_events()()
        message, *_ = container.backend.mailbox().messages(limit=1)
        return re.search(r"\b\d{6}\b", message.text)[0]

    return read


def code_of(answer):
    return answer.status_code, answer.json["code"]


class TestRegister:
    def test_answers_the_user_and_tokens_that_work(self, register, client):
        answer = register(account_type="professionnel", subscribed_to_newsletter=True)
        assert answer.status_code == 201
        assert answer.headers["Cache-Control"] == "no-store"
        user = answer.json["user"]
        assert (user["username"], user["email"]) == ("ash-ketchum", "ash@example.com")
        assert (user["account_type"], user["roles"], user["language"]) == ("professional", ["buyer"], "en")
        assert user["is_email_verified"] is False
        bearer = {"Authorization": f"Bearer {answer.json['access_token']}"}
        assert client.get("/api/v1/users/me/", headers=bearer).json == user

    def test_keeps_no_password(self, register, container):
        register()
        account = container.backend.store().table("accounts").popitem()[1]
        assert PASSWORD not in account.password_hash

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"email": "ASH@Example.com", "username": "other"}, "email_taken"),
            ({"email": "\uff41sh@example.com", "username": "other"}, "email_taken"),
            ({"email": "other@example.com", "username": "ASH-Ketchum"}, "username_taken"),
        ],
    )
    def test_refuses_a_name_that_is_taken_whatever_its_spelling(self, register, changes, code):
        register()
        assert code_of(register(**changes)) == (409, code)

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"username": "a b"}, "username"),
            ({"username": "ab"}, "username"),
            ({"username": "-ash"}, "username"),
            ({"email": "ash@"}, "email"),
            ({"email": "ash@example"}, "email"),
            ({"password": "short", "confirm_password": "short"}, "password"),
            ({"password": "password123", "confirm_password": "password123"}, "password"),
            ({"password": "ash-ketchum1", "confirm_password": "ash-ketchum1"}, "password"),
            ({"confirm_password": "another long one"}, "confirm_password"),
            ({"accept_terms": False}, "accept_terms"),
            ({"accept_terms": 1}, "accept_terms"),
            ({"first_name": ""}, "first_name"),
            ({"account_type": "robot"}, "account_type"),
            ({"role": "admin"}, "role"),
            ({"language": "EN"}, "language"),
            ({"language": "xx"}, "language"),
            ({"is_staff": True}, "is_staff"),
            ({"roles": ["admin"]}, "roles"),
            ({"id": 1}, "id"),
        ],
    )
    def test_refuses_bad_input_and_names_the_field(self, register, changes, field):
        answer = register(**changes)
        assert code_of(answer) == (422, "validation_error")
        assert list(answer.json["errors"]) == [field]

    def test_gives_a_vendor_a_pending_seller_profile_and_a_verified_address_ticks_its_list(
        self, register, container, post, mailed_code
    ):
        user = register(role="vendor").json["user"]
        container.relay_events()()
        with container.backend.unit_of_work() as uow:
            profile = uow.sellers.find(user["id"])
        assert (profile.status, profile.shop_name) == ("pending", "ash-ketchum")
        assert profile.email_verified is False
        post("/auth/verify-email/", {"email": "ash@example.com", "otp": mailed_code()})
        container.relay_events()()
        with container.backend.unit_of_work() as uow:
            assert uow.sellers.find(user["id"]).email_verified is True

    def test_gives_a_customer_none(self, register, container):
        user = register().json["user"]
        container.relay_events()()
        with container.backend.unit_of_work() as uow:
            assert uow.sellers.find(user["id"]) is None


class TestVerifyEmail:
    def test_the_mailed_code_verifies_the_address_at_once_for_tokens_that_exist(
        self, ash, mailed_code, post, client, container
    ):
        assert client.get("/api/v1/users/me/", headers=ash).json["is_email_verified"] is False
        answer = post("/auth/verify-email/", {"email": "ASH@example.com", "otp": mailed_code()})
        assert answer.status_code == 200
        assert answer.json["user"]["is_email_verified"] is True
        assert client.get("/api/v1/users/me/", headers=ash).json["is_email_verified"] is True

    def test_a_code_works_once(self, ash, mailed_code, post):
        body = {"email": "ash@example.com", "otp": mailed_code()}
        post("/auth/verify-email/", body)
        assert code_of(post("/auth/verify-email/", body)) == (422, "invalid_code")

    def test_an_unknown_address_is_told_nothing_else_than_a_wrong_code(self, ash, post):
        unknown = post("/auth/verify-email/", {"email": "nobody@example.com", "otp": "123456"})
        wrong = post("/auth/verify-email/", {"email": "ash@example.com", "otp": "123456"})
        for answer in (unknown, wrong):
            assert code_of(answer) == (422, "invalid_code")
        assert unknown.json["detail"] == wrong.json["detail"]

    @pytest.mark.parametrize("otp", ["12345", "1234567", "12345a", "١٢٣٤٥٦", 123456, "123456\n"])
    def test_refuses_what_is_not_six_digits(self, post, otp):
        assert code_of(post("/auth/verify-email/", {"email": "ash@example.com", "otp": otp})) == (
            422,
            "validation_error",
        )

    def test_another_code_may_be_asked_for_after_a_minute(self, ash, post, clock, mailed_code):
        first = mailed_code()
        early = post("/auth/resend-verification-email/", {}, headers=ash)
        assert code_of(early) == (429, "throttled")
        assert early.headers["Retry-After"] == "60"
        clock.advance(timedelta(minutes=1))
        assert post("/auth/resend-verification-email/", {}, headers=ash).status_code == 202
        second = mailed_code()
        if first != second:
            answer = post("/auth/verify-email/", {"email": "ash@example.com", "otp": first})
            assert code_of(answer) == (422, "invalid_code")
        answer = post("/auth/verify-email/", {"email": "ash@example.com", "otp": second})
        assert answer.status_code == 200

    def test_nothing_is_resent_once_the_address_is_verified(self, ash, post, mailed_code):
        post("/auth/verify-email/", {"email": "ash@example.com", "otp": mailed_code()})
        assert code_of(post("/auth/resend-verification-email/", {}, headers=ash)) == (409, "conflict")


class TestLogin:
    @pytest.mark.parametrize("name", ["ash-ketchum", "ASH-KETCHUM", "ash@example.com", "ASH@EXAMPLE.COM"])
    def test_takes_the_user_name_or_the_address(self, register, post, name):
        register()
        answer = post("/auth/login/", {"username": name, "password": PASSWORD})
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.json["token_type"] == "Bearer"
        assert (answer.json["expires_in"], answer.json["refresh_expires_in"]) == (3600, 86400)

    def test_tells_a_wrong_password_and_an_unknown_name_alike(self, register, post):
        register()
        wrong = post("/auth/login/", {"username": "ash-ketchum", "password": "wrong password"})
        unknown = post("/auth/login/", {"username": "nobody", "password": PASSWORD})
        assert code_of(wrong) == code_of(unknown) == (401, "invalid_credentials")
        assert wrong.json["detail"] == unknown.json["detail"]

    def test_shuts_a_suspended_account_out_at_once(self, ash, post, client, container):
        container.suspend_account()(actor=OPERATOR, name="ash-ketchum")
        assert code_of(client.get("/api/v1/users/me/", headers=ash)) == (401, "not_authenticated")
        login = {"username": "ash-ketchum", "password": PASSWORD}
        assert code_of(post("/auth/login/", login)) == (403, "account_suspended")
        assert code_of(post("/auth/login/", {**login, "password": "wrong"})) == (401, "invalid_credentials")


class TestRefresh:
    def test_gives_a_new_pair(self, register, post, client):
        first = register().json
        answer = post("/auth/token/refresh/", {"refresh": first["refresh_token"]})
        assert answer.status_code == 200
        assert answer.json["refresh_token"] != first["refresh_token"]
        bearer = {"Authorization": f"Bearer {answer.json['access_token']}"}
        assert client.get("/api/v1/users/me/", headers=bearer).status_code == 200

    def test_a_spent_token_ends_the_whole_session(self, register, post, client):
        first = register().json
        second = post("/auth/token/refresh/", {"refresh": first["refresh_token"]}).json
        again = post("/auth/token/refresh/", {"refresh": first["refresh_token"]})
        assert code_of(again) == (401, "not_authenticated")
        assert code_of(post("/auth/token/refresh/", {"refresh": second["refresh_token"]})) == (
            401,
            "not_authenticated",
        )
        bearer = {"Authorization": f"Bearer {second['access_token']}"}
        assert client.get("/api/v1/users/me/", headers=bearer).status_code == 401

    def test_an_expired_or_invented_token_is_refused(self, register, post, clock):
        token = register().json["refresh_token"]
        assert code_of(post("/auth/token/refresh/", {"refresh": "invented"})) == (401, "not_authenticated")
        clock.advance(timedelta(days=1))
        assert code_of(post("/auth/token/refresh/", {"refresh": token})) == (401, "token_expired")

    def test_an_access_token_refreshes_nothing(self, register, post):
        token = register().json["access_token"]
        assert post("/auth/token/refresh/", {"refresh": token}).status_code in (401, 422)


class TestLogout:
    def test_ends_the_session(self, register, post, client):
        tokens = register().json
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert post("/auth/logout/", {"refresh": tokens["refresh_token"]}, headers=bearer).status_code == 204
        assert client.get("/api/v1/users/me/", headers=bearer).status_code == 401
        assert post("/auth/token/refresh/", {"refresh": tokens["refresh_token"]}).status_code == 401

    def test_leaves_other_devices_signed_in(self, register, post, client):
        register()
        login = {"username": "ash-ketchum", "password": PASSWORD}
        phone, desk = post("/auth/login/", login).json, post("/auth/login/", login).json
        bearer = {"Authorization": f"Bearer {phone['access_token']}"}
        post("/auth/logout/", {"refresh": phone["refresh_token"]}, headers=bearer)
        bearer = {"Authorization": f"Bearer {desk['access_token']}"}
        assert client.get("/api/v1/users/me/", headers=bearer).status_code == 200

    def test_ends_nobody_elses(self, ash, register, post):
        gary = register(username="gary-oak", email="gary@example.com").json
        answer = post("/auth/logout/", {"refresh": gary["refresh_token"]}, headers=ash)
        assert code_of(answer) == (422, "validation_error")
        assert post("/auth/token/refresh/", {"refresh": gary["refresh_token"]}).status_code == 200


class TestMe:
    def test_changes_what_is_ones_own(self, client, ash):
        changes = {
            "first_name": "Satoshi",
            "phone_number": "+33 1 23 45 67 89",
            "language": "fr",
            "account_type": "professionnel",
            "subscribed_to_newsletter": True,
        }
        answer = client.patch("/api/v1/users/me/", json=changes, headers=ash)
        assert answer.status_code == 200
        expected = {**changes, "account_type": "professional", "last_name": "Ketchum"}
        assert {name: answer.json[name] for name in expected} == expected

    @pytest.mark.parametrize(
        "field", ["role", "roles", "is_staff", "id", "is_email_verified", "email", "username", "password_hash"]
    )
    def test_refuses_what_is_not(self, client, ash, field):
        answer = client.patch("/api/v1/users/me/", json={field: "admin"}, headers=ash)
        assert code_of(answer) == (422, "validation_error")
        assert list(answer.json["errors"]) == [field]

    def test_refuses_a_language_that_there_is_not(self, client, ash):
        answer = client.patch("/api/v1/users/me/", json={"language": "xx"}, headers=ash)
        assert code_of(answer) == (422, "validation_error")
        assert ", fr, " in answer.json["errors"]["language"][0]
        assert client.get("/api/v1/users/me/", headers=ash).json["language"] == "en"

    def test_answers_304_to_who_has_it_already(self, client, ash):
        tag = client.get("/api/v1/users/me/", headers=ash).headers["ETag"]
        assert client.get("/api/v1/users/me/", headers={**ash, "If-None-Match": tag}).status_code == 304

    def test_needs_a_token(self, client):
        assert code_of(client.get("/api/v1/users/me/")) == (401, "not_authenticated")
