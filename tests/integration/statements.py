"""What the database is asked, seen where the driver sends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg2.extensions
import sqlalchemy as sa


def noted(*engines: sa.Engine) -> list[tuple[str, Sequence[Any]]]:
    """A list to which each statement on these engines is added, with its values; planning one ahead is none."""
    seen: list[tuple[str, Sequence[Any]]] = []

    class Noting(psycopg2.extensions.cursor):
        def execute(self, query, vars=None):
            if not query.startswith("prepare "):
                seen.append((query, vars))
            return super().execute(query, vars)

    def watch(connection, record, proxy):
        connection.cursor_factory = Noting

    for engine in engines:
        sa.event.listen(engine, "checkout", watch)
    return seen
