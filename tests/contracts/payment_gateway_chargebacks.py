"""What every payment gateway promises of chargebacks. See ``provider_control``."""

from __future__ import annotations

from typing import Any

import pytest

from marketplace.application.ports.chargebacks import ChargebackStage, ProviderChargeback
from marketplace.application.ports.payment_gateway import (
    AlreadyInState,
    KeyReused,
    ProviderObjectUnknown,
    RefundNotPossible,
)
from marketplace.domain.payments.refund import RefundStatus
from tests.contracts.provider_control import GatewayScenes

FEE = 2000


class ChargebackGatewayContract(GatewayScenes):
    def opened(self, gateway: Any, control: Any, **how: Any) -> ProviderChargeback:
        found: ProviderChargeback = gateway.get_chargeback(control.open_chargeback(self.paid(gateway), **how))
        return found

    def answer(self, gateway: Any, chargeback_id: str, word: str, *, submit: bool = True) -> ProviderChargeback:
        answered: ProviderChargeback = gateway.submit_evidence(
            chargeback_id, evidence={"uncategorized_text": word}, submit=submit, key=f"du-ev:{word}:1"
        )
        return answered

    def moved(self, chargeback: ProviderChargeback) -> int:
        return sum(movement.net for movement in chargeback.movements)

    def test_a_chargeback_takes_the_money_and_a_fee(self, gateway, control, clock):
        payment = self.paid(gateway)
        found = gateway.get_chargeback(control.open_chargeback(payment))
        assert (found.stage, found.amount, found.currency) == (ChargebackStage.OPEN, 12112, "EUR")
        assert (found.intent_id, found.charge_id) == (payment.id, payment.charge_id)
        assert (found.livemode, found.created_at) == (gateway.livemode, clock.now())
        assert found.evidence_due_at is not None
        assert found.evidence_due_at > clock.now()
        (withdrawn,) = found.movements
        assert (withdrawn.amount, withdrawn.fee, withdrawn.net) == (-12112, FEE, -14112)
        (moved,) = gateway.balance_transactions(since=clock.now(), after=None, limit=10)[1:]
        assert (moved.id, moved.net) == (withdrawn.balance_transaction_id, -14112)
        assert (moved.type, moved.reporting_category) == ("adjustment", "dispute")
        assert self.balance(gateway) == 11905 - 14112

    def test_a_bank_may_take_back_a_part(self, gateway, control):
        found = self.opened(gateway, control, amount=5000)
        assert (found.amount, self.moved(found)) == (5000, -7000)

    def test_an_inquiry_moves_nothing_until_it_is_more(self, gateway, control):
        found = self.opened(gateway, control, is_inquiry=True)
        assert (found.stage, found.movements) == (ChargebackStage.INQUIRY, [])
        control.escalate(found.id)
        escalated = gateway.get_chargeback(found.id)
        assert (escalated.stage, self.moved(escalated)) == (ChargebackStage.OPEN, -14112)

    def test_an_inquiry_that_is_closed_has_moved_nothing(self, gateway, control):
        found = self.opened(gateway, control, is_inquiry=True)
        control.decide(found.id, is_won=True)
        closed = gateway.get_chargeback(found.id)
        assert (closed.stage, closed.movements) == (ChargebackStage.INQUIRY_CLOSED, [])
        assert self.balance(gateway) == 11905

    def test_what_is_won_comes_back_by_a_movement_of_its_own(self, gateway, control):
        found = self.opened(gateway, control)
        control.decide(found.id, is_won=True)
        won = gateway.get_chargeback(found.id)
        assert won.stage is ChargebackStage.WON
        withdrawn, reinstated = won.movements
        assert (withdrawn.amount, reinstated.amount) == (-12112, 12112)
        # Whether its fee comes back too is for the provider to say.
        assert reinstated.fee in (0, -FEE)
        assert self.balance(gateway) == 11905 + self.moved(won)

    def test_what_is_lost_stays_away_and_an_appeal_alone_brings_nothing(self, gateway, control):
        found = self.opened(gateway, control)
        control.decide(found.id, is_won=False)
        assert gateway.get_chargeback(found.id).stage is ChargebackStage.LOST
        control.appeal(found.id)
        appealed = gateway.get_chargeback(found.id)
        assert (appealed.stage, self.moved(appealed)) == (ChargebackStage.APPEAL, -14112)
        control.decide(found.id, is_won=True)
        won = gateway.get_chargeback(found.id)
        assert (won.stage, [movement.amount for movement in won.movements]) == (ChargebackStage.WON, [-12112, 12112])

    def test_evidence_can_be_kept_and_sent_later(self, gateway, control):
        found = self.opened(gateway, control)
        kept = gateway.submit_evidence(
            found.id, evidence={"shipping_tracking_number": "RR123456785FR"}, submit=False, key="du-ev:1:1"
        )
        assert (kept.stage, kept.status) == (ChargebackStage.OPEN, "needs_response")
        sent = gateway.submit_evidence(found.id, evidence={}, submit=True, key="du-ev:1:2")
        assert sent.stage is ChargebackStage.OPEN

    @pytest.mark.parametrize(
        ("word", "stage"), [("winning_evidence", ChargebackStage.WON), ("losing_evidence", ChargebackStage.LOST)]
    )
    def test_some_words_decide_a_test(self, gateway, control, word, stage):
        found = self.opened(gateway, control)
        self.answer(gateway, found.id, word)
        control.ripen()
        assert gateway.get_chargeback(found.id).stage is stage
        with pytest.raises(AlreadyInState):
            gateway.submit_evidence(found.id, evidence={"uncategorized_text": "more"}, submit=True, key="du-ev:2:1")

    def test_evidence_is_taken_once_for_a_key(self, gateway, control):
        found = self.opened(gateway, control)
        assert self.answer(gateway, found.id, "winning_evidence") == self.answer(gateway, found.id, "winning_evidence")
        control.ripen()
        assert len(gateway.get_chargeback(found.id).movements) == 2
        with pytest.raises(KeyReused):
            gateway.submit_evidence(found.id, evidence={}, submit=True, key="du-ev:winning_evidence:1")

    def test_giving_in_loses_it(self, gateway, control):
        found = self.opened(gateway, control)
        for _ in range(2):
            assert gateway.accept_chargeback(found.id, key="du-accept:1:1").stage is ChargebackStage.LOST
        with pytest.raises(AlreadyInState):
            gateway.accept_chargeback(found.id, key="du-accept:1:2")
        assert self.moved(gateway.get_chargeback(found.id)) == -14112

    def test_nothing_goes_back_a_second_time_while_a_bank_has_it(self, gateway, control):
        payment = self.paid(gateway)
        found = control.open_chargeback(payment)
        with pytest.raises(RefundNotPossible):
            self.refund(gateway, payment.id, 1)
        control.decide(found, is_won=False)
        with pytest.raises(RefundNotPossible):
            self.refund(gateway, payment.id, 1, 2)

    def test_during_an_inquiry_money_may_go_back(self, gateway, control):
        payment = self.paid(gateway)
        control.open_chargeback(payment, is_inquiry=True)
        assert self.refund(gateway, payment.id, 12112).status is RefundStatus.SUCCEEDED

    @pytest.mark.parametrize(
        ("method", "stage", "reason"),
        [
            ("pm_card_createDispute", ChargebackStage.OPEN, "fraudulent"),
            ("pm_card_createDisputeProductNotReceived", ChargebackStage.OPEN, "product_not_received"),
            ("pm_card_createDisputeInquiry", ChargebackStage.INQUIRY, "fraudulent"),
        ],
    )
    def test_some_cards_are_disputed_a_while_later(self, gateway, control, clock, method, stage, reason):
        payment = self.paid(gateway, method=method)
        control.ripen()
        told = [
            gateway.parse_webhook(each.body, each.headers, source=each.source, now=clock.now())
            for each in control.told()
        ]
        (created,) = [event for event in told if event.type == "charge.dispute.created"]
        assert created.intent_id == payment.id
        found = gateway.get_chargeback(created.object_id)
        assert (found.stage, found.intent_id, found.reason) == (stage, payment.id, reason)

    def test_tells_of_each_step(self, gateway, control, clock):
        payment = self.paid(gateway)
        control.told()
        found = control.open_chargeback(payment)
        control.decide(found, is_won=True)
        told = [type for _, type in self.types_told(gateway, control, clock)]
        assert [type for type in told if type.startswith("charge.dispute.")] == [
            "charge.dispute.created",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.funds_reinstated",
            "charge.dispute.closed",
        ]

    def test_does_not_know_a_chargeback_that_it_never_had(self, gateway):
        for call in (
            lambda: gateway.get_chargeback("du_unknown"),
            lambda: gateway.accept_chargeback("du_unknown", key="du-accept:9:1"),
            lambda: gateway.submit_evidence("du_unknown", evidence={}, submit=True, key="du-ev:9:1"),
        ):
            with pytest.raises(ProviderObjectUnknown):
                call()
