"""The mailbox of a developer."""

import re

import pytest
from markupsafe import escape

from marketplace.entrypoints.container import Container, MemoryBackend
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.settings import Settings
from tests.contracts.mailer import a_mail


@pytest.fixture
def mailer(container):
    return container.backend.mailer()


class TestMailbox:
    def test_says_so_when_there_is_no_message(self, client):
        page = client.get("/dev/mailbox/")
        assert page.status_code == 200
        assert "No message yet" in page.text

    def test_lists_messages_and_opens_one(self, client, mailer):
        mailer.send(a_mail(message_id="greeting-1", subject="Hello Ash"))
        mailer.send(a_mail(message_id="greeting-2", subject="Hello Misty", to="misty@example.com"))
        inbox = client.get("/dev/mailbox/").text
        assert inbox.index("Hello Misty") < inbox.index("Hello Ash")
        assert "misty@example.com" in inbox
        opened = client.get("/dev/mailbox/greeting-1/")
        assert opened.status_code == 200
        assert "A first line\nand a second one." in opened.text
        assert 'href="/dev/mailbox/greeting-1/" aria-current="page"' in " ".join(opened.text.split())

    def test_shows_what_a_message_says_and_runs_none_of_it(self, client, mailer):
        mailer.send(a_mail(subject="<script>alert(1)</script>", text="<img src=x onerror=alert(1)> {{ 7 * 7 }}\n"))
        page = client.get("/dev/mailbox/greeting-1/")
        assert "<script>" not in page.text
        assert "<img" not in page.text
        assert "{{ 7 * 7 }}" in page.text
        assert page.headers["Content-Security-Policy"] == (
            "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
        )
        assert page.headers["Cache-Control"] == "no-store"
        with client.get("/static/mailbox.css") as style:
            assert style.status_code == 200

    def test_shows_the_html_in_a_frame_that_can_do_nothing(self, client, mailer):
        letter = '<p style="color:red">Hello</p><script>alert(1)</script>'
        mailer.send(a_mail(html=letter))
        page = client.get("/dev/mailbox/greeting-1/")
        (frame,) = re.findall(r"<iframe[^>]*>", page.text)
        assert " sandbox " in frame
        assert "allow-" not in frame
        assert f'srcdoc="{escape(letter)}"' in frame
        assert "<script>" not in page.text
        assert "A first line\nand a second one." in page.text
        assert page.headers["Content-Security-Policy"] == (
            "default-src 'none'; style-src 'self' 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )

    @pytest.mark.parametrize("name", ["nothing", "..%2Fsecret"])
    def test_has_no_message_that_was_not_sent(self, client, name):
        assert client.get(f"/dev/mailbox/{name}/").status_code == 404

    def test_is_there_in_development_only(self):
        elsewhere = Settings.from_env(
            {
                "MARKETPLACE_ENV": "staging",
                "SECRET_KEY": "x" * 40,
                "EMAIL_HOST": "mail.example.com",
                "ALLOWED_HOSTS": "localhost",
            }
        )
        client = create_app(Container(settings=elsewhere, backend=MemoryBackend())).test_client()
        assert client.get("/dev/mailbox/").status_code == 404
