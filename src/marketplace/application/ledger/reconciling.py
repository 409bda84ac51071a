"""Comparing our books with the provider's: what it has and we have not, what we have and it has not, what differs.

Nothing is corrected here. Fees for no purchase, top-ups and payouts to our own bank, of which only the provider can
tell, are booked on its word; everything else that one side lacks becomes a difference for an operator.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from marketplace.application.ledger.matching import Matched, Matching
from marketplace.application.ledger.platform_payouts import PlatformPayoutCheck
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.ledger import LedgerQueries
from marketplace.application.ports.payment_gateway import BalanceTransaction, PaymentGateway
from marketplace.application.ports.provider_books import BookedMovement
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.ledger import STRIPE_BALANCE, AccountType, JournalKind, account_type
from marketplace.domain.provider_books import Movement
from marketplace.domain.reconciliation import (
    JOURNAL_GRACE,
    MOVEMENT_GRACE,
    Difference,
    DifferenceId,
    DifferenceKind,
    Reconciliation,
    ReconciliationBusy,
    ReconciliationId,
)
from marketplace.domain.shared.errors import Unavailable
from marketplace.domain.shared.ids import JournalId
from marketplace.domain.shared.money import Money

BATCH = 100
BALANCE_TRIES = 3
"""How often the balance is read against movements that keep coming before that is taken for a difference."""
_ELSEWHERE = frozenset({JournalKind.UNEXPLAINED})
"""Journals that were posted on a movement's account, so that they never lack one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReconcileLedger:
    """Compare everything that has happened since the last time. As a job: once a day, whenever a worker runs."""

    unit_of_work: Callable[[], UnitOfWork]
    gateway: PaymentGateway
    queries: LedgerQueries
    clock: Clock
    ids: IdSequence
    check_payout: PlatformPayoutCheck

    def __call__(self, *, since: datetime | None = None, force: bool = False) -> Reconciliation | None:
        """The run; None when it is not time for one and it is not forced.

        ``since`` begins earlier or later at the provider than where the last run ended. Raises ReconciliationBusy when
        another process is at it, and what the provider raises: what was done until then is kept, and the rest is done
        by the next run.
        """
        run = self._begin(since=since, force=force)
        if run is None:
            return None
        try:
            self._compare(run)
        except Unavailable as error:
            self._break_off(run, f"{error.code}: {error}")
            raise
        return run

    def _begin(self, *, since: datetime | None, force: bool) -> Reconciliation | None:
        now = self.clock.now()
        with self.unit_of_work() as uow:
            last = uow.reconciliations.latest_for_update()
            if last is not None and last.is_under_way(now):
                if not force:
                    return None
                raise ReconciliationBusy("The books are being compared right now; see its result in some minutes.")
            if last is not None and not force and not last.is_next_due(now):
                return None
            if last is not None and last.finished_at is None:
                last.failed("its process ended before it was done", now=now)
                uow.reconciliations.save(last)
            run = Reconciliation.after(
                last, id=ReconciliationId(self.ids.next()), since=since, first=self._first_fact(uow, now), now=now
            )
            uow.reconciliations.add(run)
            uow.commit()
            return run

    def _first_fact(self, uow: UnitOfWork, now: datetime) -> datetime:
        """Before our first journal there is nothing to compare with."""
        first, _ = uow.provider_books.unmatched_journals(before=now, after=JournalId(0), limit=BATCH)
        return first[0].occurred_at if first else now

    def _compare(self, run: Reconciliation) -> None:
        self._read_movements(run, since=run.since)
        self._late_movements(run)
        self._late_journals(run)
        self._close_what_has_come(run)
        self._compare_balances(run)
        run.done(now=self.clock.now())
        self._save(run)

    # --- the provider's movements

    def _read_movements(self, run: Reconciliation, *, since: datetime) -> None:
        """Keep and match every movement from ``since`` on; the run remembers how far it came."""
        for page in self._pages(since):
            now = self.clock.now()
            movements = [_kept(each) for each in page]
            with self.unit_of_work() as uow:
                known = uow.provider_books.settled_among([movement.id for movement in movements])
                uow.provider_books.keep(movements)
                fresh = [movement for movement in movements if movement.id not in known]
                matched = Matching(ids=self.ids)(uow, fresh, missing_is_a_fault=False, now=now)
                run.seen += len(fresh)
                run.movements_until = max(run.movements_until, max(movement.created_at for movement in movements))
                self._note(uow, run, matched)

    def _pages(self, since: datetime) -> Iterator[Sequence[BalanceTransaction]]:
        after: str | None = None
        while page := self.gateway.balance_transactions(since=since, after=after, limit=BATCH):
            yield page
            after = page[-1].id

    def _late_movements(self, run: Reconciliation) -> None:
        """Movements that ought to have their journal by now: a second look, and a difference for each that has none."""
        before, after = self.clock.now() - JOURNAL_GRACE, ""
        while True:
            with self.unit_of_work() as uow:
                late = uow.provider_books.unsettled(before=before, after=after, limit=BATCH)
            if not late:
                return
            for movement in late:
                if movement.is_of_payout:
                    # The one fact that nobody but the provider can tell us of: its notice may have been lost.
                    self.check_payout(movement.source)
            with self.unit_of_work() as uow:
                matched = Matching(ids=self.ids)(uow, late, missing_is_a_fault=True, now=self.clock.now())
                self._note(uow, run, matched)
            after = late[-1].id

    # --- our journals

    def _late_journals(self, run: Reconciliation) -> None:
        """Journals that ought to have their movement by now."""
        before = self.clock.now() - MOVEMENT_GRACE
        while True:
            with self.unit_of_work() as uow:
                alone, last = uow.provider_books.unmatched_journals(
                    before=before, after=run.journals_until, limit=BATCH
                )
                if last == run.journals_until:
                    return
                opened = self._open(uow, [journal for journal in alone if journal.kind not in _ELSEWHERE])
                run.journals_until = last
                self._note(uow, run, Matched(opened=opened))

    def _open(self, uow: UnitOfWork, journals: Sequence[BookedMovement]) -> int:
        known = uow.differences.known(DifferenceKind.NO_MOVEMENT, [str(each.journal_id) for each in journals])
        fresh = [journal for journal in journals if str(journal.journal_id) not in known]
        for journal in fresh:
            amount = Money(journal.amount, journal.currency)
            uow.differences.add(
                Difference.found(
                    id=DifferenceId(self.ids.next()),
                    kind=DifferenceKind.NO_MOVEMENT,
                    subject=str(journal.journal_id),
                    currency=journal.currency,
                    ours=journal.amount,
                    detail=f"journal {journal.journal_id} ({journal.kind} {journal.source_key}) moves {amount} on "
                    f"{journal.occurred_at:%Y-%m-%d %H:%M}, and the provider has no such movement; it was booked in "
                    "error, under another environment's keys, or the provider lists it late",
                    journal_id=journal.journal_id,
                    now=self.clock.now(),
                )
            )
        return len(fresh)

    # --- what was open

    def _close_what_has_come(self, run: Reconciliation) -> None:
        after = DifferenceId(0)
        while True:
            with self.unit_of_work() as uow:
                batch = uow.differences.open_after(after, limit=BATCH)
                if not batch:
                    return
                closed = self._close(uow, batch)
                run.closed += closed
                self._note(uow, run, Matched())
            after = batch[-1].id

    def _close(self, uow: UnitOfWork, batch: Sequence[Difference]) -> int:
        settled = uow.provider_books.settled_among([d.subject for d in batch if d.kind is DifferenceKind.NO_JOURNAL])
        alone = [d.journal_id for d in batch if d.kind is DifferenceKind.NO_MOVEMENT and d.journal_id is not None]
        matched = uow.provider_books.matched_among(alone)
        come = [
            difference
            for difference in batch
            if (difference.kind is DifferenceKind.NO_JOURNAL and difference.subject in settled)
            or (difference.kind is DifferenceKind.NO_MOVEMENT and difference.journal_id in matched)
        ]
        for difference in come:
            difference.matched(now=self.clock.now())
            uow.differences.save(difference)
        return len(come)

    # --- balances

    def _compare_balances(self, run: Reconciliation) -> None:
        """What the provider says it holds must be what its movements add up to; our own side is put beside it."""
        for _ in range(BALANCE_TRIES):
            theirs = self._balances()
            with self.unit_of_work() as uow:
                totals = uow.provider_books.totals()
            if all(held == totals[currency][0] for currency, held in theirs.items()):
                break
            self._read_movements(run, since=run.movements_until - JOURNAL_GRACE)
        ours, owed = _own_side(self.queries)
        run.balances = {
            currency: {
                "provider": held,
                "movements": totals[currency][0],
                "reserved": -totals[currency][1],
                "ledger": ours[currency],
                "owed": owed[currency],
            }
            for currency, held in theirs.items()
        }
        self._judge_balances(run)

    def _balances(self) -> Mapping[str, int]:
        with self.unit_of_work() as uow:
            currencies = sorted(uow.provider_books.totals())
        held = {currency: self.gateway.balance(currency) for currency in currencies}
        return {currency: balance.available + balance.pending for currency, balance in held.items()}

    def _judge_balances(self, run: Reconciliation) -> None:
        """Each gap is a difference once; when it changes, or is gone, the old one is closed."""
        now = self.clock.now()
        gaps = {
            f"{currency} {sides['provider'] - sides['movements']:+}": currency
            for currency, sides in run.balances.items()
            if sides["provider"] != sides["movements"]
        }
        with self.unit_of_work() as uow:
            after, opened = DifferenceId(0), 0
            while batch := uow.differences.open_after(after, limit=BATCH):
                for difference in batch:
                    if difference.kind is DifferenceKind.BALANCE and difference.subject not in gaps:
                        difference.matched(now=now)
                        uow.differences.save(difference)
                        run.closed += 1
                after = batch[-1].id
            known = uow.differences.known(DifferenceKind.BALANCE, list(gaps))
            for subject in sorted(set(gaps) - set(known)):
                uow.differences.add(self._of_balance(subject, gaps[subject], run, now))
                opened += 1
            self._note(uow, run, Matched(opened=opened))

    def _of_balance(self, subject: str, currency: str, run: Reconciliation, now: datetime) -> Difference:
        sides = run.balances[currency]
        held, added = Money(sides["provider"], currency), Money(sides["movements"], currency)
        return Difference.found(
            id=DifferenceId(self.ids.next()),
            kind=DifferenceKind.BALANCE,
            subject=subject,
            currency=currency,
            ours=added.amount,
            theirs=held.amount,
            detail=f"the provider holds {held}, the movements that it lists add up to {added}, {held - added} apart; "
            "there was money before the first run, or movements were listed late: reconcile with an earlier --since",
            now=now,
        )

    # --- bookkeeping

    def _note(self, uow: UnitOfWork, run: Reconciliation, matched: Matched) -> None:
        """Keep how far it has come together with what was done, and commit."""
        run.matched += matched.settled
        run.booked += matched.booked
        run.opened += matched.opened
        run.goes_on(now=self.clock.now())
        uow.reconciliations.save(run)
        uow.commit()

    def _break_off(self, run: Reconciliation, reason: str) -> None:
        with self.unit_of_work() as uow:
            stored = uow.reconciliations.latest_for_update()
            if stored is not None and stored.id == run.id:
                stored.failed(reason, now=self.clock.now())
                uow.reconciliations.save(stored)
                uow.commit()

    def _save(self, run: Reconciliation) -> None:
        with self.unit_of_work() as uow:
            uow.reconciliations.save(run)
            uow.commit()


@dataclass(frozen=True, slots=True)
class ReconcileWhenDue:
    """The worker's job: looks whether it is time, however long no worker ran."""

    reconcile: ReconcileLedger

    def __call__(self) -> int:
        """The number of movements that were new to us; 0 as well when another worker has begun at the same moment."""
        try:
            run = self.reconcile()
        except ReconciliationBusy:
            return 0
        return 0 if run is None else run.seen


def _own_side(queries: LedgerQueries) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """By currency: what we have booked on our balance at the provider, and what of it belongs to others.

    The rest of it is what may be paid out to our bank.
    """
    held: dict[str, int] = defaultdict(int)
    owed: dict[str, int] = defaultdict(int)
    for balance in queries.balances():
        if balance.account == STRIPE_BALANCE:
            held[balance.balance.currency] += balance.balance.amount
        elif account_type(balance.account) is AccountType.LIABILITY:
            owed[balance.balance.currency] -= balance.balance.amount
    return held, owed


def _kept(transaction: BalanceTransaction) -> Movement:
    return Movement(
        id=transaction.id,
        type=transaction.type,
        reporting_category=transaction.reporting_category,
        source=transaction.source,
        amount=transaction.amount,
        fee=transaction.fee,
        net=transaction.net,
        currency=transaction.currency,
        created_at=transaction.created_at,
        available_at=transaction.available_at,
    )
