"""The one-click way out of what is not necessary (RFC 8058): a link that needs no sign-in and works again and again.

A token is ``<account>.<kind>.<digest>``. Nothing of it is stored, and it ends no more than one kind of mail to one
account: whoever gets hold of a forwarded letter can do nothing else with it.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

from marketplace.application.ports.identity import Secrets
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity.accounts import Account
from marketplace.domain.notifications import Channel, Kind, may_be_refused
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import MAX_ID, AccountId

_TOKEN = re.compile(r"([1-9][0-9]{0,15})\.([a-z_]{1,60})\.([0-9a-f]{64})", re.ASCII)
_KINDS = frozenset(kind.value for kind in Kind)


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """What a link ends. ``language`` is its recipient's."""

    account_id: AccountId
    kind: Kind
    language: str


@dataclass(frozen=True, kw_only=True, slots=True)
class UnsubscribeLinks:
    """Makes the links, and reads them again. ``public_url`` is where the marketplace is."""

    secrets: Secrets
    public_url: str

    def link(self, account_id: AccountId, kind: Kind) -> str:
        return f"{self.public_url}/unsubscribe/{account_id}.{kind}.{self._digest(str(account_id), kind)}/"

    def read(self, token: str) -> tuple[AccountId, Kind]:
        """Raises NotFound on whatever ``link`` did not make, and when the kind has become necessary since."""
        parts = _TOKEN.fullmatch(token)
        # Always compared, so that the time does not tell how much of a forgery was right.
        account, kind, given = parts.groups() if parts else ("", "", "")
        is_ours = hmac.compare_digest(given, self._digest(account, kind))
        if not is_ours or kind not in _KINDS or int(account) > MAX_ID or not may_be_refused(Kind(kind), Channel.MAIL):
            raise NotFound("This link is not one of ours, or what it ends cannot be ended; sign in to change it.")
        return AccountId(int(account)), Kind(kind)

    def _digest(self, account: str, kind: str) -> str:
        return self.secrets.digest("unsubscribe", account, kind)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadSubscription:
    """Say what a link would end, and end nothing: programs open links to look at them."""

    unit_of_work: Callable[[], UnitOfWork]
    links: UnsubscribeLinks

    def __call__(self, *, token: str) -> Subscription:
        """Raises NotFound on a link that is not ours, and when the account is gone."""
        account_id, kind = self.links.read(token)
        with self.unit_of_work() as uow:
            account = _somebodys(uow.accounts.get(account_id))
        return Subscription(account_id=account_id, kind=kind, language=account.language)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unsubscribe:
    """Stop mailing a kind of message to whoever was sent the link."""

    unit_of_work: Callable[[], UnitOfWork]
    links: UnsubscribeLinks

    def __call__(self, *, token: str) -> Subscription:
        """Doing it again changes nothing. Raises NotFound on a link that is not ours, or when the account is gone."""
        account_id, kind = self.links.read(token)
        with self.unit_of_work() as uow:
            account = _somebodys(uow.accounts.get_for_update(account_id))
            if kind is Kind.NEWSLETTER:
                account.change({"subscribed_to_newsletter": False})
                uow.accounts.save(account)
            else:
                uow.notification_preferences.put(account_id, kind, Channel.MAIL, False)
            uow.commit()
        return Subscription(account_id=account_id, kind=kind, language=account.language)


def _somebodys(account: Account) -> Account:
    """Raises NotFound when its owner has erased it."""
    if account.erased_at is not None:
        raise NotFound("Nobody has this account any more; nothing is mailed to it.")
    return account
