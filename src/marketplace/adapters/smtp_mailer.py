"""Mail over SMTP."""

from __future__ import annotations

import smtplib
import ssl
from email import policy
from email.utils import parseaddr

from marketplace.application.ports.clock import Clock
from marketplace.application.ports.notifications import Mail, Mailer
from marketplace.domain.shared.errors import Unavailable

_IMPLICIT_TLS_PORT = 465


class SmtpMailer(Mailer):
    """A connection a message: the relay sends few, and none is left to go stale. ``timeout`` in seconds.

    With ``use_tls`` the certificate has to be right: port 465 speaks TLS at once, any other after STARTTLS.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        user: str,
        password: str,
        use_tls: bool,
        sender: str,
        clock: Clock,
        timeout: float = 10.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._host, self._port = host, port
        self._user, self._password = user, password
        self._use_tls = use_tls
        self._sender = sender
        self._clock = clock
        self._timeout = timeout
        self._tls = tls or ssl.create_default_context()

    def send(self, mail: Mail) -> None:
        # Not send_message(), which would put a > before each line that begins with "From ".
        is_plain = mail.to.isascii() and self._sender.isascii()
        content = mail.as_sent(sender=self._sender, at=self._clock.now()).as_bytes(
            policy=policy.SMTP if is_plain else policy.SMTPUTF8
        )
        options = () if is_plain else ("SMTPUTF8", "BODY=8BITMIME")
        try:
            with self._connection() as connection:
                if self._user:
                    connection.login(self._user, self._password)
                connection.sendmail(parseaddr(self._sender)[1], [mail.to], content, options)
        except (OSError, smtplib.SMTPException) as error:
            # Not what the server said: that may repeat the address or our log-in.
            raise Unavailable(f"The mail server did not take the message ({type(error).__name__}).") from error

    def _connection(self) -> smtplib.SMTP:
        if self._use_tls and self._port == _IMPLICIT_TLS_PORT:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout, context=self._tls)
        connection = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
        if self._use_tls:
            try:
                connection.starttls(context=self._tls)
            except BaseException:
                connection.close()
                raise
        return connection
