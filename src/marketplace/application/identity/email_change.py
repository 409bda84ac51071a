"""Another e-mail address for an account: noted, proven by a code that is mailed to it, and only then in force.

    PATCH with address and password ──> pending, the present address is told, a code goes to the new one
    the code comes back ─────────────> the new address holds, verified

Whoever asks is never told whether somebody has the address: an address that has an account gets a letter that says so
instead of a code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from marketplace.application.ports.clock import Clock
from marketplace.application.ports.identity import Secrets
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity.accounts import Account
from marketplace.domain.identity.codes import CodePurpose, OneTimeCode
from marketplace.domain.shared.ids import AccountId, CodeId


def note_email_change(uow: UnitOfWork, ids: IdSequence, account: Account, email: str, *, now: datetime) -> None:
    """Ask for a change within the caller's unit, which saves the account.

    Raises Invalid on what cannot be an address, CodeRequestedRecently within a minute of the last time.
    """
    if not account.request_email_change(email, now=now):
        return
    code = uow.codes.of(account.id, CodePurpose.CHANGE_EMAIL)
    if code is not None:
        code.request(now=now)
        uow.codes.save(code)
        return
    uow.codes.add(
        OneTimeCode(id=CodeId(ids.next()), account_id=account.id, purpose=CodePurpose.CHANGE_EMAIL, requested_at=now)
    )


def change_code_hash(secrets: Secrets, account: Account, code: str) -> str:
    """A code is for one address: were another asked for meanwhile, the code of the first would not prove it."""
    return secrets.digest("code", CodePurpose.CHANGE_EMAIL, str(account.id), account.pending_email_key, code)


@dataclass(frozen=True, kw_only=True, slots=True)
class EmailChangeNews:
    """What has to be mailed. Without a ``code`` the new address is that of the account ``taken_by``.

    ``told_email`` is the present address, empty when it was never proven: it may be a stranger's.
    """

    new_email: str
    told_email: str
    code: str = field(default="", repr=False)
    taken_by: AccountId | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class IssueEmailChangeCode:
    """Make the code that was asked for: it is known to the mail alone, so that each attempt to send makes a new one."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    secrets: Secrets

    def __call__(self, *, account_id: AccountId, requested_at: datetime) -> EmailChangeNews | None:
        """None when none is wanted any more: it was taken back or confirmed, or a later request is on its way.

        Raises NotFound when there is no such account.
        """
        with self.unit_of_work() as uow:
            account = uow.accounts.get(account_id)
            code = uow.codes.of(account_id, CodePurpose.CHANGE_EMAIL)
            if code is None or not account.pending_email or account.is_suspended or requested_at < code.requested_at:
                return None
            told_email = account.email if account.is_email_verified else ""
            owner = uow.accounts.by_name(account.pending_email)
            if owner is not None:
                return EmailChangeNews(new_email=owner.email, told_email=told_email, taken_by=owner.id)
            digits = self.secrets.code()
            code.issue(change_code_hash(self.secrets, account, digits), now=self.clock.now())
            uow.codes.save(code)
            uow.commit()
        return EmailChangeNews(new_email=account.pending_email, told_email=told_email, code=digits)
