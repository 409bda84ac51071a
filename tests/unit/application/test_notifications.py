"""What members are told by mail, and who reacts to which event of identity."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.application.access import OPERATOR
from marketplace.application.identity.registration import NewMember
from marketplace.application.ports.audit import AuditFilter
from marketplace.application.ports.outbox import UnreadableEvent
from marketplace.application.ports.pages import PageRequest
from marketplace.domain.identity.attempts import AttemptsLocked
from marketplace.domain.identity.events import EmailVerificationRequested
from marketplace.domain.identity.second_factors import FactorChange, SecondFactorChanged
from marketplace.domain.notifications import Kind
from marketplace.domain.payments.payment import PaymentQuarantined, ProviderAlarm
from marketplace.domain.sellers import SellerApproved, SellerRejected, SellerStatus, SellerSuspended
from marketplace.domain.shared.errors import NotFound, Unavailable
from marketplace.entrypoints.container import Container, MemoryBackend
from marketplace.entrypoints.settings import Settings

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.fixture
def container():
    return Container(settings=Settings.from_env({}), backend=MemoryBackend(), clock=FixedClock(NOW))


@pytest.fixture
def mailbox(container):
    return container.backend.mailbox()


@pytest.fixture
def ash(container):
    member = NewMember(username="ash", email="ash@example.com", password="a good long one", accept_terms=True)
    return container.register()(member=member).account_id


def relay(container):
    while container.relay_events()():
        pass


@pytest.fixture
def sacha(container):
    member = NewMember(
        username="sacha", email="sacha@example.com", password="a good long one", accept_terms=True, language="fr"
    )
    return container.register()(member=member).account_id


class TestNotify:
    def test_writes_in_the_language_of_the_member(self, container, mailbox, sacha):
        container.notifications.notify()(Kind.SELLER_REJECTED, account=sacha, occasion="news-1", reason="Sans papiers.")
        (mail,) = mailbox.messages(limit=2)
        assert (mail.message_id, mail.to) == ("news-1", "sacha@example.com")
        assert mail.subject == "Votre boutique n\u2019a pas été approuvée"
        assert mail.text.startswith("Bonjour sacha,\n")
        assert "Sans papiers." in mail.text
        assert "Sans papiers." in mail.html

    def test_writes_to_another_address_when_the_news_is_about_that(self, container, mailbox, ash):
        container.notifications.notify()(
            Kind.EMAIL_VERIFICATION, account=ash, occasion="x", to="new@example.com", digits="012345", minutes=10
        )
        (mail,) = mailbox.messages(limit=2)
        assert mail.to == "new@example.com"
        assert "\n    012345\n" in mail.text

    def test_news_that_could_not_be_mailed_at_first_is_told_once_by_each_channel(self, container, mailbox, ash):
        def tell():
            container.notifications.notify()(Kind.SELLER_APPROVED, account=ash, occasion="news-1", link="/sellers/me/")

        mailbox.is_down = True
        with pytest.raises(Unavailable):
            tell()
        mailbox.is_down = False
        tell()
        tell()
        assert len(mailbox.messages(limit=5)) == 1
        (told,) = container.backend.notification_queries().notifications(ash, PageRequest()).items
        assert (told.title, told.link) == ("Your shop is approved", "/sellers/me/")
        assert told.body.startswith("Your shop is approved. The checklist")
        assert told.created_at == NOW

    def test_nobody_is_told_anything_who_has_erased_their_account(self, container, mailbox, ash):
        link = container.notifications.links().link(ash, Kind.SALE_MADE)
        with container.backend.unit_of_work() as uow:
            account = uow.accounts.get(ash)
            account.erase(now=NOW)
            account.events.clear()
            uow.accounts.save(account)
            uow.commit()
        container.notifications.notify()(Kind.SELLER_APPROVED, account=ash, occasion="news-1")
        assert mailbox.messages(limit=5) == []
        assert container.backend.notification_queries().notifications(ash, PageRequest()).count == 0
        with pytest.raises(NotFound):
            container.notifications.unsubscribe()(token=link.rsplit("/", 2)[1])
        with container.backend.unit_of_work() as uow:
            assert uow.notification_preferences.of(ash).chosen == {}

    def test_a_code_is_for_the_mailbox_alone(self, container, mailbox, ash):
        relay(container)
        assert len(mailbox.messages(limit=5)) == 1
        assert container.backend.notification_queries().notifications(ash, PageRequest()).count == 0

    @pytest.mark.parametrize(
        ("news", "subject", "told"),
        [
            (SellerApproved(occurred_at=NOW, account_id=1), "Your shop is approved", "your identity checked"),
            (
                SellerRejected(occurred_at=NOW, account_id=1, reason="No papers."),
                "Your shop was not approved",
                "The reason: No papers.",
            ),
            (
                SellerSuspended(occurred_at=NOW, account_id=1, reason="Fakes."),
                "Your shop is suspended",
                "The reason: Fakes.",
            ),
        ],
    )
    def test_a_seller_is_told_what_was_decided_and_why(self, container, mailbox, ash, news, subject, told):
        container.subscribers()(type(news)(**{**_fields(news), "account_id": ash}), 3)
        (mail,) = mailbox.messages(limit=2)
        assert (mail.message_id, mail.to, mail.subject) == ("seller-news-3", "ash@example.com", subject)
        assert told in mail.text


class TestSubscribers:
    def test_a_registration_is_answered_by_one_mail(self, container, mailbox, ash):
        relay(container)
        (mail,) = mailbox.messages(limit=5)
        assert mail.subject == "Your verification code"

    def test_an_event_that_comes_twice_is_one_message(self, container, mailbox, ash):
        request = EmailVerificationRequested(occurred_at=NOW, account_id=ash)
        container.subscribers()(request, 7)
        container.subscribers()(request, 7)
        assert len(mailbox.messages(limit=5)) == 1

    def test_a_mail_that_was_not_taken_is_sent_later_with_a_code_that_works(self, container, mailbox, ash):
        mailbox.is_down = True
        relay(container)
        mailbox.is_down = False
        assert mailbox.messages(limit=5) == []
        status = container.backend.outbox().status(now=NOW)
        assert (status.waiting, status.dead) == (1, 0)
        container.backend.outbox().failed(1, error="", now=NOW, retry_at=NOW)
        relay(container)
        (mail,) = mailbox.messages(limit=5)
        code = next(line.strip() for line in mail.text.splitlines() if line.startswith("    "))
        assert container.verify_email()(email="ash@example.com", code=code) == ash

    def test_of_a_name_that_is_locked_again_and_again_its_owner_is_told_once_a_day(self, container, mailbox, ash):
        def lock(after, *, is_down=False):
            now = NOW + after
            container.clock().set(now)
            mailbox.is_down = is_down
            event = AttemptsLocked(occurred_at=now, account_id=ash, purpose="log_in", origin="203.0.113.9")
            container.subscribers()(event, 7)

        with pytest.raises(Unavailable):
            lock(timedelta(0), is_down=True)
        lock(timedelta(0))
        lock(timedelta(hours=1), is_down=True)  # would be refused if anything were mailed
        assert len(mailbox.messages(limit=5)) == 1
        lock(timedelta(days=1))
        assert len(mailbox.messages(limit=5)) == 2
        trail = container.backend.audit_queries().entries(
            PageRequest(), wanted=AuditFilter(action="account.locked_out")
        )
        assert len(trail.items) == 3

    def test_no_code_is_mailed_when_none_is_wanted_any_more(self, container, mailbox, ash):
        container.suspend_account()(actor=OPERATOR, name="ash")
        relay(container)
        assert mailbox.messages(limit=5) == []

    def test_the_shop_of_a_suspended_account_is_suspended(self, container, mailbox, ash):
        container.vouch_for_seller()(actor=OPERATOR, account=ash)
        container.suspend_account()(actor=OPERATOR, name="ash")
        with container.backend.unit_of_work() as uow:
            assert uow.sellers.get(ash).status is SellerStatus.SUSPENDED  # at once, whether or not a worker runs
        relay(container)
        assert "Your shop is suspended" in [mail.subject for mail in mailbox.messages(limit=5)]

    def test_the_news_of_a_suspension_that_is_over_suspends_nobody_again(self, container, ash):
        container.vouch_for_seller()(actor=OPERATOR, account=ash)
        container.suspend_account()(actor=OPERATOR, name="ash")
        container.reinstate_account()(actor=OPERATOR, name="ash")
        container.reinstate_seller()(actor=OPERATOR, account=ash)
        relay(container)
        with container.backend.unit_of_work() as uow:
            assert uow.sellers.get(ash).status is SellerStatus.APPROVED

    @pytest.mark.parametrize(
        ("event", "told"),
        [
            (PaymentQuarantined(occurred_at=NOW, payment_id=1, order_id=7, reason="paid in USD"), "order 7"),
            (ProviderAlarm(occurred_at=NOW, subject="refund.failed evt_1", reason="unknown"), "refund.failed evt_1"),
        ],
    )
    def test_what_needs_an_operator_is_told_in_the_log(self, container, caplog, event, told):
        container.subscribers()(event, 1)
        [record] = caplog.records
        assert record.levelname == "ERROR"
        assert told in record.getMessage()

    def test_every_change_of_a_second_factor_is_told_to_its_owner(self, container, mailbox, ash):
        expected = {
            FactorChange.ENABLED: "takes a code of your authenticator",
            FactorChange.DISABLED: "was turned off",
            FactorChange.RECOVERY_CODES_RENEWED: "let nobody in any more",
            FactorChange.RESET: "we removed the second factor",
        }
        for number, change in enumerate(FactorChange):
            event = SecondFactorChanged(occurred_at=NOW, account_id=ash, change=change.value)
            container.subscribers()(event, number)
            mail = next(mail for mail in mailbox.messages(limit=9) if mail.message_id == f"second-factor-{number}")
            assert mail.to == "ash@example.com"
            assert expected[change] in " ".join(mail.text.split())

    def test_a_fact_that_nobody_reacts_to_changes_nothing(self, container, mailbox, ash):
        relay(container)
        before = (deepcopy(container.backend.store().tables), mailbox.messages(limit=5))
        container.subscribers()(UnreadableEvent(occurred_at=NOW, stored_as="x"), 1)
        assert (container.backend.store().tables, mailbox.messages(limit=5)) == before


def _fields(event):
    return {"occurred_at": event.occurred_at, "account_id": event.account_id} | (
        {"reason": event.reason} if hasattr(event, "reason") else {}
    )
