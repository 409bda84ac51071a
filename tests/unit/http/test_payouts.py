"""Payouts and balances over HTTP."""

import pytest

from marketplace.application.ports.transfers import InsufficientBalance
from marketplace.domain.identity import Role
from marketplace.domain.payout_states import HoldReason, PayoutStatus
from tests.cashier import Cashier
from tests.till import Till

V1 = "/api/v1"


@pytest.fixture
def till(container, market):
    backend = container.backend
    return Till(
        market=market,
        state=backend.provider_state(),
        inbox=backend.webhook_inbox(),
        queries=backend.payment_queries(),
        audit=backend.ledger_audit(),
        events=lambda: backend.store().events,
        refusals=backend.webhook_refusals(),
        sweeps=backend.event_sweeps(),
    )


@pytest.fixture
def cashier(till):
    return Cashier(till)


@pytest.fixture
def admin(market, sign_in):
    return sign_in(market.someone(roles=[Role.ADMIN]))


class TestOnesOwn:
    def test_payouts_are_listed_and_shown(self, client, sign_in, cashier):
        seller = cashier.seller()
        headers = sign_in(seller)
        held, sent = cashier.paid(seller), cashier.sent(seller)
        cashier.hold(held)
        cashier.paid(cashier.seller())
        found = client.get(f"{V1}/sellers/me/payouts/", headers=headers).json
        assert [payout["status"] for payout in found["results"]] == ["paid", "on_hold"]
        (payout,) = client.get(f"{V1}/sellers/me/payouts/?status=on_hold", headers=headers).json["results"]
        assert (payout["amount"], payout["reversed_amount"], payout["currency"]) == ("95.00", "0.00", "EUR")
        assert (payout["hold_reason"], payout["paid_at"], payout["batch"]) == ("dispute", None, None)
        shown = client.get(f"{V1}/sellers/me/payouts/{payout['id']}/?fields=id,sale", headers=headers).json
        assert shown == {"id": payout["id"], "sale": cashier.payout(held).sale_id}
        assert found["results"][0]["transferred_amount"] == "95.00"
        assert found["results"][0]["sale"] == cashier.payout(sent).sale_id

    def test_payouts_are_found_by_when_their_sale_was_paid(self, client, sign_in, cashier):
        seller = cashier.seller()
        cashier.paid(seller)
        for query, number in (("from=2000-01-01T00:00:00Z", 1), ("to=2000-01-01T00:00:00Z", 0)):
            found = client.get(f"{V1}/sellers/me/payouts/?{query}", headers=sign_in(seller)).json
            assert found["count"] == number

    def test_payouts_are_nobody_else_s(self, client, sign_in, cashier):
        payout = cashier.payout(cashier.paid(cashier.seller()))
        answer = client.get(f"{V1}/sellers/me/payouts/{payout.id}/", headers=sign_in(cashier.seller()))
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")

    def test_payout_tells_why_it_cannot_be_received(self, client, sign_in, cashier):
        seller = cashier.seller(ready=False)
        payout = cashier.payout(cashier.sent(seller))
        shown = client.get(f"{V1}/sellers/me/payouts/{payout.id}/", headers=sign_in(seller)).json
        assert shown["status"] == "due"
        assert shown["last_error"].startswith("seller_not_payable")

    def test_balance_adds_up(self, client, sign_in, cashier):
        seller = cashier.seller()
        cashier.sent(seller)
        cashier.paid(seller)
        assert client.get(f"{V1}/sellers/me/balance/", headers=sign_in(seller)).json == {
            "currency": "EUR",
            "pending": "95.00",
            "on_hold": "0.00",
            "due": "0.00",
            "sending": "0.00",
            "paid_total": "95.00",
            "receivable": "0.00",
            "next_payout_at": None,
        }


class TestAdministration:
    URL = f"{V1}/admin/payouts/"

    def test_lists_those_of_all_sellers_or_of_one(self, client, admin, cashier):
        red, blue = cashier.seller(), cashier.seller()
        cashier.paid(red)
        order_id = cashier.sent(blue)
        assert client.get(self.URL, headers=admin).json["count"] == 2
        (payout,) = client.get(f"{self.URL}?seller={blue.account_id}&status=paid", headers=admin).json["results"]
        assert (payout["seller"], payout["order"]) == (blue.account_id, order_id)
        assert payout["transfer"] == cashier.payout(order_id).transfer_id

    def test_holds_releases_and_tries_again(self, client, admin, cashier, till):
        order_id = cashier.due(cashier.seller())
        id = cashier.payout(order_id).id

        def act(verb):
            return client.post(f"{self.URL}{id}/{verb}/", headers=admin, json={"reason": "looked at"})

        assert act("hold").json["hold_reason"] == "operator"
        assert (act("retry").status_code, act("retry").json["code"]) == (409, "illegal_transition")
        assert act("release").json["status"] == "due"
        assert act("retry").json["status"] == "due"
        assert act("release").status_code == 409
        assert client.post(f"{self.URL}{id}/hold/", headers=admin, json={"reason": ""}).status_code == 422

    def test_does_not_end_a_dispute(self, client, admin, cashier):
        order_id = cashier.due(cashier.seller())
        cashier.hold(order_id, reason=HoldReason.CHARGEBACK)
        id = cashier.payout(order_id).id
        answer = client.post(f"{self.URL}{id}/release/", headers=admin, json={"reason": "please"})
        assert answer.status_code == 409
        assert "chargeback" in answer.json["detail"]

    def test_is_for_admins(self, client, sign_in, market, cashier):
        seller = cashier.seller()
        assert client.get(self.URL, headers=sign_in(seller)).status_code == 403


class TestNews:
    """What a seller is told of all this, once each."""

    @pytest.fixture
    def told(self, container, client, sign_in):
        def told(seller):
            for _ in range(2):
                container.relay_events()()
            found = client.get(f"{V1}/users/me/notifications/?page_size=100", headers=sign_in(seller)).json["results"]
            return [(each["kind"], each["title"]) for each in found if each["kind"].startswith("payout_")]

        return told

    def test_of_what_was_sent_and_what_was_taken_back(self, told, cashier, till):
        seller = cashier.seller()
        first, second = cashier.sent(seller), cashier.sent(seller)
        for order_id in (first, second):
            cashier.refund(order_id, "40.00")
        till.gateway.interrupt("reverse_transfer", when="before", by=InsufficientBalance("nothing there"))
        till.work()
        assert sorted(kind for kind, _ in told(seller)) == ["payout_sent"] * 2 + ["payout_taken_back"] * 2
        assert {title for _, title in told(seller)} >= {
            f"€95.00 for sale {till.order(first).sales[0].reference}",
            f"€38.00 of sale {till.order(second).sales[0].reference} taken back",
        }

    def test_of_what_is_kept_back_but_for_a_suspension_that_they_know_of(self, told, cashier, till):
        seller, suspended = cashier.seller(), cashier.seller()
        cashier.hold(cashier.paid(seller))
        cashier.paid(suspended)
        cashier.suspend(suspended)
        till.work()
        assert [kind for kind, _ in told(seller)] == ["payout_held"]
        assert told(suspended) == []

    def test_of_an_account_that_cannot_receive_and_is_paid_when_it_can(self, told, cashier, till):
        seller = cashier.seller()
        orders = cashier.due_together(seller, seller)
        cashier.onboard(seller, succeed=False)
        till.send_payouts()
        assert [kind for kind, _ in told(seller)] == ["payout_impossible"]
        cashier.onboard(seller, succeed=True)
        told(seller)
        till.send_payouts()
        assert {cashier.payout(order_id).status for order_id in orders} == {PayoutStatus.PAID}
