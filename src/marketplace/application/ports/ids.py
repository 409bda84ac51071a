"""Identities before there is a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class IdSequence(Protocol):
    """Integers that were never given out before, ascending within a process, below 2^53."""

    def next(self) -> int:
        """One identity."""
        ...

    def take(self, count: int) -> Sequence[int]:
        """``count`` identities at once, for bulk work."""
        ...
