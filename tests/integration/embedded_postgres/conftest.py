"""Homes for embedded servers, none of which outlives its test."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that the server's user can reach; what is moved out of it goes too."""
    folder = Path(tempfile.mkdtemp(prefix="marketplace-tests-"))
    folder.chmod(0o711)
    yield folder
    moved = folder / "postgres.moved"
    if moved.exists():
        shutil.rmtree(moved.read_text().strip(), ignore_errors=True)
    shutil.rmtree(folder)
