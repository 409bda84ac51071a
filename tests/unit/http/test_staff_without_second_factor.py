"""Where staff need a second factor, admins and verifiers without one are answered what any member is."""

from __future__ import annotations

import pytest

from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.settings import Settings
from tests.unit.http.access_world import CALLERS, World
from tests.unit.http.conftest import ENVIRONMENT
from tests.unit.http.test_access_matrix import ROWS, Row, request_of

STAFF = ("verifier", "admin")


ROLES_KEPT = {"DELETE /api/v1/users/me/"}
"""Where it counts that they have the role, not whether they can use it: no admin erases themselves."""


def of_a_member(row: Row) -> int:
    """What somebody is answered to whom nothing of it belongs."""
    anothers = any(name in f"{row.path} {row.body}" for name in ("$other_buyer", "$others_card"))
    stranger = "buyer" if anothers else "other_buyer"
    return row.statuses[CALLERS.index(stranger)]


@pytest.fixture(scope="module")
def world() -> World:
    """The world of the matrix, with doors that demand a second factor of staff."""
    world = World(ENVIRONMENT)
    there = world.container.backend
    settings = Settings.from_env({**ENVIRONMENT, "REQUIRE_STAFF_2FA": "true"})
    backend = MemoryBackend(store=there.store, ids=there.ids, provider_state=there.provider_state)
    world.client = create_app(Container(settings=settings, backend=backend, clock=world.container.clock)).test_client()
    return world


def test_there_is_something_that_only_staff_may_do() -> None:
    privileged = [row for row in ROWS if any(row.statuses[CALLERS.index(one)] != of_a_member(row) for one in STAFF)]

    assert len(privileged) > 20


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_they_are_members_like_others(world: World, row: Row) -> None:
    for name in STAFF:
        world.restore()
        answer = world.client.open(**request_of(row, world, world.callers[name]), buffered=True)
        is_kept = f"{row.method} {row.path}" in ROLES_KEPT
        assert answer.status_code == (row.statuses[CALLERS.index(name)] if is_kept else of_a_member(row))
        if row.path.startswith("/api/v1/admin/"):
            assert answer.json["missing"] == ["second_factor"] if name == "admin" else ["admin"]
