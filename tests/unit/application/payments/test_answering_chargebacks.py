"""Chargebacks read by several at once, slowly or in vain, and what operators answer to them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.application.access import OPERATOR
from marketplace.application.ports.payment_gateway import AlreadyInState, OutcomeUnknown
from marketplace.domain.identity import Role
from marketplace.domain.payments.chargebacks import ChargebackDecidedAlready, ChargebackStage
from marketplace.domain.payments.payment import PaymentBusy
from marketplace.domain.shared.errors import Forbidden, Invalid, NotFound
from marketplace.domain.shared.ids import ChargebackId
from tests.cashier import Cashier

LONG = timedelta(minutes=2)
"""Longer than a lease."""


@pytest.fixture
def cashier(till):
    return Cashier(till)


@pytest.fixture
def sellers(cashier):
    return cashier.seller(), cashier.seller()


@pytest.fixture
def paid(cashier, sellers):
    """Two sales of 100.00, for which 232.00 were paid."""
    return cashier.paid(*sellers)


def disputed(till, order_id):
    opened = till.provider.open_chargeback(till.payment(order_id).intent_id)
    till.work()
    return opened.id


class TestChecking:
    def test_by_two_is_done_by_one(self, till, paid):
        id = disputed(till, paid)
        seen = []

        def meanwhile():
            with pytest.raises(PaymentBusy):
                till.check_chargeback(id)
            seen.append(True)

        till.gateway.interrupt("get_chargeback", when="before", by=meanwhile)
        till.check_chargeback(id)
        assert seen == [True]

    def test_met_by_two_is_kept_once(self, till, paid):
        id = till.provider.open_chargeback(till.payment(paid).intent_id).id
        till.gateway.interrupt("get_chargeback", when="after", by=lambda: till.check_chargeback(id))
        with pytest.raises(PaymentBusy):
            till.check_chargeback(id)
        assert len(till.chargebacks(paid)) == 1

    def test_that_took_too_long_leaves_it_to_the_next(self, till, paid):
        id = disputed(till, paid)

        def slow():
            till.market.clock.advance(LONG)
            till.check_chargeback(id)

        till.gateway.interrupt("get_chargeback", when="before", by=slow)
        with pytest.raises(PaymentBusy):
            till.check_chargeback(id)

    def test_without_an_answer_comes_again_soon(self, till, paid):
        id = disputed(till, paid)
        till.gateway.interrupt("get_chargeback", when="before", by=OutcomeUnknown("no answer"))
        with pytest.raises(OutcomeUnknown):
            till.check_chargeback(id)
        (chargeback,) = till.chargebacks(paid)
        assert (chargeback.failures, chargeback.locked_until) == (1, None)
        till.work_for(minutes=1)
        assert till.chargebacks(paid)[0].failures == 0

    def test_without_an_answer_after_its_lease_notes_nothing(self, till, paid):
        id = disputed(till, paid)

        def slow_and_silent():
            till.market.clock.advance(LONG)
            till.check_chargeback(id)
            raise OutcomeUnknown("no answer")

        till.gateway.interrupt("get_chargeback", when="before", by=slow_and_silent)
        with pytest.raises(OutcomeUnknown):
            till.check_chargeback(id)
        assert till.chargebacks(paid)[0].failures == 0

    def test_by_the_job_passes_over_what_fails(self, till, cashier, sellers, caplog):
        orders = [cashier.paid(sellers[0]) for _ in range(3)]
        for order_id in orders:
            disputed(till, order_id)
        till.market.clock.advance(LONG * 200)
        till.gateway.interrupt("get_chargeback", when="before", by=OutcomeUnknown("no answer"))
        till.gateway.interrupt("get_chargeback", when="before", by=ZeroDivisionError("odd"))
        assert till.check_chargebacks() == 3
        assert "failed" in caplog.text

    def test_by_the_job_ends_with_its_turn(self, till, cashier, sellers):
        for _ in range(2):
            disputed(till, cashier.paid(sellers[0]))
        till.market.clock.advance(LONG * 200)
        till.gateway.interrupt("get_chargeback", when="before", by=lambda: till.market.clock.advance(LONG / 3))
        assert till.check_chargebacks() == 1


class TestAnswering:
    def test_keeps_evidence_and_sends_it_when_it_is_complete(self, till, paid):
        disputed(till, paid)
        (chargeback,) = till.chargebacks(paid)
        submit = till.submit_evidence
        submit(actor=OPERATOR, chargeback_id=chargeback.id, evidence={"uncategorized_text": "It was delivered"})
        answered = submit(actor=OPERATOR, chargeback_id=chargeback.id, evidence={"customer_name": "Ada"}, submit=True)
        assert answered.status == "under_review"
        (chargeback,) = till.chargebacks(paid)
        assert dict(chargeback.evidence) == {"uncategorized_text": "It was delivered", "customer_name": "Ada"}
        assert chargeback.evidence_submitted_at == till.market.clock.now()

    def test_decides_as_the_bank_does(self, till, paid):
        disputed(till, paid)
        (chargeback,) = till.chargebacks(paid)
        till.submit_evidence(
            actor=OPERATOR,
            chargeback_id=chargeback.id,
            evidence={"uncategorized_text": "winning_evidence"},
            submit=True,
        )
        assert till.chargebacks(paid)[0].stage is ChargebackStage.WON

    @pytest.mark.parametrize("evidence", [{}, {"hearsay": "x"}, {"uncategorized_text": "x" * 20_001}])
    def test_refuses_what_is_no_evidence(self, till, paid, evidence):
        disputed(till, paid)
        with pytest.raises(Invalid):
            till.submit_evidence(actor=OPERATOR, chargeback_id=till.chargebacks(paid)[0].id, evidence=evidence)

    def test_is_for_admins_and_for_what_is_there(self, till, market, paid):
        disputed(till, paid)
        verifier, id = market.someone(roles=[Role.VERIFIER]), till.chargebacks(paid)[0].id
        with pytest.raises(Forbidden):
            till.submit_evidence(actor=verifier, chargeback_id=id, evidence={"customer_name": "Ada"})
        with pytest.raises(Forbidden):
            till.accept_chargeback(actor=verifier, chargeback_id=id, reason="")
        with pytest.raises(NotFound):
            till.accept_chargeback(actor=OPERATOR, chargeback_id=ChargebackId(1), reason="")

    def test_by_giving_in_loses_it_at_once(self, till, paid):
        disputed(till, paid)
        accepted = till.accept_chargeback(
            actor=OPERATOR, chargeback_id=till.chargebacks(paid)[0].id, reason="The parcel was lost"
        )
        assert (accepted.stage, accepted.lost) == (ChargebackStage.LOST, 23200)
        till.work()
        assert till.findings() == []

    def test_is_over_once_it_is_decided(self, till, paid):
        id = disputed(till, paid)
        till.provider.decide_chargeback(id, is_won=True)
        till.work()
        (chargeback,) = till.chargebacks(paid)
        with pytest.raises(ChargebackDecidedAlready):
            till.submit_evidence(actor=OPERATOR, chargeback_id=chargeback.id, evidence={"customer_name": "Ada"})
        with pytest.raises(ChargebackDecidedAlready):
            till.accept_chargeback(actor=OPERATOR, chargeback_id=chargeback.id, reason="")

    def test_that_the_bank_has_overtaken_reads_its_decision(self, till, paid):
        id = disputed(till, paid)
        till.provider.decide_chargeback(id, is_won=True)
        with pytest.raises(ChargebackDecidedAlready):
            till.accept_chargeback(actor=OPERATOR, chargeback_id=till.chargebacks(paid)[0].id, reason="")
        assert till.chargebacks(paid)[0].stage is ChargebackStage.WON

    def test_without_an_answer_can_be_repeated(self, till, paid):
        disputed(till, paid)
        (chargeback,) = till.chargebacks(paid)
        for error in (OutcomeUnknown("no answer"), AlreadyInState("odd")):
            till.gateway.interrupt("accept_chargeback", when="before", by=error)
        with pytest.raises(OutcomeUnknown):
            till.accept_chargeback(actor=OPERATOR, chargeback_id=chargeback.id, reason="")
        with pytest.raises(ChargebackDecidedAlready):
            till.accept_chargeback(actor=OPERATOR, chargeback_id=chargeback.id, reason="")
        assert till.accept_chargeback(actor=OPERATOR, chargeback_id=chargeback.id, reason="").lost == 23200
