"""Payment methods that buyers save: made once whatever goes wrong, used by nobody else, forgotten with their owner."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from marketplace.application.cards.customers import BuyerRefused
from marketplace.application.ports.payment_gateway import (
    InvalidRequest,
    KeyReused,
    OutcomeUnknown,
    ProviderObjectUnknown,
)
from marketplace.domain.payment_customers import PaymentCustomer
from marketplace.domain.shared.errors import Forbidden, NotFound, Unavailable
from marketplace.domain.shared.ids import AccountId
from tests.saved_cards import alarms, customer, customers_there, erase, name, save

SILENT = OutcomeUnknown("no answer")
REFUSALS = [InvalidRequest("no such thing"), KeyReused("another request")]


class TestSaving:
    def test_makes_a_buyer_known_once_and_keeps_nothing_of_what_they_save(self, till, buyer):
        first, second = save(till, buyer), save(till, buyer, "pm_card_mastercard")
        assert [card.id for card in till.wallet.list_cards(actor=buyer)] == [second, first]
        assert customers_there(till, buyer) == 1
        known = customer(till, buyer)
        assert (known.request, known.setups) == (None, 2)

    def test_is_for_those_whose_address_is_verified(self, till, buyer):
        with pytest.raises(Forbidden):
            till.wallet.begin_setup(actor=replace(buyer, is_email_verified=False))
        assert till.gateway.calls == []

    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize("call", ["create_customer", "set_up_card"])
    def test_whose_answer_was_lost_is_asked_for_again_with_the_same_key(self, till, buyer, call, when):
        till.gateway.interrupt(call, when=when, by=SILENT)
        with pytest.raises(Unavailable):
            till.wallet.begin_setup(actor=buyer)
        # What the account says meanwhile does not change what is sent.
        with till.market.unit_of_work() as uow:
            account = uow.accounts.get_for_update(buyer.account_id)
            account.first_name = "Another"
            uow.accounts.save(account)
            uow.commit()
        till.wallet.begin_setup(actor=buyer)
        assert customers_there(till, buyer) == 1
        with till.state.begin() as state:
            assert len(state.children("setup_intent", name(till, buyer))) == 1

    def test_12_whose_key_is_answered_with_an_error_twice_goes_on_with_another(self, till, buyer):
        keys = []
        for _ in range(3):
            till.gateway.interrupt("set_up_card", when="before", by=SILENT)
            with pytest.raises(Unavailable):
                till.wallet.begin_setup(actor=buyer)
            keys.append(customer(till, buyer).setup_key.rpartition(":")[2])
        assert keys == ["1", "1", "2"]

    def test_of_a_customer_who_was_deleted_there_begins_anew(self, till, buyer):
        save(till, buyer)
        old = name(till, buyer)
        till.provider.forget_customer(old)
        setup = till.wallet.begin_setup(actor=buyer)
        assert setup.customer_id == name(till, buyer) != old
        assert till.wallet.list_cards(actor=buyer) == []

    def test_gives_up_on_a_provider_that_forgets_at_once(self, till, buyer):
        for _ in range(2):
            till.gateway.interrupt("set_up_card", when="before", by=ProviderObjectUnknown("nobody"))
        with pytest.raises(BuyerRefused):
            till.wallet.begin_setup(actor=buyer)

    @pytest.mark.parametrize("error", REFUSALS)
    @pytest.mark.parametrize("call", ["create_customer", "set_up_card"])
    def test_that_is_refused_tells_the_operators_and_goes_on_with_another_key(self, till, buyer, call, error):
        till.gateway.interrupt(call, when="before", by=error)
        with pytest.raises(BuyerRefused):
            till.wallet.begin_setup(actor=buyer)
        assert alarms(till) == [f"{error.code}: {error}"]
        before = customer(till, buyer)
        till.wallet.begin_setup(actor=buyer)
        after = customer(till, buyer)
        assert (before.create_key, before.setup_key) != (after.create_key, after.setup_key)

    def test_at_another_provider_makes_the_buyer_known_there(self, till, buyer):
        with till.market.unit_of_work() as uow:
            account = uow.accounts.get(buyer.account_id)
            elsewhere = PaymentCustomer(
                account_id=account.id,
                provider="stripe",
                request=None,
                provider_customer_id="cus_there",
                created_at=till.market.clock.now(),
            )
            uow.payment_customers.add(elsewhere)
            uow.commit()
        assert till.wallet.list_cards(actor=buyer) == []
        save(till, buyer)
        assert name(till, buyer) != "cus_there"

    def test_that_another_worker_ends_first_leaves_no_second_customer(self, till, buyer):
        def lose(*_: Any) -> Any:
            with till.market.unit_of_work() as uow:
                current = uow.payment_customers.find_for_update(buyer.account_id)
                current.lose()
                uow.payment_customers.save(current)
                uow.commit()

        till.gateway.interrupt("create_customer", when="after", by=lose)
        with pytest.raises(BuyerRefused):
            till.wallet.begin_setup(actor=buyer)
        assert "forget_customer" in till.gateway.calls

    @pytest.mark.parametrize("error", REFUSALS)
    def test_a_refusal_that_comes_after_the_buyer_was_lost_changes_nothing_more(self, till, buyer, error):
        def lose(*_: Any) -> Any:
            till.wallet.customers.lose(buyer.account_id, "cus_other")
            with till.market.unit_of_work() as uow:
                uow.payment_customers.remove(buyer.account_id)
                uow.commit()
            raise error

        till.gateway.interrupt("create_customer", when="before", by=lose)
        with pytest.raises(BuyerRefused):
            till.wallet.begin_setup(actor=buyer)
        assert customer(till, buyer) is None

    def test_of_a_customer_lost_in_between_is_refused_for_now(self, till, buyer):
        save(till, buyer)
        known = till.wallet.customers.known

        def lost_meanwhile(account_id: AccountId) -> str:
            found = known(account_id)
            till.wallet.customers.lose(account_id, found)
            return found

        class Racing:
            known = staticmethod(lost_meanwhile)

        with pytest.raises(BuyerRefused):
            replace(till.wallet.begin_setup, customers=Racing())(actor=buyer)

    def test_an_answer_for_somebody_who_is_gone_is_noted_nowhere(self, till, buyer):
        save(till, buyer)

        def remove(*_: Any) -> None:
            with till.market.unit_of_work() as uow:
                uow.payment_customers.remove(buyer.account_id)
                uow.commit()

        till.gateway.interrupt("set_up_card", when="before", by=remove)
        till.wallet.begin_setup(actor=buyer)
        assert customer(till, buyer) is None


class TestTheSecret:
    def test_is_read_again_by_whom_it_is_for_until_it_is_used(self, till, buyer):
        setup = till.wallet.begin_setup(actor=buyer)
        other = till.market.buyer()
        assert till.wallet.read_secret(actor=buyer, setup_id=setup.id) == setup.client_secret
        assert till.wallet.read_secret(actor=other, setup_id=setup.id) is None
        till.wallet.begin_setup(actor=other)
        assert till.wallet.read_secret(actor=other, setup_id=setup.id) is None
        till.gateway.interrupt("get_card_setup", when="before", by=SILENT)
        assert till.wallet.read_secret(actor=buyer, setup_id=setup.id) is None
        till.provider.finish_setup(setup.id, payment_method="pm_card_visa")
        assert till.wallet.read_secret(actor=buyer, setup_id=setup.id) is None
        assert till.wallet.read_secret(actor=buyer, setup_id="seti_unknown") is None


class TestKeeping:
    def test_47_a_customer_deleted_elsewhere_has_nothing_and_is_asked_again(self, till, buyer):
        save(till, buyer)
        till.provider.forget_customer(name(till, buyer))
        assert till.wallet.list_cards(actor=buyer) == []
        assert customer(till, buyer).provider_customer_id is None
        till.gateway.calls.clear()
        assert till.wallet.list_cards(actor=buyer) == []
        assert till.gateway.calls == []
        save(till, buyer)
        assert len(till.wallet.list_cards(actor=buyer)) == 1

    def test_removes_once_and_done_is_done(self, till, buyer):
        card = save(till, buyer)
        till.wallet.remove_card(actor=buyer, card_id=card)
        till.wallet.remove_card(actor=buyer, card_id=card)
        assert till.wallet.list_cards(actor=buyer) == []
        assert till.gateway.calls.count("remove_card") == 1

    def test_47_what_was_detached_elsewhere_is_removed(self, till, buyer):
        card = save(till, buyer)
        till.provider.remove_card(card, key="elsewhere")
        till.work()
        assert till.wallet.list_cards(actor=buyer) == []
        till.wallet.remove_card(actor=buyer, card_id=card)

    def test_48_anothers_is_not_found_before_anything_is_done(self, till, buyer):
        card, other = save(till, buyer), till.market.buyer()
        till.gateway.calls.clear()
        with pytest.raises(NotFound):
            till.wallet.remove_card(actor=other, card_id=card)
        assert till.gateway.calls == []
        save(till, other)
        with pytest.raises(NotFound):
            till.wallet.remove_card(actor=other, card_id=card)
        assert "remove_card" not in till.gateway.calls
        assert [kept.id for kept in till.wallet.list_cards(actor=buyer)] == [card]

    @pytest.mark.parametrize("card_id", ["pm_unknown", "../customers", "", "pm\x00", "x" * 256])
    def test_what_nobody_saved_is_not_found(self, till, buyer, card_id):
        save(till, buyer)
        with pytest.raises(NotFound):
            till.wallet.remove_card(actor=buyer, card_id=card_id)


class TestFollowing:
    def test_47_a_deleted_customer_is_forgotten_here_by_the_event(self, till, buyer):
        save(till, buyer)
        till.provider.forget_customer(name(till, buyer))
        till.work()
        assert customer(till, buyer).provider_customer_id is None
        assert alarms(till) == []

    def test_is_not_believed(self, till, buyer):
        save(till, buyer)
        (event,) = [e for e in till.outgoing() if b'"payment_method.attached"' in e.body]
        told = till.gateway.parse_webhook(event.body, event.headers, source=event.source, now=till.market.clock.now())
        known = name(till, buyer)
        assert till.wallet.check(replace(told, type="customer.deleted", object_id=known))
        assert name(till, buyer) == known
        assert till.wallet.check(replace(told, type="customer.deleted", object_id="cus_unknown"))

    def test_leaves_no_event_of_cards_waiting(self, till, buyer):
        till.wallet.remove_card(actor=buyer, card_id=save(till, buyer))
        till.work()
        till.market.later(days=2)
        assert not till.inbox.lease(now=till.market.clock.now(), lease_for=timedelta(minutes=1), limit=10)


class TestLeaving:
    def test_forgets_whoever_left_at_the_provider(self, till, buyer):
        card = save(till, buyer)
        known = name(till, buyer)
        till.wallet.forget(account_id=buyer.account_id)
        assert name(till, buyer) == known, "they are still here"
        erase(till, buyer)
        till.gateway.interrupt("forget_customer", when="after", by=SILENT)
        with pytest.raises(Unavailable):
            till.wallet.forget(account_id=buyer.account_id)
        assert name(till, buyer) == known, "it is repeated"
        for _ in range(2):
            till.wallet.forget(account_id=buyer.account_id)
        assert customer(till, buyer) is None
        assert till.provider.get_card(card).customer_id is None
        with pytest.raises(NotFound):
            till.wallet.begin_setup(actor=buyer)
        till.work()
        assert alarms(till) == []

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_forgets_also_one_whose_name_never_arrived(self, till, buyer, when):
        till.gateway.interrupt("create_customer", when=when, by=SILENT)
        with pytest.raises(Unavailable):
            till.wallet.begin_setup(actor=buyer)
        erase(till, buyer)
        till.wallet.forget(account_id=buyer.account_id)
        assert customer(till, buyer) is None
        with till.state.begin() as state:
            assert all(each["deleted"] for each in state.children("customer", str(buyer.account_id)))

    @pytest.mark.parametrize("error", REFUSALS)
    def test_of_one_whom_the_provider_never_took_there_is_nothing_to_forget(self, till, buyer, error):
        till.gateway.interrupt("create_customer", when="before", by=SILENT)
        with pytest.raises(Unavailable):
            till.wallet.begin_setup(actor=buyer)
        erase(till, buyer)
        till.gateway.interrupt("create_customer", when="before", by=error)
        till.wallet.forget(account_id=buyer.account_id)
        assert customer(till, buyer) is None

    def test_asks_another_provider_nothing(self, till, buyer):
        save(till, buyer)
        erase(till, buyer)
        with till.market.unit_of_work() as uow:
            current = uow.payment_customers.find_for_update(buyer.account_id)
            current.provider = "stripe"
            uow.payment_customers.save(current)
            uow.commit()
        till.wallet.forget(account_id=buyer.account_id)
        assert "forget_customer" not in till.gateway.calls
        assert customer(till, buyer) is None
