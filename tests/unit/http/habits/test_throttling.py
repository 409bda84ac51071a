"""How much may be asked, of which doors, and what is told about it."""

from datetime import timedelta

import pytest

from marketplace.entrypoints.settings import Settings
from tests.unit.http.conftest import ENVIRONMENT
from tests.unit.http.habits.conftest import ANNA, habits_app, habits_container

LIMITS = {
    "RATE_LIMIT_ENABLED": "true",
    "RATE_LIMIT_ANONYMOUS": "10/hour",
    "RATE_LIMIT_AUTHENTICATED": "20/hour",
    "RATE_LIMIT_LOGIN": "3/minute",
    "TRUSTED_PROXIES": "127.0.0.1",
}
LOG_IN = "/api/v1/auth/login/"
WRONG = {"username": "ash", "password": "not the right one"}
MEMBER = {
    "username": "ash",
    "email": "ash@example.com",
    "password": "a good long one",
    "confirm_password": "a good long one",
    "accept_terms": True,
    "first_name": "Ash",
    "last_name": "Ketchum",
}


@pytest.fixture
def environment():
    return LIMITS


@pytest.fixture
def settings(environment):
    return Settings.from_env({**ENVIRONMENT, **environment})


def at(address):
    return {"X-Forwarded-For": address}


def standing(response):
    return tuple(int(response.headers[f"RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset"))


def spend(client, number, path="/probe/things/", **options):
    return [client.get(path, **options).status_code for _ in range(number)]


class TestReading:
    def test_every_answer_tells_where_its_caller_stands(self, client):
        assert standing(client.get("/probe/things/")) == (10, 9, 3600)
        assert standing(client.get("/nowhere/")) == (10, 8, 3600)
        assert standing(client.put("/probe/things/")) == (10, 7, 3600)
        assert standing(client.get("/probe/crash/")) == (10, 6, 3600)
        assert standing(client.post("/probe/things/", data="{")) == (10, 5, 3600)

    def test_one_more_is_refused_and_told_when_to_come_back(self, client):
        assert spend(client, 10) == [200] * 10
        response = client.get("/probe/things/")
        assert response.status_code == 429
        assert response.mimetype == "application/problem+json"
        assert response.json["code"] == "throttled"
        assert response.headers["Retry-After"] == "3600"
        assert standing(response) == (10, 0, 3600)
        assert response.headers["X-Content-Type-Options"] == "nosniff"

    def test_time_gives_back_little_by_little(self, client, clock):
        assert spend(client, 11)[-1] == 429
        clock.advance(timedelta(hours=1, minutes=3))  # of the window before, nine and a half still count
        assert spend(client, 2) == [200, 429]
        clock.advance(timedelta(hours=2))
        assert spend(client, 10) == [200] * 10

    def test_what_was_told_is_true(self, client, clock):
        spend(client, 10)
        clock.advance(timedelta(seconds=int(client.get("/probe/things/").headers["Retry-After"]) + 1))
        assert client.get("/probe/things/").status_code == 200
        refused = client.get("/probe/things/")
        assert refused.status_code == 429
        clock.advance(timedelta(seconds=int(refused.headers["Retry-After"]) + 1))
        assert client.get("/probe/things/").status_code == 200

    def test_addresses_are_counted_each_for_itself(self, client):
        assert spend(client, 11, headers=at("203.0.113.1"))[-1] == 429
        assert client.get("/probe/things/", headers=at("203.0.113.2")).status_code == 200

    def test_of_an_address_of_six_the_first_half_counts(self, client):
        for host in range(10):
            assert client.get("/probe/things/", headers=at(f"2001:db8:0:1::{host:x}")).status_code == 200
        assert client.get("/probe/things/", headers=at("2001:db8:0:1:ffff::1")).status_code == 429
        assert client.get("/probe/things/", headers=at("2001:db8:0:2::1")).status_code == 200

    def test_a_header_of_the_client_makes_nobody_else_of_it(self, client):
        for number in range(10):
            client.get("/probe/things/", headers=at(f"10.1.1.{number}, 203.0.113.1"))
        assert client.get("/probe/things/", headers=at("10.1.1.99, 203.0.113.1")).status_code == 429

    def test_an_account_has_more_wherever_it_is(self, client, anna):
        assert spend(client, 11)[-1] == 429
        for number in range(20):
            response = client.get("/probe/me/", headers={**anna, **at(f"203.0.113.{number}")})
            assert response.status_code == 200
        assert standing(response) == (20, 0, 3600)
        assert client.get("/probe/me/", headers={**anna, **at("203.0.113.99")}).status_code == 429

    def test_accounts_at_one_address_are_counted_each_for_itself(self, client, anna, bruno):
        assert spend(client, 21, "/probe/me/", headers=anna)[-1] == 429
        assert client.get("/probe/me/", headers=bruno).status_code == 200

    @pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer a.b.c", "Basic YTpi", ""])
    def test_a_token_that_is_none_counts_on_the_address(self, client, header):
        assert spend(client, 10, "/probe/me/", headers={"Authorization": header}) == [401] * 10
        assert client.get("/probe/things/").status_code == 429

    @pytest.mark.parametrize(
        "path",
        [
            "/health/",
            "/health/live/",
            "/static/pages.css",
            "/swagger/",
            "/redoc/",
            "/api/v1/openapi.json",
            "/metrics",
            "/unsubscribe/x/",
        ],
    )
    def test_probes_and_documents_are_free(self, client, path):
        answers = [client.get(path, buffered=True) for _ in range(12)]
        assert 429 not in {answer.status_code for answer in answers}
        assert "RateLimit-Limit" not in answers[-1].headers

    def test_webhooks_are_free(self, client):
        answers = [client.post("/api/v1/webhooks/stripe/", data=b"{}") for _ in range(12)]
        assert {answer.status_code for answer in answers} == {400}
        assert "RateLimit-Limit" not in answers[-1].headers

    def test_asking_whether_one_may_ask_is_free(self, client):
        assert [client.options("/probe/things/").status_code for _ in range(12)] == [200] * 12
        assert client.get("/probe/things/").status_code == 200


class TestDoors:
    def test_an_address_tries_few_times_a_minute(self, client, clock):
        tries = [client.post(LOG_IN, json={**WRONG, "username": f"somebody-{n}"}) for n in range(4)]
        assert [answer.status_code for answer in tries] == [401, 401, 401, 429]
        assert standing(tries[0]) == (3, 2, 60)
        assert tries[-1].json["code"] == "throttled"
        clock.advance(timedelta(minutes=2))
        assert client.post(LOG_IN, json=WRONG).status_code == 401

    def test_a_name_is_tried_few_times_a_minute_from_wherever(self, client):
        tries = [client.post(LOG_IN, json=WRONG, headers=at(f"203.0.113.{n}")) for n in range(4)]
        assert [answer.status_code for answer in tries] == [401, 401, 401, 429]
        another_spelling = client.post(LOG_IN, json={**WRONG, "username": "ASH"}, headers=at("203.0.113.9"))
        assert another_spelling.status_code == 429
        assert client.post(LOG_IN, json={**WRONG, "username": "misty"}, headers=at("203.0.113.9")).status_code == 401

    def test_the_owner_gets_in_where_they_got_in_before(self, client, clock):
        home = at("198.51.100.1")
        assert client.post("/api/v1/auth/register/", json=MEMBER, headers=home).status_code == 201
        right = {"username": "ash", "password": MEMBER["password"]}
        assert client.post(LOG_IN, json=right, headers=home).status_code == 200
        clock.advance(timedelta(minutes=5))
        for number in range(4):
            client.post(LOG_IN, json=WRONG, headers=at(f"203.0.113.{number}"))
        assert client.post(LOG_IN, json=right, headers=at("203.0.113.77")).status_code == 429
        assert client.post(LOG_IN, json=right, headers=home).status_code == 200

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("register", MEMBER),
            ("verify-email", {"email": "ash@example.com", "otp": "123456"}),
            ("password-reset", {"email": "ash@example.com"}),
            ("password-reset/verify", {"email": "ash@example.com", "otp": "123456"}),
            ("password-reset/confirm", {"reset_token": "x", "new_password": "y", "password_confirm": "y"}),
        ],
    )
    def test_every_door_is_tight(self, client, path, body):
        statuses = [client.post(f"/api/v1/auth/{path}/", json=body).status_code for _ in range(4)]
        assert 429 not in statuses[:3]
        assert statuses[3] == 429

    @pytest.mark.parametrize(
        "path", ["resend-verification-email", "password-change", "two-factor", "two-factor/confirm"]
    )
    def test_a_door_behind_the_log_in_is_tight_for_an_account_wherever_it_is(self, client, anna, path):
        for number in range(3):
            client.post(f"/api/v1/auth/{path}/", json={}, headers={**anna, **at(f"203.0.113.{number}")})
        refused = client.post(f"/api/v1/auth/{path}/", json={}, headers={**anna, **at("203.0.113.9")})
        assert refused.json["detail"].startswith("More than 3 requests in 60 seconds")

    def test_each_door_is_counted_for_itself(self, client):
        for _ in range(4):
            client.post(LOG_IN, json=WRONG)
        reset = client.post("/api/v1/auth/password-reset/", json={"email": "ash@example.com"})
        assert reset.status_code == 202

    def test_who_has_read_a_lot_can_still_sign_in(self, client):
        assert spend(client, 11)[-1] == 429
        assert client.post(LOG_IN, json=WRONG).status_code == 401

    def test_an_address_tries_no_more_in_an_hour_than_it_may_read(self, client, clock):
        statuses = []
        for number in range(12):
            statuses.append(client.post(LOG_IN, json={**WRONG, "username": f"somebody-{number}"}).status_code)
            clock.advance(timedelta(minutes=2))
        assert statuses == [401] * 10 + [429] * 2

    def test_staying_signed_in_is_no_guessing(self, client):
        answers = [client.post("/api/v1/auth/token/refresh/", json={"refresh": "unknown"}) for _ in range(12)]
        assert {answer.status_code for answer in answers} == {401}
        assert standing(answers[0])[0] == 20

    @pytest.mark.parametrize("name", [7, None, ["ash"], {"a": 1}, "x" * 1000, "\u0130" * 300])
    def test_what_is_no_name_is_refused_as_ever(self, client, name):
        assert client.post(LOG_IN, json={**WRONG, "username": name}).status_code in (401, 422)


class TestOff:
    @pytest.fixture
    def environment(self):
        return {}

    def test_development_counts_nothing(self, client):
        answers = [client.post(LOG_IN, json={**WRONG, "username": f"name-{n}"}) for n in range(12)]
        assert {answer.status_code for answer in answers} == {401}
        assert "RateLimit-Limit" not in answers[0].headers


def test_every_other_environment_counts(clock, actors, orders):
    secret = "0123456789abcdefghijklmnopqrstuvwxyzABCD"
    settings = Settings.from_env(
        {**ENVIRONMENT, "MARKETPLACE_ENV": "staging", "SECRET_KEY": secret, "EMAIL_HOST": "mail.example.com"}
    )
    client = habits_app(habits_container(settings, clock, actors), orders).test_client()
    assert standing(client.get("/probe/things/")) == (100, 99, 3600)
    assert ANNA in {account for account, _ in actors}
