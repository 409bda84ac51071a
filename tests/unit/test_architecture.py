"""What the import contracts cannot say."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "marketplace"
LONGEST_MODULE = 400


def _imported(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # A relative import stays inside the package, and the linter refuses it anyway.
            yield node.module if node.level == 0 and node.module else "marketplace.domain"


@pytest.mark.parametrize("module", sorted((SOURCE / "domain").rglob("*.py")), ids=lambda path: path.stem)
def test_the_domain_needs_the_standard_library_only(module: Path) -> None:
    foreign = [
        name
        for name in _imported(module)
        if name.partition(".")[0] not in sys.stdlib_module_names and not f"{name}.".startswith("marketplace.domain.")
    ]

    assert foreign == []


def test_what_takes_long_to_import_is_imported_when_it_is_needed() -> None:
    heavy = {"boto3", "botocore", "reportlab", "requests", "stripe"}
    at_once = [
        f"{path.relative_to(SOURCE)}: {name}"
        for path in SOURCE.rglob("*.py")
        for name in _imported_at_once(path)
        if name.partition(".")[0] in heavy
    ]

    assert at_once == []


def _imported_at_once(module: Path) -> Iterator[str]:
    """By the module's own statements: not in a function, and not for its types alone."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    modules = [path for folder in ("src", "tests", "tools", "bench") for path in (ROOT / folder).rglob("*.py")]

    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in modules}

    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_only_init_files_are_empty() -> None:
    empty = [path for path in SOURCE.rglob("*.py") if not path.read_text(encoding="utf-8").strip()]

    assert [path for path in empty if path.name != "__init__.py"] == []
