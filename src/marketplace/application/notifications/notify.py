"""Telling a member something, whatever it is about."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.application.ports.identity import IdentityQueries
from marketplace.application.ports.notifications import Letters, Mailer
from marketplace.domain.notifications import Kind
from marketplace.domain.shared.ids import AccountId


@dataclass(frozen=True, kw_only=True, slots=True)
class Notify:
    """Tell a member something once, in their language.

    The letter is the template named after ``kind``; ``values`` are what it names beside ``name``. ``occasion`` names
    what happened, never the attempt: an event delivered twice is one message. ``link`` is what it is about, as a
    path of the REST API without its prefix: ``/orders/7/``. ``to`` is an address other than the
    account's, for what concerns that address.
    """

    identity_queries: IdentityQueries
    letters: Letters
    mailer: Mailer

    def __call__(
        self, kind: Kind, *, account: AccountId, occasion: str, link: str = "", to: str = "", **values: object
    ) -> None:
        """Raises Unavailable when a message was not taken, NotFound when there is no such account."""
        member = self.identity_queries.me(account)
        called = member.first_name or member.username
        letter = self.letters.render(kind, language=member.language, name=called, **values)
        self.mailer.send(letter.addressed(to=to or member.email, message_id=occasion))
