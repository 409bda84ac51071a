"""Forgotten and changed passwords over HTTP."""

import pickle
from datetime import timedelta

import pytest

from marketplace.application.access import OPERATOR
from tests.people import NEW_PASSWORD, PASSWORD, Person, another_code
from tests.unit.http.answers import refused

ELSEWHERE = "198.51.100.7"
"""Where Ash has never been: at home, guessers would have tries of their own."""


@pytest.fixture
def ash(container, client):
    return Person(container=container, client=client, name="ash")


@pytest.fixture
def phone(ash):
    """The device on which Ash has joined."""
    return ash.joins()


def same_but_id(answer):
    """What tells nothing, but for the id of the request."""
    body = {key: value for key, value in (answer.json or {}).items() if key != "request_id"}
    headers = {key: value for key, value in answer.headers if key not in ("X-Request-ID", "RateLimit-Reset")}
    headers.pop("RateLimit-Remaining", None)
    return answer.status_code, body, headers


class TestReset:
    def test_a_mailed_code_sets_a_new_password_and_signs_every_device_out(self, ash, phone):
        laptop = ash.logs_in()
        assert ash.asks_for_reset().status_code == 202
        verified = ash.verifies_reset(ash.reads_code())
        assert verified.status_code == 200
        assert verified.headers["Cache-Control"] == "no-store"
        assert ash.sets_password(verified.json["reset_token"]).status_code == 204
        assert (phone.is_signed_in(), laptop.is_signed_in()) == (False, False)
        refused(phone.refresh(), 401, "not_authenticated")
        refused(ash.try_log_in(PASSWORD), 401, "invalid_credentials")
        assert ash.logs_in(NEW_PASSWORD).is_signed_in()

    def test_its_owner_is_told_by_mail(self, ash, phone):
        ash.sets_password(ash.gets_reset_token())
        letter = ash.letters()[0]
        assert letter.subject == "Your password was changed"
        assert "with a code that we had sent to this address" in letter.text.replace("\n", " ")

    def test_verifies_the_address_whose_mailbox_was_read(self, ash, phone):
        ash.sets_password(ash.gets_reset_token())
        me = ash.logs_in(NEW_PASSWORD).ask("GET", "/users/me/").json
        assert me["is_email_verified"] is True

    def test_takes_the_address_in_any_spelling(self, ash, phone):
        ash.asks_for_reset("ASH@Example.com")
        assert ash.verifies_reset(ash.reads_code(), "aSh@example.COM").status_code == 200

    def test_the_answer_tells_nobody_who_is_a_member(self, ash, phone, clock):
        clock.advance(timedelta(minutes=5))
        known, unknown = ash.asks_for_reset(), ash.asks_for_reset("nobody@example.com")
        assert same_but_id(known) == same_but_id(unknown)
        again, unknown_again = ash.asks_for_reset(), ash.asks_for_reset("nobody@example.com")
        assert same_but_id(again) == same_but_id(unknown_again) == same_but_id(known)

    def test_a_wrong_code_tells_nobody_who_is_a_member(self, ash, phone):
        for email in ("ash@example.com", "nobody@example.com"):
            ash.asks_for_reset(email)
        wrong = another_code(ash.reads_code())
        for _ in range(7):
            known, unknown = ash.verifies_reset(wrong), ash.verifies_reset(wrong, "nobody@example.com")
            refused(known, 422, "invalid_code")
            assert same_but_id(known) == same_but_id(unknown)

    def test_an_address_that_nobody_asked_for_is_told_nothing_else(self, ash, phone):
        never, nobody = ash.verifies_reset("123456"), ash.verifies_reset("123456", "nobody@example.com")
        refused(never, 422, "invalid_code")
        assert same_but_id(never) == same_but_id(nobody)

    def test_nothing_is_mailed_to_an_address_that_nobody_has(self, ash, phone, container):
        before = len(ash.letters())
        ash.asks_for_reset("nobody@example.com")
        assert len(ash.letters()) == before
        assert {message.to for message in container.backend.mailbox().messages(limit=100)} == {"ash@example.com"}

    def test_as_much_is_written_for_an_address_that_nobody_has(self, ash, phone, container):
        ash.letters()
        store = container.backend.store()

        def written(email):
            before = len(store.outbox), len(store.table("password_resets"))
            ash.asks_for_reset(email)
            return len(store.outbox) - before[0], len(store.table("password_resets")) - before[1]

        assert written("ash@example.com") == written("nobody@example.com") == (1, 1)
        assert written("ash@example.com") == written("nobody@example.com") == (0, 0)

    def test_no_second_code_is_mailed_within_a_minute(self, ash, phone, clock):
        ash.asks_for_reset()
        code = ash.reads_code()
        mailed = len(ash.letters())
        clock.advance(timedelta(seconds=59))
        assert ash.asks_for_reset().status_code == 202
        assert len(ash.letters()) == mailed
        clock.advance(timedelta(seconds=1))
        ash.asks_for_reset()
        assert len(ash.letters()) == mailed + 1
        if ash.reads_code() != code:
            refused(ash.verifies_reset(code), 422, "invalid_code")
        assert ash.verifies_reset(ash.reads_code()).status_code == 200

    def test_the_code_is_good_for_ten_minutes(self, ash, phone, clock):
        ash.asks_for_reset()
        code = ash.reads_code()
        clock.advance(timedelta(minutes=10))
        refused(ash.verifies_reset(code), 422, "invalid_code")

    def test_the_code_is_good_once(self, ash, phone):
        ash.asks_for_reset()
        code = ash.reads_code()
        ash.verifies_reset(code)
        refused(ash.verifies_reset(code), 422, "invalid_code")

    def test_the_code_is_dead_after_five_wrong_tries(self, ash, phone):
        ash.asks_for_reset()
        code = ash.reads_code()
        for _ in range(5):
            refused(ash.verifies_reset(another_code(code)), 422, "invalid_code")
        refused(ash.verifies_reset(code), 422, "invalid_code")

    def test_is_no_code_for_anything_else(self, ash, phone):
        ash.asks_for_reset()
        code = ash.reads_code()
        refused(ash.post("/auth/verify-email/", {"email": ash.email, "otp": code}), 422, "invalid_code")
        assert ash.verifies_reset(code).status_code == 200

    def test_the_token_is_good_once(self, ash, phone):
        token = ash.gets_reset_token()
        assert ash.sets_password(token).status_code == 204
        assert list(refused(ash.sets_password(token), 422, "invalid_reset_token")["errors"]) == ["reset_token"]

    def test_the_token_is_good_for_fifteen_minutes(self, ash, phone, clock):
        token = ash.gets_reset_token()
        clock.advance(timedelta(minutes=15))
        refused(ash.sets_password(token), 422, "invalid_reset_token")
        assert ash.logs_in(PASSWORD)

    @pytest.mark.parametrize(
        "password", ["password123", "ash ketchum", "x" * 300, "short", "ash@example.com"], ids=lambda text: text[:20]
    )
    def test_a_weak_password_is_refused_and_the_token_stays_good(self, ash, phone, password):
        token = ash.gets_reset_token()
        problem = refused(ash.sets_password(token, password), 422, "validation_error")
        assert "new_password" in problem["errors"]
        assert ash.sets_password(token).status_code == 204

    def test_a_mistyped_password_is_refused(self, ash, phone):
        answer = ash.sets_password(ash.gets_reset_token(), password_confirm="something else")
        assert list(refused(answer, 422, "validation_error")["errors"]) == ["password_confirm"]

    @pytest.mark.parametrize("token", ["", "invented", "x" * 501])
    def test_a_token_that_nobody_got_is_refused(self, ash, phone, token):
        assert ash.sets_password(token).status_code == 422
        assert ash.logs_in(PASSWORD)

    def test_an_account_that_has_another_address_by_now_is_not_reset(self, ash, phone, container):
        token = ash.gets_reset_token()
        account_id = phone.ask("GET", "/users/me/").json["id"]
        with container.backend.unit_of_work() as uow:
            account = uow.accounts.get(account_id)
            account.email = "other@example.com"
            uow.accounts.save(account)
            uow.commit()
        refused(ash.sets_password(token), 422, "invalid_reset_token")

    def test_a_suspended_account_gets_no_code_and_no_password(self, ash, phone, container, clock):
        token = ash.gets_reset_token()
        mailed = len(ash.letters())
        container.suspend_account()(actor=OPERATOR, name="ash")
        refused(ash.sets_password(token), 422, "invalid_reset_token")
        clock.advance(timedelta(minutes=1))
        assert ash.asks_for_reset().status_code == 202
        assert not [letter for letter in ash.letters()[mailed:] if "code" in letter.subject]

    def test_forgets_the_wish_for_another_address(self, ash, phone, container):
        wish = {"email": "thief@example.com", "current_password": PASSWORD}
        assert phone.ask("PATCH", "/users/me/", wish).status_code == 200
        ash.letters()
        ash.sets_password(ash.gets_reset_token())
        account_id = ash.logs_in(NEW_PASSWORD).ask("GET", "/users/me/").json["id"]
        with container.backend.unit_of_work() as uow:
            assert uow.accounts.get(account_id).pending_email == ""

    def test_opens_a_log_in_that_guessers_have_locked(self, ash, phone):
        for _ in range(12):
            ash.try_log_in("a wrong password", address=ELSEWHERE)
        refused(ash.try_log_in(PASSWORD, address=ELSEWHERE), 429, "throttled")
        ash.sets_password(ash.gets_reset_token())
        assert ash.logs_in(NEW_PASSWORD, address=ELSEWHERE)

    def test_many_codes_are_no_way_around_five_tries(self, ash, phone, clock):
        tried = []
        for _ in range(4):
            ash.asks_for_reset()
            code = ash.reads_code()
            tried += [ash.verifies_reset(another_code(code), address=ELSEWHERE).status_code for _ in range(5)]
            clock.advance(timedelta(minutes=1))
        assert (tried[:5], 429 in tried) == ([422] * 5, True)

    def test_nothing_secret_is_kept_and_no_address_either(self, ash, phone, container):
        container.backend.store().table("password_resets").clear()
        token = ash.gets_reset_token()
        store = container.backend.store()
        kept = pickle.dumps((store.table("password_resets"), store.outbox))
        for secret in (token, ash.email, ash.reads_code()):
            assert secret.encode() not in kept

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/auth/password-reset/", {"email": "no address"}),
            ("/auth/password-reset/", {}),
            ("/auth/password-reset/", {"email": "a@example.com", "otp": "1"}),
            ("/auth/password-reset/verify/", {"email": "a@example.com", "otp": "12345"}),
            ("/auth/password-reset/verify/", {"email": "a@example.com", "otp": 123456}),
            ("/auth/password-reset/confirm/", {"reset_token": None}),
            ("/auth/password-reset/confirm/", {"reset_token": "x", "new_password": "a good long one"}),
        ],
    )
    def test_refuses_bad_input(self, ash, path, body):
        refused(ash.post(path, body), 422, "validation_error")


class TestChange:
    def change(self, device, current=PASSWORD, new=NEW_PASSWORD):
        return device.ask("POST", "/auth/password-change/", {"current_password": current, "new_password": new})

    def test_signs_every_other_device_out(self, ash, phone):
        laptop = ash.logs_in()
        assert self.change(phone).status_code == 204
        assert (phone.is_signed_in(), laptop.is_signed_in()) == (True, False)
        assert phone.refresh().status_code == 200
        refused(ash.try_log_in(PASSWORD), 401, "invalid_credentials")
        assert ash.logs_in(NEW_PASSWORD).is_signed_in()

    def test_its_owner_is_told_by_mail(self, ash, phone):
        self.change(phone)
        letter = ash.letters()[0]
        assert letter.subject == "Your password was changed"
        assert "by somebody who knew the old one" in letter.text.replace("\n", " ")

    def test_needs_the_present_password(self, ash, phone):
        problem = refused(self.change(phone, current="a wrong password"), 422, "validation_error")
        assert list(problem["errors"]) == ["current_password"]
        assert ash.logs_in(PASSWORD)

    def test_guesses_at_the_present_password_are_locked_out(self, ash, phone):
        phone.address = ELSEWHERE
        answers = [self.change(phone, current=f"a wrong password {n}").status_code for n in range(12)]
        assert answers[0] == 422
        assert answers[-1] == 429
        refused(self.change(phone), 429, "throttled")

    def test_needs_another_password_than_before(self, ash, phone):
        problem = refused(self.change(phone, new=PASSWORD), 422, "validation_error")
        assert list(problem["errors"]) == ["new_password"]

    @pytest.mark.parametrize("new", ["password123", "ash ketchum", "short"])
    def test_needs_a_good_one(self, ash, phone, new):
        problem = refused(self.change(phone, new=new), 422, "validation_error")
        assert list(problem["errors"]) == ["new_password"]
        assert ash.logs_in(PASSWORD)

    def test_needs_somebody_who_is_signed_in(self, ash):
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        refused(ash.post("/auth/password-change/", body), 401, "not_authenticated")

    def test_makes_a_reset_that_is_under_way_worthless(self, ash, phone):
        token = ash.gets_reset_token()
        self.change(phone)
        refused(ash.sets_password(token, "yet another one"), 422, "invalid_reset_token")
