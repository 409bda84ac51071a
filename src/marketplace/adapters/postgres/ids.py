"""Identities in blocks from one database sequence, so that most cost no round trip."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import sqlalchemy as sa

from marketplace.adapters.postgres.tables.metadata import metadata
from marketplace.application.ports.ids import IdSequence

BLOCK = 100
"""The sequence's INCREMENT BY: each nextval hands the process this many identities."""

identities = sa.Sequence("identities", start=1, increment=BLOCK, metadata=metadata)


class PostgresIdSequence(IdSequence):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._next = self._end = 0

    def next(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> Sequence[int]:
        with self._lock:
            taken = list(range(self._next, min(self._end, self._next + count)))
            self._next += len(taken)
            missing = count - len(taken)
            if missing:
                blocks = -(-missing // BLOCK)
                with self._engine.connect() as connection:
                    starts = connection.execute(
                        sa.text("select nextval('identities') from generate_series(1, :blocks)"),
                        {"blocks": blocks},
                    ).scalars()
                    fresh = [start + offset for start in starts for offset in range(BLOCK)]
                taken += fresh[:missing]
                # A block that another process's block follows is not contiguous: keep only the last one's remainder.
                rest = fresh[missing:]
                self._next, self._end = (rest[0], rest[-1] + 1) if rest else (0, 0)
            return taken
