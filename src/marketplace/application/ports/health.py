"""Whether what the application needs is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Readiness(Protocol):
    def check(self) -> Mapping[str, str]:
        """What is wrong, by dependency, each in one sentence; empty when requests can be served. Never raises."""
        ...
