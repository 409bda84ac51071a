"""The second factor over HTTP."""

import pickle
import re
from datetime import timedelta

import pytest

from marketplace.application.access import OPERATOR
from marketplace.domain.identity import Role
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.settings import Settings
from tests.factors import Authenticator
from tests.unit.http.conftest import ENVIRONMENT

PASSWORD = "a good long one"
STEP = timedelta(seconds=30)
ELSEWHERE = "203.0.113.9"


@pytest.fixture
def admin(ash, container):
    container.grant_role()(actor=OPERATOR, name="ash", role=Role.ADMIN)
    return ash


@pytest.fixture
def call(client):
    def send(method, path, body=None, headers=None, address="127.0.0.1"):
        elsewhere = {"REMOTE_ADDR": address}
        return client.open(f"/api/v1{path}", method=method, json=body, headers=headers, environ_base=elsewhere)

    return send


@pytest.fixture
def register(call):
    def join(name="ash"):
        body = {
            "username": name,
            "email": f"{name}@example.com",
            "password": PASSWORD,
            "confirm_password": PASSWORD,
            "first_name": "Ash",
            "last_name": "Ketchum",
            "accept_terms": True,
        }
        return {"Authorization": f"Bearer {call('POST', '/auth/register/', body).json['access_token']}"}

    return join


@pytest.fixture
def ash(register):
    return register()


@pytest.fixture
def log_in(call):
    def send(otp=None, password=PASSWORD, name="ash", address="127.0.0.1"):
        body = {"username": name, "password": password, **({} if otp is None else {"otp": otp})}
        return call("POST", "/auth/login/", body, address=address)

    return send


@pytest.fixture
def authenticator(call, ash, clock):
    answer = call("POST", "/auth/two-factor/", {"password": PASSWORD}, ash)
    assert answer.status_code == 201
    return Authenticator(answer.json["secret"], clock)


@pytest.fixture
def recovery_codes(call, ash, authenticator, clock):
    """Those of an account whose second factor is on; the step of its confirmation is over."""
    codes = call("POST", "/auth/two-factor/confirm/", {"otp": authenticator.code()}, ash).json["recovery_codes"]
    clock.advance(STEP)
    return codes


def code_of(answer):
    return answer.status_code, answer.json["code"]


class TestSettingUp:
    def test_nothing_is_on_at_first(self, call, ash):
        answer = call("GET", "/auth/two-factor/", headers=ash)
        assert answer.json == {
            "is_enabled": False,
            "is_required": False,
            "confirmed_at": None,
            "recovery_codes_left": 0,
        }
        assert answer.headers["Cache-Control"] == "no-store"

    def test_an_authenticator_is_told_its_secret(self, call, ash):
        answer = call("POST", "/auth/two-factor/", {"password": PASSWORD}, ash)
        assert re.fullmatch(r"[A-Z2-7]{32}", answer.json["secret"])
        assert answer.json["otpauth_uri"].startswith("otpauth://totp/127.0.0.1:ash?")
        assert f"secret={answer.json['secret']}" in answer.json["otpauth_uri"]
        assert answer.headers["Cache-Control"] == "no-store"

    def test_it_needs_the_password(self, call, ash):
        answer = call("POST", "/auth/two-factor/", {"password": "wrong"}, ash)
        assert code_of(answer) == (422, "validation_error")
        assert list(answer.json["errors"]) == ["password"]

    def test_guesses_at_the_password_are_counted(self, call, ash):
        answers = [call("POST", "/auth/two-factor/", {"password": "wrong"}, ash, ELSEWHERE) for _ in range(11)]
        assert code_of(answers[9]) == (422, "validation_error")
        assert code_of(answers[10]) == (429, "throttled")
        assert int(answers[10].headers["Retry-After"]) > 0

    def test_until_it_is_confirmed_nobody_is_asked(self, authenticator, log_in, call, ash):
        assert log_in().status_code == 200
        assert call("GET", "/auth/two-factor/", headers=ash).json["is_enabled"] is False

    def test_a_code_turns_it_on_and_brings_ten_recovery_codes(self, authenticator, call, ash, clock):
        answer = call("POST", "/auth/two-factor/confirm/", {"otp": authenticator.code()}, ash)
        assert answer.status_code == 200
        assert len(set(answer.json["recovery_codes"])) == 10
        assert answer.headers["Cache-Control"] == "no-store"
        shown = call("GET", "/auth/two-factor/", headers=ash).json
        assert (shown["is_enabled"], shown["recovery_codes_left"]) == (True, 10)
        assert shown["confirmed_at"] == clock.now().isoformat()

    def test_a_wrong_code_does_not(self, authenticator, call, ash):
        answer = call("POST", "/auth/two-factor/confirm/", {"otp": authenticator.wrong()}, ash)
        assert code_of(answer) == (422, "invalid_code")
        assert call("GET", "/auth/two-factor/", headers=ash).json["is_enabled"] is False

    def test_setting_up_again_forgets_the_first_secret(self, authenticator, call, ash, clock):
        second = call("POST", "/auth/two-factor/", {"password": PASSWORD}, ash).json["secret"]
        answer = call("POST", "/auth/two-factor/confirm/", {"otp": authenticator.code()}, ash)
        assert code_of(answer) == (422, "invalid_code")
        good = Authenticator(second, clock).code()
        assert call("POST", "/auth/two-factor/confirm/", {"otp": good}, ash).status_code == 200

    def test_there_is_nothing_to_confirm_before(self, call, ash):
        answer = call("POST", "/auth/two-factor/confirm/", {"otp": "123456"}, ash)
        assert code_of(answer) == (409, "second_factor_missing")

    @pytest.mark.parametrize(("path", "body"), [("", {"password": PASSWORD}), ("confirm/", {"otp": "123456"})])
    def test_what_is_on_is_turned_off_before_another_is_set_up(self, recovery_codes, call, ash, path, body):
        assert code_of(call("POST", f"/auth/two-factor/{path}", body, ash)) == (409, "second_factor_enabled")

    def test_neither_secret_nor_recovery_codes_are_kept_in_clear(self, authenticator, recovery_codes, container):
        kept = pickle.dumps(container.backend.store().tables)
        for secret in (authenticator._totp.secret, *recovery_codes):
            assert secret.encode() not in kept
            assert secret.replace("-", "").encode() not in kept

    def test_what_is_repeated_for_an_idempotency_key_shows_no_secret(self, call, ash):
        keyed = {**ash, "Idempotency-Key": "k-1"}
        first, second = (call("POST", "/auth/two-factor/", {"password": PASSWORD}, keyed) for _ in range(2))
        assert first.json["secret"]
        assert second.json == {"secret": None, "otpauth_uri": None}


class TestLoggingIn:
    def test_the_password_alone_is_not_enough(self, recovery_codes, log_in):
        answer = log_in()
        assert code_of(answer) == (401, "second_factor_required")
        assert "access_token" not in answer.json

    def test_the_password_and_a_code_are(self, recovery_codes, authenticator, log_in, call):
        answer = log_in(authenticator.code())
        assert answer.status_code == 200
        bearer = {"Authorization": f"Bearer {answer.json['access_token']}"}
        assert call("GET", "/users/me/", headers=bearer).status_code == 200

    def test_a_code_is_good_once(self, recovery_codes, authenticator, log_in, clock):
        code = authenticator.code()
        assert log_in(code).status_code == 200
        assert code_of(log_in(code)) == (401, "invalid_credentials")
        clock.advance(STEP)
        assert code_of(log_in(code)) == (401, "invalid_credentials")
        assert log_in(authenticator.code()).status_code == 200

    def test_the_code_that_confirmed_is_not_good_again(self, call, ash, authenticator, log_in):
        code = authenticator.code()
        call("POST", "/auth/two-factor/confirm/", {"otp": code}, ash)
        assert code_of(log_in(code)) == (401, "invalid_credentials")

    def test_a_recovery_code_is_good_once_however_it_is_typed(self, recovery_codes, log_in, call, ash):
        assert log_in(recovery_codes[0].upper().replace("-", " ")).status_code == 200
        assert code_of(log_in(recovery_codes[0])) == (401, "invalid_credentials")
        assert log_in(recovery_codes[1].replace("-", "")).status_code == 200
        assert call("GET", "/auth/two-factor/", headers=ash).json["recovery_codes_left"] == 8

    @pytest.mark.parametrize("otp", [None, "123456"])
    @pytest.mark.parametrize(("name", "password"), [("ash", "wrong"), ("nobody", PASSWORD)])
    def test_nobody_without_the_password_learns_of_it(self, recovery_codes, log_in, name, password, otp):
        assert code_of(log_in(otp, password=password, name=name)) == (401, "invalid_credentials")

    def test_a_code_does_no_harm_where_none_is_needed(self, ash, log_in):
        assert log_in("123456").status_code == 200

    @pytest.mark.parametrize("otp", ["", "12345", "1" * 21, "12345\u0666", None, 123456])
    def test_what_cannot_be_a_code_is_refused(self, ash, call, otp):
        answer = call("POST", "/auth/login/", {"username": "ash", "password": PASSWORD, "otp": otp})
        assert code_of(answer) == (422, "validation_error")
        assert list(answer.json["errors"]) == ["otp"]

    def test_being_asked_for_the_code_is_no_failure(self, recovery_codes, authenticator, log_in):
        for _ in range(30):
            assert code_of(log_in()) == (401, "second_factor_required")
        assert log_in(authenticator.code()).status_code == 200

    def test_guesses_at_the_code_are_locked_out_and_so_is_the_right_one(self, recovery_codes, authenticator, log_in):
        answers = [code_of(log_in(authenticator.wrong(), address=ELSEWHERE)) for _ in range(15)]
        assert answers == [(401, "invalid_credentials")] * 10 + [(429, "throttled")] * 5
        assert code_of(log_in(authenticator.code(), address=ELSEWHERE)) == (429, "throttled")
        assert log_in(authenticator.code()).status_code == 200  # the owner, where they got in before

    def test_signing_in_under_the_other_name_gives_no_more_guesses(self, recovery_codes, authenticator, log_in):
        names = ["ash", "ash@example.com"] * 10
        answers = [log_in(authenticator.wrong(), name=name, address=ELSEWHERE).status_code for name in names]
        assert answers.count(401) == 10

    def test_a_new_password_is_no_way_around_it(self, recovery_codes, authenticator, log_in, call, container):
        call("POST", "/auth/password-reset/", {"email": "ash@example.com"})
        container.relay_events()()
        digits = next(
            found[0]
            for message in container.backend.mailbox().messages(limit=10)
            if "new password" in message.subject and (found := re.search(r"\b\d{6}\b", message.text))
        )
        proof = call("POST", "/auth/password-reset/verify/", {"email": "ash@example.com", "otp": digits}).json
        fresh = {"new_password": "quite another one", "password_confirm": "quite another one"}
        body = {"reset_token": proof["reset_token"], **fresh}
        assert call("POST", "/auth/password-reset/confirm/", body).status_code == 204
        assert code_of(log_in(password="quite another one")) == (401, "second_factor_required")
        assert log_in(authenticator.code(), password="quite another one").status_code == 200


class TestTurningOff:
    def test_takes_the_password_and_a_code(self, recovery_codes, authenticator, log_in, call, ash):
        body = {"password": PASSWORD, "otp": authenticator.code()}
        assert call("POST", "/auth/two-factor/disable/", body, ash).status_code == 204
        assert log_in().status_code == 200
        assert call("GET", "/auth/two-factor/", headers=ash).json["is_enabled"] is False

    @pytest.mark.parametrize("path", ["disable", "recovery-codes"])
    def test_one_of_them_is_not_enough(self, recovery_codes, authenticator, call, ash, path):
        path = f"/auth/two-factor/{path}/"
        wrong_password = call("POST", path, {"password": "wrong", "otp": authenticator.code()}, ash)
        assert list(wrong_password.json["errors"]) == ["password"]
        wrong_code = call("POST", path, {"password": PASSWORD, "otp": authenticator.wrong()}, ash)
        assert code_of(wrong_code) == (422, "invalid_code")
        assert call("GET", "/auth/two-factor/", headers=ash).json["recovery_codes_left"] == 10

    @pytest.mark.parametrize("path", ["disable", "recovery-codes"])
    def test_there_has_to_be_one(self, authenticator, call, ash, path):
        body = {"password": PASSWORD, "otp": authenticator.code()}
        answer = call("POST", f"/auth/two-factor/{path}/", body, ash)
        assert code_of(answer) == (409, "second_factor_missing")

    def test_fresh_recovery_codes_make_the_old_ones_worthless(self, recovery_codes, authenticator, log_in, call, ash):
        body = {"password": PASSWORD, "otp": authenticator.code()}
        fresh = call("POST", "/auth/two-factor/recovery-codes/", body, ash).json["recovery_codes"]
        assert not {*fresh} & {*recovery_codes}
        assert code_of(log_in(recovery_codes[0])) == (401, "invalid_credentials")
        assert log_in(fresh[0]).status_code == 200


def test_staff_need_none_by_default(admin, call):
    assert call("GET", "/admin/ledger/balances/", headers=admin).status_code == 200
    assert call("GET", "/auth/two-factor/", headers=admin).json["is_required"] is False


class TestStaffWhoNeedOne:
    @pytest.fixture
    def settings(self):
        return Settings.from_env({**ENVIRONMENT, "REQUIRE_STAFF_2FA": "true"})

    def test_may_do_nothing_as_staff_before_they_have_one(self, admin, call):
        assert call("GET", "/auth/two-factor/", headers=admin).json["is_required"] is True
        answer = call("GET", "/admin/ledger/balances/", headers=admin)
        assert code_of(answer) == (403, "permission_denied")
        assert answer.json["missing"] == ["second_factor"]

    def test_are_staff_at_once_when_they_have_one(self, admin, call, clock):
        secret = call("POST", "/auth/two-factor/", {"password": PASSWORD}, admin).json["secret"]
        assert call("GET", "/admin/ledger/balances/", headers=admin).status_code == 403
        code = Authenticator(secret, clock).code()
        assert call("POST", "/auth/two-factor/confirm/", {"otp": code}, admin).status_code == 200
        assert call("GET", "/admin/ledger/balances/", headers=admin).status_code == 200

    def test_are_members_like_others_meanwhile(self, admin, call, ash, register):
        brock = register("brock")
        assert call("GET", "/users/me/", headers=admin).json["roles"] == ["admin", "buyer"]
        assert call("GET", "/auth/two-factor/", headers=brock).json["is_required"] is False
        answer = call("GET", "/admin/ledger/balances/", headers=brock)
        assert answer.json["missing"] == ["admin"]


class TestKeys:
    """What becomes of second factors when SECRET_KEY is another one."""

    OLD, NEW = "an-old-secret-of-thirty-two-characters", "a-new-secret-of-thirty-two-characters!"

    def doors(self, container, clock, **environ):
        settings = Settings.from_env({**ENVIRONMENT, **environ})
        moved = Container(
            settings=settings,
            backend=MemoryBackend(store=container.backend.store, ids=container.backend.ids),
            clock=clock,
        )
        return moved, create_app(moved).test_client()

    @pytest.fixture
    def settings(self):
        return Settings.from_env({**ENVIRONMENT, "SECRET_KEY": self.OLD})

    def test_without_the_earlier_one_nobody_with_a_factor_gets_in_and_it_is_said_why(
        self, recovery_codes, authenticator, container, clock
    ):
        _, client = self.doors(container, clock, SECRET_KEY=self.NEW)
        body = {"username": "ash", "password": PASSWORD, "otp": authenticator.code()}
        answer = client.post("/api/v1/auth/login/", json=body)
        assert code_of(answer) == (503, "seal_broken")
        assert "SECRET_KEY_FALLBACKS" in answer.json["detail"]

    def test_the_earlier_one_opens_until_all_is_sealed_anew(self, recovery_codes, authenticator, container, clock):
        both, client = self.doors(container, clock, SECRET_KEY=self.NEW, SECRET_KEY_FALLBACKS=self.OLD)
        body = {"username": "ash", "password": PASSWORD, "otp": authenticator.code()}
        assert client.post("/api/v1/auth/login/", json=body).status_code == 200
        assert both.second_factors.reseal()(actor=OPERATOR).resealed == 1
        _, client = self.doors(container, clock, SECRET_KEY=self.NEW)
        clock.advance(STEP)
        body["otp"] = authenticator.code()
        assert client.post("/api/v1/auth/login/", json=body).status_code == 200


class TestTheOwnerIsTold:
    @pytest.fixture
    def mailed(self, container):
        def subjects():
            container.relay_events()()
            return [message.subject for message in container.backend.mailbox().messages(limit=10)]

        return subjects

    def test_of_every_change(self, recovery_codes, authenticator, call, ash, clock, mailed, container):
        owner = {"password": PASSWORD, "otp": authenticator.code()}
        assert call("POST", "/auth/two-factor/recovery-codes/", owner, ash).status_code == 200
        clock.advance(STEP)
        owner["otp"] = authenticator.code()
        assert call("POST", "/auth/two-factor/disable/", owner, ash).status_code == 204
        subjects = mailed()
        assert "Signing in now takes a second factor" in subjects
        assert "You have new recovery codes" in subjects
        assert "Signing in takes no second factor any more" in subjects

    def test_of_an_admin_who_took_it(self, recovery_codes, container, mailed, call, ash):
        container.second_factors.reset()(actor=OPERATOR, name="ash")
        assert "Signing in takes no second factor any more" in mailed()
        newest, *_ = container.backend.mailbox().messages(limit=1)
        assert "we removed the second factor" in newest.text
        assert call("GET", "/users/me/", headers=ash).status_code == 401
