"""What is held on people, in PostgreSQL."""

from threading import Thread

import pytest
import sqlalchemy as sa

from marketplace.adapters.postgres.engine import create_engine
from marketplace.adapters.postgres.idempotency import PostgresIdempotencyKeys
from marketplace.adapters.postgres.personal_data import PostgresPersonalDataQueries
from marketplace.domain.shared.errors import Conflict
from marketplace.domain.shared.events import Event
from tests.contracts.identity import an_address
from tests.contracts.personal_data import GuardedByTheDatabase, PersonalDataContract
from tests.integration.till_on_postgres import till_on


@pytest.fixture
def engine(clean_database):
    engine = create_engine(clean_database, pool_size=8, connect_timeout=30, statement_timeout=60)
    yield engine
    engine.dispose()


@pytest.fixture
def till(engine):
    return till_on(engine)


class TestPostgresPersonalData(PersonalDataContract, GuardedByTheDatabase):
    @pytest.fixture
    def keys(self, engine):
        return PostgresIdempotencyKeys(engine)

    @pytest.fixture
    def queries(self, engine):
        return PostgresPersonalDataQueries(engine)

    @pytest.fixture
    def relayed(self, engine):
        def waiting(now):
            with engine.connect() as connection:
                rows = connection.execute(sa.text("select name, payload from outbox where done_at is null order by id"))
                return [Event.restore(row.name, row.payload) for row in rows]

        return waiting

    @pytest.fixture
    def audited(self, engine):
        def entries():
            with engine.connect() as connection:
                return connection.execute(sa.text("select origin, reason from audit_entries order by id")).all()

        return entries


def test_a_request_that_began_before_waits_and_is_refused(till):
    """The erasure holds the account when the address comes; whoever waited reads the account again."""
    leaver = till.market.buyer()
    refused = []

    def add_an_address():
        try:
            with till.market.unit_of_work() as late:
                late.addresses.add(an_address(10_000_500, leaver.account_id))
                late.commit()
        except Conflict as error:
            refused.append(str(error))

    with till.market.unit_of_work() as uow:
        uow.personal_data.shut(leaver.account_id)
        late = Thread(target=add_an_address)
        late.start()
        late.join(timeout=0.5)
        assert late.is_alive()  # it waits
        account = uow.accounts.get_for_update(leaver.account_id)
        account.erase(now=till.market.clock.now())
        uow.accounts.save(account)
        uow.commit()
    late.join(timeout=30)
    assert refused == ["The database refused this: nothing_begins_for_the_erased."]


def test_an_erasure_waits_for_what_has_begun(till):
    leaver = till.market.buyer()
    seen = []

    def look():
        with till.market.unit_of_work() as uow:
            uow.personal_data.shut(leaver.account_id)
            seen.append(uow.addresses.count(leaver.account_id))

    with till.market.unit_of_work() as uow:
        uow.addresses.add(an_address(10_000_501, leaver.account_id))
        erasure = Thread(target=look)
        erasure.start()
        erasure.join(timeout=0.5)
        assert erasure.is_alive()
        uow.commit()
    erasure.join(timeout=30)
    assert seen == [2]
