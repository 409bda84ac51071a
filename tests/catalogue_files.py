"""Catalogue files for tests: the excerpt that is kept here, and the whole real catalogue where there is one."""

import gzip
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

EXCERPT = Path(__file__).parent / "data" / "catalogue"


def excerpt(name: str) -> list[bytes]:
    """The lines of ``sets`` or ``cards``."""
    return (EXCERPT / f"{name}.jsonl").read_bytes().splitlines()


def documents(lines: Iterable[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


def lines_of(documents: Iterable[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(document, ensure_ascii=False).encode() for document in documents]


def real_catalogue() -> Path:
    """The folder of the whole catalogue; the test is skipped where there is none."""
    shared = Path(os.environ.get("MARKETPLACE_SHARED") or Path(__file__).parents[2] / "shared")
    folder = shared / "catalogue"
    if not (folder / "cards.jsonl.gz").is_file():
        pytest.skip(f"needs the real catalogue, which is not in {folder}; MARKETPLACE_SHARED names its parent folder")
    return folder


def real_lines(name: str) -> list[bytes]:
    with gzip.open(real_catalogue() / f"{name}.jsonl.gz") as file:
        return file.readlines()
