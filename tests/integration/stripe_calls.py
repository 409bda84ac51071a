"""A gateway on the tests' Stripe, and what most tests of it begin with."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from marketplace.adapters.stripe_gateway.accounts import AccountsApi
from marketplace.adapters.stripe_gateway.client import StripeApi
from marketplace.adapters.stripe_gateway.gateway import StripeGateway
from marketplace.application.ports.payment_gateway import PaymentRequest
from marketplace.application.ports.transfers import TransferRequest
from marketplace.domain.payout_accounts import AccountRequest, EntityType
from marketplace.domain.shared.ids import AccountId, OrderId, PaymentId, PayoutId
from marketplace.domain.shared.money import Money
from tests.stripe_stub import StripeStub

BACK = "https://cards.example/back"


def a_gateway(stub: StripeStub, *, key: str = "", version: AccountsApi = AccountsApi.V2) -> StripeGateway:
    api = StripeApi(key or stub.api_key, base=stub.url, timeout=(1.0, 0.3), sleep=lambda seconds: None)
    return StripeGateway(api, currency="EUR", secrets={}, accounts_api=version)


def sent(stub: StripeStub, number: int = -1) -> Any:
    """The parameters of a request."""
    text = stub.asked[number].text
    return json.loads(text) if text.startswith("{") else dict(parse_qsl(text))


def a_request(order_id: int = 7, **changes: Any) -> PaymentRequest:
    values = {"payment_id": PaymentId(8), "order_id": OrderId(order_id), "amount": Money(12112, "EUR")}
    return PaymentRequest(**{**values, "description": "Order", **changes})


def paid(gateway: StripeGateway, order_id: int = 7, **changes: Any) -> Any:
    intent = gateway.create_payment(a_request(order_id, **changes), key=f"pi:{order_id}:1")
    return gateway.confirm_payment(
        intent.id, payment_method="pm_card_visa", return_url=BACK, key=f"pi-confirm:{order_id}:1"
    )


def an_account(gateway: StripeGateway, stub: StripeStub, seller_id: int = 3) -> str:
    request = AccountRequest(
        seller_id=AccountId(seller_id),
        email="misty@example.com",
        display_name="Cerulean Cards",
        entity_type=EntityType.COMPANY,
        country="FR",
    )
    id = gateway.create_account(request, key=f"acct:{seller_id}:1").id
    stub.activate(id)
    return id


def a_transfer(destination: str, charge: str | None, amount: int = 5000, **changes: Any) -> TransferRequest:
    values: dict[str, Any] = {
        "payout_id": PayoutId(5),
        "order_id": OrderId(7),
        "seller_id": AccountId(3),
        "amount": Money(amount, "EUR"),
        "destination": destination,
        "source_charge": charge,
        "description": "Sale 5",
    }
    return TransferRequest(**{**values, **changes})
