"""Bringing the accounts of another shop along: new ones made, those that are there left as they are."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from marketplace.application.access import Actor, require_role
from marketplace.application.identity.account_file import AccountRow, BrokenRow, read_account_file
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import Account, AccountType, EmailTaken, UsernameTaken
from marketplace.domain.identity.django_hashes import UNUSABLE, DjangoHash
from marketplace.domain.identity.names import name_key
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import AccountId

BATCH = 500
"""Accounts a transaction."""
_TRIES = 5
"""At a batch, in which somebody registered with the name of a row meanwhile."""
_LONGEST_MADE_NAME = 13
"""Of a user name that is made, so that the longest id fits behind it."""


class Outcome(StrEnum):
    CREATED = "created"
    EXISTS = "exists"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class RowResult:
    """What became of one row; ``reason`` says why it was refused, or what was changed about it."""

    line: int
    outcome: Outcome
    username: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountImportReport:
    """``iterations`` are the most that a hash needs that was taken in, 0 for none."""

    rows: tuple[RowResult, ...]
    ignored_columns: tuple[str, ...]
    iterations: int

    @property
    def counts(self) -> dict[str, int]:
        """How many rows had each outcome."""
        counted = Counter(result.outcome for result in self.rows)
        return {str(outcome): counted[outcome] for outcome in Outcome}


@dataclass(kw_only=True, slots=True)
class _Run:
    """One import: what its options are, and what of the file was seen so far."""

    actor: Actor
    now: datetime
    file_id: str
    dry_run: bool
    with_staff: bool
    rename: bool
    lines: dict[str, int] = field(default_factory=dict)
    iterations: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportAccounts:
    """Take in the accounts of a Django shop with their password hashes, row by row.

    An account is known again by its e-mail address and then left alone, so that the same file again changes nothing:
    neither a password that was changed here nor a name. Nobody becomes an administrator unless it is asked for.
    """

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    ids: IdSequence
    well_formed_email: Callable[[str], str]

    def __call__(
        self,
        *,
        actor: Actor,
        data: bytes,
        dry_run: bool = False,
        with_staff: bool = False,
        rename: bool = False,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> AccountImportReport:
        """``with_staff`` makes admins of those that were staff; ``rename`` makes a user name where theirs cannot be.

        ``progress`` hears rows done and rows in all. Raises Forbidden, WrongAccountFile, and UsernameTaken or
        EmailTaken when registrations kept getting in the way; the batches before are stored.
        """
        require_role(actor, Role.ADMIN)
        file = read_account_file(data)
        run = _Run(
            actor=actor,
            now=self.clock.now(),
            file_id=hashlib.sha256(data).hexdigest()[:16],
            dry_run=dry_run,
            with_staff=with_staff,
            rename=rename,
        )
        results = [_refused(row.line, row.reason) for row in file.rows if isinstance(row, BrokenRow)]
        readable = self._new_to_the_file(file.rows, run, results)
        progress(len(results), len(file.rows))
        for start in range(0, len(readable), BATCH):
            results += self._stored(readable[start : start + BATCH], run)
            progress(len(results), len(file.rows))
        return AccountImportReport(
            rows=tuple(sorted(results, key=lambda result: result.line)),
            ignored_columns=tuple(file.ignored_columns),
            iterations=run.iterations,
        )

    def _new_to_the_file(
        self, rows: Sequence[AccountRow | BrokenRow], run: _Run, results: list[RowResult]
    ) -> list[AccountRow]:
        """The rows that can be read and whose address no earlier row has; the others go to ``results``."""
        fresh: list[AccountRow] = []
        for row in rows:
            if isinstance(row, BrokenRow):
                continue
            first = run.lines.setdefault(name_key(row.email), row.line)
            if first == row.line:
                fresh.append(row)
            else:
                results.append(_refused(row.line, f"email: Line {first} has this address already.", row.username))
        return fresh

    def _stored(self, rows: Sequence[AccountRow], run: _Run) -> list[RowResult]:
        for _ in range(_TRIES - 1):
            try:
                return self._batch(rows, run)
            except (UsernameTaken, EmailTaken):
                continue  # registered since we looked: now it is seen
        return self._batch(rows, run)

    def _batch(self, rows: Sequence[AccountRow], run: _Run) -> list[RowResult]:
        results: list[RowResult] = []
        new: list[Account] = []
        ids = iter(self.ids.take(len(rows)))
        with self.unit_of_work() as uow:
            names = {row.line: _username(row, run) for row in rows}
            taken = set(
                uow.accounts.taken(
                    usernames={name_key(name) for name in names.values()}, emails={name_key(row.email) for row in rows}
                )
            )
            for row in rows:
                if name_key(row.email) in taken:
                    results.append(RowResult(line=row.line, outcome=Outcome.EXISTS, username=row.username))
                    continue
                try:
                    account = self._account(row, AccountId(next(ids)), names[row.line], taken, run)
                except Invalid as error:
                    results.append(_refused(row.line, str(error), row.username))
                    continue
                taken |= {account.username_key, account.email_key}
                new.append(account)
                changed = "" if account.username == row.username else f"It is {row.username!r} no longer."
                results.append(
                    RowResult(line=row.line, outcome=Outcome.CREATED, username=account.username, reason=changed)
                )
            if new and not run.dry_run:
                uow.accounts.add_all(new)
                _record(uow, run, new)
                uow.commit()
        return results

    def _account(self, row: AccountRow, id: AccountId, username: str, taken: set[str], run: _Run) -> Account:
        """Raises Invalid, saying what of the row cannot be taken in."""
        if name_key(username) in taken:
            if not run.rename:
                raise Invalid(f"username: Another account is called {username!r}; rename it, or use --rename.")
            username = f"{username[:_LONGEST_MADE_NAME].rstrip('._-')}-{id}"
        joined = row.date_joined or run.now
        if joined > run.now:
            raise Invalid(f"date_joined: {joined.isoformat()} is yet to come.")
        kind = row.texts.get("account_type", AccountType.INDIVIDUAL)
        if kind not in set(AccountType):
            raise Invalid(f"account_type: {kind[:20]!r} is neither individual nor professional.")
        password_hash, iterations = _password_hash(row.password_hash)
        account = Account.brought_along(
            id=id,
            username=username,
            email=self.well_formed_email(row.email),
            password_hash=password_hash,
            created_at=joined,
            account_type=AccountType(kind),
            first_name=row.texts.get("first_name", ""),
            last_name=row.texts.get("last_name", ""),
            phone_number=row.texts.get("phone_number", ""),
            language=row.texts.get("language", "en"),
            is_email_verified=row.is_email_verified,
            is_suspended=not row.is_active,
        )
        if row.is_staff and run.with_staff:
            account.grant(Role.ADMIN)
        run.iterations = max(run.iterations, iterations)
        return account


def _record(uow: UnitOfWork, run: _Run, new: Sequence[Account]) -> None:
    """An entry a batch, and one for each that may do more than buy."""
    ids = [account.id for account in new]
    after = {"accounts": len(ids), "first_id": min(ids), "last_id": max(ids)}
    uow.audit.add(run.actor.did("account.imported", "import", run.file_id, now=run.now, after=after))
    for account in new:
        if Role.ADMIN in account.roles:
            look = {"roles": account.roles}
            uow.audit.add(run.actor.did("account.created", "account", account.id, now=run.now, after=look))


def _password_hash(text: str) -> tuple[str, int]:
    """What is kept of a hash, and the iterations that it needs. Raises Invalid."""
    if text.startswith(UNUSABLE):
        return UNUSABLE, 0
    return text, DjangoHash.of(text).iterations


def _username(row: AccountRow, run: _Run) -> str:
    """Theirs, or one that is made of it; what still cannot be one is refused with the account."""
    if not run.rename:
        return row.username
    plain = unicodedata.normalize("NFKD", row.username.partition("@")[0])
    kept = "".join(c for c in plain if c.isascii() and (c.isalnum() or c in "._-"))[:30].strip("._-")
    return kept if len(kept) >= 3 else f"member{kept}"


def _refused(line: int, reason: str, username: str = "") -> RowResult:
    return RowResult(line=line, outcome=Outcome.REFUSED, username=username, reason=reason)
