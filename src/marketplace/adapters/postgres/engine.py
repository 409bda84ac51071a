"""The database's connections: two bounded pools, time-outs, UTC, and orjson for JSON columns."""

from __future__ import annotations

from time import monotonic
from typing import Any

import orjson
import sqlalchemy as sa

TRUSTED_SECONDS = 1.0
"""How long an unused connection is taken to be alive without asking. Under load none is unused for so long, and asking
costs as much as a short query."""


def create_engine(url: str | sa.URL, *, pool_size: int, connect_timeout: int, statement_timeout: int) -> sa.Engine:
    """For transactions. Time-outs in seconds. Its pool keeps ``pool_size`` connections, under load twice as many."""
    return _engine(url, pool_size, connect_timeout, statement_timeout)


def create_reader(engine: sa.Engine, *, pool_size: int, connect_timeout: int, statement_timeout: int) -> sa.Engine:
    """For single statements that read, on the same database: one round trip each, without BEGIN and ROLLBACK around it.

    It has a pool of its own, since changing a connection's mode and back costs two round trips. It is disposed of with
    ``engine``. What it prepares is planned for any values at the first run; else PostgreSQL may plan it at each.
    """
    reader = _engine(
        engine.url,
        pool_size,
        connect_timeout,
        statement_timeout,
        "-c plan_cache_mode=force_generic_plan",
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
    )
    sa.event.listen(engine, "engine_disposed", lambda disposed: reader.dispose())
    return reader


def _engine(
    url: str | sa.URL,
    pool_size: int,
    connect_timeout: int,
    statement_timeout: int,
    server_options: str = "",
    **options: Any,
) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=connect_timeout,
        connect_args={
            "connect_timeout": connect_timeout,
            "application_name": "marketplace",
            "options": f"-c statement_timeout={statement_timeout * 1000} -c timezone=UTC {server_options}",
        },
        # An error's text reaches the log; the values of a statement may be personal.
        hide_parameters=True,
        json_serializer=_to_json,
        json_deserializer=orjson.loads,
        **options,
    )
    sa.event.listen(engine, "checkin", _note_time)
    sa.event.listen(engine, "checkout", _replace_if_dead(engine.dialect))
    return engine


def _note_time(connection: Any, record: Any) -> None:
    record.info["unused_since"] = monotonic()


def _replace_if_dead(dialect: sa.Dialect) -> Any:
    """What the server or a firewall closed meanwhile is replaced before it is used, together with all of its age."""

    def check(connection: Any, record: Any, proxy: Any) -> None:
        since = record.info.get("unused_since")
        if since is None or monotonic() - since < TRUSTED_SECONDS:
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise sa.exc.InvalidatePoolError from error

    return check


def _to_json(value: Any) -> str:
    return orjson.dumps(value).decode()
