"""Payments, refunds, events and the simulated provider in memory."""

from __future__ import annotations

import pytest

from tests.contracts.payment_gateway import PaymentGatewayContract
from tests.contracts.payment_gateway_books import BooksGatewayContract
from tests.contracts.payment_gateway_cards import CardGatewayContract
from tests.contracts.payment_gateway_chargebacks import ChargebackGatewayContract
from tests.contracts.payment_gateway_refunds import RefundGatewayContract
from tests.contracts.payment_gateway_simulated import SimulatedGatewayContract
from tests.contracts.payment_gateway_transfers import TransferGatewayContract
from tests.contracts.payments import PaymentStoreContract, RefundStoreContract, WebhookInboxContract
from tests.contracts.payout_gateway import PayoutGatewayContract, SimulatedOnboardingContract
from tests.simulated_control import SimulatedControl
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
def control(till):
    return SimulatedControl(till.provider, till.market.clock)


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


class TestPaymentsInMemory(PaymentGatewayContract):
    pass


class TestRefundsInMemory(RefundGatewayContract):
    pass


class TestTransfersInMemory(TransferGatewayContract):
    pass


class TestChargebacksInMemory(ChargebackGatewayContract):
    pass


class TestCardsInMemory(CardGatewayContract):
    pass


class TestBooksInMemory(BooksGatewayContract):
    pass


class TestSimulatedGatewayInMemory(SimulatedGatewayContract, PayoutGatewayContract, SimulatedOnboardingContract):
    pass
