"""Every scenario of the catalogue of failures, 1 to 52, has a test that names it and ends with the common check."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SCENARIOS = range(1, 53)
CHECK = "everything_is_in_order"
_NAME = re.compile(r"test_(\d\d)_\w+")


def numbered() -> Iterator[tuple[int, ast.FunctionDef]]:
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and (name := _NAME.fullmatch(node.name)):
                yield int(name[1]), node


def test_every_scenario_has_a_test_that_names_it() -> None:
    assert {number for number, _ in numbered()} == set(SCENARIOS)


def test_every_test_of_a_scenario_ends_with_the_check() -> None:
    unchecked = [
        test.name
        for _, test in numbered()
        if not any(isinstance(node, ast.Name) and node.id == CHECK for node in ast.walk(test))
    ]
    assert unchecked == []
