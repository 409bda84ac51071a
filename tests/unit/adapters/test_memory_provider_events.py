"""Refused events and the place in the list of events, in memory."""

from __future__ import annotations

import pytest

from marketplace.adapters.memory.provider_events import InMemoryEventSweeps, InMemoryWebhookRefusals
from marketplace.adapters.memory.store import InMemoryStore
from tests.contracts.provider_events import EventSweepsContract, WebhookRefusalsContract


class TestInMemoryWebhookRefusals(WebhookRefusalsContract):
    @pytest.fixture
    def refusals(self) -> InMemoryWebhookRefusals:
        return InMemoryWebhookRefusals(InMemoryStore())


class TestInMemoryEventSweeps(EventSweepsContract):
    @pytest.fixture
    def sweeps(self) -> InMemoryEventSweeps:
        return InMemoryEventSweeps(InMemoryStore())
