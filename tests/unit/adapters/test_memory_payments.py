"""Payments, refunds, events and the simulated provider in memory."""

from __future__ import annotations

import pytest

from tests.contracts.payment_gateway import PaymentGatewayContract, SimulatedGatewayContract
from tests.contracts.payments import PaymentStoreContract, RefundStoreContract, WebhookInboxContract
from tests.contracts.payout_gateway import PayoutGatewayContract, SimulatedOnboardingContract
from tests.till import Till


@pytest.fixture
def till():
    return Till.in_memory()


@pytest.fixture
def inbox(till):
    return till.inbox


@pytest.fixture
def gateway(till):
    return till.provider


@pytest.fixture
def state(till):
    return till.state


@pytest.fixture
def clock(till):
    return till.market.clock


@pytest.fixture
def unit_of_work(till):
    return till.market.unit_of_work


class TestInMemoryPayments(PaymentStoreContract):
    pass


class TestInMemoryRefunds(RefundStoreContract):
    pass


class TestInMemoryWebhookInbox(WebhookInboxContract):
    pass


class TestSimulatedGatewayInMemory(
    PaymentGatewayContract, SimulatedGatewayContract, PayoutGatewayContract, SimulatedOnboardingContract
):
    pass
