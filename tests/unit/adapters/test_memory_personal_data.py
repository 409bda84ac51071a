"""What is held on people, in memory."""

import pytest

from marketplace.adapters.memory.idempotency import InMemoryIdempotencyKeys
from marketplace.adapters.memory.personal_data import InMemoryPersonalDataQueries
from tests.contracts.personal_data import PersonalDataContract
from tests.till import Till


class TestInMemoryPersonalData(PersonalDataContract):
    @pytest.fixture
    def till(self):
        return Till.in_memory()

    @pytest.fixture
    def store(self, till):
        return till.market.unit_of_work().store

    @pytest.fixture
    def keys(self, store):
        return InMemoryIdempotencyKeys(store)

    @pytest.fixture
    def queries(self, store):
        return InMemoryPersonalDataQueries(store)

    @pytest.fixture
    def relayed(self, store):
        return lambda now: [row.event for row in store.outbox.values() if row.done_at is None]

    @pytest.fixture
    def audited(self, store):
        return lambda: list(store.table("audit_entries").values())
