"""The outbox in PostgreSQL."""

import functools

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres.outbox import PostgresOutbox
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from marketplace.application.ports.outbox import UnreadableEvent
from tests.contracts.outbox import NOW, OutboxContract, lease, ring


@pytest.fixture
def engine(clean_database):
    engine = sa.create_engine(clean_database)
    yield engine
    engine.dispose()


class TestPostgresOutbox(OutboxContract):
    @pytest.fixture
    def unit_of_work(self, engine):
        return functools.partial(PostgresUnitOfWork, engine)

    @pytest.fixture
    def outbox(self, engine):
        return PostgresOutbox(engine)

    @pytest.mark.parametrize(
        "change", ["name = 'BellMelted'", "payload = payload - 'number'", 'payload = \'{"occurred_at": "noon"}\'']
    )
    def test_an_event_that_this_version_cannot_read_is_told_apart_and_blocks_nobody(
        self, engine, unit_of_work, outbox, change
    ):
        ring(unit_of_work, 1)
        with engine.begin() as connection:
            connection.execute(sa.text(f"update outbox set {change}"))
        ring(unit_of_work, 2)
        unreadable, readable = lease(outbox)
        assert isinstance(unreadable.event, UnreadableEvent)
        assert unreadable.event.occurred_at == NOW
        assert readable.event.number == 2
