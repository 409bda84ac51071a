"""The tests' Stripe refuses what Stripe refuses, and remembers what it was told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
import stripe

from marketplace.adapters.memory.clock import FixedClock
from tests.stripe_stub import SECRETS, StripeStub, When
from tests.stripe_stub.answers import HANDLERS

BACK = {"return_url": "https://cards.example/back"}


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def stub(stripe_stub: StripeStub, clock: FixedClock) -> Iterator[StripeStub]:
    stripe_stub.reset(now=clock.now)
    yield stripe_stub
    stripe_stub.check()


@pytest.fixture
def client(stub: StripeStub) -> stripe.StripeClient:
    return stripe.StripeClient(stub.api_key, base_addresses={"api": stub.url}, max_network_retries=0)


Pay = Callable[..., Any]


@pytest.fixture
def pay(client: stripe.StripeClient) -> Pay:
    def pay(card: str = "pm_card_visa", *, key: str = "pi:7:1", **params: Any) -> Any:
        asked: Any = {
            "amount": 12112,
            "currency": "eur",
            "automatic_payment_methods": {"enabled": True},
            "confirm": True,
            "payment_method": card,
            "transfer_group": "order_7",
            "metadata": {"order_id": "7"},
            **BACK,
            **params,
        }
        return client.v1.payment_intents.create(asked, {"idempotency_key": key})

    return pay


@pytest.fixture
def seller(client: stripe.StripeClient, stub: StripeStub) -> str:
    account = client.v1.accounts.create({"type": "express", "capabilities": {"transfers": {"requested": True}}})
    stub.activate(account.id)
    return account.id


def refused(call: Callable[[], object], code: str | None = None) -> stripe.StripeError:
    with pytest.raises(stripe.StripeError) as error:
        call()
    if code is not None:
        assert error.value.error is not None
        assert error.value.error.code == code
    return error.value


class TestRequests:
    def test_there_is_an_answer_to_every_operation_of_the_excerpt(self, stub):
        assert set(HANDLERS) == set(stub.server.spec.operations)

    @pytest.mark.parametrize(
        ("params", "param"),
        [
            ({"colour": "red"}, "colour"),
            ({"shipping": {"colour": "red"}}, "shipping[colour]"),
            ({"amount": 1.5}, "amount"),
            ({"amount": 0}, "amount"),
            ({"confirm": "perhaps"}, "confirm"),
            ({"capture_method": "by_hand"}, "capture_method"),
            ({"description": "x" * 1001}, "description"),
            ({"description": ""}, "description"),
            ({"metadata": {"order_id": "7" * 501}}, "metadata[order_id]"),
            ({"customer": "cus_unknown"}, "customer"),
            ({"payment_method": "pm_card_monopoly"}, "payment_method"),
            ({"expand": ["transfer_group"]}, "expand[0]"),
        ],
    )
    def test_a_parameter_that_stripe_would_refuse_is_named(self, pay, params, param):
        error = refused(lambda: pay(**params))
        assert isinstance(error, stripe.InvalidRequestError)
        assert error.param == param

    def test_a_missing_parameter_is_named(self, client):
        error = refused(lambda: client.v1.transfers.create({"amount": 1, "currency": "eur"}), "parameter_missing")
        assert error.param == "destination"

    def test_json_is_read_as_strictly(self, client):
        error = refused(lambda: client.v2.core.accounts.create({"dashboard": "none", "colour": "red"}))
        assert error.error.param == "colour"
        assert client.v2.core.accounts.create({"dashboard": "none"}).dashboard == "none"

    @pytest.mark.parametrize("key", ["sk_test_other", "sk_live_stub"])
    def test_another_key_of_the_api_is_refused(self, stub, key):
        client = stripe.StripeClient(key, base_addresses={"api": stub.url})
        assert isinstance(refused(client.v1.balance.retrieve), stripe.AuthenticationError)

    def test_another_version_is_refused(self, stub):
        client = stripe.StripeClient(stub.api_key, base_addresses={"api": stub.url}, stripe_version="2020-08-27")
        assert isinstance(refused(client.v1.balance.retrieve), stripe.InvalidRequestError)

    def test_what_is_not_there_is_said_to_be_missing(self, client):
        refused(lambda: client.v1.payment_intents.retrieve("pi_unknown"), "resource_missing")


class TestKeys:
    def test_the_same_request_gets_the_same_answer(self, pay, stub):
        first, again = pay(), pay()
        assert again.id == first.id
        assert again.last_response.headers["Idempotent-Replayed"] == "true"
        assert stub.keys("payment_intents") == ["pi:7:1"] * 2

    def test_another_request_under_the_key_is_refused(self, pay):
        pay()
        assert isinstance(refused(lambda: pay(amount=12113)), stripe.IdempotencyError)

    def test_a_decline_is_remembered_and_a_wrong_parameter_is_not(self, pay):
        refused(lambda: pay(colour="red"))
        for _ in range(2):
            refused(lambda: pay("pm_card_chargeDeclined"), "card_declined")
        assert pay(key="pi:7:2").status == "succeeded"

    def test_a_key_in_use_is_a_conflict(self, pay, stub):
        fault = stub.hang("/v1/payment_intents", when=When.BEFORE)
        waiting = Thread(target=lambda: refused(pay))
        waiting.start()
        assert fault.reached.wait(10)
        assert refused(pay, "idempotency_key_in_use").http_status == 409
        fault.resume()
        waiting.join()
        assert pay().status == "succeeded"


class TestFaults:
    @pytest.mark.parametrize(("when", "made"), [(When.BEFORE, 0), (When.AFTER, 1)])
    def test_a_connection_that_drops_has_done_it_or_not(self, pay, stub, client, when, made):
        stub.drop("/v1/payment_intents", when=when)
        assert isinstance(refused(pay), stripe.APIConnectionError)
        assert len(client.v1.payment_intents.list().data) == made
        pay()
        assert len(client.v1.payment_intents.list().data) == 1

    @pytest.mark.parametrize("kept", [False, True])
    def test_an_error_of_stripe_s_is_kept_under_the_key_or_not(self, pay, stub, kept):
        stub.fail("/v1/payment_intents", kept=kept)
        assert refused(pay).http_status == 500
        if kept:
            assert refused(pay).headers["Idempotent-Replayed"] == "true"
        else:
            assert pay().status == "succeeded"

    @pytest.mark.parametrize(("locked", "code"), [(False, "rate_limit"), (True, "lock_timeout")])
    def test_too_many_requests_are_refused(self, pay, stub, locked, code):
        stub.limit("/v1/payment_intents", locked=locked)
        assert refused(pay, code).http_status == 429
        pay()

    def test_an_answer_that_cannot_be_read_hides_what_was_done(self, pay, stub, client):
        stub.garble("/v1/payment_intents")
        assert refused(pay).http_status == 200
        assert len(client.v1.payment_intents.list().data) == 1

    def test_stripe_says_whether_to_try_again(self, pay, stub):
        stub.fault(path="/v1/payment_intents", status=500, should_retry=False)
        assert refused(pay).headers["Stripe-Should-Retry"] == "false"


class TestMoney:
    def test_a_payment_brings_a_charge_and_its_movement(self, pay, client):
        expand: Any = {"expand": ["latest_charge.balance_transaction"]}
        intent = client.v1.payment_intents.retrieve(pay().id, expand)
        movement = intent.latest_charge.balance_transaction
        assert (movement.amount, movement.fee, movement.net, movement.status) == (12112, 207, 11905, "pending")

    def test_a_fee_can_come_late(self, pay, stub, client):
        stub.world.fees_come_late = True
        charge = pay().latest_charge
        assert client.v1.charges.retrieve(charge).balance_transaction is None
        stub.book_fees()
        assert client.v1.charges.retrieve(charge).balance_transaction

    def test_the_buyer_confirms_at_their_bank_or_does_not(self, pay, stub, client):
        intent = pay("pm_card_authenticationRequired")
        assert (intent.status, intent.next_action.type) == ("requires_action", "redirect_to_url")
        stub.authenticate(intent.id, succeed=False)
        declined = client.v1.payment_intents.retrieve(intent.id)
        assert declined.last_payment_error.code == "payment_intent_authentication_failure"
        refused(lambda: pay("pm_card_authenticationRequired", key="pi:7:2", error_on_requires_action=True),
                "authentication_required")  # fmt: skip

    def test_sellers_get_no_more_of_a_charge_than_it_brought(self, pay, client, seller):
        charge = pay().latest_charge
        ask: Any = {"amount": 12000, "currency": "eur", "destination": seller, "source_transaction": charge}
        transfer = client.v1.transfers.create(ask)
        assert transfer.transfer_group == "order_7"
        assert refused(lambda: client.v1.transfers.create({**ask, "amount": 113})).error.param == "amount"
        assert refused(lambda: client.v1.transfers.create({**ask, "currency": "usd"})).error.param == "currency"

    def test_without_a_charge_only_what_is_available_is_sent(self, pay, client, seller, clock):
        pay()
        ask: Any = {"amount": 11905, "currency": "eur", "destination": seller}
        refused(lambda: client.v1.transfers.create(ask), "balance_insufficient")
        clock.advance(timedelta(days=2))
        client.v1.transfers.create(ask)
        assert [one.amount for one in client.v1.balance.retrieve().available] == [0]

    def test_a_seller_who_is_restricted_or_gone_gets_nothing(self, pay, client, seller, stub):
        ask: Any = {"amount": 1, "currency": "eur", "destination": seller, "source_transaction": pay().latest_charge}
        stub.restrict(seller)
        refused(lambda: client.v1.transfers.create(ask), "insufficient_capabilities_for_transfer")
        stub.cut_off(seller)
        refused(lambda: client.v1.transfers.create(ask), "resource_missing")
        assert refused(lambda: client.v1.accounts.retrieve(seller), "account_invalid").http_status == 403

    def test_money_is_taken_back_from_sellers_while_they_have_it(self, pay, client, seller, stub):
        charge = pay().latest_charge
        ask: Any = {"amount": 4754, "currency": "eur", "destination": seller, "source_transaction": charge}
        transfer = client.v1.transfers.create(ask)
        reversals = client.v1.transfers.reversals
        reversals.create(transfer.id, {"amount": 1000})
        stub.drain(seller, 3754)
        refused(lambda: reversals.create(transfer.id, {"amount": 1}), "balance_insufficient")
        assert refused(lambda: reversals.create(transfer.id, {"amount": 3755})).error.param == "amount"
        now = client.v1.transfers.retrieve(transfer.id)
        assert (now.amount_reversed, len(now.reversals.data)) == (1000, 1)

    def test_a_charge_goes_back_once(self, pay, client):
        ask: Any = {"payment_intent": pay().id}
        assert refused(lambda: client.v1.refunds.create({**ask, "amount": 12113})).error.param == "amount"
        client.v1.refunds.create(ask)
        refused(lambda: client.v1.refunds.create(ask), "charge_already_refunded")

    def test_a_disputed_charge_goes_back_by_the_bank_alone(self, pay, client, stub):
        intent = pay()
        dispute = stub.open_dispute(intent.latest_charge)
        refused(lambda: client.v1.refunds.create({"payment_intent": intent.id}), "charge_disputed")
        client.v1.disputes.update(dispute, {"evidence": {"uncategorized_text": "winning_evidence"}})
        won = client.v1.disputes.retrieve(dispute)
        assert (won.status, [move.net for move in won.balance_transactions]) == ("won", [-14112, 14112])
        refused(lambda: client.v1.disputes.close(dispute))

    def test_movements_are_listed_the_newest_first_and_paged_both_ways(self, pay, client):
        for number in range(3):
            pay(key=f"pi:{number}:1")
        moves = client.v1.balance_transactions.list
        newest, middle, oldest = moves().data
        assert (moves({"limit": 1}).has_more, newest.created) == (True, oldest.created)
        assert [move.id for move in moves({"starting_after": newest.id, "limit": 1}).data] == [middle.id]
        assert [move.id for move in moves({"ending_before": oldest.id, "limit": 1}).data] == [middle.id]


class TestSavedCards:
    def test_a_card_is_saved_used_by_its_customer_and_removed(self, client, stub, pay):
        customer = client.v1.customers.create({"email": "misty@example.com"})
        setup = client.v1.setup_intents.create({"customer": customer.id})
        card = stub.save_card(setup.id, "pm_card_mastercard")
        assert [saved.id for saved in client.v1.customers.payment_methods.list(customer.id).data] == [card]
        refused(lambda: pay(card))
        assert pay(card, customer=customer.id).status == "succeeded"
        client.v1.payment_methods.detach(card)
        assert client.v1.customers.payment_methods.list(customer.id).data == []

    def test_a_customer_who_was_deleted_is_no_customer(self, client, pay):
        customer = client.v1.customers.create({}).id
        client.v1.customers.delete(customer)
        assert client.v1.customers.retrieve(customer).deleted
        refused(lambda: client.v1.customers.delete(customer), "resource_missing")
        refused(lambda: pay(customer=customer), "resource_missing")


class TestEvents:
    def test_are_signed_for_the_endpoint_that_they_go_to(self, pay, stub, client, seller, clock):
        pay()
        deliveries = stub.deliveries()
        assert {delivery.destination for delivery in deliveries} == {"platform", "connect", "thin"}
        for delivery in deliveries:
            header = delivery.headers["Stripe-Signature"]
            body = delivery.body.decode()
            assert stripe.WebhookSignature.verify_header(body, header, SECRETS[delivery.destination], tolerance=None)
        assert stub.deliveries() == []

    def test_are_listed_by_type(self, pay, client):
        pay()
        types = [event.type for event in client.v1.events.list({"limit": 100}).data]
        assert types[::-1] == [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "charge.updated",
        ]
        only = client.v1.events.list({"types": ["charge.updated"]}).data
        assert [event.type for event in only] == ["charge.updated"]
        assert client.v1.events.retrieve(only[0].id).data.object["id"]
