"""Mail that stays in this process."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

from marketplace.application.ports.clock import Clock
from marketplace.application.ports.notifications import KeptMail, Mail, Mailbox, Mailer
from marketplace.domain.shared.errors import NotFound, Unavailable


class InMemoryMailer(Mailer, Mailbox):
    """``is_down`` makes every message be refused."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._kept: dict[str, KeptMail] = {}
        self.is_down = False

    def send(self, mail: Mail) -> None:
        if self.is_down:
            raise Unavailable("The mail server did not take the message.")
        kept = KeptMail(
            message_id=mail.message_id,
            to=mail.to,
            subject=mail.subject,
            text=mail.text,
            html=mail.html,
            unsubscribe_url=mail.unsubscribe_url,
            sent_at=self._clock.now(),
        )
        with self._lock:
            self._kept.pop(mail.message_id, None)
            self._kept[mail.message_id] = kept

    def messages(self, *, limit: int) -> Sequence[KeptMail]:
        with self._lock:
            return list(reversed(self._kept.values()))[:limit]

    def message(self, message_id: str) -> KeptMail:
        with self._lock:
            if message_id not in self._kept:
                raise NotFound(f"There is no message {message_id!r}.")
            return self._kept[message_id]
