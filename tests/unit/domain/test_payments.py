"""What payments and refunds may become."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.fees import Return
from marketplace.domain.payments.payment import (
    KEY_LIFETIME,
    POLL_AFTER_ATTEMPT,
    POLL_EVERY,
    START_GRACE,
    CancelWish,
    OrderNotPayable,
    Payment,
    PaymentBusy,
    PaymentQuarantined,
    PaymentStatus,
    backoff,
    neutral_decline,
)
from marketplace.domain.payments.refund import (
    POLL_REFUND,
    Refund,
    RefundCause,
    RefundDecided,
    RefundFailed,
    RefundPart,
    RefundStatus,
)
from marketplace.domain.shared.ids import AccountId, OrderId, PaymentId, RefundId, SaleId, SaleLineId
from marketplace.domain.shared.money import Money
from marketplace.domain.shared.provider import RETRY_FIRST, RETRY_LONGEST

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OPEN = [s for s in PaymentStatus if s not in (PaymentStatus.SUCCEEDED, PaymentStatus.CANCELED)]


def a_payment(status: PaymentStatus = PaymentStatus.CREATING) -> Payment:
    payment = Payment.open(
        id=PaymentId(1),
        order_id=OrderId(7),
        buyer_id=AccountId(9),
        amount=Money(12112, "EUR"),
        provider="simulated",
        due_at=NOW + 30 * MINUTE,
        now=NOW,
    )
    payment.status = status
    return payment


def a_refund() -> Refund:
    components = Return(
        items=5005, commission=251, processing=0, shipping=0, seller_commission=250, seller_fees=0, seller_net=4755
    )
    part = RefundPart(sale_id=SaleId(1), seller_id=AccountId(5), pieces={SaleLineId(3): 1}, components=components)
    return Refund.decide(
        id=RefundId(4),
        payment=a_payment(),
        cause=RefundCause.SELLER,
        reason="damaged",
        parts=[part, part],
        now=NOW,
    )


class TestPayment:
    def test_opens_unknown_to_the_provider_and_leaves_the_request_time_to_start_it(self):
        payment = a_payment()
        assert (payment.status, payment.intent_id, payment.is_open) == (PaymentStatus.CREATING, None, True)
        assert payment.next_check_at == NOW + START_GRACE

    def test_names_each_command_by_its_order_and_try(self):
        payment = a_payment()
        assert (payment.create_key, payment.cancel_key) == ("pi:7:1", "pi-cancel:7:1")
        payment.begin_attempt()
        payment.begin_attempt()
        payment.observe(PaymentStatus.PROCESSING, decline_code="", cancel_refused=True, now=NOW)
        assert (payment.create_key, payment.confirm_key, payment.cancel_key) == (
            "pi:7:1",
            "pi-confirm:7:2",
            "pi-cancel:7:2",
        )

    def test_is_leased_to_one_at_a_time(self):
        payment = a_payment()
        payment.lease(now=NOW, until=NOW + MINUTE)
        with pytest.raises(PaymentBusy):
            payment.lease(now=NOW + MINUTE / 2, until=NOW + 2 * MINUTE)
        payment.lease(now=NOW + MINUTE, until=NOW + 2 * MINUTE)

    @pytest.mark.parametrize("status", OPEN)
    def test_takes_attempts_while_it_is_open(self, status):
        payment = a_payment(status)
        payment.begin_attempt()
        assert payment.confirm_attempts == 1

    @pytest.mark.parametrize("status", [PaymentStatus.SUCCEEDED, PaymentStatus.CANCELED])
    def test_takes_none_once_it_is_over(self, status):
        with pytest.raises(OrderNotPayable):
            a_payment(status).begin_attempt()

    def test_takes_none_in_quarantine_nor_once_it_is_to_be_cancelled(self):
        quarantined, unwanted = a_payment(), a_payment()
        quarantined.put_in_quarantine("paid in USD", now=NOW)
        unwanted.want_cancel(CancelWish.BUYER)
        for payment in (quarantined, unwanted):
            with pytest.raises(OrderNotPayable):
                payment.begin_attempt()

    def test_is_cancelled_for_the_reason_of_the_first_who_asked(self):
        payment = a_payment()
        payment.want_cancel(CancelWish.BUYER, by=AccountId(9))
        payment.want_cancel(CancelWish.WINDOW)
        assert (payment.cancel_wanted, payment.cancel_wanted_by) == (CancelWish.BUYER, 9)

    def test_lapses_at_the_end_of_its_window(self):
        payment = a_payment()
        assert not payment.has_lapsed(payment.due_at - MINUTE)
        assert payment.has_lapsed(payment.due_at)

    def test_trusts_the_provider_s_memory_for_less_than_a_day(self):
        payment = a_payment()
        assert payment.key_is_remembered(NOW + KEY_LIFETIME - MINUTE)
        assert not payment.key_is_remembered(NOW + KEY_LIFETIME)

    def test_keeps_the_first_name_that_the_provider_gave_it(self):
        payment = a_payment()
        payment.started("pi_1")
        payment.started("pi_2")
        assert (payment.intent_id, payment.status) == ("pi_1", PaymentStatus.REQUIRES_PAYMENT_METHOD)

    def test_shows_a_success_that_no_event_told_of_as_processing(self):
        payment = a_payment(PaymentStatus.REQUIRES_PAYMENT_METHOD)
        payment.attempt_ended(PaymentStatus.SUCCEEDED, decline_code="", now=NOW)
        assert (payment.status, payment.next_check_at) == (PaymentStatus.PROCESSING, NOW + POLL_AFTER_ATTEMPT)

    @pytest.mark.parametrize("over", [PaymentStatus.SUCCEEDED, PaymentStatus.CANCELED])
    def test_does_not_open_again_whatever_comes_late(self, over):
        payment = a_payment(over)
        payment.lease(now=NOW, until=NOW + MINUTE)
        payment.attempt_ended(PaymentStatus.REQUIRES_ACTION, decline_code="x", now=NOW)
        payment.observe(PaymentStatus.PROCESSING, decline_code="x", now=NOW)
        payment.let_go(now=NOW)
        payment.cancel(decline_code="x")
        payment.started("pi_1")
        assert (payment.status, payment.last_decline_code, payment.locked_until) == (over, "", None)

    def test_may_succeed_even_after_it_was_cancelled(self):
        payment = a_payment(PaymentStatus.CANCELED)
        payment.succeed("ch_1", now=NOW)
        assert (payment.status, payment.charge_id, payment.succeeded_at) == (PaymentStatus.SUCCEEDED, "ch_1", NOW)

    def test_is_settled_when_the_fee_is_known(self):
        payment = a_payment()
        payment.succeed("ch_1", now=NOW)
        payment.settled(None, now=NOW)
        assert (payment.is_settled, payment.next_check_at) == (False, NOW + POLL_EVERY)
        payment.settled("txn_1", now=NOW)
        payment.settled("txn_2", now=NOW)
        assert (payment.is_settled, payment.next_check_at) == (True, None)
        assert payment.balance_transaction_id == "txn_1"

    def test_is_read_again_in_time_and_no_later_than_its_window_ends(self):
        payment = a_payment()
        payment.observe(PaymentStatus.REQUIRES_ACTION, decline_code="", now=NOW)
        assert payment.next_check_at == NOW + POLL_EVERY
        payment.observe(PaymentStatus.REQUIRES_ACTION, decline_code="", now=payment.due_at - MINUTE)
        assert payment.next_check_at == payment.due_at
        payment.observe(PaymentStatus.PROCESSING, decline_code="", now=payment.due_at)
        assert payment.next_check_at == payment.due_at + POLL_EVERY

    def test_is_read_again_soon_while_its_cancellation_is_refused(self):
        payment = a_payment()
        payment.want_cancel(CancelWish.BUYER)
        payment.observe(PaymentStatus.PROCESSING, decline_code="", now=NOW)
        assert payment.next_check_at == NOW + RETRY_FIRST

    def test_waits_for_its_window_when_it_cannot_be_made(self):
        payment = a_payment()
        payment.cannot_be_made()
        assert payment.next_check_at == payment.due_at

    def test_is_put_in_quarantine_once(self):
        payment = a_payment()
        payment.put_in_quarantine("paid in USD", now=NOW)
        payment.put_in_quarantine("paid too little", now=NOW)
        assert payment.events == [PaymentQuarantined(occurred_at=NOW, payment_id=1, order_id=7, reason="paid in USD")]
        assert payment.next_check_at is None

    def test_is_tried_again_ever_later_while_the_provider_is_silent(self):
        payment = a_payment()
        pauses = []
        for _ in range(12):
            payment.failed_to_reach(now=NOW)
            pauses.append(payment.next_check_at - NOW)
        assert pauses[:3] == [RETRY_FIRST, 2 * RETRY_FIRST, 4 * RETRY_FIRST]
        assert pauses[-1] == RETRY_LONGEST
        payment.observe(PaymentStatus.PROCESSING, decline_code="", now=NOW)
        assert payment.failures == 0


class TestRefund:
    def test_owes_what_its_parts_add_up_to(self):
        refund = a_refund()
        assert refund.amount == Money(2 * 5256, "EUR")
        (told,) = refund.events
        assert isinstance(told, RefundDecided)
        assert (told.refund_id, told.order_id, told.buyer_id, told.amount, told.cause) == (4, 7, 9, 10512, "seller")
        assert (refund.key, refund.next_check_at) == ("re:4:1", NOW)

    @pytest.mark.parametrize(
        ("cause", "whole"),
        [
            (RefundCause.NOT_SHIPPED, True),
            (RefundCause.PLATFORM, True),
            (RefundCause.SELLER, False),
            (RefundCause.BUYER, False),
        ],
    )
    def test_gives_all_fees_back_when_it_is_nobody_s_fault_but_ours(self, cause, whole):
        assert cause.gives_all_fees_back is whole

    def test_is_marked_as_sent_before_it_is(self):
        refund = a_refund()
        refund.lease(now=NOW, until=NOW + MINUTE)
        assert (refund.status, refund.first_sent_at, refund.is_sent) == (RefundStatus.SENDING, NOW, False)
        with pytest.raises(PaymentBusy):
            refund.lease(now=NOW, until=NOW + MINUTE)
        refund.lease(now=NOW + MINUTE, until=NOW + 2 * MINUTE)
        assert refund.first_sent_at == NOW

    def test_takes_another_key_only_after_a_look_up(self):
        refund = a_refund()
        refund.lease(now=NOW + MINUTE, until=NOW + 2 * MINUTE)
        late = NOW + KEY_LIFETIME
        assert refund.key_is_remembered(late - MINUTE)
        # Sent before a backup was restored, perhaps; a key that nothing was sent with serves all the same.
        assert (refund.key_is_remembered(late), refund.key_is_spent(late)) == (False, False)
        assert refund.key_is_spent(late + MINUTE)
        refund.next_attempt(now=late + MINUTE)
        assert (refund.key, refund.key_is_spent(late + MINUTE)) == ("re:4:2", False)

    @pytest.mark.parametrize(
        ("status", "again"), [(RefundStatus.PENDING, NOW + POLL_REFUND), (RefundStatus.SUCCEEDED, None)]
    )
    def test_is_read_again_while_it_is_pending(self, status, again):
        refund = a_refund()
        refund.accepted("re_1")
        refund.settle(status, reason="", now=NOW)
        assert (refund.status, refund.next_check_at, refund.is_sent) == (status, again, True)

    def test_that_has_failed_stays_so_and_is_told_of_once(self):
        refund = a_refund()
        refund.events.clear()
        for status in (RefundStatus.SUCCEEDED, RefundStatus.FAILED, RefundStatus.SUCCEEDED, RefundStatus.FAILED):
            refund.settle(status, reason="closed account", now=NOW)
        assert (refund.status, refund.failure_reason) == (RefundStatus.FAILED, "closed account")
        assert refund.events == [RefundFailed(occurred_at=NOW, refund_id=4, order_id=7, reason="closed account")]

    def test_that_has_failed_is_over_even_when_the_provider_fell_silent_after_it(self):
        refund = a_refund()
        refund.settle(RefundStatus.FAILED, reason="closed account", now=NOW)
        refund.failed_to_reach(now=NOW)
        refund.settle(RefundStatus.FAILED, reason="closed account", now=NOW)
        assert refund.next_check_at is None

    def test_is_tried_again_ever_later_while_the_provider_is_silent(self):
        refund = a_refund()
        refund.lease(now=NOW, until=NOW + MINUTE)
        refund.failed_to_reach(now=NOW)
        refund.failed_to_reach(now=NOW)
        assert (refund.next_check_at, refund.locked_until) == (NOW + 2 * RETRY_FIRST, None)


class TestWords:
    @given(st.integers(min_value=0, max_value=10_000))
    def test_pauses_grow_and_are_bounded(self, failures):
        assert RETRY_FIRST <= backoff(failures) <= backoff(failures + 1) <= RETRY_LONGEST

    @pytest.mark.parametrize(
        ("code", "shown"),
        [
            ("insufficient_funds", "insufficient_funds"),
            ("fraudulent", "generic_decline"),
            ("stolen_card", "generic_decline"),
            ("", ""),
        ],
    )
    def test_a_suspicion_of_fraud_is_never_shown(self, code, shown):
        assert neutral_decline(code) == shown
