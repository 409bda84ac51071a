"""What every mailer promises. ``delivered()`` gives what arrived, as (to, subject, text), in order."""

import pytest

from marketplace.application.ports.notifications import Mail


def a_mail(**changes) -> Mail:
    values = {
        "message_id": "greeting-1",
        "to": "ash@example.com",
        "subject": "Hello",
        "text": "A first line\nand a second one.\n",
    }
    return Mail(**{**values, **changes})


class MailerContract:
    """Subclasses provide the fixtures ``mailer`` and ``delivered``."""

    def test_hands_a_message_over(self, mailer, delivered):
        mailer.send(a_mail())
        assert delivered() == [("ash@example.com", "Hello", "A first line\nand a second one.\n")]

    def test_keeps_every_letter_of_every_language(self, mailer, delivered):
        text = "Dracaufeu à 25,99 €\nリザードン\n" + "a very long line " * 100 + "\n.\n..dots\nFrom here on\n"
        mailer.send(a_mail(subject="Commande confirmée ✓ " + "x" * 200, text=text))
        ((_, subject, arrived),) = delivered()
        assert subject == "Commande confirmée ✓ " + "x" * 200
        assert arrived == text

    def test_hands_over_several(self, mailer, delivered):
        mailer.send(a_mail(message_id="a", subject="First"))
        mailer.send(a_mail(message_id="b", subject="Second", to="misty@example.com"))
        assert sorted(delivered()) == [
            ("ash@example.com", "First", "A first line\nand a second one.\n"),
            ("misty@example.com", "Second", "A first line\nand a second one.\n"),
        ]

    def test_hands_both_forms_of_a_message_over(self, mailer, delivered):
        mailer.send(a_mail(text="Plain é\n", html="<p>Réponse &amp; more</p>\n"))
        assert [text for _, _, text in delivered()] == ["Plain é\n"]


class MailboxContract(MailerContract):
    """A mailer that keeps its messages itself; ``delivered`` is done."""

    @pytest.fixture
    def delivered(self, mailer):
        return lambda: [(mail.to, mail.subject, mail.text) for mail in reversed(mailer.messages(limit=100))]

    def test_the_same_message_again_takes_its_own_place(self, mailer):
        mailer.send(a_mail(text="once\n"))
        mailer.send(a_mail(text="again\n"))
        (kept,) = mailer.messages(limit=10)
        assert (kept.message_id, kept.text) == ("greeting-1", "again\n")
        assert mailer.message("greeting-1") == kept

    def test_shows_a_few_at_a_time(self, mailer):
        for number in range(3):
            mailer.send(a_mail(message_id=f"greeting-{number}"))
        assert len(mailer.messages(limit=2)) == 2

    def test_keeps_the_html_and_the_way_out(self, mailer):
        mailer.send(a_mail(html="<p>Réponse &amp; more</p>\n", unsubscribe_url="https://cards.example/" + "x" * 200))
        mailer.send(a_mail(message_id="plain"))
        assert mailer.message("greeting-1").html == "<p>Réponse &amp; more</p>\n"
        assert mailer.message("greeting-1").unsubscribe_url == "https://cards.example/" + "x" * 200
        assert (mailer.message("plain").html, mailer.message("plain").unsubscribe_url) == ("", "")
