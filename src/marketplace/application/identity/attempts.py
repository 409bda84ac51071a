"""Keeping guessers out: counted in the database, so that every process sees it, and alike for names that nobody has.

A use case that looks at a secret does so inside ``with guard.attempt(...) as attempt``:

    with self.guard.attempt(AttemptPurpose.LOG_IN, name=name, origin=origin) as attempt:
        ...                                       # find the account, compare the secret
        attempt.account_id = account.id           # as soon as it is known, for the log and the letter
        raise InvalidCredentials                  # Invalid or Unauthenticated: a failure, which stays counted
        attempt.welcome(uow, account)             # right: in the transaction that lets them in
        uow.commit()

Leaving in any other way takes the try back. ``name`` is what was typed, or the account's id where that is known.

Attackers can lock a name, but not its owner: whoever has got in is known by their network for 90 days, and has
counters of their own there when those for the whole world are locked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from marketplace.application.access import PROGRAM
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.identity import Secrets
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity.accounts import Account
from marketplace.domain.identity.attempts import (
    FREE_FAILURES,
    KEPT,
    PLACE_KEPT,
    AttemptPurpose,
    AttemptsLocked,
    TooManyAttempts,
)
from marketplace.domain.identity.names import name_key
from marketplace.domain.shared.errors import ConcurrencyConflict, Invalid, Unauthenticated, Unavailable
from marketplace.domain.shared.ids import AccountId
from marketplace.domain.shared.networks import network_of

_log = logging.getLogger(__name__)

_NOBODY = AccountId(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Count:
    """A try as it was counted: on which counter, as which failure in a row, and the lock that it began."""

    key: str
    failures: int
    locked_until: datetime | None


@dataclass(kw_only=True, slots=True)
class Attempt:
    """A try in progress. Set ``account_id`` when it is known whose secret is tried."""

    guard: AttemptGuard = field(repr=False)
    purpose: AttemptPurpose
    origin: str
    account_id: AccountId = _NOBODY
    is_welcome: bool = False
    counter_key: str = field(default="", repr=False)

    def write_anyway(self, uow: UnitOfWork) -> None:
        """Where there is no code whose tries could be counted, write as much, so that the time does not tell."""
        uow.attempts.of(self.counter_key, now=self.guard.clock.now())

    def welcome(self, uow: UnitOfWork, account: Account) -> None:
        """The secret was right and they are let in: in this transaction, forget the failures and know the place."""
        self.guard.welcome(uow, account, self.purpose, origin=self.origin)
        self.is_welcome = True


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptGuard:
    """Counts tries at secrets and refuses them when too many were wrong."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    secrets: Secrets

    @contextmanager
    def attempt(self, purpose: AttemptPurpose, *, name: str | AccountId, origin: str) -> Iterator[Attempt]:
        """One try, from the address ``origin``. Raises TooManyAttempts before anything has been looked at."""
        count = self._begin(purpose, _subject(name), network_of(origin))
        attempt = Attempt(guard=self, purpose=purpose, origin=origin, counter_key=count.key)
        try:
            yield attempt
        except (Invalid, Unauthenticated):
            self._failed(attempt, count)
            raise
        except BaseException:
            self._take_back(count)
            raise
        if not attempt.is_welcome:
            self._take_back(count)

    def welcome(self, uow: UnitOfWork, account: Account, *purposes: AttemptPurpose, origin: str) -> None:
        """Somebody has proved to be the owner: forget what failed for these purposes, and know where they are.

        All within the caller's transaction. ``ConfirmPasswordReset`` calls it for LOG_IN, so that who has the mailbox
        gets in, whatever is going on at the log-in.
        """
        subjects = [account.username_key, account.email_key, _subject(account.id)]
        network = network_of(origin)
        counters = [
            key
            for purpose in purposes
            for subject in subjects
            for key in (self._counter(purpose, subject), self._counter(purpose, subject, network))
        ]
        if counters:
            uow.attempts.forget(counters)
        if network:
            places = [self._place(subject, network) for subject in subjects]
            uow.attempts.remember_places(places, until=self.clock.now() + PLACE_KEPT)

    def is_known(self, name: str | AccountId, *, origin: str) -> bool:
        """Whether the owner of this name got in from there of late."""
        return self._is_known(_subject(name), network_of(origin))

    def forget(self, uow: UnitOfWork, account: Account) -> None:
        """Within the caller's transaction, forget what failed for an account that is to be nobody's.

        Counters and places of single networks have no name to be found by; they end by themselves (``PurgeAttempts``).
        """
        subjects = (account.username_key, account.email_key, _subject(account.id))
        uow.attempts.forget([self._counter(purpose, subject) for purpose in AttemptPurpose for subject in subjects])

    def _begin(self, purpose: AttemptPurpose, subject: str, network: str) -> _Count:
        try:
            return self._count(self._counter(purpose, subject))
        except TooManyAttempts:
            if not self._is_known(subject, network):
                raise
        return self._count(self._counter(purpose, subject, network))

    def _count(self, key: str) -> _Count:
        now = self.clock.now()
        with self.unit_of_work() as uow:
            counter = uow.attempts.of(key, now=now)
            counter.begin(now=now)
            uow.attempts.save(counter)
            uow.commit()
        return _Count(key=key, failures=counter.failures, locked_until=counter.locked_until)

    def _is_known(self, subject: str, network: str) -> bool:
        with self.unit_of_work() as uow:
            return bool(network) and uow.attempts.knows_place(self._place(subject, network), now=self.clock.now())

    def _failed(self, attempt: Attempt, count: _Count) -> None:
        if count.locked_until is None:
            return
        now = self.clock.now()
        _log.warning(
            "%s of account %s is locked for %d s after %d failures",
            *(attempt.purpose, attempt.account_id or "(nobody's)"),
            *((count.locked_until - now).total_seconds(), count.failures),
        )
        if count.failures == FREE_FAILURES:
            # Once, not for every longer lock, and for names that nobody has as well: neither mail nor time tells.
            with self.unit_of_work() as uow:
                uow.record(
                    AttemptsLocked(
                        occurred_at=now,
                        account_id=attempt.account_id,
                        purpose=str(attempt.purpose),
                        origin=attempt.origin,
                    )
                )
                uow.commit()

    def _take_back(self, count: _Count) -> None:
        # Whatever came of the try stands, even when this one failure too many cannot be taken back.
        with suppress(Unavailable, ConcurrencyConflict), self.unit_of_work() as uow:
            counter = uow.attempts.of(count.key, now=self.clock.now())
            counter.take_back(locked_until=count.locked_until)
            uow.attempts.save(counter)
            uow.commit()

    def _counter(self, purpose: AttemptPurpose, subject: str, network: str = "") -> str:
        return self.secrets.digest("attempts", str(purpose), subject, network)

    def _place(self, subject: str, network: str) -> str:
        return self.secrets.digest("place", subject, network)


@dataclass(frozen=True, kw_only=True, slots=True)
class NoteLock:
    """Put a lock into the audit trail of the account; not while somebody waits, whose time would tell of it."""

    unit_of_work: Callable[[], UnitOfWork]

    def __call__(self, event: AttemptsLocked) -> None:
        """Repeating it notes it again."""
        actor = replace(PROGRAM, origin=event.origin)
        with self.unit_of_work() as uow:
            uow.audit.add(
                actor.did(
                    "account.locked_out",
                    "account",
                    event.account_id,
                    now=event.occurred_at,
                    after={"locked": event.purpose},
                )
            )
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class PurgeAttempts:
    """Forget counters that would count from nothing anyway, and places that nobody came from for long."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    limit: int = 1_000

    def __call__(self) -> int:
        """One batch; gives the number. Raises Unavailable when the store does not answer."""
        now = self.clock.now()
        with self.unit_of_work() as uow:
            gone = uow.attempts.purge(counted_before=now - KEPT, now=now, limit=self.limit)
            uow.commit()
        return gone


def _subject(name: str | AccountId) -> str:
    """No user name or address begins like an account's id does here."""
    return name_key(name) if isinstance(name, str) else f"#{name}"
