"""What the provider's movements should be booked as, and how differences and runs end."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.domain.ledger import JournalKind
from marketplace.domain.payments.payment import ProviderAlarm
from marketplace.domain.reconciliation import (
    LEASE,
    OVERLAP,
    RETRY_AFTER,
    Difference,
    DifferenceKind,
    Reconciliation,
    Resolution,
    RunStatus,
)
from marketplace.domain.shared.errors import IllegalTransition, Invalid
from tests.contracts.provider_books import AT, a_difference, a_movement, a_run

DAY = timedelta(days=1)


class TestWhatAMovementShouldHave:
    @pytest.mark.parametrize(
        ("type", "key"),
        [
            ("charge", "charge:x"),
            ("payment", "charge:x"),
            ("refund", "refund_sent:x"),
            ("payment_refund", "refund_sent:x"),
            ("refund_failure", "refund_failed:x"),
            ("payment_failure_refund", "refund_failed:x"),
            ("transfer", "transfer:x"),
            ("transfer_refund", "reversal:x"),
            ("transfer_cancel", "reversal:x"),
            ("transfer_failure", "reversal:x"),
            ("payout", "payout:x"),
            ("payout_cancel", "payout_failed:x"),
            ("payout_failure", "payout_failed:x"),
            ("topup", "topup:txn_1"),
            ("topup_reversal", "topup:txn_1"),
            ("stripe_fee", "fee:txn_1"),
            ("stripe_fx_fee", "fee:txn_1"),
            ("tax_fee", "fee:txn_1"),
        ],
    )
    def test_one_journal_by_its_type(self, type, key):
        movement = a_movement(type=type, source="x", amount=-500)
        ((booking),) = movement.bookings()
        assert (booking.source_key, booking.amount) == (key, -500)
        assert movement.is_known
        assert movement.is_of_payout is type.startswith("payout")

    def test_a_fee_is_a_journal_of_its_own(self):
        charge, fee = a_movement(type="charge", source="ch_1", amount=12112, fee=207).bookings()
        assert (charge.source_key, charge.amount) == ("charge:ch_1", 12112)
        assert (fee.kind, fee.source_key, fee.amount) == (JournalKind.STRIPE_FEE, "fee:txn_1", -207)

    @pytest.mark.parametrize(
        ("category", "key"),
        [("dispute", "dispute:txn_1:withdrawn"), ("dispute_reversal", "dispute:txn_1:reinstated")],
    )
    def test_a_chargeback_and_its_fee_are_one(self, category, key):
        movement = a_movement(type="adjustment", reporting_category=category, source="du_1", amount=-100, fee=20)
        ((booking),) = movement.bookings()
        assert (booking.source_key, booking.amount) == (key, -120)

    @pytest.mark.parametrize("type", ["adjustment", "climate_order_purchase"])
    def test_what_is_not_known_has_none(self, type):
        movement = a_movement(type=type, reporting_category="other")
        assert (movement.bookings(), movement.is_known, movement.own_journals()) == ((), False, ())

    @pytest.mark.parametrize("type", ["reserve_transaction", "payout_minimum_balance_hold"])
    def test_a_reserve_is_nothing_to_book(self, type):
        movement = a_movement(type=type)
        assert (movement.bookings(), movement.is_known, movement.is_reserve) == ((), True, True)

    def test_fees_and_topups_are_booked_on_its_word_and_nothing_else_is(self):
        (fee,) = a_movement(type="tax_fee", amount=-30).own_journals()
        assert (fee.source_key, fee.lines[0].amount) == ("fee:txn_1", 30)
        topup, cost = a_movement(type="topup", amount=5000, fee=10).own_journals()
        assert (topup.source_key, cost.source_key) == ("topup:txn_1", "fee:txn_1")
        assert a_movement(type="charge", source="ch", amount=100, fee=5).own_journals() == ()
        assert a_movement(type="topup", amount=0).own_journals() == ()
        assert a_movement(type="stripe_fee", amount=0).own_journals() == ()


class TestDifference:
    def test_raises_an_alarm_when_it_is_found(self):
        difference = a_difference()
        (alarm,) = difference.events
        assert isinstance(alarm, ProviderAlarm)
        assert (alarm.subject, alarm.reason) == ("difference 1 (movement_without_journal)", "not known")
        assert difference.is_open

    def test_is_closed_once(self):
        difference = a_difference()
        difference.matched(now=AT)
        assert (difference.resolution, difference.is_open) == (Resolution.MATCHED, False)
        with pytest.raises(IllegalTransition, match="was closed at 2026-02-01 12:00"):
            difference.explain("again", by=1, now=AT)

    @pytest.mark.parametrize("note", ["", "  ", "\x00", "x" * 501])
    def test_is_not_explained_without_words(self, note):
        with pytest.raises(Invalid):
            a_difference().explain(note, by=1, now=AT)

    def test_only_a_movement_can_be_put_into_suspense(self):
        difference = a_difference()
        difference.booked("who knows", by=None, now=AT)
        assert (difference.resolution, difference.note) == (Resolution.BOOKED, "who knows")
        with pytest.raises(Invalid, match="only a movement without journal"):
            a_difference(kind=DifferenceKind.AMOUNT).booked("who knows", by=None, now=AT)
        assert isinstance(difference, Difference)


class TestRuns:
    def test_the_first_begins_before_the_first_fact(self):
        run = a_run()
        assert run.since == AT - timedelta(hours=1) - OVERLAP
        assert run.is_under_way(AT)
        assert not run.is_next_due(AT)

    def test_one_whose_process_died_is_followed_when_its_lease_is_over(self):
        run = a_run()
        assert run.is_next_due(AT + LEASE)
        run.goes_on(now=AT + LEASE)
        assert not run.is_next_due(AT + LEASE)

    def test_the_next_is_due_a_day_after_the_last_began(self):
        run = a_run()
        run.done(now=AT + timedelta(hours=2))
        assert (run.status, run.is_next_due(AT + DAY - timedelta(seconds=1))) == (RunStatus.DONE, False)
        assert run.is_next_due(AT + DAY)
        assert not run.is_under_way(AT)

    def test_one_that_failed_is_tried_again_soon_and_goes_on_from_where_all_was_seen(self):
        run = a_run()
        run.movements_until, run.journals_until = AT, 17
        run.failed("silent", now=AT)
        assert run.is_next_due(AT + RETRY_AFTER)
        following = Reconciliation.after(run, id=2, since=None, first=AT, now=AT + RETRY_AFTER)
        assert (following.since, following.journals_until) == (AT - OVERLAP, 17)
        asked = Reconciliation.after(run, id=3, since=AT - 9 * DAY, first=AT, now=AT)
        assert (asked.since, asked.movements_until) == (AT - 9 * DAY, datetime(2026, 2, 1, 12, tzinfo=UTC))
