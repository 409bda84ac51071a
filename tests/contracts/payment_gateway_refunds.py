"""What every payment gateway promises of refunds. See ``provider_control``."""

from __future__ import annotations

import pytest

from marketplace.application.ports.payment_gateway import RefundNotPossible
from marketplace.domain.payments.refund import RefundStatus
from marketplace.domain.shared.ids import RefundId
from marketplace.domain.shared.money import Money
from tests.contracts.provider_control import GatewayScenes


class RefundGatewayContract(GatewayScenes):
    def test_gives_money_back_once_for_a_key(self, gateway):
        payment = self.paid(gateway)
        refund = self.refund(gateway, payment.id, 5000)
        assert (refund.status, refund.amount, refund.currency) == (RefundStatus.SUCCEEDED, 5000, "EUR")
        assert refund.refund_id == 1
        assert self.refund(gateway, payment.id, 5000) == refund
        assert gateway.find_refund(payment.id, RefundId(1)) == refund
        assert gateway.find_refund(payment.id, RefundId(2)) is None
        balance = gateway.balance("EUR")
        assert balance.available + balance.pending == 12112 - 207 - 5000

    def test_never_gives_back_more_than_was_paid(self, gateway):
        payment = self.paid(gateway)
        self.refund(gateway, payment.id, 12000, 1)
        with pytest.raises(RefundNotPossible):
            self.refund(gateway, payment.id, 113, 2)
        self.refund(gateway, payment.id, 112, 3)
        with pytest.raises(RefundNotPossible):
            self.refund(gateway, payment.id, 1, 4)

    @pytest.mark.parametrize(("amount", "currency"), [(0, "EUR"), (-1, "EUR"), (1, "USD")])
    def test_refuses_a_refund_of_nothing_or_in_another_currency(self, gateway, amount, currency):
        with pytest.raises(RefundNotPossible):
            self.refund(gateway, self.paid(gateway).id, amount, currency=currency)

    def test_gives_nothing_back_of_what_was_not_paid(self, gateway):
        with pytest.raises(RefundNotPossible):
            self.refund(gateway, self.created(gateway).id, 1)

    @pytest.mark.parametrize(
        ("method", "first", "then"),
        [
            ("pm_card_pendingRefund", RefundStatus.PENDING, RefundStatus.SUCCEEDED),
            ("pm_card_refundFail", RefundStatus.SUCCEEDED, RefundStatus.FAILED),
        ],
    )
    def test_a_refund_becomes_what_its_card_makes_of_it(self, gateway, control, method, first, then):
        payment = self.paid(gateway, method=method)
        assert self.refund(gateway, payment.id, 1000).status is first
        control.ripen()
        assert gateway.find_refund(payment.id, RefundId(1)).status is then

    def test_money_of_a_failed_refund_is_ours_again_and_can_go_back_again(self, gateway, control):
        payment = self.paid(gateway, method="pm_card_refundFail")
        self.refund(gateway, payment.id, 12112)
        control.ripen()
        assert self.balance(gateway) == 11905
        assert self.refund(gateway, payment.id, 12112, 2).status is RefundStatus.SUCCEEDED

    def test_one_that_is_tried_again_is_found_instead_of_the_one_that_failed(self, gateway, control):
        payment = self.paid(gateway, method="pm_card_refundFail")
        failed = self.refund(gateway, payment.id, 1000)
        control.ripen()
        again = gateway.refund(
            payment.id,
            amount=Money(1000, "EUR"),
            reason="requested_by_customer",
            metadata={"order_id": "7", "refund_id": "1"},
            key="re:1:2",
        )
        assert again.id != failed.id
        found = gateway.find_refund(payment.id, RefundId(1))
        assert found is not None
        assert found.id == again.id
