"""docs/security.md names tests; they are there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`((?:unit|integration)/[\w/]+\.py)(?:::(\w+))?`")
CLAIMS = sorted(set(NAMED.findall((ROOT / "docs" / "security.md").read_text("utf-8"))))


@pytest.mark.parametrize(("file", "test"), CLAIMS, ids=str)
def test_is_there(file, test):
    path = ROOT / "tests" / file
    functions = {
        node.name for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)
    }
    assert test in functions if test else any(name.startswith("test_") for name in functions)


def test_there_are_tests_behind_every_part():
    assert len(CLAIMS) > 50
