"""What Stripe is asked with, and what is made of its answers: sellers, chargebacks, cards and the books."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from marketplace.adapters.stripe_gateway.accounts import AccountsApi
from marketplace.adapters.stripe_gateway.gateway import StripeGateway
from marketplace.application.ports.chargebacks import ChargebackStage
from marketplace.application.ports.payment_gateway import (
    AlreadyInState,
    InProgress,
    InvalidRequest,
    Misconfigured,
    PlatformPayoutStatus,
    ProviderObjectUnknown,
)
from marketplace.application.ports.saved_cards import CustomerRequest
from marketplace.application.ports.transfers import InsufficientBalance, SellerNotPayable
from marketplace.domain.payout_accounts import AccountRequest, EntityType
from marketplace.domain.shared.ids import AccountId, OrderId, PayoutId, RecoveryId
from marketplace.domain.shared.money import Money
from tests.integration.stripe_calls import BACK, a_gateway, a_transfer, an_account, paid, sent
from tests.market import Market
from tests.stripe_stub import StripeStub, When


@pytest.fixture
def clock() -> Any:
    return Market.in_memory()[0].clock


@pytest.fixture
def stub(stripe_stub: StripeStub, clock: Any) -> Iterator[StripeStub]:
    stripe_stub.reset(now=clock.now)
    yield stripe_stub
    stripe_stub.check()


@pytest.fixture
def gateway(stub: StripeStub) -> StripeGateway:
    return a_gateway(stub)


class TestAccounts:
    def test_the_second_version_is_asked_in_these_words(self, gateway, stub):
        an_account(gateway, stub)
        assert stub.asked[0].path == "/v2/core/accounts"
        assert sent(stub, 0) == {
            "configuration": {
                "recipient": {"capabilities": {"stripe_balance": {"stripe_transfers": {"requested": True}}}}
            },
            "contact_email": "misty@example.com",
            "dashboard": "express",
            "defaults": {
                "currency": "eur",
                "responsibilities": {"fees_collector": "application", "losses_collector": "application"},
            },
            "display_name": "Cerulean Cards",
            "identity": {"country": "FR", "entity_type": "company"},
            "metadata": {"seller_id": "3"},
        }
        assert stub.asked[1].path.startswith("/v1/accounts/acct_")

    def test_the_first_version_is_asked_in_these_words(self, stub):
        an_account(a_gateway(stub, version=AccountsApi.V1), stub)
        assert stub.asked[0].path == "/v1/accounts"
        assert sent(stub, 0) == {
            "business_profile[name]": "Cerulean Cards",
            "business_type": "company",
            "capabilities[transfers][requested]": "true",
            "controller[fees][payer]": "application",
            "controller[losses][payments]": "application",
            "controller[requirement_collection]": "stripe",
            "controller[stripe_dashboard][type]": "express",
            "country": "FR",
            "email": "misty@example.com",
            "metadata[seller_id]": "3",
        }

    @pytest.mark.parametrize("version", list(AccountsApi))
    def test_says_nothing_of_what_it_does_not_know(self, stub, version):
        request = AccountRequest(
            seller_id=AccountId(3),
            email="m@example.com",
            display_name="",
            entity_type=EntityType.INDIVIDUAL,
            country=None,
        )
        a_gateway(stub, version=version).create_account(request, key="acct:3:1")
        told = next(asked.text for asked in stub.asked if asked.verb == "POST")
        assert "country" not in told
        assert "name" not in told

    def test_an_account_that_is_made_and_cannot_be_read_is_made_all_the_same(self, gateway, stub):
        stub.fail("/v1/accounts/.*", verb="GET", times=4)
        id = an_account(gateway, stub)
        assert gateway.get_account(id).seller_id == 3

    @pytest.mark.parametrize("version", list(AccountsApi))
    def test_a_link_asks_for_all_that_will_be_wanted(self, stub, version, clock):
        gateway = a_gateway(stub, version=version)
        id = an_account(gateway, stub)
        link = gateway.account_link(id, return_url=BACK, refresh_url="https://cards.example/again")
        assert link.expires_at > clock.now()
        assert "eventually_due" in stub.asked[-1].text

    def test_follows_what_the_provider_thinks_of_a_seller(self, gateway, stub):
        id = an_account(gateway, stub)
        assert gateway.get_account(id).state.transfers.value == "active"
        stub.restrict(id)
        restricted = gateway.get_account(id).state
        assert (restricted.transfers.value, restricted.disabled_reason) == ("inactive", "requirements.past_due")
        assert restricted.requirements_due == ("individual.verification.document",)
        stub.cut_off(id)
        with pytest.raises(ProviderObjectUnknown):
            gateway.get_account(id)

    def test_a_key_that_may_not_read_accounts_is_not_a_seller_who_left(self, gateway, stub):
        id = an_account(gateway, stub)
        stub.fault(verb="GET", path="/v1/accounts/.*", status=403, error={"type": "invalid_request_error"})
        with pytest.raises(Misconfigured):
            gateway.get_account(id)


class TestTransfers:
    def test_pays_a_seller_in_these_words_from_the_charge(self, gateway, stub, clock):
        payment, account = paid(gateway), an_account(gateway, stub)
        made = gateway.create_transfer(a_transfer(account, payment.charge_id), key="tr:5:1")
        assert sent(stub) == {
            "amount": "5000",
            "currency": "eur",
            "description": "Sale 5",
            "destination": account,
            "metadata[order_id]": "7",
            "metadata[payout_id]": "5",
            "metadata[seller_id]": "3",
            "source_transaction": payment.charge_id,
            "transfer_group": "order_7",
        }
        assert (made.amount, made.amount_reversed, made.currency, made.payout_id) == (5000, 0, "EUR", 5)
        assert (made.destination, made.created_at) == (account, clock.now().replace(microsecond=0))
        assert made == gateway.get_transfer(made.id) == gateway.find_transfer(OrderId(7), PayoutId(5))
        assert gateway.find_transfer(OrderId(7), PayoutId(6)) is None
        assert gateway.find_transfer(OrderId(8), PayoutId(5)) is None

    def test_a_timed_out_transfer_is_the_same_transfer(self, gateway, stub):
        payment, account = paid(gateway), an_account(gateway, stub)
        silent = stub.hang("/v1/transfers", when=When.AFTER)
        with pytest.raises(InProgress):
            gateway.create_transfer(a_transfer(account, payment.charge_id), key="tr:5:1")
        found = gateway.find_transfer(OrderId(7), PayoutId(5))
        silent.resume()
        assert found is not None
        assert len(list(stub.world.find("transfer"))) == 1

    def test_a_seller_who_cannot_be_paid(self, gateway, stub):
        payment, account = paid(gateway), an_account(gateway, stub)
        stub.restrict(account)
        with pytest.raises(SellerNotPayable):
            gateway.create_transfer(a_transfer(account, payment.charge_id), key="tr:5:1")
        for number, destination in enumerate(("acct_gone", "")):
            with pytest.raises((SellerNotPayable, InvalidRequest)):
                gateway.create_transfer(a_transfer(destination, payment.charge_id), key=f"tr:6:{number}")

    def test_money_that_is_not_there_yet(self, gateway, stub):
        paid(gateway)
        account = an_account(gateway, stub)
        with pytest.raises(InsufficientBalance):
            gateway.create_transfer(a_transfer(account, None), key="tr:5:1")
        stub.top_up(10_000)
        made = gateway.create_transfer(a_transfer(account, None), key="tr:5:2")
        assert "source_transaction" not in sent(stub)
        assert made.amount == 5000

    def test_a_charge_that_is_unknown_or_in_another_currency_is_a_fault(self, gateway, stub):
        account = an_account(gateway, stub)
        with pytest.raises(InvalidRequest):
            gateway.create_transfer(a_transfer(account, "ch_gone"), key="tr:5:1")
        stub.world.settles_in["eur"] = "usd"
        payment = paid(gateway)
        with pytest.raises(InvalidRequest, match="currency"):
            gateway.create_transfer(a_transfer(account, payment.charge_id), key="tr:5:2")

    def test_takes_back_what_is_there_and_no_more(self, gateway, stub):
        payment, account = paid(gateway), an_account(gateway, stub)
        made = gateway.create_transfer(a_transfer(account, payment.charge_id), key="tr:5:1")
        reversal = gateway.reverse_transfer(
            made.id, amount=Money(2000, "EUR"), recovery_id=RecoveryId(9), description="Refund", key="trr:1:3:1"
        )
        assert sent(stub) == {"amount": "2000", "description": "Refund", "metadata[recovery_id]": "9"}
        assert (reversal.transfer_id, reversal.amount, reversal.recovery_id) == (made.id, 2000, 9)
        assert gateway.find_reversal(made.id, RecoveryId(9)) == reversal
        assert gateway.find_reversal(made.id, RecoveryId(8)) is None
        assert gateway.get_transfer(made.id).amount_reversed == 2000
        with pytest.raises(AlreadyInState):
            gateway.reverse_transfer(
                made.id, amount=Money(3001, "EUR"), recovery_id=RecoveryId(10), description="", key="trr:2:3:1"
            )
        stub.drain(account, 2500)
        with pytest.raises(InsufficientBalance):
            gateway.reverse_transfer(
                made.id, amount=Money(3000, "EUR"), recovery_id=RecoveryId(11), description="x", key="trr:3:3:1"
            )
        stub.cut_off(account)
        with pytest.raises(SellerNotPayable):
            gateway.reverse_transfer(
                made.id, amount=Money(1, "EUR"), recovery_id=RecoveryId(12), description="x", key="trr:4:3:1"
            )
        with pytest.raises(ProviderObjectUnknown):
            gateway.reverse_transfer(
                "tr_gone", amount=Money(1, "EUR"), recovery_id=RecoveryId(13), description="x", key="trr:5:3:1"
            )


class TestChargebacks:
    @pytest.fixture
    def dispute(self, gateway, stub):
        payment = paid(gateway)
        return stub.open_dispute(payment.charge_id)

    def test_has_what_was_withdrawn_and_given_back(self, gateway, stub, dispute, clock):
        opened = gateway.get_chargeback(dispute)
        assert (opened.stage, opened.status, opened.amount, opened.currency) == (
            ChargebackStage.OPEN,
            "needs_response",
            12112,
            "EUR",
        )
        assert [(m.amount, m.fee, m.net) for m in opened.movements] == [(-12112, 2000, -14112)]
        assert (opened.evidence_due_at - clock.now()).days in (6, 7)
        assert opened.intent_id is not None
        stub.turn_dispute(dispute, "won", with_fee=False)
        won = gateway.get_chargeback(dispute)
        assert (won.stage, [m.net for m in won.movements]) == (ChargebackStage.WON, [-14112, 12112])

    @pytest.mark.parametrize(
        ("status", "stage"),
        [
            ("warning_needs_response", ChargebackStage.INQUIRY),
            ("warning_under_review", ChargebackStage.INQUIRY),
            ("warning_closed", ChargebackStage.INQUIRY_CLOSED),
            ("under_review", ChargebackStage.OPEN),
            ("lost", ChargebackStage.LOST),
            ("appeal_needs_response", ChargebackStage.APPEAL),
            ("appeal_under_review", ChargebackStage.APPEAL),
            ("prevented", ChargebackStage.PREVENTED),
            ("a_status_of_next_year", ChargebackStage.OPEN),
        ],
    )
    def test_each_state_has_a_stage(self, gateway, stub, dispute, status, stage):
        stub.turn_dispute(dispute, status)
        assert gateway.get_chargeback(dispute).stage is stage
        stub.server.unfit.clear()

    def test_an_unknown_state_that_has_moved_nothing_is_a_question(self, gateway, stub):
        dispute = stub.open_dispute(paid(gateway).charge_id, inquiry=True)
        assert gateway.get_chargeback(dispute).movements == []
        stub.turn_dispute(dispute, "a_status_of_next_year")
        assert gateway.get_chargeback(dispute).stage is ChargebackStage.INQUIRY
        stub.server.unfit.clear()

    def test_evidence_is_kept_first_and_then_sent(self, gateway, stub, dispute):
        kept = gateway.submit_evidence(dispute, evidence={"uncategorized_text": "Sent"}, submit=False, key="du-ev:1:1")
        assert kept.status == "needs_response"
        assert sent(stub) == {"evidence[uncategorized_text]": "Sent", "submit": "false"}
        told = gateway.submit_evidence(dispute, evidence={"uncategorized_text": "Sent"}, submit=True, key="du-ev:1:2")
        assert told.status == "under_review"
        with pytest.raises(InvalidRequest):
            gateway.submit_evidence(dispute, evidence={"nonsense": "x"}, submit=False, key="du-ev:1:3")

    def test_what_is_decided_is_decided(self, gateway, dispute):
        assert gateway.accept_chargeback(dispute, key="du-close:1:1").stage is ChargebackStage.LOST
        with pytest.raises(AlreadyInState):
            gateway.accept_chargeback(dispute, key="du-close:1:2")
        with pytest.raises(AlreadyInState):
            gateway.submit_evidence(dispute, evidence={"uncategorized_text": "x"}, submit=True, key="du-ev:1:1")
        for call in (gateway.get_chargeback, lambda id: gateway.accept_chargeback(id, key="du-close:2:1")):
            with pytest.raises(ProviderObjectUnknown):
                call("du_gone")


class TestCards:
    @pytest.fixture
    def customer(self, gateway):
        request = CustomerRequest(account_id=AccountId(4), email="ash@example.com", name="", language="en")
        return gateway.create_customer(request, key="cus:4:1").id

    def test_saves_lists_and_removes(self, gateway, stub, customer):
        setup = gateway.set_up_card(customer, key="si:1:1")
        assert setup.client_secret not in repr(setup)
        first = stub.save_card(setup.id)
        second = stub.save_card(gateway.set_up_card(customer, key="si:2:1").id, "pm_card_mastercard")
        cards = gateway.list_cards(customer)
        assert [(card.id, card.brand) for card in cards] == [(second, "mastercard"), (first, "visa")]
        assert (cards[1].customer_id, cards[1].type, len(cards[1].last4)) == (customer, "card", 4)
        assert cards[1].expires_year > 2000
        for number in (1, 2):
            gateway.remove_card(first, key=f"pm-detach:{first}:{number}")
        assert gateway.get_card(first).customer_id is None
        gateway.remove_card("pm_gone", key="pm-detach:x:1")
        with pytest.raises(ProviderObjectUnknown):
            gateway.get_card("pm_gone")

    def test_a_customer_who_is_gone_is_gone(self, gateway, customer):
        for _ in range(2):
            gateway.forget_customer(customer)
        gateway.forget_customer("")
        with pytest.raises(ProviderObjectUnknown):
            gateway.set_up_card(customer, key="si:1:1")
        with pytest.raises(ProviderObjectUnknown):
            gateway.list_cards(customer)


class TestBooks:
    def test_lists_movements_page_by_page_from_the_oldest(self, gateway, stub, clock):
        began = clock.now()
        for _ in range(203):
            stub.top_up(100)
        everything = gateway.balance_transactions(since=began, after=None, limit=1000)
        assert len({movement.id for movement in everything}) == 203
        seen, after = [], None
        while page := gateway.balance_transactions(since=began, after=after, limit=60):
            seen += page
            after = page[-1].id
        assert seen == everything
        assert gateway.balance_transactions(since=began, after=everything[2].id, limit=150) == everything[3:153]
        assert {(m.type, m.reporting_category, m.net, m.currency) for m in seen} == {("topup", "topup", 100, "EUR")}

    def test_finds_the_oldest_of_a_long_time_and_of_a_busy_second(self, gateway, stub, clock):
        began = clock.now()
        clock.advance(timedelta(days=40))
        for day in range(5):
            for _ in range(110 if day == 0 else 70):
                stub.top_up(1)
            clock.advance(timedelta(days=1))
        stub.asked.clear()
        everything = gateway.balance_transactions(since=began, after=None, limit=1000)
        assert (len(everything), len({movement.id for movement in everything})) == (390, 390)
        assert [m.created_at for m in everything] == sorted(m.created_at for m in everything)
        assert len(stub.asked) < 40
        assert gateway.balance_transactions(since=began, after=None, limit=3) == everything[:3]
        assert gateway.balance_transactions(since=clock.now(), after=None, limit=3) == []
        assert len(gateway.balance_transactions(since=began + timedelta(days=41), after=None, limit=500)) == 280

    def test_events_come_the_oldest_first_and_a_forgotten_place_begins_anew(self, gateway, stub, clock):
        began = clock.now()
        paid(gateway)
        told = gateway.events(since=began, after=None, limit=100)
        assert next(event.type for event in told) == "payment_intent.created"
        assert "payment_intent.succeeded" in {event.type for event in told}
        assert {event.order_id for event in told} == {7}
        assert gateway.events(since=began, after=told[0].id, limit=100) == told[1:]
        assert gateway.events(since=began, after="evt_forgotten", limit=100) == told
        assert gateway.events(since=began + timedelta(hours=1), after=None, limit=100) == []

    def test_a_payout_to_our_bank(self, gateway, stub):
        stub.top_up(1000)
        payout = stub.pay_out(400)
        leaving = gateway.get_platform_payout(payout)
        assert (leaving.amount, leaving.currency, leaving.status) == (400, "EUR", PlatformPayoutStatus.IN_TRANSIT)
        assert leaving.balance_transaction_id is not None
        stub.end_payout(payout, "failed")
        failed = gateway.get_platform_payout(payout)
        assert (failed.status, failed.failure_code) == (PlatformPayoutStatus.FAILED, "account_closed")
        assert failed.failure_balance_transaction_id is not None
        assert gateway.balance("EUR").available == 1000
        with pytest.raises(ProviderObjectUnknown):
            gateway.get_platform_payout("po_gone")
