"""Every route of the application, asked by every kind of caller, answers as the matrix says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import pytest
from werkzeug.exceptions import HTTPException

from tests.unit.http.access_world import CALLERS, Caller, World
from tests.unit.http.conftest import ENVIRONMENT

_LINE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (\S+) +((?:\d{3} ){10}\d{3})(?: +(\S.*))?")


@dataclass(frozen=True, slots=True)
class Row:
    method: str
    path: str
    statuses: tuple[int, ...]
    body: str

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.body[:40]}".strip()


def rows(matrix: str) -> list[Row]:
    """Raises ValueError on a line that cannot be read."""
    found = []
    for line in matrix.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        parts = _LINE.fullmatch(line.rstrip())
        if parts is None:
            raise ValueError(f"Not METHOD /path/, eleven statuses and a body: {line!r}")
        found.append(Row(parts[1], parts[2], tuple(map(int, parts[3].split())), parts[4] or ""))
    return found


ROWS = rows(Path(__file__).with_name("access_matrix.txt").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def world() -> World:
    return World(ENVIRONMENT)


def request_of(row: Row, world: World, caller: Caller) -> dict[str, Any]:
    names = {name: str(value) for name, value in {**world.things, **caller.own}.items()}
    request: dict[str, Any] = {"path": Template(row.path).substitute(names), "method": row.method}
    body = Template(row.body).substitute(names)
    if body.startswith("form:"):
        request |= {"data": body.removeprefix("form:"), "content_type": "application/x-www-form-urlencoded"}
    elif body:
        request |= {"data": body, "content_type": "application/json"}
    return {**request, "headers": caller.header}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_everybody_is_answered_as_the_matrix_says(world: World, row: Row) -> None:
    answered = {}
    for name in CALLERS:
        world.restore()
        answered[name] = world.client.open(**request_of(row, world, world.callers[name]), buffered=True).status_code

    assert answered == dict(zip(CALLERS, row.statuses, strict=True))


def routes(world: World) -> set[tuple[str, str]]:
    return {
        (method, rule.rule) for rule in world.app.url_map.iter_rules() for method in rule.methods - {"HEAD", "OPTIONS"}
    }


def route_of(row: Row, world: World) -> tuple[str, str] | None:
    """The route that a row asks for; None when there is none any more."""
    path = request_of(row, world, world.callers["buyer"])["path"].partition("?")[0]
    try:
        rule, _ = world.app.url_map.bind("localhost").match(path, row.method, return_rule=True)
    except HTTPException:
        return None
    return row.method, rule.rule


def test_every_route_has_a_row(world: World) -> None:
    missing = routes(world) - {route_of(row, world) for row in ROWS}

    assert sorted(missing) == [], "add a line for each to access_matrix.txt"


def test_every_row_has_a_route(world: World) -> None:
    assert [str(row) for row in ROWS if route_of(row, world) is None] == []


def test_no_row_is_there_twice() -> None:
    named = [(row.method, row.path, row.body) for row in ROWS]

    assert sorted(named) == sorted(set(named))


@pytest.mark.parametrize("line", ["GET /", "GET / 200", "GET / 200 {}", "LIST / " + "200 " * 11])
def test_a_line_that_cannot_be_read_is_no_row(line: str) -> None:
    with pytest.raises(ValueError, match="eleven statuses"):
        rows(line)
