"""Refunds, disputes and chargebacks over REST: what is taken, what is answered, what is refused."""

from __future__ import annotations

import pytest

from marketplace.application.access import Actor
from marketplace.domain.shared.ids import AccountId
from marketplace.entrypoints.container import Container
from tests.unit.http.access_world import World


@pytest.fixture(scope="module")
def made(request):
    return World(
        {"MARKETPLACE_ENV": "development", "SECRET_KEY": "x" * 8 + "after-sales-tests-need-no-luck-0123456789"}
    )


@pytest.fixture
def world(made):
    yield made
    made.restore()


def ask(world, caller, method, path, body=None):
    answer = world.client.open(
        f"/api/v1{path}", method=method, json=body, headers=world.callers[caller].header if caller else {}
    )
    return answer.status_code, answer.json


@pytest.fixture
def claimed(world):
    """The order with a disputed sale, of which 1.00 has gone back; and an item of it."""
    order = world.things["claimed"]
    (sale,) = ask(world, "admin", "GET", f"/orders/{order}/")[1]["sales"]
    return order, sale


class TestRefunds:
    def test_by_item_with_stock_say_what_is_on_offer_again(self, world, claimed):
        order, sale = claimed
        (item,) = sale["items"]
        wish = {"items": [{"item": item["id"], "quantity": 1}], "cause": "seller", "restock": True, "reason": "Bent"}
        status, refund = ask(world, "admin", "POST", f"/admin/orders/{order}/refund/", wish)
        assert status == 201
        assert (refund["order"], refund["status"], refund["cause"]) == (order, "decided", "seller")
        assert refund["restocked"] == [
            {"item": item["id"], "listing": item["listing"], "quantity": 1, "is_restocked": True, "refusal": ""}
        ]

    @pytest.mark.parametrize(
        ("wish", "field"),
        [
            ({}, "reason"),
            ({"reason": "x", "cause": "weather"}, "cause"),
            ({"reason": "x", "items": []}, "items"),
            ({"reason": "x", "amount": "0.00"}, "amount"),
            ({"reason": "x", "amount": "1.00", "items": [{"item": 1, "quantity": 1}]}, "amount"),
            ({"reason": "x", "items": [{"item": 1, "quantity": 1}]}, "items"),
            ({"reason": "x", "whim": True}, "whim"),
        ],
    )
    def test_refuse_what_nobody_can_mean(self, world, claimed, wish, field):
        status, problem = ask(world, "admin", "POST", f"/admin/orders/{claimed[0]}/refund/", wish)
        assert status == 422
        assert any(field in named for named in problem["errors"])

    def test_above_what_is_left_say_how_much_that_is(self, world, claimed):
        wish = {"amount": "9.01", "reason": "x"}
        status, problem = ask(world, "admin", "POST", f"/admin/orders/{claimed[0]}/refund/", wish)
        assert (status, problem["code"], problem["left"]) == (409, "refund_above_rest", "9.00")

    def test_are_listed_and_narrowed(self, world, claimed):
        status, page = ask(world, "admin", "GET", f"/admin/refunds/?order={claimed[0]}&status=decided&fields=id,amount")
        assert (status, page["results"]) == (200, [{"id": world.things["refund"], "amount": "1.00"}])
        assert ask(world, "admin", "GET", "/admin/refunds/?status=failed")[1]["results"] == []

    def test_that_failed_can_be_tried_again_or_settled(self, world):
        id = world.things["refund"]
        for path, body, expected in (
            ("retry", None, "decided"),
            ("settle-elsewhere", {"note": "Transfer 7", "paid_by": "bank"}, "settled_elsewhere"),
        ):
            _fail(world, id)
            status, refund = ask(world, "admin", "POST", f"/admin/refunds/{id}/{path}/", body)
            assert (status, refund["status"]) == (200, expected)


def _fail(world, id):
    with world.market.unit_of_work() as uow:
        refund = uow.refunds.get(id)
        refund.status = type(refund.status)("failed")
        uow.refunds.save(refund)
        uow.commit()


class TestDisputes:
    def test_have_the_keys_that_clients_rely_on(self, world, claimed):
        status, dispute = ask(world, "buyer", "GET", f"/disputes/{world.things['dispute']}/")
        assert status == 200
        assert (dispute["sale"], dispute["reason"], dispute["status"]) == (claimed[1]["id"], "damaged", "open")
        assert (dispute["outcome"], dispute["amount"], dispute["resolved_at"]) == (None, None, None)
        assert (dispute["currency"], dispute["description"]) == ("EUR", "A corner is bent")
        assert dispute["respond_by"] > dispute["created_at"]

    def test_tell_the_seller_no_account_of_the_buyer(self, world):
        path = f"/disputes/{world.things['dispute']}/"
        assert ask(world, "seller", "GET", path)[1]["buyer"] is None
        for caller in ("buyer", "verifier", "admin"):
            assert ask(world, caller, "GET", path)[1]["buyer"] == world.things["buyer"]

    @pytest.mark.parametrize(("caller", "count"), [("buyer", 1), ("seller", 1), ("other_buyer", 0), ("verifier", 1)])
    def test_are_listed_to_whom_they_concern(self, world, caller, count):
        status, page = ask(world, caller, "GET", "/disputes/?status=open&reason=damaged")
        assert (status, page["count"]) == (200, count)

    def test_are_narrowed_by_sale_and_order(self, world, claimed):
        order, sale = claimed
        assert ask(world, "buyer", "GET", f"/disputes/?sale={sale['id']}&order={order}")[1]["count"] == 1
        assert ask(world, "buyer", "GET", f"/disputes/?sale={sale['id'] + 1}")[1]["count"] == 0

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"reason": "chargeback"}, "reason"),
            ({"desired_outcome": "dismissed"}, "desired_outcome"),
            ({"description": ""}, "description"),
            ({"sale": "1"}, "sale"),
        ],
    )
    def test_refuse_what_buyers_do_not_say(self, world, change, field):
        claim = {"sale": world.things["sale"], "reason": "other", "description": "x", **change}
        status, problem = ask(world, "buyer", "POST", "/disputes/", claim)
        assert status == 422
        assert field in problem["errors"]

    def test_are_decided_with_money_and_a_note(self, world):
        decision = {"outcome": "partial_refund", "amount": "2.50", "note": "The corner is bent"}
        status, dispute = ask(world, "verifier", "POST", f"/disputes/{world.things['dispute']}/resolve/", decision)
        assert status == 200
        assert (dispute["status"], dispute["outcome"], dispute["amount"], dispute["note"]) == (
            "resolved",
            "partial_refund",
            "2.50",
            "The corner is bent",
        )

    def test_cannot_be_settled_by_a_replacement_yet(self, world):
        path = f"/disputes/{world.things['dispute']}/resolve/"
        status, problem = ask(world, "admin", "POST", path, {"outcome": "replacement"})
        assert (status, problem["code"]) == (409, "replacement_unavailable")

    def test_are_opened_where_they_can_be_read(self, world):
        world.container.fulfilment.ship_sale()(
            actor=Actor(account_id=AccountId(world.things["seller"])),
            sale_id=world.things["sale"],
            carrier="UPS",
            tracking_number="1Z",
        )
        claim = {"sale": world.things["sale"], "reason": "other", "description": "x", "desired_outcome": "refund"}
        status, dispute = ask(world, "buyer", "POST", "/disputes/", claim)
        assert (status, dispute["desired_outcome"]) == (201, "refund")


class TestChargebacks:
    def test_show_what_they_are(self, world, claimed):
        status, shown = ask(world, "admin", "GET", f"/admin/chargebacks/{world.things['chargeback']}/")
        assert status == 200
        assert (shown["stage"], shown["order"], shown["amount"], shown["movements"]) == ("won", claimed[0], "10.00", [])

    def test_are_narrowed(self, world, claimed):
        assert ask(world, "admin", "GET", f"/admin/chargebacks/?stage=won&order={claimed[0]}")[1]["count"] == 1
        assert ask(world, "admin", "GET", "/admin/chargebacks/?stage=lost")[1]["count"] == 0

    def test_take_evidence_by_its_name_only(self, world):
        path = f"/admin/chargebacks/{world.things['chargeback']}/evidence/"
        status, problem = ask(world, "admin", "POST", path, {"evidence": {"hearsay": "x"}})
        assert status == 422
        assert any("hearsay" in named for named in problem["errors"])


class TestChargebacksUnderway:
    """On a payment that the simulated provider has taken."""

    @pytest.fixture
    def chargeback(self, world):
        container: Container = world.container
        order = world.things["order"]
        ask(world, "buyer", "POST", f"/orders/{order}/pay/", {"payment_method": "pm_card_visa"})
        _work(container)
        with world.market.unit_of_work() as uow:
            intent = uow.payments.of_order(order).intent_id
        container.payment_provider.simulated().open_chargeback(intent)
        _work(container)
        return ask(world, "admin", "GET", f"/admin/chargebacks/?order={order}")[1]["results"][0]

    def test_take_evidence_and_send_it(self, world, chargeback):
        assert chargeback["stage"] == "open"
        assert [movement["amount"] for movement in chargeback["movements"]] == [f"-{chargeback['amount']}"]
        said = {"evidence": {"shipping_carrier": "La Poste"}, "submit": True}
        status, shown = ask(world, "admin", "POST", f"/admin/chargebacks/{chargeback['id']}/evidence/", said)
        assert (status, shown["evidence"], shown["status"]) == (200, said["evidence"], "under_review")
        assert shown["evidence_submitted_at"] is not None

    def test_can_be_accepted(self, world, chargeback):
        status, shown = ask(world, "admin", "POST", f"/admin/chargebacks/{chargeback['id']}/accept/")
        assert (status, shown["stage"], shown["lost"]) == (200, "lost", chargeback["amount"])


def _work(container):
    jobs = container.jobs()
    for _ in range(5):
        for name in ("deliver simulated events", "process webhooks", "check chargebacks"):
            jobs[name]()
