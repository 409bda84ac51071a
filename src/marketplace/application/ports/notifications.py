"""What members are told: how it is written, the mail that is sent, and what is kept for them to read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Protocol

from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.notifications import Channel, Kind, Notification, Preferences
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import AccountId, NotificationId

_MESSAGE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,149}", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """``message_id`` names the message, not the attempt: the same again is the same message.

    ``html`` says the same as ``text``, for programs that show it; empty for text alone. ``unsubscribe_url`` is for
    what is not necessary: one POST to it, and no more of the kind comes (RFC 8058).
    """

    message_id: str
    to: str
    subject: str
    text: str = field(repr=False)
    html: str = field(default="", repr=False)
    language: str = "en"
    unsubscribe_url: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not _MESSAGE_ID.fullmatch(self.message_id):
            raise Invalid(f"{self.message_id!r} cannot name a message.")
        if any(character in text for text in (self.to, self.subject, self.unsubscribe_url) for character in "\r\n\0"):
            raise Invalid(f"A line break in the head of the message {self.message_id} would forge its headers.")

    def as_sent(self, *, sender: str, at: datetime) -> EmailMessage:
        """The message in the form in which it travels (RFC 5322), its Message-ID the same at each attempt."""
        message = EmailMessage()
        message["Message-ID"] = f"<{self.message_id}@{parseaddr(sender)[1].partition('@')[2] or 'localhost'}>"
        message["Date"] = format_datetime(at)
        message["From"] = sender
        message["To"] = self.to
        message["Subject"] = self.subject
        message["Auto-Submitted"] = "auto-generated"
        if self.unsubscribe_url:
            message["List-Unsubscribe"] = f"<{self.unsubscribe_url}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(self.text)
        if self.html:
            message.add_alternative(self.html, subtype="html")
        message["Content-Language"] = self.language  # set_content() drops what was said of the content before
        return message


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """What is told, in one language: ``brief`` in a sentence, ``text`` and ``html`` in full and alike."""

    subject: str
    brief: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    language: str

    def addressed(self, *, to: str, message_id: str, unsubscribe_url: str = "") -> Mail:
        """The letter as a mail. Raises Invalid when the message cannot be named so."""
        return Mail(
            message_id=message_id,
            to=to,
            subject=self.subject,
            text=self.text,
            html=self.html,
            language=self.language,
            unsubscribe_url=unsubscribe_url,
        )


class Letters(Protocol):
    def render(self, template: str, *, language: str, **values: object) -> Letter:
        """The letter of that name, in English where the language has none of its own.

        ``values`` are what the letter names, ``name`` of the recipient among them: amounts as Money, times as aware
        datetimes, texts as people wrote them. A value that the letter names and does not get is a programming error.
        """
        ...


class Mailer(Protocol):
    def send(self, mail: Mail) -> None:
        """Hand the message over. Raises Unavailable when it was not taken. Sending it again is harmless."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptMail:
    message_id: str
    to: str
    subject: str
    text: str = field(repr=False)
    html: str = field(default="", repr=False)
    unsubscribe_url: str = field(default="", repr=False)
    sent_at: datetime


class Mailbox(Protocol):
    """Where mail is kept that nobody delivers."""

    def messages(self, *, limit: int) -> Sequence[KeptMail]:
        """The latest first."""
        ...

    def message(self, message_id: str) -> KeptMail:
        """Raises NotFound."""
        ...


class NotificationRepository(Protocol):
    """What members are told in the application."""

    def add(self, notification: Notification) -> bool:
        """False, and nothing happens, when the account has been told of the same occasion before."""
        ...

    def told_at(self, account_id: AccountId, occasion: str) -> datetime | None:
        """When the account was told of an occasion; None when it was not."""
        ...

    def mark_read(self, account_id: AccountId, id: NotificationId, *, now: datetime) -> None:
        """Read it was when it was read first. Raises NotFound, also when it is another account's."""
        ...

    def mark_all_read(self, account_id: AccountId, *, now: datetime) -> int:
        """Gives the number of those that were not read yet."""
        ...

    def purge(self, *, created_before: datetime, limit: int) -> int:
        """Forget at most ``limit`` of those that are older, read or not; gives the number."""
        ...


class PreferenceRepository(Protocol):
    """What members chose to be told; the newsletter aside, which their account keeps."""

    def of(self, account_id: AccountId) -> Preferences: ...

    def put(self, account_id: AccountId, kind: Kind, channel: Channel, wanted: bool) -> None:
        """Keep a choice, in place of an earlier one."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class NotificationView:
    """A notification as its recipient sees it. ``kind`` may be one that this version no longer knows."""

    id: NotificationId
    kind: str
    title: str
    body: str
    link: str
    created_at: datetime
    read_at: datetime | None


class NotificationQueries(Protocol):
    def notifications(
        self, account_id: AccountId, request: PageRequest, *, unread: bool | None = None
    ) -> Page[NotificationView]:
        """The latest first; ``unread`` narrows them to those that were not read yet, or were."""
        ...

    def notification(self, account_id: AccountId, id: NotificationId) -> NotificationView:
        """Raises NotFound, also when it is another account's."""
        ...

    def unread_count(self, account_id: AccountId) -> int:
        """Counted up to ``COUNT_CAP``."""
        ...
