"""Fifty people at the REST door with one e-mail address, on PostgreSQL and real threads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa

from tests.integration.conftest import DatabaseFactory
from tests.integration.town import PASSWORD, Town

CROWD = 50
SPELLINGS = ("ash@example.com", "ASH@Example.com", "\uff41sh@example.com", "Ash@EXAMPLE.COM")


@pytest.fixture
def town(database_factory: DatabaseFactory, tmp_path: Path) -> Iterator[Town]:
    town = Town(database_factory(), tmp_path)
    yield town
    town.close()


def _register(town: Town, number: int, **changes: str) -> tuple[int, str]:
    body = {
        "username": f"ash-{number}",
        "email": SPELLINGS[number % len(SPELLINGS)],
        "password": PASSWORD,
        "confirm_password": PASSWORD,
        "first_name": "Ash",
        "last_name": "Ketchum",
        "accept_terms": True,
        **changes,
    }
    answer = town.browser.application.test_client().post("/api/v1/auth/register/", json=body)
    return answer.status_code, (answer.json or {}).get("code", "")


@pytest.mark.parametrize(
    ("same", "code"),
    [({}, "email_taken"), ({"username": "ash-ketchum", "email": ""}, "username_taken")],
    ids=["address", "user name"],
)
def test_of_fifty_who_register_the_same_at_once_one_gets_in(town: Town, same: dict[str, str], code: str) -> None:
    answers: list[tuple[int, str]] = []
    start = Barrier(CROWD)

    def join(number: int) -> None:
        changes = {name: value or f"ash{number}@example.com" for name, value in same.items()}
        start.wait()
        answers.append(_register(town, number, **changes))

    threads = [Thread(target=join, args=(number,)) for number in range(CROWD)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(answers) == {(201, ""): 1, (409, code): CROWD - 1}
    with town.container.backend.engine().connect() as connection:
        tables = ("accounts", "sessions", "one_time_codes")
        counts = [connection.scalar(sa.text(f"select count(*) from {table}")) for table in tables]
    assert counts == [1, 1, 1]


def test_a_change_of_address_and_its_proof_at_once_never_lock_each_other_out(town: Town) -> None:
    """Ten rounds of asking again while the code comes back: each answer is one that was meant."""
    status, _ = _register(town, 0, email="ash@example.com")
    assert status == 201
    browser = town.browser.application.test_client()
    signed_in = browser.post("/api/v1/auth/login/", json={"username": "ash-0", "password": PASSWORD}).json
    bearer = {"Authorization": f"Bearer {signed_in['access_token']}"}
    answers: list[int] = []

    def ask(round: int) -> None:
        body = {"email": f"new{round}@example.com", "current_password": PASSWORD}
        answers.append(
            town.browser.application.test_client().patch("/api/v1/users/me/", json=body, headers=bearer).status_code
        )

    def prove(round: int) -> None:
        body = {"email": f"new{round - 1}@example.com", "otp": "000000"}
        answers.append(town.browser.application.test_client().post("/api/v1/auth/verify-email/", json=body).status_code)

    ask(0)
    assert answers == [200]
    for round in range(1, 11):
        town.clock.advance(timedelta(minutes=1))
        town.container.relay_events()()
        threads = [Thread(target=act, args=(round,)) for act in (ask, prove, prove)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert Counter(answers) == {200: 11, 422: 20}
