"""Signing in, refreshing and resetting at the same time, at two instances of the application on one PostgreSQL."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import cycle
from threading import Barrier

import pytest
import sqlalchemy as sa

from marketplace.adapters.memory.clock import FixedClock
from marketplace.application.access import OPERATOR
from marketplace.application.ports.pages import PageRequest
from marketplace.domain.identity.codes import MAX_TRIES
from marketplace.domain.identity.sessions import MAX_SESSIONS
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import PostgresBackend
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.settings import Settings
from tests.people import NEW_PASSWORD, PASSWORD, Person, SignedInDevice, another_code

DAY = timedelta(days=1)


class Instance:
    """One process's worth of the application: connections, use cases and a door of its own."""

    def __init__(self, database_url, home):
        settings = Settings.from_env(
            {
                "DATABASE_URL": database_url,
                "MARKETPLACE_HOME": str(home),
                "ALLOWED_HOSTS": "localhost",
                "LOG_LEVEL": "error",
                "ARGON2_MEMORY_KIB": "8",
                "ARGON2_TIME_COST": "1",
            }
        )
        backend = PostgresBackend(url=settings.database_url, settings=settings)
        self.container = Container(settings=settings, backend=backend, clock=FixedClock())
        self.app = create_app(self.container)

    @property
    def client(self):
        return self.app.test_client()

    def person(self, name="ash"):
        return Person(container=self.container, client=self.client, name=name)

    def has(self, device):
        """Whether a device that may have signed in elsewhere is signed in here."""
        return SignedInDevice(client=self.client, tokens=device.tokens).is_signed_in()

    def close(self):
        self.container.backend.reader().dispose()
        self.container.backend.engine().dispose()


@pytest.fixture
def instances(clean_database, tmp_path):
    both = [Instance(clean_database, tmp_path), Instance(clean_database, tmp_path)]
    yield both
    for instance in both:
        instance.close()


@pytest.fixture
def here(instances):
    return instances[0]


@pytest.fixture
def there(instances):
    return instances[1]


@pytest.fixture
def ash(here):
    return here.person()


@pytest.fixture
def phone(ash):
    return ash.joins()


def at_once(instances, count, path, body_of, headers=None):
    """``count`` POSTs at the same moment, at each instance in turn; gives the answers."""
    start = Barrier(count)

    def send(number, instance):
        client = instance.client
        start.wait()
        return client.post(f"/api/v1{path}", json=body_of(number), headers=headers)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(send, range(count), cycle(instances)))


def statuses(answers):
    return Counter(answer.status_code for answer in answers)


class TestRefreshing:
    def test_of_thirty_refreshes_with_one_token_one_wins_and_the_family_ends(self, instances, ash, phone):
        laptop = ash.logs_in()
        answers = at_once(instances, 30, "/auth/token/refresh/", lambda _: {"refresh": phone.tokens["refresh_token"]})
        assert statuses(answers) == {200: 1, 401: 29}
        assert {a.json["code"] for a in answers if a.status_code == 401} == {"not_authenticated"}
        (won,) = [SignedInDevice(client=ash.client, tokens=a.json) for a in answers if a.status_code == 200]
        assert [instance.has(device) for instance in instances for device in (phone, won)] == [False] * 4
        assert won.refresh().status_code == 401
        assert [instance.has(laptop) for instance in instances] == [True, True]

    def test_two_refreshes_by_a_client_that_sends_twice_end_the_family_as_well(self, instances, phone):
        answers = at_once(instances, 2, "/auth/token/refresh/", lambda _: {"refresh": phone.tokens["refresh_token"]})
        assert statuses(answers) == {200: 1, 401: 1}
        assert [instance.has(phone) for instance in instances] == [False, False]

    def test_refreshes_of_different_devices_do_not_disturb_one_another(self, instances, ash, phone):
        devices = [phone, *(ash.logs_in() for _ in range(7))]
        answers = at_once(
            instances, 8, "/auth/token/refresh/", lambda n: {"refresh": devices[n].tokens["refresh_token"]}
        )
        assert statuses(answers) == {200: 8}

    def test_a_refresh_comes_before_a_log_out_everywhere_or_fails(self, instances, here, phone):
        start = Barrier(2)

        def refresh():
            start.wait()
            return phone.refresh().status_code

        def end():
            start.wait()
            return here.client.delete("/api/v1/auth/sessions/", headers=bearer).status_code

        bearer = phone.bearer
        with ThreadPoolExecutor(2) as threads:
            refreshed, ended = threads.submit(refresh), threads.submit(end)
            outcome = refreshed.result(), ended.result()
        assert outcome in {(200, 204), (401, 204)}
        assert [instance.has(phone) for instance in instances] == [False, False]


class TestRevocation:
    """What one instance ends, the other one knows at its next request."""

    def by_logging_out(self, ash, phone, laptop):
        return phone.ask("POST", "/auth/logout/", {"refresh": laptop.tokens["refresh_token"]})

    def by_ending_the_session(self, ash, phone, laptop):
        (session,) = [s for s in phone.ask("GET", "/auth/sessions/").json["results"] if not s["current"]]
        return phone.ask("DELETE", f"/auth/sessions/{session['id']}/")

    def by_ending_the_others(self, ash, phone, laptop):
        return phone.ask("DELETE", "/auth/sessions/?keep_current=true")

    def by_changing_the_password(self, ash, phone, laptop):
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        return phone.ask("POST", "/auth/password-change/", body)

    def by_resetting_the_password(self, ash, phone, laptop):
        return ash.sets_password(ash.gets_reset_token())

    def by_using_a_spent_token(self, ash, phone, laptop):
        spent = dict(laptop.tokens)
        assert laptop.refresh().status_code == 200
        answer = ash.post("/auth/token/refresh/", {"refresh": spent["refresh_token"]})
        assert answer.status_code == 401
        return laptop.ask("GET", "/health/live/")

    @pytest.mark.parametrize(
        ("end", "phone_stays"),
        [
            (by_logging_out, True),
            (by_ending_the_session, True),
            (by_ending_the_others, True),
            (by_changing_the_password, True),
            (by_resetting_the_password, False),
            (by_using_a_spent_token, True),
        ],
        ids=lambda value: getattr(value, "__name__", ""),
    )
    def test_is_seen_by_every_instance_at_once(self, instances, there, ash, phone, end, phone_stays):
        laptop = ash.logs_in()
        assert [there.has(phone), there.has(laptop)] == [True, True]
        end(self, ash, phone, laptop)
        assert [there.has(phone), there.has(laptop)] == [phone_stays, False]
        laptop.client = there.client
        assert laptop.refresh().status_code == 401

    def test_of_a_suspended_account_is_seen_at_once(self, here, there, phone):
        here.container.suspend_account()(actor=OPERATOR, name="ash")
        assert not there.has(phone)


class TestResetting:
    def test_one_code_gives_one_token_to_however_many(self, instances, ash, phone):
        ash.asks_for_reset()
        code = ash.reads_code()
        answers = at_once(instances, 8, "/auth/password-reset/verify/", lambda _: {"email": ash.email, "otp": code})
        assert statuses(answers) == {200: 1, 422: 7}

    def test_thirty_guesses_at_once_are_five_tries_at_most(self, instances, here, ash, phone):
        ash.asks_for_reset()
        code = ash.reads_code()
        wrong = another_code(code)
        answers = at_once(instances, 30, "/auth/password-reset/verify/", lambda _: {"email": ash.email, "otp": wrong})
        assert set(statuses(answers)) <= {422, 429}
        with here.container.backend.engine().connect() as connection:
            assert connection.scalar(sa.text("select tries from password_resets")) == MAX_TRIES
        assert ash.verifies_reset(code).status_code in (422, 429)

    def test_one_token_sets_one_password(self, instances, ash, phone):
        token = ash.gets_reset_token()
        passwords = [f"{NEW_PASSWORD} {number}" for number in range(8)]
        answers = at_once(
            instances,
            8,
            "/auth/password-reset/confirm/",
            lambda n: {"reset_token": token, "new_password": passwords[n], "password_confirm": passwords[n]},
        )
        assert statuses(answers) == {204: 1, 422: 7}
        (won,) = [n for n, answer in enumerate(answers) if answer.status_code == 204]
        assert ash.logs_in(passwords[won])

    @pytest.mark.parametrize("email", ["ash@example.com", "nobody@example.com"])
    def test_many_who_ask_for_one_address_are_one(self, instances, here, phone, email):
        answers = at_once(instances, 20, "/auth/password-reset/", lambda _: {"email": email})
        assert statuses(answers) == {202: 20}
        with here.container.backend.engine().connect() as connection:
            assert connection.scalar(sa.text("select count(*) from password_resets")) == 1
            asked = "select count(*) from outbox where name = 'PasswordResetRequested'"
            assert connection.scalar(sa.text(asked)) == 1

    def test_a_change_and_a_reset_at_once_are_one_after_the_other(self, instances, ash, phone):
        token = ash.gets_reset_token()
        start = Barrier(2)

        def change():
            start.wait()
            body = {"current_password": PASSWORD, "new_password": f"{NEW_PASSWORD} changed"}
            return phone.ask("POST", "/auth/password-change/", body).status_code

        def reset():
            start.wait()
            return ash.sets_password(token, f"{NEW_PASSWORD} reset").status_code

        with ThreadPoolExecutor(2) as threads:
            changed, was_reset = threads.submit(change), threads.submit(reset)
            outcome = changed.result(), was_reset.result()
        # Whoever is first makes the other one's way worthless: its token, or its knowledge of the password.
        assert outcome in {(204, 422), (409, 204), (401, 204), (422, 204)}
        suffix = "changed" if outcome[0] == 204 else "reset"
        assert ash.logs_in(f"{NEW_PASSWORD} {suffix}")


class TestLimits:
    def test_log_ins_at_once_leave_no_more_sessions_than_there_may_be(self, instances, here, ash, phone):
        open_one = here.container.session_opener().open
        account_id = phone.ask("GET", "/users/me/").json["id"]
        now = here.container.clock().now()
        with here.container.backend.unit_of_work() as uow:
            account = uow.accounts.get_for_update(account_id)
            for _ in range(MAX_SESSIONS - 3):
                open_one(uow, account, now=now)
            uow.commit()
        answers = at_once(instances, 8, "/auth/login/", lambda _: {"username": "ash", "password": PASSWORD})
        assert statuses(answers) == {200: 8}
        page = here.container.backend.identity_queries().sessions(account_id, now=now, page=PageRequest())
        assert page.count == MAX_SESSIONS

    def test_the_list_of_devices_and_the_end_of_the_oldest_read_by_index(self, here, phone):
        plans = [
            "select id from sessions where account_id = 1 and revoked_at is null"
            " order by refreshed_at desc, id desc offset 49",
            "select id from sessions where account_id = 1 and revoked_at is null and expires_at > now()",
            "select token_hash from session_tokens where expires_at < now() order by expires_at limit 10",
            "select id from password_resets where requested_at < now() order by requested_at limit 10",
            "select id from one_time_codes where requested_at < now() order by requested_at limit 10",
            "select id from password_resets where account_id = 1",
        ]
        with here.container.backend.engine().connect() as connection:
            connection.exec_driver_sql("set enable_seqscan = off")
            for statement in plans:
                plan = "\n".join(connection.exec_driver_sql(f"explain {statement}").scalars())
                assert "Seq Scan" not in plan, plan
