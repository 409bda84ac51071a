"""The devices on which one is signed in, over HTTP."""

from datetime import timedelta

import pytest

from marketplace.domain.identity.sessions import MAX_SESSIONS
from tests.people import Person
from tests.unit.http.answers import refused

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
HOUR = timedelta(hours=1)


@pytest.fixture
def ash(container, client):
    return Person(container=container, client=client, name="ash")


@pytest.fixture
def phone(ash):
    """The device on which Ash has joined."""
    return ash.joins()


def listed(device, query=""):
    answer = device.ask("GET", f"/auth/sessions/{query}")
    assert answer.status_code == 200, answer.json
    return answer.json["results"]


def id_of(device):
    (own,) = [session["id"] for session in listed(device, "?page_size=100") if session["current"]]
    return own


class TestList:
    def test_tells_devices_apart(self, ash, phone, clock):
        clock.advance(HOUR)
        laptop = ash.logs_in(user_agent=FIREFOX, address="192.0.2.7")
        newest, first = listed(laptop)
        assert (newest["device"], newest["ip"], newest["current"]) == ("Firefox on Linux", "192.0.2.7", True)
        assert newest["started_at"] == newest["last_used_at"] == "2026-01-15T13:00:00+00:00"
        assert newest["expires_at"] == "2026-01-16T13:00:00+00:00"
        assert (first["current"], first["started_at"]) == (False, "2026-01-15T12:00:00+00:00")
        assert set(newest) == {"id", "device", "ip", "started_at", "last_used_at", "expires_at", "current"}

    def test_shows_where_and_when_a_device_last_got_tokens(self, ash, phone, clock):
        laptop = ash.logs_in(user_agent=FIREFOX, address="192.0.2.7")
        clock.advance(HOUR / 2)
        laptop.user_agent, laptop.address = "curl/8.5.0", "198.51.100.9"
        assert laptop.refresh().status_code == 200
        (session, _) = listed(laptop)
        assert (session["device"], session["ip"]) == ("curl/8.5.0", "198.51.100.9")
        assert session["last_used_at"] == "2026-01-15T12:30:00+00:00"
        assert session["started_at"] == "2026-01-15T12:00:00+00:00"

    def test_shows_nobody_elses_and_none_that_ended(self, ash, phone, container, client, clock):
        Person(container=container, client=client, name="gary").joins()
        ended = ash.logs_in()
        ended.ask("POST", "/auth/logout/", {"refresh": ended.tokens["refresh_token"]})
        assert [session["current"] for session in listed(phone)] == [True]
        clock.advance(timedelta(hours=23))
        assert phone.refresh().status_code == 200
        clock.advance(2 * HOUR)
        assert phone.refresh().status_code == 200
        assert len(listed(phone)) == 1

    def test_comes_in_pages(self, ash, phone):
        ash.logs_in()
        page = phone.ask("GET", "/auth/sessions/?page_size=1&fields=id").json
        rest = phone.ask("GET", page["next"].removeprefix("/api/v1")).json
        assert (page["count"], len(page["results"]), set(page["results"][0])) == (2, 1, {"id"})
        assert page["results"][0]["id"] > rest["results"][0]["id"]

    def test_needs_somebody_who_is_signed_in(self, client):
        refused(client.get("/api/v1/auth/sessions/"), 401, "not_authenticated")


class TestEnding:
    def test_signs_another_device_out_at_once(self, ash, phone):
        laptop = ash.logs_in()
        assert phone.ask("DELETE", f"/auth/sessions/{id_of(laptop)}/").status_code == 204
        refused(laptop.ask("GET", "/users/me/"), 401, "not_authenticated")
        refused(laptop.refresh(), 401, "not_authenticated")
        assert phone.is_signed_in()

    def test_signs_the_device_out_that_asks(self, phone):
        assert phone.ask("DELETE", f"/auth/sessions/{id_of(phone)}/").status_code == 204
        assert not phone.is_signed_in()

    def test_somebody_elses_session_does_not_exist(self, ash, phone, container, client):
        gary = Person(container=container, client=client, name="gary").joins()
        refused(gary.ask("DELETE", f"/auth/sessions/{id_of(phone)}/"), 404, "not_found")
        assert phone.is_signed_in()

    @pytest.mark.parametrize("id", [99_999_999, 2**53 - 1, 10**16 - 1])
    def test_a_session_that_never_was_does_not_exist(self, phone, id):
        refused(phone.ask("DELETE", f"/auth/sessions/{id}/"), 404, "not_found")

    def test_a_session_that_ended_does_not_exist(self, ash, phone):
        laptop = ash.logs_in()
        path = f"/auth/sessions/{id_of(laptop)}/"
        assert phone.ask("DELETE", path).status_code == 204
        refused(phone.ask("DELETE", path), 404, "not_found")

    def test_signs_out_everywhere(self, ash, phone, container, client):
        laptop, gary = ash.logs_in(), Person(container=container, client=client, name="gary").joins()
        assert phone.ask("DELETE", "/auth/sessions/").status_code == 204
        assert [device.is_signed_in() for device in (phone, laptop, gary)] == [False, False, True]

    def test_signs_out_everywhere_else(self, ash, phone):
        laptop = ash.logs_in()
        assert phone.ask("DELETE", "/auth/sessions/?keep_current=true").status_code == 204
        assert (phone.is_signed_in(), laptop.is_signed_in()) == (True, False)

    @pytest.mark.parametrize("query", ["?keep_current=yes", "?keep=true"])
    def test_refuses_what_it_does_not_know(self, phone, query):
        refused(phone.ask("DELETE", f"/auth/sessions/{query}"), 422, "validation_error")
        assert phone.is_signed_in()

    def test_a_fifty_first_device_takes_the_place_of_the_one_used_least_lately(self, ash, phone, clock):
        others = []
        for _ in range(MAX_SESSIONS - 1):
            clock.advance(timedelta(seconds=1))
            others.append(ash.logs_in())
        clock.advance(timedelta(seconds=1))
        assert phone.refresh().status_code == 200
        last = ash.logs_in()
        assert (phone.is_signed_in(), others[0].is_signed_in(), others[1].is_signed_in()) == (True, False, True)
        assert len(listed(last, "?page_size=100")) == MAX_SESSIONS


class TestReuse:
    def test_a_spent_token_ends_its_session_and_no_other(self, ash, phone):
        laptop = ash.logs_in()
        spent = phone.tokens["refresh_token"]
        assert phone.refresh().status_code == 200
        assert phone.is_signed_in()
        refused(ash.post("/auth/token/refresh/", {"refresh": spent}), 401, "not_authenticated")
        assert (phone.is_signed_in(), laptop.is_signed_in()) == (False, True)
        refused(phone.refresh(), 401, "not_authenticated")


class TestPurging:
    def test_spent_tokens_go_a_week_after_they_would_have_expired(self, phone, container, clock):
        tokens = container.backend.store().table("session_tokens")
        for _ in range(10):
            clock.advance(timedelta(hours=20))
            assert phone.refresh().status_code == 200
        assert len(tokens) == 11
        # Ten times twenty hours after the start: what was given in the first eight has been expired for a week.
        assert container.purge_sessions()() == 1
        assert len(tokens) == 10
        assert phone.refresh().status_code == 200

    def test_codes_and_resets_go_a_day_after_their_end(self, ash, phone, container, clock):
        ash.asks_for_reset()
        ash.letters()
        store = container.backend.store()
        purge = container.passwords.purge_codes()
        clock.advance(timedelta(days=1))
        assert purge() == 0
        clock.advance(timedelta(minutes=11))
        assert purge() == 2
        assert (store.table("password_resets"), store.table("one_time_codes")) == ({}, {})

    def test_is_the_workers(self, container):
        assert {"purge sessions", "purge codes"} <= set(container.jobs())
