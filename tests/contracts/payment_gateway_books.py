"""What every payment gateway promises of our balance and of what it has to tell. See ``provider_control``."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.application.ports.payment_gateway import (
    InvalidSignature,
    PlatformPayoutStatus,
    ProviderObjectUnknown,
    WebhookSource,
)
from tests.contracts.provider_control import GatewayScenes


class BooksGatewayContract(GatewayScenes):
    def test_every_movement_says_what_it_is_and_when_it_is_available(self, gateway, control, clock):
        began = clock.now()
        payment = self.paid(gateway)
        self.refund(gateway, payment.id, 100)
        control.make_available()
        later = clock.now()
        control.top_up(5000, "EUR")
        control.adjust(-7, "EUR")
        charge, refund, topped, adjusted = gateway.balance_transactions(since=began, after=None, limit=10)
        assert [(m.type, m.reporting_category, m.net) for m in (charge, refund, topped)] == [
            ("charge", "charge", 11905),
            ("refund", "refund", -100),
            ("topup", "topup", 5000),
        ]
        assert (adjusted.type, adjusted.source, adjusted.net) == ("adjustment", "", -7)
        assert charge.created_at < charge.available_at <= later
        assert topped.created_at == topped.available_at == later
        assert self.balance(gateway) == 11905 - 100 + 5000 - 7
        assert gateway.balance("EUR").pending == 0

    def test_the_movements_add_up_to_the_balance_of_their_currency(self, gateway, control, clock):
        began = clock.now()
        self.paid(gateway)
        self.paid(gateway, 8, currency="USD")
        control.top_up(300, "USD")
        moved = gateway.balance_transactions(since=began, after=None, limit=10)
        for currency in ("EUR", "USD"):
            assert sum(m.net for m in moved if m.currency == currency) == self.balance(gateway, currency)

    def test_pages_through_the_movements_without_losing_one(self, gateway, clock):
        began = clock.now()
        for order_id in range(7, 12):
            self.paid(gateway, order_id)
        whole = gateway.balance_transactions(since=began, after=None, limit=10)
        paged, after = [], None
        while page := gateway.balance_transactions(since=began, after=after, limit=2):
            paged += page
            after = page[-1].id
        assert paged == whole
        assert len(whole) == 5

    def test_our_money_goes_to_our_bank(self, gateway, control):
        control.top_up(5000, "EUR")
        id = control.pay_out(3000, "EUR")
        payout = gateway.get_platform_payout(id)
        assert (payout.amount, payout.currency, payout.status) == (3000, "EUR", PlatformPayoutStatus.IN_TRANSIT)
        assert (payout.failure_balance_transaction_id, payout.failure_code) == (None, "")
        assert self.balance(gateway) == 2000
        control.end_payout(id, is_paid=True)
        assert gateway.get_platform_payout(id).status is PlatformPayoutStatus.PAID
        assert self.balance(gateway) == 2000

    @pytest.mark.parametrize("has_arrived", [False, True])
    def test_a_payout_that_fails_comes_back(self, gateway, control, clock, has_arrived):
        control.top_up(5000, "EUR")
        id = control.pay_out(3000, "EUR")
        if has_arrived:
            control.end_payout(id, is_paid=True)
        control.end_payout(id, is_paid=False)
        payout = gateway.get_platform_payout(id)
        assert (payout.status, bool(payout.failure_code)) == (PlatformPayoutStatus.FAILED, True)
        moved = gateway.balance_transactions(since=clock.now(), after=None, limit=10)
        assert [(m.type, m.net) for m in moved] == [("topup", 5000), ("payout", -3000), ("payout_failure", 3000)]
        assert [m.id for m in moved[1:]] == [payout.balance_transaction_id, payout.failure_balance_transaction_id]
        assert self.balance(gateway) == 5000
        told = [
            type for _, type in self.types_told(gateway, control, clock) if type in ("payout.paid", "payout.failed")
        ]
        assert told == ["payout.paid", "payout.failed"][0 if has_arrived else 1 :]

    def test_does_not_know_a_payout_that_it_never_had(self, gateway):
        with pytest.raises(ProviderObjectUnknown):
            gateway.get_platform_payout("po_unknown")

    def test_tells_again_of_what_may_never_have_arrived(self, gateway, control, clock):
        began = clock.now()
        payment = self.paid(gateway)
        clock.advance(timedelta(minutes=5))
        self.refund(gateway, payment.id, 100)
        brought = [
            gateway.parse_webhook(each.body, each.headers, source=each.source, now=clock.now())
            for each in control.told()
        ]
        listed = gateway.events(since=began, after=None, limit=100)
        assert [event.id for event in listed] == [event.id for event in brought]
        assert {event.type for event in listed} >= {"payment_intent.succeeded", "charge.succeeded", "refund.created"}
        assert list(gateway.events(since=began, after=listed[1].id, limit=2)) == listed[2:4]
        recent = gateway.events(since=clock.now(), after=None, limit=100)
        assert {event.type for event in recent} <= {"refund.created", "charge.refunded", "refund.updated"}

    def test_believes_its_own_signature_and_no_other(self, gateway, control, clock):
        self.created(gateway)
        (told,) = control.told()
        event = gateway.parse_webhook(told.body, told.headers, source=told.source, now=clock.now())
        assert (event.type, event.order_id, event.account) == ("payment_intent.created", 7, None)
        assert told.source is WebhookSource.PLATFORM
        with pytest.raises(InvalidSignature):
            gateway.parse_webhook(told.body + b" ", told.headers, source=told.source, now=clock.now())
        with pytest.raises(InvalidSignature):
            gateway.parse_webhook(told.body, {}, source=told.source, now=clock.now())
        for off in (timedelta(hours=1), -timedelta(hours=1)):
            with pytest.raises(InvalidSignature):
                gateway.parse_webhook(told.body, told.headers, source=told.source, now=clock.now() + off)
