"""Mail about accounts and shops: written here, sent once for each event that calls for it.

A message is named after its occasion, never after the attempt, so that an event delivered twice is one message.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill

from marketplace.application.ports.identity import IdentityQueries
from marketplace.application.ports.notifications import Mail, Mailer
from marketplace.domain.sellers import SellerApproved, SellerRejected, SellerSuspended
from marketplace.domain.shared.ids import AccountId

_WIDTH = 72


@dataclass(frozen=True, kw_only=True, slots=True)
class MailVerificationCode:
    """Send the six digits that prove whose mailbox it is."""

    mailer: Mailer
    public_url: str

    def __call__(self, *, delivery_id: int, email: str, username: str, language: str, code: str) -> None:
        """Raises Unavailable."""
        self.mailer.send(
            Mail(
                message_id=f"verify-email-{delivery_id}",
                to=email,
                subject="Your verification code",
                language=language,
                text=_letter(
                    username,
                    "your verification code is",
                    f"    {code}",
                    "It is good for 10 minutes and can be used once. Enter it where you registered to confirm that"
                    f" this address is yours: {self.public_url}",
                    "If you did not register, somebody mistyped their address: ignore this message, and never pass the"
                    " code on. We shall not ask you for it.",
                ),
            )
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class MailSellerNews:
    """Tell a seller what an admin decided about their shop, and why."""

    mailer: Mailer
    identity_queries: IdentityQueries

    def __call__(self, news: SellerApproved | SellerRejected | SellerSuspended, *, delivery_id: int) -> None:
        """Raises Unavailable."""
        if isinstance(news, SellerApproved):
            subject = "Your shop is open"
            paragraphs = ["you can sell now: what you list appears on the marketplace at once."]
        elif isinstance(news, SellerRejected):
            subject = "Your shop was not approved"
            paragraphs = ["we cannot let you sell on the marketplace.", _because(news.reason), "You can still buy."]
        else:
            subject = "Your shop is suspended"
            paragraphs = [
                "what you offer is off the marketplace until further notice.",
                _because(news.reason),
                "What you have sold already still has to be sent.",
            ]
        account = self.identity_queries.me(AccountId(news.account_id))
        self.mailer.send(
            Mail(
                message_id=f"seller-news-{delivery_id}",
                to=account.email,
                subject=subject,
                language=account.language,
                text=_letter(account.username, *paragraphs),
            )
        )


def _because(reason: str) -> str:
    return f"The reason: {reason}"


def _letter(name: str, *paragraphs: str) -> str:
    """A text of short lines; a paragraph that is indented stays as it is."""
    parts = (f"Hello {name},", *paragraphs, "The Marketplace team")
    lines = (
        part if part.startswith(" ") else fill(part, _WIDTH, break_long_words=False, break_on_hyphens=False)
        for part in parts
    )
    return "\n\n".join(lines) + "\n"
