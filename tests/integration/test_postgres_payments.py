"""Payments, refunds, events and the simulated provider in PostgreSQL."""

from __future__ import annotations

import pytest

from marketplace.adapters.postgres.engine import create_engine
from tests.contracts.payment_gateway import PaymentGatewayContract
from tests.contracts.payment_gateway_books import BooksGatewayContract
from tests.contracts.payment_gateway_cards import CardGatewayContract
from tests.contracts.payment_gateway_chargebacks import ChargebackGatewayContract
from tests.contracts.payment_gateway_refunds import RefundGatewayContract
from tests.contracts.payment_gateway_simulated import SimulatedGatewayContract
from tests.contracts.payment_gateway_transfers import TransferGatewayContract
from tests.contracts.payments import PaymentStoreContract, RefundStoreContract, WebhookInboxContract
from tests.contracts.payout_gateway import PayoutGatewayContract, SimulatedOnboardingContract
from tests.integration.till_on_postgres import till_on
from tests.simulated_control import SimulatedControl


@pytest.fixture
def till(clean_database):
    engine = create_engine(clean_database, pool_size=8, connect_timeout=30, statement_timeout=60)
    yield till_on(engine)
    engine.dispose()


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


class TestPostgresPayments(PaymentStoreContract):
    pass


class TestPostgresRefunds(RefundStoreContract):
    pass


class TestPostgresWebhookInbox(WebhookInboxContract):
    pass


class TestPaymentsOnPostgres(PaymentGatewayContract):
    pass


class TestRefundsOnPostgres(RefundGatewayContract):
    pass


class TestTransfersOnPostgres(TransferGatewayContract):
    pass


class TestChargebacksOnPostgres(ChargebackGatewayContract):
    pass


class TestCardsOnPostgres(CardGatewayContract):
    pass


class TestBooksOnPostgres(BooksGatewayContract):
    pass


class TestSimulatedGatewayOnPostgres(SimulatedGatewayContract, PayoutGatewayContract, SimulatedOnboardingContract):
    pass
