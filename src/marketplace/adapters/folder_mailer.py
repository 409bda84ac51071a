"""Mail as files in a folder, one a message, that any mail program opens."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from email.utils import parsedate_to_datetime
from pathlib import Path

from marketplace.application.ports.clock import Clock
from marketplace.application.ports.notifications import KeptMail, Mail, Mailbox, Mailer
from marketplace.domain.shared.errors import NotFound, Unavailable

_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,149}\.eml", re.ASCII)


class FolderMailer(Mailer, Mailbox):
    """A file is named after its message, so that sending it again replaces it; it appears whole or not at all."""

    def __init__(self, folder: Path, *, sender: str, clock: Clock) -> None:
        self._folder = folder
        self._sender = sender
        self._clock = clock

    def send(self, mail: Mail) -> None:
        content = mail.as_sent(sender=self._sender, at=self._clock.now()).as_bytes()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(prefix=".", suffix=".draft", dir=self._folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                os.replace(draft, self._folder / f"{mail.message_id}.eml")
            except BaseException:
                os.unlink(draft)
                raise
        except OSError as error:
            raise Unavailable(f"The mail folder did not take the message: {error.strerror}.") from error

    def messages(self, *, limit: int) -> Sequence[KeptMail]:
        if not self._folder.is_dir():
            return []
        files = [path for path in self._folder.iterdir() if _FILE.fullmatch(path.name)]
        files.sort(key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
        return [_read(path) for path in files[:limit]]

    def message(self, message_id: str) -> KeptMail:
        path = self._folder / f"{message_id}.eml"
        if not _FILE.fullmatch(path.name) or path.parent != self._folder or not path.is_file():
            raise NotFound(f"There is no message {message_id!r}.")
        return _read(path)


def _read(path: Path) -> KeptMail:
    message = message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=policy.default)
    return KeptMail(
        message_id=path.stem,
        to=str(message["To"]),
        subject=str(message["Subject"]),
        text=_content(message.get_body(("plain",))),
        html=_content(message.get_body(("html",))),
        unsubscribe_url=str(message["List-Unsubscribe"] or "").strip("<>"),
        sent_at=parsedate_to_datetime(message["Date"]),
    )


def _content(part: MIMEPart | None) -> str:
    return str(part.get_content()) if part is not None else ""
