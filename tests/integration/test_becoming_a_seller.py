"""Becoming a seller on PostgreSQL, and many requests for one account at the provider at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.contracts.becoming_a_seller import BecomingASellerContract
from tests.integration.town import Town, answered

pytestmark = pytest.mark.slow


@pytest.fixture
def town(clean_database: str, tmp_path: Path) -> Iterator[Town]:
    town = Town(clean_database, tmp_path)
    yield town
    town.close()


class TestBecomingASellerOnPostgres(BecomingASellerContract):
    pass


def test_many_requests_at_once_make_one_account(town: Town) -> None:
    red = town.member("red")
    answered(red.ask("POST", "/sellers/", {"shop_name": "Red's cards"}), 201)
    app = town.browser.application
    asks = {"path": "/api/v1/sellers/me/onboarding/", "headers": {"Authorization": f"Bearer {red.token}"}}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: app.test_client().post(**asks), range(16)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json["url"] for answer in answers}) == 16
    assert len({answer.json["url"].partition("?")[0] for answer in answers}) == 1
    with town.container.backend.provider_state().begin() as state:
        accounts = state.children("account", str(red.get("/sellers/me/")["id"]))
    assert len(accounts) == 1
