"""Comparing our books with the provider's: what is matched, what is booked, and what is left for an operator."""

from datetime import timedelta
from functools import partial

import pytest

from marketplace.application.access import OPERATOR, Actor
from marketplace.application.ledger import operating
from marketplace.application.ledger.reconciling import ReconcileWhenDue
from marketplace.application.ports.pages import PageRequest
from marketplace.application.ports.payment_gateway import (
    OutcomeUnknown,
    PlatformPayoutStatus,
)
from marketplace.domain import journals
from marketplace.domain.reconciliation import ReconciliationBusy, Resolution, RunStatus
from marketplace.domain.shared.errors import Conflict, Forbidden, Invalid
from marketplace.domain.shared.ids import AccountId
from marketplace.domain.shared.money import Money
from tests.contracts.ledger import a_capture, a_fee
from tests.reconciling import DAY, HOUR, Desk


@pytest.fixture
def desk():
    return Desk()


class TestWhatIsRight:
    def test_nothing_with_nothing(self, desk):
        run = desk.run()
        assert (run.status, run.seen, run.opened, run.balances) == (RunStatus.DONE, 0, 0, {})

    def test_a_purchase_that_both_sides_know(self, desk):
        desk.sells()
        run = desk.run()
        assert (run.seen, run.matched, run.booked, run.opened, desk.open()) == (1, 1, 0, 0, [])
        assert run.balances["EUR"] == {
            "provider": 11893,
            "movements": 11893,
            "reserved": 0,
            "ledger": 11893,
            "owed": 10500,
        }
        assert desk.run(since=desk.clock.now() - 9 * DAY).seen == 0

    def test_what_only_the_provider_can_tell_of_is_booked(self, desk):
        desk.sells()
        desk.provider.moves("txn_2", "stripe_fee", -50)
        desk.provider.moves("txn_3", "topup", 5000)
        desk.provider.moves("txn_4", "reserve_transaction", -100)
        run = desk.run()
        assert (run.booked, run.matched, desk.open()) == (2, 4, [])
        assert (desk.balance("expenses:stripe_fees"), desk.balance("assets:bank")) == (257, -5000)
        assert run.balances["EUR"]["reserved"] == 100

    def test_movements_that_come_while_the_balance_is_read(self, desk):
        desk.sells()
        desk.provider.moves("txn_2", "stripe_fee", -50, ago=timedelta(seconds=1))
        desk.provider.arriving.append(desk.provider.movements.pop())
        assert desk.run().booked == 1
        assert desk.open() == []


class TestAMovementWithoutJournal:
    def test_is_waited_for_then_opened_once_and_closed_when_the_journal_comes(self, desk):
        desk.provider.moves("txn_1", "charge", 12100, fee=207, source="ch_1", ago=HOUR / 2)
        desk.run(since=desk.clock.now() - DAY)
        assert desk.open() == []
        desk.clock.advance(HOUR)
        assert desk.run().opened == 1
        assert desk.open() == [("movement_without_journal", "txn_1")]
        assert "there is no journal payment_captured charge:ch_1 and stripe_fee fee:txn_1" in desk.first().detail
        assert desk.alarms() == [desk.first().detail]
        assert desk.run().opened == 0
        desk.post(a_capture(1), a_fee(1))
        assert desk.run().closed == 1
        assert (desk.open(), desk.first().resolution) == ([], Resolution.MATCHED)

    def test_is_told_when_it_is_the_second_of_one_thing(self, desk):
        desk.sells(ago=3 * HOUR)
        desk.provider.moves("txn_2", "charge", 12100, source="ch_1")
        desk.run()
        assert desk.open() == [("movement_without_journal", "txn_2")]
        assert "a second movement of the same thing" in desk.first().detail

    def test_is_told_when_nobody_knows_its_type_and_can_be_explained(self, desk):
        desk.sells()
        desk.provider.moves("txn_2", "climate_order", -70, category="climate")
        desk.run()
        assert "'climate_order' (climate) are not known here" in desk.first().detail
        closed = desk.explain(actor=OPERATOR, id=desk.first().id, note="trees")
        assert (closed.resolution, closed.note) == (Resolution.EXPLAINED, "trees")
        desk.run()
        assert desk.open() == []
        assert desk.balance("liabilities:suspense") == 0

    def test_can_be_booked_to_suspense(self, desk):
        desk.sells()
        desk.provider.moves("txn_2", "climate_order", -70)
        desk.run()
        closed = desk.to_suspense(actor=OPERATOR, id=desk.first().id, note="who knows")
        assert closed.resolution is Resolution.BOOKED
        assert (desk.balance("liabilities:suspense"), desk.balance("assets:stripe_balance")) == (70, 11823)
        desk.clock.advance(2 * DAY)
        run = desk.run()
        assert desk.open() == []
        assert run.balances["EUR"]["ledger"] == run.balances["EUR"]["provider"]

    def test_of_a_payout_is_asked_for_by_itself(self, desk):
        desk.sells()
        desk.provider.moves("txn_po", "payout", -1000, source="po_1")
        desk.provider.pays_out(PlatformPayoutStatus.PAID)
        desk.provider.moves("txn_px", "payout", -5, source="po_unknown")
        desk.run()
        assert desk.open() == [("movement_without_journal", "txn_px")]
        assert desk.balance("assets:bank") == 1000


class TestAJournalWithoutMovement:
    def test_is_waited_for_a_day_then_opened_once_and_closed_when_it_comes(self, desk):
        desk.sells()
        now = desk.clock.now()
        desk.post(
            journals.refund_created(provider_refund_id="re_1", order_id=1, currency="EUR", amount=700, at=now),
            journals.unexplained(balance_transaction_id="txn_7", currency="EUR", net=5, at=now),
        )
        desk.run()
        desk.clock.advance(DAY + HOUR)
        desk.run()
        ((kind, subject),) = desk.open()
        assert (kind, subject) == ("journal_without_movement", "3")
        assert "refund_created refund_sent:re_1) moves -7.00 EUR" in desk.first().detail
        assert desk.run().opened == 0
        desk.provider.moves("txn_9", "refund", -700, source="re_1")
        assert desk.run().closed == 1
        assert desk.open() == []

    def test_is_looked_for_once(self, desk):
        desk.sells()
        desk.clock.advance(2 * DAY)
        first = desk.run()
        assert first.journals_until == 2
        assert desk.run().journals_until == 2


class TestDifferentAmounts:
    def test_are_told_and_stay_until_somebody_explains_them(self, desk):
        desk.post(a_capture(1))
        desk.provider.moves("txn_1", "charge", 12000, source="ch_1")
        desk.run(since=desk.clock.now() - DAY)
        assert desk.open() == [("amounts_differ", "txn_1")]
        found = desk.first()
        assert (found.ours, found.theirs) == (12100, 12000)
        assert "the provider moved 120.00 EUR, journal 1 (payment_captured) has 121.00 EUR" in found.detail
        desk.run()
        assert desk.open() == [("amounts_differ", "txn_1")]
        desk.explain(actor=OPERATOR, id=found.id, note="a slip of the provider")
        assert desk.run().opened == 0


class TestTheBalance:
    def test_a_gap_is_one_difference_and_a_changed_gap_another(self, desk):
        desk.sells()
        desk.provider.extra = 500
        desk.run()
        assert desk.open() == [("balance", "EUR +500")]
        assert "5.00 EUR apart" in desk.first().detail
        assert desk.run().opened == 0
        desk.provider.extra = 600
        desk.run()
        assert desk.open() == [("balance", "EUR +600")]
        desk.explain(actor=OPERATOR, id=desk.queries.differences(PageRequest()).items[0].id, note="from before")
        desk.run()
        assert desk.open() == []
        desk.provider.extra = 0
        assert desk.run().opened == 0


class TestWhenItRuns:
    def test_once_a_day_however_often_it_is_asked_and_after_any_outage(self, desk):
        desk.sells()
        job = ReconcileWhenDue(desk.reconcile)
        assert job() == 1
        desk.provider.moves("txn_2", "stripe_fee", -5, ago=timedelta())
        assert job() == 0
        desk.clock.advance(30 * DAY)
        assert job() == 1

    def test_leaves_it_to_the_worker_that_began_at_the_same_moment(self, desk, monkeypatch):
        desk.sells()

        def taken(*args, **named):
            raise ReconciliationBusy("The books are being compared right now.")

        monkeypatch.setattr(type(desk.reconcile), "_begin", taken)
        assert ReconcileWhenDue(desk.reconcile)() == 0

    def test_not_twice_at_a_time(self, desk):
        desk.reconcile._begin(since=None, force=False)
        assert desk.reconcile() is None
        with pytest.raises(ReconciliationBusy):
            desk.run()
        desk.clock.advance(HOUR)
        assert desk.reconcile().status is RunStatus.DONE

    def test_a_silent_provider_breaks_it_off_and_it_is_tried_again_soon(self, desk):
        desk.sells()
        desk.provider.silent = True
        with pytest.raises(OutcomeUnknown):
            desk.reconcile()
        last = desk.queries.latest()
        assert (last.status, last.error) == (RunStatus.FAILED, "provider_silent: The provider did not answer.")
        assert desk.reconcile() is None
        desk.provider.silent = False
        desk.clock.advance(timedelta(minutes=10))
        assert desk.reconcile().seen == 1

    def test_one_that_lost_its_lease_is_not_marked_by_its_follower(self, desk):
        lost = desk.reconcile._begin(since=None, force=False)
        desk.clock.advance(HOUR)
        assert desk.reconcile().status is RunStatus.DONE
        desk.reconcile._break_off(lost, "late")
        assert desk.queries.latest().status is RunStatus.DONE


class TestPlatformPayouts:
    @pytest.mark.parametrize("status", list(PlatformPayoutStatus))
    def test_each_state_is_booked_once(self, desk, status):
        desk.sells()
        desk.provider.pays_out(status)
        assert desk.check_payout("po_1")
        assert desk.check_payout("po_1")
        came_back = status in (PlatformPayoutStatus.FAILED, PlatformPayoutStatus.CANCELED)
        assert desk.balance("assets:payouts_in_transit") == (1000 if status is PlatformPayoutStatus.IN_TRANSIT else 0)
        assert desk.balance("assets:bank") == (1000 if status is PlatformPayoutStatus.PAID else 0)
        assert desk.balance("assets:stripe_balance") == (11893 if came_back else 10893)
        assert len(desk.alarms()) == came_back

    def test_one_that_fails_after_it_arrived_leaves_the_bank(self, desk):
        desk.sells()
        desk.provider.pays_out(PlatformPayoutStatus.PAID)
        desk.check_payout("po_1")
        desk.provider.pays_out(PlatformPayoutStatus.FAILED)
        desk.check_payout("po_1")
        assert (desk.balance("assets:bank"), desk.balance("assets:payouts_in_transit")) == (0, 0)
        assert desk.alarms() == ["10.00 EUR for our bank came back (account_closed)"]
        desk.provider.pays_out(PlatformPayoutStatus.PAID)
        desk.check_payout("po_1")
        assert desk.balance("assets:bank") == 0

    def test_one_that_is_not_known_is_nobodys(self, desk):
        assert not desk.check_payout("po_1")


class TestBookingByHand:
    def test_a_carrier_is_paid_of_what_was_collected_once_a_bill(self, desk):
        desk.sells()
        desk.carrier_paid(actor=OPERATOR, reference=" bill 7 ", amount=Money(600, "EUR"))
        assert (desk.balance("liabilities:shipping"), desk.balance("assets:bank")) == (-400, -600)
        with pytest.raises(operating.AlreadyBooked):
            desk.carrier_paid(actor=OPERATOR, reference="bill 7", amount=Money(600, "EUR"))
        with pytest.raises(operating.NotCollected, match=r"4\.00 EUR are there"):
            desk.carrier_paid(actor=OPERATOR, reference="bill 8", amount=Money(401, "EUR"))

    def test_a_topup_is_booked_once_by_whoever_is_first(self, desk):
        desk.sells()
        desk.topup(actor=OPERATOR, balance_transaction_id="txn_3", amount=Money(5000, "EUR"))
        desk.provider.moves("txn_3", "topup", 5000)
        assert (desk.run().booked, desk.open()) == (0, [])
        with pytest.raises(Conflict):
            desk.topup(actor=OPERATOR, balance_transaction_id="txn_3", amount=Money(5000, "EUR"))

    @pytest.mark.parametrize("amount", [0, -5])
    def test_nothing_is_not_booked(self, desk, amount):
        with pytest.raises(Invalid):
            desk.carrier_paid(actor=OPERATOR, reference="7", amount=Money(amount, "EUR"))
        with pytest.raises(Invalid):
            desk.topup(actor=OPERATOR, balance_transaction_id="t", amount=Money(amount, "EUR"))
        with pytest.raises(Invalid):
            desk.topup(actor=OPERATOR, balance_transaction_id=" ", amount=Money(5, "EUR"))

    def test_only_administrators_touch_the_books(self, desk):
        buyer = Actor(account_id=AccountId(5))
        for command in (
            partial(desk.explain, id=1, note="x"),
            partial(desk.to_suspense, id=1, note="x"),
            partial(desk.carrier_paid, reference="x", amount=Money(1, "EUR")),
            partial(desk.topup, balance_transaction_id="x", amount=Money(1, "EUR")),
        ):
            with pytest.raises(Forbidden):
                command(actor=buyer)
