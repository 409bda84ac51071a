"""Telling a member something, whatever it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marketplace.application.notifications.unsubscribing import UnsubscribeLinks
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.identity import IdentityQueries
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.notifications import Letter, Letters, Mailer
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity.erasure import is_erased_email
from marketplace.domain.notifications import Channel, Kind, Notification, may_be_refused
from marketplace.domain.shared.ids import AccountId, NotificationId


@dataclass(frozen=True, kw_only=True, slots=True)
class Notify:
    """Tell a member something once, in their language, through the channels that they want it by.

    The letter is the template named after ``kind``; ``values`` are what it names beside ``name``. Its subject and its
    brief are what the application shows. ``occasion`` names what happened, never the attempt: an event delivered twice
    is one message and one notification. ``link`` is what it is about, as a path of the REST API without its prefix:
    ``/orders/7/``. ``to`` is an address other than the account's, for what concerns that address.

    Where what happens can be provoked over and over, several happenings share an occasion, and ``happened_at`` says
    when this one was: it is not told when an earlier one was told before.
    """

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    ids: IdSequence
    identity_queries: IdentityQueries
    letters: Letters
    mailer: Mailer
    unsubscribe_links: UnsubscribeLinks

    def __call__(
        self,
        kind: Kind,
        *,
        account: AccountId,
        occasion: str,
        happened_at: datetime | None = None,
        link: str = "",
        to: str = "",
        **values: Any,
    ) -> None:
        """Raises Unavailable when a message was not taken, NotFound when there is no such account.

        Nobody is told anything who has erased their account.
        """
        member = self.identity_queries.me(account)
        if is_erased_email(member.email):
            return  # nobody is left to be told
        way_out = self.unsubscribe_links.link(account, kind) if may_be_refused(kind, Channel.MAIL) else ""
        letter = self.letters.render(
            kind,
            language=member.language,
            name=member.first_name or member.username,
            unsubscribe_url=way_out,
            **values,
        )
        with self.unit_of_work() as uow:
            if happened_at is not None:
                told_at = uow.notifications.told_at(account, occasion)
                if told_at is not None and told_at < happened_at:
                    return
            preferences = uow.notification_preferences.of(account)
            if preferences.wants(kind, Channel.IN_APP):
                uow.notifications.add(self._notification(kind, account, occasion, link, letter))
                uow.commit()
        if preferences.wants(kind, Channel.MAIL):
            self.mailer.send(letter.addressed(to=to or member.email, message_id=occasion, unsubscribe_url=way_out))

    def _notification(self, kind: Kind, account: AccountId, occasion: str, link: str, letter: Letter) -> Notification:
        return Notification(
            id=NotificationId(self.ids.next()),
            account_id=account,
            kind=kind,
            occasion=occasion,
            title=letter.subject,
            body=letter.brief,
            link=link,
            created_at=self.clock.now(),
        )
