"""Fifty people at the REST door with one e-mail address, on PostgreSQL and real threads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
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
