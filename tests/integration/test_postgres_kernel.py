"""The PostgreSQL pages and identities."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres.ids import PostgresIdSequence
from marketplace.adapters.postgres.pages import paged as postgres_paged
from tests.contracts.pages import ROWS, Paged, PagesContract


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(database_url)
    yield engine
    engine.dispose()


class TestPostgresPages(PagesContract):
    @pytest.fixture
    def paged(self, engine: sa.Engine) -> Iterator[Paged]:
        cards = sa.Table(
            "cards", sa.MetaData(), sa.Column("id", sa.Integer), sa.Column("name", sa.Text), prefixes=["TEMPORARY"]
        )
        with engine.connect() as connection:
            cards.create(connection)
            connection.execute(sa.insert(cards), [{"id": id, "name": name} for id, name in ROWS])
            yield lambda request, descending: postgres_paged(
                connection,
                sa.select(cards.c.id, cards.c.name),
                keys=(cards.c.name, cards.c.id),
                descending=descending,
                request=request,
                view=lambda row: (row.id, row.name),
            )


def test_identities_of_several_processes_never_meet(engine: sa.Engine) -> None:
    processes = [PostgresIdSequence(engine) for _ in range(4)]

    def draw(ids: PostgresIdSequence) -> list[int]:
        return [ids.next() for _ in range(150)] + list(ids.take(250)) + [ids.next()]

    with ThreadPoolExecutor(4) as threads:
        drawn = list(threads.map(draw, processes))
    assert len({id for ids in drawn for id in ids}) == 4 * 401
    assert all(ids == sorted(ids) for ids in drawn)
