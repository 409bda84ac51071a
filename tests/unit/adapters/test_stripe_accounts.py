"""Where a seller is who did not say it, by both versions of Stripe's accounts."""

from __future__ import annotations

import json

import pytest
import stripe

from marketplace.adapters.stripe_gateway.accounts import AccountsApi
from marketplace.adapters.stripe_gateway.client import StripeApi
from marketplace.adapters.stripe_gateway.gateway import StripeGateway
from marketplace.application.ports.payment_gateway import InvalidRequest, OutcomeUnknown
from marketplace.domain.payout_accounts import AccountRequest, EntityType
from marketplace.domain.shared.ids import AccountId

REQUEST = AccountRequest(
    seller_id=AccountId(3), email="misty@example.com", display_name="", entity_type=EntityType.INDIVIDUAL, country=None
)
MADE = {"id": "acct_1", "object": "account", "metadata": {"seller_id": "3"}, "capabilities": {"transfers": "pending"}}
OURS = {"id": "acct_ours", "object": "account", "country": "BE"}


@pytest.fixture
def create(monkeypatch):
    """Makes an account; gives what was sent. ``answers``: status and body by the end of the address."""

    def make(version=AccountsApi.V2, **answers):
        sent = []

        def request(self, method, url, headers, post_data=None):
            if method == "post":
                sent.append(post_data)
            status, body = answers.get(url.rpartition("/")[2], (200, MADE))
            return json.dumps(body).encode(), status, {}

        monkeypatch.setattr(stripe.RequestsClient, "request", request)
        gateway = StripeGateway(
            StripeApi("sk_test_x", sleep=lambda _: None), currency="EUR", secrets={}, accounts_api=version
        )
        return gateway.create_account(REQUEST, key="acct:3:1"), sent[0]

    return make


def error(code):
    return {"error": {"type": "invalid_request_error", "message": "No.", "code": code}}


def test_the_second_version_is_told_where_the_platform_is(create):
    account, sent = create(account=(200, OURS))
    assert json.loads(sent)["identity"] == {"country": "BE", "entity_type": "individual"}
    assert (account.id, account.seller_id, account.state.transfers.value) == ("acct_1", 3, "pending")


@pytest.mark.parametrize("answer", [(403, error("more_permissions_required")), (404, error("resource_missing"))])
def test_a_key_that_may_not_read_the_platform_leaves_it_to_stripe(create, answer):
    _, sent = create(account=answer)
    assert json.loads(sent)["identity"] == {"entity_type": "individual"}


def test_silence_about_the_platform_makes_no_account(create):
    with pytest.raises(OutcomeUnknown):
        create(account=(500, error("")))


def test_the_first_version_knows_by_itself(create):
    account, sent = create(AccountsApi.V1)
    assert "country" not in sent
    assert account.state.transfers.value == "pending"


@pytest.mark.parametrize(("status", "code"), [(404, "resource_missing"), (400, "account_invalid")])
def test_a_refusal_to_make_an_account_is_a_fault_in_the_request(create, status, code):
    with pytest.raises(InvalidRequest):
        create(accounts=(status, error(code)))


@pytest.mark.parametrize("capability", ["restricted", "unsupported", None, 7])
def test_only_active_can_be_paid(create, capability):
    account, _ = create(acct_1=(200, {**MADE, "capabilities": {"transfers": capability}}))
    assert account.state.transfers.value == "inactive"


@pytest.mark.parametrize("body", [[], {}, {"id": 7}, {"id": None}])
def test_an_account_without_a_name_is_no_answer(create, body):
    with pytest.raises(OutcomeUnknown):
        create(accounts=(200, body))
