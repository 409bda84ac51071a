"""What keeping the provider's movements beside our journals promises, in every store."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from marketplace.application.ports.pages import PageRequest
from marketplace.domain import journals
from marketplace.domain.ledger import JournalKind
from marketplace.domain.provider_books import Booking, Movement
from marketplace.domain.reconciliation import (
    Difference,
    DifferenceKind,
    Reconciliation,
    ReconciliationBusy,
    Resolution,
    RunStatus,
)
from marketplace.domain.shared.errors import Conflict, NotFound

AT = datetime(2026, 2, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_movement(id: str = "txn_1", *, type: str = "stripe_fee", amount: int = -30, **fields) -> Movement:
    values = {
        "reporting_category": "fee",
        "source": "",
        "fee": 0,
        "currency": "EUR",
        "created_at": AT,
        "available_at": AT + HOUR,
    } | fields
    return Movement(id=id, type=type, amount=amount, net=amount - values["fee"], **values)


def a_difference(id: int = 1, *, subject: str = "txn_1", kind=DifferenceKind.NO_JOURNAL, **fields) -> Difference:
    return Difference.found(
        id=id, kind=kind, subject=subject, currency="EUR", detail="not known", theirs=-30, now=AT, **fields
    )


def a_run(id: int = 1, last: Reconciliation | None = None, now: datetime = AT) -> Reconciliation:
    return Reconciliation.after(last, id=id, since=None, first=AT - HOUR, now=now)


def add(unit_of_work, repository: str, entity) -> None:
    with unit_of_work() as uow:
        getattr(uow, repository).add(entity)
        uow.commit()


class ProviderBooksContract:
    """Subclasses provide ``unit_of_work`` and ``queries``."""

    def keep(self, unit_of_work, *movements: Movement) -> None:
        with unit_of_work() as uow:
            uow.provider_books.keep(movements)
            uow.commit()

    def post(self, unit_of_work, *facts) -> None:
        with unit_of_work() as uow:
            for fact in facts:
                uow.ledger.post(fact)
            uow.commit()

    def fee(self, name: str, fee: int = 30, at: datetime = AT):
        return journals.stripe_fee(balance_transaction_id=name, order_id=None, currency="EUR", fee=fee, at=at)

    def test_a_movement_is_kept_as_it_is_now_and_stays_settled(self, unit_of_work):
        self.keep(unit_of_work, a_movement("txn_1"), a_movement("txn_2"))
        with unit_of_work() as uow:
            uow.provider_books.settle(["txn_1"], matches={})
            uow.commit()
        later = a_movement("txn_1", available_at=AT + 5 * HOUR)
        self.keep(unit_of_work, later)
        self.keep(unit_of_work)
        with unit_of_work() as uow:
            books = uow.provider_books
            assert books.get("txn_1") == later
            assert set(books.settled_among(["txn_1", "txn_2"])) == {"txn_1"}
            assert books.unsettled(before=AT + HOUR, after="", limit=9) == [a_movement("txn_2")]
            assert books.unsettled(before=AT, after="", limit=9) == []
            assert books.unsettled(before=AT + HOUR, after="txn_2", limit=9) == []
            with pytest.raises(NotFound):
                books.get("txn_3")

    def test_finds_the_journals_that_movements_should_have_and_what_they_stand_for(self, unit_of_work):
        self.keep(unit_of_work, a_movement("txn_1"))
        self.post(unit_of_work, self.fee("txn_1"))
        wanted = Booking(kind=JournalKind.STRIPE_FEE, source_key="fee:txn_1", amount=-30)
        other = replace(wanted, source_key="fee:txn_9")
        with unit_of_work() as uow:
            assert uow.provider_books.booked([]) == {}
            ((key, found),) = uow.provider_books.booked([wanted, other]).items()
            assert key == ("stripe_fee", "fee:txn_1")
            assert (found.amount, found.currency, found.movement_id) == (-30, "EUR", None)
            uow.provider_books.settle(["txn_1"], matches={found.journal_id: "txn_1"})
            uow.provider_books.settle([], matches={found.journal_id: "txn_1"})
            uow.commit()
        with unit_of_work() as uow:
            (matched,) = uow.provider_books.booked([wanted]).values()
            assert matched.movement_id == "txn_1"
            assert set(uow.provider_books.matched_among([matched.journal_id, 999_999])) == {matched.journal_id}

    def test_looks_at_journals_in_windows_until_they_are_too_young(self, unit_of_work):
        self.keep(unit_of_work, a_movement("txn_1"))
        carrier = journals.dispute_hold(
            hold_key="dispute:1",
            sale_id=1,
            order_id=1,
            seller_id=1,
            currency="EUR",
            amount=5,
            source="liabilities:seller:1:pending",
            at=AT,
        )
        self.post(unit_of_work, self.fee("txn_1"), self.fee("txn_2"), carrier, self.fee("txn_3", at=AT + HOUR))
        with unit_of_work() as uow:
            (matched,) = uow.provider_books.booked([a_movement("txn_1").bookings()[0]]).values()
            uow.provider_books.settle(["txn_1"], matches={matched.journal_id: "txn_1"})
            alone, last = uow.provider_books.unmatched_journals(before=AT + HOUR, after=0, limit=2)
            assert [journal.source_key for journal in alone] == ["fee:txn_2"]
            assert last == alone[0].journal_id
            alone, further = uow.provider_books.unmatched_journals(before=AT + HOUR, after=last, limit=9)
            assert (alone, further > last) == ([], True)
            alone, last = uow.provider_books.unmatched_journals(before=AT + HOUR, after=further, limit=9)
            assert (alone, last) == ([], further)

    def test_adds_movements_up(self, unit_of_work):
        self.keep(
            unit_of_work,
            a_movement("txn_1", type="charge", amount=100, fee=3),
            a_movement("txn_2", type="reserve_hold", amount=-20),
            a_movement("txn_3", type="payout_minimum_balance_hold", amount=-5),
            a_movement("txn_4", type="charge", amount=7, currency="USD"),
        )
        with unit_of_work() as uow:
            assert uow.provider_books.totals() == {"EUR": (72, -25), "USD": (7, 0)}

    def test_a_difference_is_known_once_and_listed_until_it_is_closed(self, unit_of_work, queries):
        with unit_of_work() as uow:
            uow.differences.add(a_difference(1, movement_id="txn_1"))
            uow.differences.add(a_difference(2, subject="txn_2"))
            uow.differences.add(a_difference(3, subject="7", kind=DifferenceKind.NO_MOVEMENT, journal_id=7))
            uow.commit()
        with pytest.raises(Conflict):
            add(unit_of_work, "differences", a_difference(4))
        with unit_of_work() as uow:
            assert set(uow.differences.known(DifferenceKind.NO_JOURNAL, ["txn_1", "7"])) == {"txn_1"}
            assert [each.id for each in uow.differences.open_after(0, limit=2)] == [1, 2]
            difference = uow.differences.get_for_update(2)
            difference.explain("a test", by=5, now=AT + HOUR)
            uow.differences.save(difference)
            uow.commit()
        with unit_of_work() as uow:
            assert [each.id for each in uow.differences.open_after(1, limit=9)] == [3]
            assert uow.differences.get_for_update(2).resolution is Resolution.EXPLAINED
            with pytest.raises(NotFound):
                uow.differences.get_for_update(9)
        asked = PageRequest()
        assert [each.id for each in queries.differences(asked).items] == [3, 2, 1]
        assert [each.id for each in queries.differences(asked, is_open=True).items] == [3, 1]
        (closed,) = queries.differences(asked, is_open=False).items
        assert (closed.note, closed.resolved_by, closed.theirs, closed.ours) == ("a test", 5, -30, None)

    def test_runs_follow_one_another(self, unit_of_work, queries):
        assert queries.latest() is None
        run = a_run()
        with unit_of_work() as uow:
            assert uow.reconciliations.latest_for_update() is None
            uow.reconciliations.add(run)
            uow.commit()
        with pytest.raises(ReconciliationBusy):
            add(unit_of_work, "reconciliations", a_run(2))
        with unit_of_work() as uow:
            stored = uow.reconciliations.latest_for_update()
            stored.seen, stored.balances = 3, {"EUR": {"provider": 5}}
            stored.done(now=AT + HOUR)
            uow.reconciliations.save(stored)
            uow.reconciliations.add(a_run(2, stored, now=AT + 24 * HOUR))
            uow.commit()
        assert queries.latest().id == 2
        with unit_of_work() as uow:
            latest = uow.reconciliations.latest_for_update()
            assert (latest.id, latest.status, latest.since) == (2, RunStatus.RUNNING, AT - 25 * HOUR)

    def test_the_books_know_what_was_posted_and_what_stands_on_an_account(self, unit_of_work):
        self.post(unit_of_work, self.fee("txn_1"))
        with unit_of_work() as uow:
            assert uow.ledger.posted(JournalKind.STRIPE_FEE, "fee:txn_1")
            assert not uow.ledger.posted(JournalKind.TOPUP, "fee:txn_1")
            assert uow.ledger.balance_for_update("expenses:stripe_fees", "EUR") == 30
            assert uow.ledger.balance_for_update("assets:bank", "EUR") == 0
            uow.ledger.one_at_a_time("payout po_1")
