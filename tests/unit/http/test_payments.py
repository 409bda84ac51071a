"""Paying and cancelling over HTTP, the provider's events, and the pages of a browser."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from marketplace.adapters.simulated_gateway.gateway import SimulatedGateway
from marketplace.adapters.simulated_gateway.signatures import sign, webhook_secret
from marketplace.application.access import Actor
from marketplace.application.ports.payment_gateway import OutcomeUnknown
from marketplace.domain.listings import ListingStatus
from marketplace.entrypoints.container import Container, MemoryBackend
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.keys import Purpose
from marketplace.entrypoints.settings import Settings
from tests.market import Market
from tests.unit.http.answers import refused

WEBHOOK = "/api/v1/webhooks/stripe/"


@pytest.fixture
def listing(market: Market, buyer: Actor) -> int:
    listing = market.listing(market.seller(), price=2599, stock=1)
    market.add(buyer, listing)
    return listing


@pytest.fixture
def order(client, market, buyer, as_buyer, listing) -> dict[str, Any]:
    answer = client.post("/api/v1/orders/", json={"shipping_address": market.address_of(buyer)}, headers=as_buyer)
    assert answer.status_code == 201
    return answer.json


@pytest.fixture
def pay(client, as_buyer, order):
    def pay(payment_method: str | None = "pm_card_visa", **headers: str) -> Any:
        body = {} if payment_method is None else {"payment_method": payment_method}
        return client.post(f"/api/v1/orders/{order['id']}/pay/", json=body, headers={**as_buyer, **headers})

    return pay


@pytest.fixture
def cancel(client, as_buyer, order):
    return lambda **headers: client.post(f"/api/v1/orders/{order['id']}/cancel/", headers={**as_buyer, **headers})


@pytest.fixture
def status(client, as_buyer, order):
    return lambda: client.get(f"/api/v1/orders/{order['id']}/", headers=as_buyer).json["status"]


@pytest.fixture
def work(container):
    def work() -> None:
        for job in ("deliver simulated events", "process webhooks", "check payments", "send refunds"):
            container.jobs()[job]()

    return work


@pytest.fixture
def silence(monkeypatch):
    """The provider does not answer one of its calls for a while."""

    @contextmanager
    def silence(call: str) -> Iterator[None]:
        def silent(*_: Any, **__: Any) -> None:
            raise OutcomeUnknown("The provider does not answer.")

        with monkeypatch.context() as patched:
            patched.setattr(SimulatedGateway, call, silent)
            yield

    return silence


@pytest.fixture
def held(market, order, clock, monkeypatch):
    """Somebody else works on the payment ``until`` so many pauses were made; gives the pauses, in seconds."""

    def lease(until: Any) -> None:
        with market.unit_of_work() as uow:
            payment = uow.payments.of_order_for_update(order["id"])
            payment.locked_until = until
            uow.payments.save(payment)
            uow.commit()

    def held(until: int) -> list[float]:
        pauses: list[float] = []

        def sleep(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == until:
                lease(None)

        lease(clock.now() + timedelta(minutes=1))
        monkeypatch.setattr("marketplace.entrypoints.http.payments.time", SimpleNamespace(sleep=sleep))
        return pauses

    return held


class TestPaying:
    def test_answers_what_the_provider_says_and_the_event_marks_paid(self, pay, status, work, order, market, listing):
        answer = pay()
        assert answer.status_code == 200
        assert answer.json == {"order": order["id"], "status": "succeeded", "client_secret": None, "next_action": None}
        assert answer.headers["Cache-Control"] == "no-store"
        assert status() == "pending_payment"
        work()
        assert status() == "paid"
        assert market.stock(listing) == (0, 0, ListingStatus.SOLD_OUT)

    def test_without_a_payment_method_shows_how_far_it_is(self, pay, order):
        answer = pay(None)
        assert answer.json["status"] == "requires_payment_method"
        assert answer.json["client_secret"] == order["payment"]["client_secret"]

    def test_a_decline_is_402_and_another_card_can_be_tried(self, pay, status):
        problem = refused(pay("pm_card_chargeDeclinedInsufficientFunds"), 402, "payment_declined")
        assert problem["decline_code"] == "insufficient_funds"
        assert status() == "pending_payment"
        assert pay("pm_card_mastercard").status_code == 200

    @pytest.mark.parametrize("method", ["pm_card_chargeDeclinedFraudulent", "pm_card_visa_chargeDeclinedStolenCard"])
    def test_a_suspicion_of_fraud_looks_like_any_other_decline(self, pay, method):
        answer = pay(method)
        assert refused(answer, 402, "payment_declined")["decline_code"] == "generic_decline"
        assert "fraud" not in answer.text
        assert "stolen" not in answer.text

    @pytest.mark.parametrize("method", ["pm_card_monopoly", "", "pm card", "pm_card_visa\n", "x" * 256, "é"])
    def test_an_unknown_payment_method_is_named_as_the_fault(self, pay, method):
        assert "payment_method" in refused(pay(method), 422, "validation_error")["errors"]

    @pytest.mark.parametrize("body", [{"payment_method": 7}, {"payment_method": None}, {"card": "4242"}, []])
    def test_a_body_that_is_none_of_ours_is_refused(self, client, as_buyer, order, body):
        answer = client.post(f"/api/v1/orders/{order['id']}/pay/", json=body, headers=as_buyer)
        refused(answer, 422, "validation_error")

    def test_another_s_order_does_not_exist(self, client, market, sign_in, order):
        for action in ("pay", "cancel"):
            for id in (order["id"], 987654321):
                answer = client.post(f"/api/v1/orders/{id}/{action}/", json={}, headers=sign_in(market.buyer()))
                refused(answer, 404, "not_found")

    def test_needs_a_signed_in_caller(self, client, order):
        for action in ("pay", "cancel"):
            refused(client.post(f"/api/v1/orders/{order['id']}/{action}/", json={}), 401, "not_authenticated")

    def test_a_paid_order_is_not_paid_again(self, pay, work):
        pay()
        work()
        refused(pay(), 409, "already_paid")

    def test_a_cancelled_order_is_not_paid(self, pay, cancel):
        cancel()
        refused(pay(), 409, "order_not_payable")

    def test_a_silent_provider_is_503_and_the_order_stands(self, silence, pay, status):
        with silence("confirm_payment"):
            answer = pay()
        refused(answer, 503, "provider_silent")
        assert "Retry-After" in answer.headers
        assert status() == "pending_payment"
        assert pay().status_code == 200

    def test_waits_a_moment_for_whoever_works_on_the_payment(self, pay, held):
        pauses = held(until=3)
        assert pay().json["status"] == "succeeded"
        assert pauses == [0.05, 0.1, 0.2]

    def test_waits_no_longer_than_that(self, pay, held):
        pauses = held(until=100)
        refused(pay(), 409, "payment_in_progress")
        assert sum(pauses) < 2

    def test_with_a_key_is_answered_again_with_the_secret_read_anew(self, pay, order):
        first = pay("pm_card_authenticationRequired", **{"Idempotency-Key": "once"})
        again = pay("pm_card_authenticationRequired", **{"Idempotency-Key": "once"})
        assert first.json == again.json
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.json["client_secret"] == order["payment"]["client_secret"]


class TestCancelling:
    def test_ends_the_order(self, cancel, status, market, listing, order):
        answer = cancel()
        assert (answer.status_code, answer.json) == (
            200,
            {"order": order["id"], "status": "cancelled", "requested_sales": []},
        )
        assert status() == "cancelled"
        assert market.stock(listing) == (1, 0, ListingStatus.ACTIVE)
        assert cancel().status_code == 200

    def test_is_202_while_the_provider_has_not_confirmed(self, silence, cancel, status, work, order, clock):
        with silence("cancel_payment"):
            answer = cancel()
        assert (answer.status_code, answer.json) == (
            202,
            {"order": order["id"], "status": "pending_payment", "requested_sales": []},
        )
        clock.advance(timedelta(minutes=1))
        work()
        assert status() == "cancelled"

    @pytest.mark.parametrize("body", [{"why": "too dear"}, {"reason": "x" * 501}, {"reason": 1}, {"reason": "a\x00"}])
    def test_takes_a_reason_and_nothing_else(self, client, as_buyer, order, status, body):
        answer = client.post(f"/api/v1/orders/{order['id']}/cancel/", json=body, headers=as_buyer)
        assert answer.status_code in (400, 422)
        assert status() == "pending_payment"

    def test_is_refused_when_the_payment_has_won_and_a_request_once_it_has_arrived(self, pay, cancel, work, order):
        pay()
        refused(cancel(), 409, "already_paid")
        work()
        answer = cancel()
        assert (answer.status_code, answer.json) == (
            202,
            {"order": order["id"], "status": "requested", "requested_sales": [order["sales"][0]["id"]]},
        )


class TestWebhooks:
    BODY = (
        b'{"id":"evt_1","object":"event","created":1768478400,"livemode":false,"type":"payment_intent.succeeded",'
        b'"data":{"object":{"id":"pi_1","object":"payment_intent"}}}'
    )

    @pytest.fixture
    def post(self, client, settings, clock):
        def post(body: bytes = self.BODY, *, secret: str | None = None, **headers: str) -> Any:
            signature = sign(body, secret or webhook_secret(settings.key(Purpose.SIMULATED_WEBHOOKS)), now=clock.now())
            return client.post(WEBHOOK, data=body, headers={"Stripe-Signature": signature, **headers})

        return post

    def test_a_signed_event_is_taken_whenever_it_comes(self, post, container):
        for _ in range(2):
            answer = post()
            assert (answer.status_code, answer.json) == (200, {"received": True})
        assert sum(container.backend.webhook_inbox().counts().values()) == 1

    @pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
    def test_whatever_it_says_of_its_content(self, post, content_type):
        assert post(**{"Content-Type": content_type}).status_code == 200

    @pytest.mark.parametrize("signature", [None, "", "t=1,v1=", "t=1768478400,v1=\xff", "x" * 5000])
    def test_an_event_that_is_not_signed_is_400_and_leaves_no_row(self, client, container, signature):
        headers = {} if signature is None else {"Stripe-Signature": signature}
        refused(client.post(WEBHOOK, data=self.BODY, headers=headers), 400, "invalid_signature")
        assert sum(container.backend.webhook_inbox().counts().values()) == 0

    def test_another_s_signature_is_400(self, post):
        refused(post(secret="whsec_other"), 400, "invalid_signature")

    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"[]", b"\xff", b'{"id": "evt_\\u0000"}', b"[" * 50_000],
        ids=lambda body: repr(body[:24]),
    )
    def test_what_is_signed_and_no_event_is_400(self, post, container, body):
        refused(post(body), 400, "malformed_event")
        assert sum(container.backend.webhook_inbox().counts().values()) == 0

    def test_an_event_larger_than_any_is_refused_unread(self, post, container):
        refused(post(b" " * (256 * 1024 + 1)), 400, "malformed_event")
        assert sum(container.backend.webhook_inbox().counts().values()) == 0

    def test_an_event_in_chunks_that_is_larger_than_any_is_refused_as_such(self, client, container):
        answer = client.post(
            WEBHOOK,
            headers={"Transfer-Encoding": "chunked"},
            input_stream=io.BytesIO(b" " * (256 * 1024 + 1)),
            environ_overrides={"wsgi.input_terminated": True},
        )
        refused(answer, 400, "malformed_event")
        assert sum(container.backend.webhook_inbox().counts().values()) == 0


class TestTheBanksPage:
    @pytest.fixture
    def page(self, pay) -> str:
        url = pay("pm_card_authenticationRequired").json["next_action"]["url"]
        assert url.startswith("http://127.0.0.1:8000/dev/payments/pi_sim_")
        return str(url).removeprefix("http://127.0.0.1:8000")

    @pytest.fixture
    def token(self, client, page) -> str:
        found = re.search(r'name="token" value="(\w+)"', client.get(page).text)
        assert found is not None
        return found[1]

    def test_shows_what_is_to_be_confirmed_and_runs_nothing(self, client, page, order):
        answer = client.get(page)
        assert answer.status_code == 200
        assert order["reference"] in answer.text
        assert f"{order['buyer_total_price']} EUR" in answer.text
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; form-action 'self' http://127.0.0.1:8000;")
        assert "<script" not in answer.text
        with client.get("/static/payment.css") as style:
            assert style.status_code == 200

    @pytest.mark.parametrize(("outcome", "expected"), [("succeed", "paid"), ("fail", "pending_payment")])
    def test_sends_the_buyer_back_when_they_have_decided(
        self, client, page, token, work, status, order, outcome, expected
    ):
        answer = client.post(page, data={"token": token, "outcome": outcome})
        assert answer.status_code == 303
        assert answer.headers["Location"] == f"http://127.0.0.1:8000/payments/return/?order={order['id']}"
        assert client.get("/payments/return/").status_code == 200
        work()
        assert status() == expected

    @pytest.mark.parametrize("form", [{}, {"outcome": "succeed"}, {"outcome": "succeed", "token": "\xe9"}])
    def test_takes_no_decision_from_another_site(self, client, page, work, status, form):
        assert client.post(page, data=form).status_code == 400
        work()
        assert status() == "pending_payment"

    def test_takes_no_other_decision_than_the_two(self, client, page, token):
        assert client.post(page, data={"token": token, "outcome": "maybe"}).status_code == 400

    def test_decides_once(self, client, page, token):
        client.post(page, data={"token": token, "outcome": "succeed"})
        assert client.post(page, data={"token": token, "outcome": "fail"}).status_code == 409
        assert client.get(page).status_code == 409

    def test_of_an_unknown_payment_does_not_exist(self, client):
        assert client.get("/dev/payments/pi_unknown/").status_code == 404
        assert "pi_unknown" in client.get("/dev/payments/pi_unknown/").text
        assert "<b>" not in client.get("/dev/payments/<b>/").text

    def test_exists_in_development_only(self, clock):
        environment = {
            "MARKETPLACE_ENV": "staging",
            "SECRET_KEY": "s" * 40,
            "EMAIL_HOST": "mail.example.com",
            "ALLOWED_HOSTS": "localhost",
            "PUBLIC_URL": "https://cards.example.com",
            "ARGON2_MEMORY_KIB": "8",
            "ARGON2_TIME_COST": "1",
        }
        staging = Container(settings=Settings.from_env(environment), backend=MemoryBackend(), clock=clock)
        client = create_app(staging).test_client()
        assert client.get("/dev/payments/pi_unknown/").status_code == 404
        assert client.get("/dev/payments/pi_unknown/").content_type == "application/problem+json"
        assert client.get("/payments/return/").status_code == 200
