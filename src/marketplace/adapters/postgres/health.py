"""Whether the database answers and has the schema that this code expects."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from marketplace.adapters.postgres import migrate
from marketplace.application.ports.health import Readiness


class PostgresReadiness(Readiness):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._head = migrate.head()

    def check(self) -> Mapping[str, str]:
        try:
            with self._engine.connect() as connection:
                table = connection.execute(sa.text("select to_regclass('alembic_version')")).scalar()
                found = table and connection.execute(sa.text("select version_num from alembic_version")).scalar()
        except sa.exc.SQLAlchemyError:
            return {"database": "The database does not answer."}
        if found != self._head:
            return {
                "migrations": f"The database is at {found or 'no revision'}, the code at {self._head}: "
                "run `marketplace db upgrade`, or deploy the matching version."
            }
        return {}
