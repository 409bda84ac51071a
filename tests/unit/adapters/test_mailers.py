"""Mail in memory and in a folder."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from marketplace.adapters.folder_mailer import FolderMailer
from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.mailer import InMemoryMailer
from marketplace.domain.shared.errors import Invalid, NotFound, Unavailable
from tests.contracts.mailer import MailboxContract, a_mail

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


class TestInMemoryMailer(MailboxContract):
    @pytest.fixture
    def mailer(self):
        return InMemoryMailer(FixedClock(NOW))

    def test_can_be_down(self, mailer):
        mailer.is_down = True
        with pytest.raises(Unavailable):
            mailer.send(a_mail())
        assert mailer.messages(limit=1) == []

    def test_has_no_message_that_was_not_sent(self, mailer):
        with pytest.raises(NotFound):
            mailer.message("greeting-1")


class TestFolderMailer(MailboxContract):
    @pytest.fixture
    def folder(self, tmp_path):
        return tmp_path / "home" / "mail"

    @pytest.fixture
    def mailer(self, folder):
        return FolderMailer(folder, sender="Marketplace <noreply@cards.example>", clock=FixedClock(NOW))

    def test_writes_a_file_a_message_that_any_mail_program_reads(self, mailer, folder):
        mailer.send(a_mail())
        (path,) = folder.iterdir()
        assert path.name == "greeting-1.eml"
        head = path.read_text().split("\n\n")[0].splitlines()
        assert "Message-ID: <greeting-1@cards.example>" in head
        assert "From: Marketplace <noreply@cards.example>" in head
        assert "To: ash@example.com" in head
        assert "Date: Thu, 15 Jan 2026 12:00:00 +0000" in head
        assert "Content-Language: en" in head
        assert "Auto-Submitted: auto-generated" in head

    def test_shows_the_latest_first_and_nothing_that_is_no_message(self, mailer, folder):
        for number, name in enumerate(("a", "b", "c")):
            mailer.send(a_mail(message_id=name))
            os.utime(folder / f"{name}.eml", ns=(number, number))
        (folder / "notes.txt").write_text("no mail")
        (folder / ".half.draft").write_text("no mail yet")
        assert [mail.message_id for mail in mailer.messages(limit=10)] == ["c", "b", "a"]
        assert mailer.messages(limit=1)[0].sent_at == NOW

    def test_has_no_messages_before_the_first(self, mailer):
        assert mailer.messages(limit=10) == []

    @pytest.mark.parametrize("name", ["greeting-2", "../secret", "a/b", "", ".", "..", "x" * 300])
    def test_opens_nothing_outside_of_its_folder(self, mailer, folder, name):
        mailer.send(a_mail())
        (folder.parent / "secret.eml").write_text("Subject: secret\n\nsecret")
        with pytest.raises(NotFound):
            mailer.message(name)

    def test_says_so_when_the_folder_takes_nothing(self, mailer, folder):
        folder.parent.mkdir()
        folder.write_text("a file in its place")
        with pytest.raises(Unavailable):
            mailer.send(a_mail())

    def test_leaves_no_half_of_a_message(self, mailer, folder, monkeypatch):
        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "replace", full)
        with pytest.raises(Unavailable, match="No space left on device"):
            mailer.send(a_mail())
        assert list(folder.iterdir()) == []


class TestMail:
    @pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", "-x", "x" * 151, "é"])
    def test_has_a_name_that_a_file_can_have(self, name):
        with pytest.raises(Invalid):
            a_mail(message_id=name)

    @pytest.mark.parametrize("changes", [{"to": "ash@example.com\nBcc: all@example.com"}, {"subject": "Hi\r\nX: y"}])
    def test_cannot_forge_a_header(self, changes):
        with pytest.raises(Invalid):
            a_mail(**changes)

    def test_has_the_same_message_id_at_each_attempt(self):
        attempts = [a_mail().as_sent(sender="noreply", at=NOW + timedelta(hours=hours)) for hours in range(2)]
        assert {str(message["Message-ID"]) for message in attempts} == {"<greeting-1@localhost>"}
