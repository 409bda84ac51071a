"""The gateway to Stripe, against the tests' Stripe: it promises what every payment gateway promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from marketplace.adapters.stripe_gateway.accounts import AccountsApi
from marketplace.adapters.stripe_gateway.client import StripeApi
from marketplace.adapters.stripe_gateway.gateway import StripeGateway
from marketplace.application.ports.payment_gateway import WebhookSource
from tests.contracts.payment_gateway import PaymentGatewayContract
from tests.contracts.payment_gateway_books import BooksGatewayContract
from tests.contracts.payment_gateway_cards import CardGatewayContract
from tests.contracts.payment_gateway_chargebacks import ChargebackGatewayContract
from tests.contracts.payment_gateway_refunds import RefundGatewayContract
from tests.contracts.payment_gateway_transfers import TransferGatewayContract
from tests.contracts.payout_gateway import PayoutGatewayContract
from tests.market import Market
from tests.stripe_control import StripeControl
from tests.stripe_stub import SECRETS, StripeStub


@pytest.fixture
def market() -> Market:
    return Market.in_memory()[0]


@pytest.fixture
def clock(market: Market) -> Any:
    return market.clock


@pytest.fixture
def unit_of_work(market: Market) -> Any:
    return market.unit_of_work


@pytest.fixture
def stub(stripe_stub: StripeStub, clock: Any) -> Iterator[StripeStub]:
    stripe_stub.reset(now=clock.now)
    yield stripe_stub
    stripe_stub.check()


def a_gateway(stub: StripeStub, accounts_api: AccountsApi = AccountsApi.V2) -> StripeGateway:
    return StripeGateway(
        StripeApi(stub.api_key, base=stub.url, timeout=(3.05, 5.0), sleep=lambda seconds: None),
        currency="EUR",
        secrets={source: [SECRETS[source.value]] for source in WebhookSource},
        accounts_api=accounts_api,
    )


@pytest.fixture
def gateway(stub: StripeStub) -> StripeGateway:
    return a_gateway(stub)


@pytest.fixture
def control(stub: StripeStub, clock: Any) -> StripeControl:
    return StripeControl(stub, clock)


class TestPayments(PaymentGatewayContract):
    pass


class TestRefunds(RefundGatewayContract):
    pass


class TestAccounts(PayoutGatewayContract):
    pass


class TestTransfers(TransferGatewayContract):
    pass


class TestChargebacks(ChargebackGatewayContract):
    pass


class TestCards(CardGatewayContract):
    pass


class TestBooks(BooksGatewayContract):
    pass


class TestAccountsOfTheFirstVersion(PayoutGatewayContract):
    @pytest.fixture
    def gateway(self, stub: StripeStub) -> StripeGateway:
        return a_gateway(stub, AccountsApi.V1)
