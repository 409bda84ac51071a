"""Mail over SMTP, to a server of a few lines."""

import base64
import socket
import socketserver
import ssl
import threading
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.smtp_mailer import SmtpMailer
from marketplace.domain.shared.errors import Unavailable
from tests.contracts.mailer import MailerContract, a_mail


class Conversation(socketserver.StreamRequestHandler):
    """Enough of SMTP for one message; ``server.refuse`` maps a command to what it is refused with."""

    def handle(self):
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            command = line.split()[0].upper()
            if command in self.server.refuse:
                self.say(self.server.refuse[command])
            elif command == "EHLO":
                self.say("250-localhost\r\n250-AUTH PLAIN\r\n250 SMTPUTF8")
            elif command == "AUTH":
                self.server.logins.append(base64.b64decode(line.split()[-1]).split(b"\0")[1:])
                self.say("235 welcome")
            elif command == "DATA":
                self.say("354 go on")
                self.server.messages.append(self.read_message())
                self.say("250 taken")
            elif command == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 fine")

    def read_message(self):
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    def say(self, text):
        self.wfile.write(f"{text}\r\n".encode())


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that breaks off, or speaks TLS to us, is what some tests are about."""


@pytest.fixture
def server():
    with Server(("127.0.0.1", 0), Conversation) as server:
        server.messages, server.logins, server.refuse = [], [], {}
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def connect(server):
    def to(**changes):
        values = {
            "host": "127.0.0.1",
            "port": server.server_address[1],
            "user": "",
            "password": "",
            "use_tls": False,
            "sender": "Marketplace <noreply@cards.example>",
            "clock": FixedClock(datetime(2026, 1, 15, 12, tzinfo=UTC)),
            "timeout": 5.0,
        }
        return SmtpMailer(**{**values, **changes})

    return to


def _plain(mail):
    return mail.get_body(("plain",))


class TestSmtpMailer(MailerContract):
    @pytest.fixture
    def mailer(self, connect):
        return connect()

    @pytest.fixture
    def delivered(self, server):
        def read():
            parsed = [message_from_bytes(raw, policy=policy.default) for raw in server.messages]
            return [
                (str(mail["To"]), str(mail["Subject"]), _plain(mail).get_content().replace("\r\n", "\n"))
                for mail in parsed
            ]

        return read

    def test_names_the_message_alike_at_each_attempt(self, mailer, server):
        mailer.send(a_mail())
        mailer.send(a_mail())
        names = {message_from_bytes(raw)["Message-ID"] for raw in server.messages}
        assert names == {"<greeting-1@cards.example>"}

    def test_sends_text_and_html_as_alternatives_the_richer_one_last(self, mailer, server):
        mailer.send(a_mail(html="<p>Réponse</p>\n", language="fr"))
        (mail,) = (message_from_bytes(raw, policy=policy.default) for raw in server.messages)
        assert mail.get_content_type() == "multipart/alternative"
        assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
        assert mail.get_body(("html",)).get_content() == "<p>Réponse</p>\r\n"
        assert mail["Content-Language"] == "fr"
        assert mail["List-Unsubscribe"] is None

    def test_names_the_one_click_way_out_in_the_head(self, mailer, server):
        way_out = "https://cards.example/unsubscribe/" + "x" * 200
        mailer.send(a_mail(unsubscribe_url=way_out))
        (mail,) = (message_from_bytes(raw, policy=policy.default) for raw in server.messages)
        assert mail["List-Unsubscribe"] == f"<{way_out}>"
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    def test_reaches_an_address_that_is_not_ascii(self, mailer, delivered):
        mailer.send(a_mail(to="é@exämple.fr"))
        assert delivered()[0][0] == "é@exämple.fr"

    def test_logs_in_when_it_has_a_user(self, connect, server):
        connect(user="market", password="a secret").send(a_mail())
        assert server.logins == [[b"market", b"a secret"]]
        assert len(server.messages) == 1

    @pytest.mark.parametrize("command", ["EHLO", "MAIL", "RCPT", "DATA"])
    def test_says_that_a_message_was_not_taken_and_not_what_the_server_said(self, mailer, server, command):
        server.refuse[command] = "451 no room for ash@example.com"
        if command == "EHLO":
            server.refuse["HELO"] = server.refuse[command]
        with pytest.raises(Unavailable) as caught:
            mailer.send(a_mail())
        assert "ash@example.com" not in str(caught.value)

    def test_says_so_when_the_log_in_is_refused(self, connect, server):
        server.refuse["AUTH"] = "535 wrong"
        with pytest.raises(Unavailable):
            connect(user="market", password="a secret").send(a_mail())

    def test_says_so_when_nobody_is_there(self, connect):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            with pytest.raises(Unavailable):
                connect(port=unused.getsockname()[1]).send(a_mail())

    def test_speaks_tls_at_once_on_the_port_for_that(self, connect, server, monkeypatch):
        monkeypatch.setattr("marketplace.adapters.smtp_mailer._IMPLICIT_TLS_PORT", server.server_address[1])
        with pytest.raises(Unavailable):
            connect(use_tls=True, timeout=0.5).send(a_mail())  # the server greets in the clear, which is no handshake
        assert server.messages == []

    def test_does_not_wait_for_a_server_that_says_nothing(self, connect):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            with pytest.raises(Unavailable):
                connect(port=silent.getsockname()[1], timeout=0.2).send(a_mail())

    def test_sends_nothing_in_the_clear_when_tls_is_asked_for_and_not_offered(self, connect, server):
        with pytest.raises(Unavailable):
            connect(use_tls=True, user="market", password="a secret").send(a_mail())
        assert (server.messages, server.logins) == ([], [])

    def test_refuses_a_certificate_that_nobody_vouches_for(self, connect, server):
        server.refuse["STARTTLS"] = "220 go ahead"  # and goes on in the clear, which is no handshake
        with pytest.raises(Unavailable):
            connect(use_tls=True, tls=ssl.create_default_context(), timeout=0.5).send(a_mail())
        assert server.messages == []
