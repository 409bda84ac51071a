"""What the simulated provider does beyond the port of a real one. Also the fixtures ``state`` and ``control``."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from threading import Barrier, Thread

import pytest

from marketplace.application.ports.payment_gateway import PaymentDeclined, UnknownPaymentMethod, WebhookSource
from marketplace.application.ports.transfers import InsufficientBalance
from marketplace.domain.shared.errors import Conflict, NotFound
from marketplace.domain.shared.money import Money
from tests.contracts.payment_gateway_cards import a_buyer
from tests.contracts.provider_control import GatewayScenes
from tests.couriers import BadCourier


class SimulatedGatewayContract(GatewayScenes):
    """What the simulated provider does beyond the port. Also the fixture ``state``."""

    def test_a_refund_becomes_that_once_although_a_courier_died_over_it(self, gateway, state, clock, monkeypatch):
        payment = self.paid(gateway, method="pm_card_refundFail")
        self.refund(gateway, payment.id, 12112)
        clock.advance(timedelta(minutes=1))
        with monkeypatch.context() as patch:
            patch.setattr(type(state), "delivered", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100)
        clock.advance(timedelta(minutes=1))
        gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100)
        balance = gateway.balance("EUR")
        assert balance.available + balance.pending == 11905

    def test_signs_its_events_so_that_it_knows_them_again(self, gateway, clock):
        self.paid(gateway)
        deliveries = gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100)
        events = [
            gateway.parse_webhook(d.body, d.headers, source=WebhookSource.PLATFORM, now=clock.now()) for d in deliveries
        ]
        assert [event.type for event in events] == [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "charge.updated",
        ]
        assert {(event.order_id, event.livemode) for event in events} == {(7, False)}
        assert len({event.intent_id for event in events}) == 1

    def test_delivers_an_event_until_it_is_taken(self, gateway, clock):
        self.created(gateway)
        (first,) = gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100)
        assert gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100) == []
        gateway.refused(first)
        assert gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100) == []
        clock.advance(timedelta(minutes=1))
        (again,) = gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100)
        assert (again.event_id, again.body, again.attempts) == (first.event_id, first.body, 2)
        clock.advance(timedelta(minutes=1))
        (taken,) = gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100)
        gateway.delivered(taken)
        clock.advance(timedelta(days=1))
        assert gateway.due_deliveries(lease_for=timedelta(minutes=1), limit=100) == []

    def test_events_of_a_change_that_failed_are_never_sent(self, state, clock):
        def fail() -> None:
            with state.begin() as transaction:
                transaction.put({"id": "pi_1"}, kind="payment_intent", parent="7", at=clock.now())
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        with state.begin() as transaction:
            assert transaction.get("pi_1") is None

    def test_lists_what_there_is_the_newest_first(self, gateway, control, clock):
        account = self.seller(gateway, control)
        first, second = self.paid(gateway), self.created(gateway, 8)
        chargeback = gateway.open_chargeback(first.id)
        transfer = self.transfer(gateway, account, first.charge_id)
        shown = gateway.desk_payments(limit=5)
        assert [(each.payment.id, each.chargebacks) for each in shown] == [(second.id, []), (first.id, [chargeback])]
        assert gateway.desk_payments(limit=1) == shown[:1]
        assert gateway.desk_payment(first.id) == shown[1]
        (seller,) = gateway.desk_sellers(limit=5)
        assert [(f.currency, f.available, f.pending) for f in seller.funds] == [("eur", 0, transfer.amount)]
        assert (seller.account, seller.seller_id, seller.is_cut_off, seller.payouts) == (account, 41, False, [])
        assert gateway.desk_seller(account) == seller

    def test_pays_sellers_out_and_takes_a_payout_that_failed_back(self, gateway, control, clock):
        account, charge = self.seller(gateway, control), self.paid(gateway).charge_id
        self.transfer(gateway, account, charge)
        assert gateway.pay_seller_out(account) == []
        control.make_available()
        (payout,) = gateway.pay_seller_out(account)
        assert payout.amount == 4754
        assert gateway.desk_seller(account).payouts == [payout]
        gateway.fail_seller_payout(payout.id)
        seller = gateway.desk_seller(account)
        assert (seller.funds[0].available, seller.state.payouts_enabled) == (4754, False)
        with pytest.raises(Conflict):
            gateway.fail_seller_payout(payout.id)
        told = [
            (event.type, event.account)
            for each in control.told()
            if (event := gateway.parse_webhook(each.body, each.headers, source=each.source, now=clock.now()))
            and each.source is WebhookSource.CONNECT
        ]
        assert [each for each in told if each[0].startswith("payout.")] == [
            ("payout.paid", account),
            ("payout.failed", account),
        ]

    def test_money_of_a_seller_can_come_back_while_it_is_pending(self, gateway, control):
        account, charge = self.seller(gateway, control), self.paid(gateway).charge_id
        transfer = self.transfer(gateway, account, charge)
        self.reverse(gateway, transfer.id, 754)
        assert [(f.available, f.pending) for f in gateway.desk_seller(account).funds] == [(0, 4000)]
        control.empty(account)
        with pytest.raises(InsufficientBalance):
            self.reverse(gateway, transfer.id, 1, recovery_id=2)

    def test_many_at_once_never_spend_the_same_money_twice(self, gateway, control):
        account = self.seller(gateway, control)
        control.top_up(1000, "EUR")
        barrier, refused = Barrier(4), []

        def run(number: int) -> None:
            barrier.wait()
            try:
                self.transfer(gateway, account, None, 400, payout_id=number)
            except InsufficientBalance:
                refused.append(number)

        threads = [Thread(target=run, args=(number,)) for number in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(refused) == 2
        assert gateway.balance("EUR").available == 200

    def test_a_chargeback_goes_only_where_it_can(self, gateway, control):
        payment = self.paid(gateway)
        with pytest.raises(Conflict):
            gateway.open_chargeback(self.created(gateway, 8).id)
        with pytest.raises(Conflict):
            gateway.open_chargeback(payment.id, amount=12113)
        found = gateway.open_chargeback(payment.id, is_inquiry=True).id
        with pytest.raises(Conflict):
            gateway.appeal_chargeback(found)
        with pytest.raises(Conflict):
            gateway.reinstate_chargeback(found)
        assert gateway.prevent_chargeback(found).status == "prevented"
        with pytest.raises(Conflict):
            gateway.decide_chargeback(found, is_won=True)

    def test_the_money_can_come_back_before_it_is_decided_and_then_not_again(self, gateway):
        found = gateway.open_chargeback(self.paid(gateway).id)
        assert len(gateway.reinstate_chargeback(found.id, with_fee=True).movements) == 2
        with pytest.raises(Conflict):
            gateway.reinstate_chargeback(found.id)
        won = gateway.decide_chargeback(found.id, is_won=True)
        assert sum(movement.net for movement in won.movements) == 0

    @pytest.mark.parametrize(("currency", "fee"), [("EUR", 2000), ("JPY", 20), ("KWD", 20000)])
    def test_the_fee_of_a_chargeback_is_twenty_of_each_currency(self, gateway, currency, fee):
        found = gateway.open_chargeback(self.paid(gateway, currency=currency).id)
        assert [movement.fee for movement in found.movements] == [fee]

    def test_giving_in_to_an_inquiry_costs_what_a_chargeback_costs(self, gateway):
        found = gateway.open_chargeback(self.paid(gateway).id, is_inquiry=True)
        lost = gateway.accept_chargeback(found.id, key="du-accept:1:1")
        assert (lost.status, [movement.net for movement in lost.movements]) == ("lost", [-14112])

    def test_an_inquiry_can_be_escalated_by_words(self, gateway):
        found = gateway.open_chargeback(self.paid(gateway).id, is_inquiry=True)
        words = {"uncategorized_text": "escalate_inquiry_evidence"}
        escalated = gateway.submit_evidence(found.id, evidence=words, submit=True, key="du-ev:1:1")
        assert (escalated.status, len(escalated.movements)) == ("needs_response", 1)

    def test_a_card_that_is_declined_is_not_saved(self, gateway):
        customer = gateway.create_customer(a_buyer(), key="cus:31:1").id
        setup = gateway.set_up_card(customer, key="si:1:1")
        with pytest.raises(PaymentDeclined):
            gateway.finish_setup(setup.id, payment_method="pm_card_chargeDeclined")
        with pytest.raises(UnknownPaymentMethod):
            gateway.finish_setup(setup.id, payment_method="pm_card_monopoly")
        assert gateway.setup_customer(setup.id) == customer
        saved = gateway.finish_setup(setup.id, payment_method="pm_card_chargeCustomerFail")
        assert gateway.setup_customer(setup.id) is None
        with pytest.raises(Conflict):
            gateway.finish_setup(setup.id, payment_method="pm_card_visa")
        with pytest.raises(PaymentDeclined):
            self.paid(gateway, method=saved.id, customer_id=customer)

    def test_keeps_nothing_of_who_a_buyer_is(self, gateway, state):
        customer = gateway.create_customer(a_buyer(), key="cus:31:1").id
        with state.begin() as provider:
            kept = f"{provider.get(customer)} {provider.answered('cus:31:1').fingerprint}"
        assert "misty" not in kept
        assert "Misty" not in kept

    def test_pays_out_to_our_bank_only_what_is_available(self, gateway):
        self.paid(gateway)
        for amount in (1, 0):
            with pytest.raises(InsufficientBalance):
                gateway.pay_out(Money(amount, "EUR"))
        gateway.top_up(Money(5000, "EUR"))
        payout = gateway.pay_out(Money(5000, "EUR"))
        gateway.end_payout(payout.id, is_paid=False)
        with pytest.raises(Conflict):
            gateway.end_payout(payout.id, is_paid=True)

    def test_knows_nothing_that_it_does_not_have(self, gateway):
        for call in (
            lambda: gateway.desk_payment("pi_unknown"),
            lambda: gateway.desk_seller("acct_unknown"),
            lambda: gateway.open_chargeback("pi_unknown"),
            lambda: gateway.decide_chargeback("du_unknown", is_won=True),
            lambda: gateway.pay_seller_out("acct_unknown"),
            lambda: gateway.fail_seller_payout("po_unknown"),
            lambda: gateway.cut_off("acct_unknown"),
            lambda: gateway.end_payout("po_unknown", is_paid=True),
            lambda: gateway.setup_customer("seti_unknown"),
            lambda: gateway.finish_setup("seti_unknown", payment_method="pm_card_visa"),
        ):
            with pytest.raises(NotFound):
                call()

    def test_its_events_can_be_doubled_shuffled_and_lost_on_the_way(self, gateway, control, clock):
        self.transfer(gateway, self.seller(gateway, control), self.paid(gateway).charge_id)
        there = [event.id for event in gateway.events(since=clock.now(), after=None, limit=100)]
        lease = {"lease_for": timedelta(0), "limit": 100}
        brought = [each.event_id for each in BadCourier(gateway, Random(1)).due_deliveries(**lease)]
        assert sorted(set(brought)) == sorted(there)
        assert len(brought) > len(there)
        assert list(dict.fromkeys(brought)) != there
        left = BadCourier(gateway, Random(1), lost=0.5).due_deliveries(**lease)
        assert 0 < len({each.event_id for each in left}) < len(there)
        assert {each.event_id for each in left} == {each.event_id for each in gateway.due_deliveries(**lease)}

    def test_nothing_follows_what_it_never_said(self, gateway, clock):
        self.paid(gateway)
        began = clock.now() - timedelta(hours=1)
        assert gateway.balance_transactions(since=began, after="txn_unknown", limit=5) == []
        assert gateway.events(since=began, after="evt_unknown", limit=5) == []
