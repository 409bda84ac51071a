"""Onboarding at the payment provider: made once, whatever goes wrong, and only ever what the provider says now."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.application.access import Actor
from marketplace.application.payout_accounts import (
    LEASE_FOR,
    TURN,
    CannotOnboard,
    CheckPayoutAccounts,
    StartOnboarding,
)
from marketplace.application.ports.payment_gateway import InvalidRequest, OutcomeUnknown
from marketplace.domain.identity.accounts import AccountType
from marketplace.domain.identity.companies import CompanyMissing
from marketplace.domain.payout_accounts import (
    READ_AGAIN_AFTER,
    TRUST_FOR,
    PayoutAccountBusy,
    SellerBankFailed,
    Transfers,
)
from marketplace.domain.sellers import SellerOnboarded, SellerProfile, SellerRestricted
from marketplace.domain.shared.errors import Forbidden, Invalid
from tests.builders import an_actor, store_account
from tests.till import Till


@pytest.fixture
def till():
    return Till.in_memory()


@pytest.fixture
def clock(till):
    return till.market.clock


@pytest.fixture
def unit_of_work(till):
    return till.market.unit_of_work


@pytest.fixture
def start(till, unit_of_work, clock):
    return StartOnboarding(
        unit_of_work=unit_of_work,
        gateway=till.gateway,
        clock=clock,
        return_url="https://cards.example/back",
        refresh_url="https://cards.example/again",
    )


@pytest.fixture
def sweep(till):
    return CheckPayoutAccounts(check=till.check_account)


@pytest.fixture
def a_seller(unit_of_work, clock):
    """Approved and verified; what is missing is the provider."""

    def a_seller(name: str) -> Actor:
        account = store_account(unit_of_work, name)
        profile = SellerProfile.of(account, shop_name=f"{name}'s", email_verified=True, now=clock.now())
        profile.apply(now=clock.now())
        profile.approve(now=clock.now())
        profile.confirm_identity(now=clock.now())
        profile.events.clear()
        with unit_of_work() as uow:
            uow.sellers.add(profile)
            uow.commit()
        return an_actor(account)

    return a_seller


@pytest.fixture
def red(a_seller) -> Actor:
    return a_seller("red")


@pytest.fixture
def account_of(unit_of_work):
    def account_of(actor):
        with unit_of_work() as uow:
            return uow.payout_accounts.find(actor.account_id)

    return account_of


@pytest.fixture
def payouts_ready(unit_of_work):
    def payouts_ready(actor):
        with unit_of_work() as uow:
            return uow.sellers.get(actor.account_id).payouts_ready

    return payouts_ready


def alter(unit_of_work, actor, do):
    with unit_of_work() as uow:
        account = uow.accounts.get(actor.account_id)
        do(account)
        uow.accounts.save(account)
        uow.commit()


def accounts_at(till):
    with till.state.begin() as state:
        return len(state.listing("account", since=till.market.clock.now() - timedelta(days=9), after=None, limit=None))


class TestStartOnboarding:
    def test_makes_one_account_and_a_link_each_time(self, start, till, red, account_of):
        links = {start(actor=red).url for _ in range(3)}
        account = account_of(red)
        assert len(links) == 3
        assert all(f"/dev/onboarding/{account.provider_account_id}/" in link for link in links)
        assert accounts_at(till) == 1
        assert account.request is None

    def test_says_the_same_again_when_the_answer_was_lost(
        self, start, till, red, monkeypatch, account_of, unit_of_work
    ):
        create = till.provider.create_account

        def lost(request, *, key):
            create(request, key=key)
            raise OutcomeUnknown("The line went dead.")

        with monkeypatch.context() as patch:
            patch.setattr(till.gateway, "create_account", lost, raising=False)
            with pytest.raises(OutcomeUnknown):
                start(actor=red)
        assert account_of(red).provider_account_id is None
        # The provider would refuse the key with anything else in the request.
        alter(unit_of_work, red, lambda account: setattr(account, "email", "new@example.com"))
        assert start(actor=red, country="BE").url
        assert accounts_at(till) == 1

    def test_asks_anew_under_another_key_after_a_refusal(self, start, till, red, monkeypatch, account_of, unit_of_work):
        asked = []

        def refuse(request, *, key):
            asked.append((request.email, key))
            raise InvalidRequest("That is no address.")

        for email in ("bad@example.com", "good@example.com"):
            alter(unit_of_work, red, lambda account, email=email: setattr(account, "email", email))
            with monkeypatch.context() as patch:
                patch.setattr(till.gateway, "create_account", refuse, raising=False)
                with pytest.raises(InvalidRequest):
                    start(actor=red)
        assert [key.rpartition(":")[2] for _, key in asked] == ["1", "2"]
        assert start(actor=red).url
        assert account_of(red).attempt == 3

    def test_a_refusal_is_no_reason_to_ask_anew_for_what_another_request_has_got(
        self, start, till, red, monkeypatch, account_of
    ):
        create = till.provider.create_account

        def overtaken(request, *, key):
            with monkeypatch.context() as inner:
                inner.setattr(till.gateway, "create_account", create, raising=False)
                start(actor=red)
            raise InvalidRequest("That is no address.")

        with monkeypatch.context() as patch:
            patch.setattr(till.gateway, "create_account", overtaken, raising=False)
            with pytest.raises(InvalidRequest):
                start(actor=red)
        account = account_of(red)
        assert (account.attempt, account.request) == (1, None)
        assert start(actor=red).url
        assert accounts_at(till) == 1

    def test_needs_a_verified_address_first(self, start, red):
        with pytest.raises(Forbidden):
            start(actor=Actor(account_id=red.account_id))

    def test_is_for_who_has_applied_and_was_not_turned_down(self, start, unit_of_work, clock):
        stranger = an_actor(store_account(unit_of_work))
        with pytest.raises(CannotOnboard):
            start(actor=stranger)
        profile = SellerProfile.of(stranger.account_id, shop_name="X", email_verified=True, now=clock.now())
        profile.apply(now=clock.now())
        profile.reject("No", now=clock.now())
        with unit_of_work() as uow:
            uow.sellers.add(profile)
            uow.commit()
        with pytest.raises(CannotOnboard):
            start(actor=stranger)

    def test_asks_professionals_who_they_are(self, start, unit_of_work, red):
        alter(unit_of_work, red, lambda account: setattr(account, "account_type", AccountType.PROFESSIONAL))
        with pytest.raises(CompanyMissing):
            start(actor=red)

    def test_refuses_a_country_where_nobody_can_be_paid(self, start, red, account_of):
        with pytest.raises(Invalid, match="JP"):
            start(actor=red, country="JP")
        assert account_of(red) is None

    def test_says_when_the_provider_closed_the_account(self, start, till, red, account_of):
        start(actor=red)
        del till.state.contents.objects[account_of(red).provider_account_id]
        with pytest.raises(CannotOnboard, match="closed"):
            start(actor=red)


class TestAccountCheck:
    @pytest.fixture
    def name(self, start, red, account_of):
        start(actor=red)
        return account_of(red).provider_account_id

    def test_follows_the_provider_both_ways_and_tells_once(self, till, red, name, payouts_ready):
        for succeed in (True, False, True):
            till.provider.finish_onboarding(name, link=None, succeed=succeed)
            for _ in range(3):
                assert till.check_account(name)
            assert payouts_ready(red) is succeed
        news = [type(event) for event in till.events() if isinstance(event, (SellerOnboarded, SellerRestricted))]
        assert news == [SellerOnboarded, SellerRestricted, SellerOnboarded]

    def test_tells_once_that_money_does_not_reach_the_bank_and_lets_the_seller_sell(
        self, till, red, name, payouts_ready, account_of, clock
    ):
        till.provider.finish_onboarding(name, link=None, succeed=True)
        till.check_account(name)
        with till.state.begin() as state:
            state.put(state.get(name) | {"payouts_enabled": False}, kind="account", parent="", at=clock.now())
        for _ in range(2):
            till.check_account(name)
        assert [event.account_id for event in till.events() if isinstance(event, SellerBankFailed)] == [red.account_id]
        assert payouts_ready(red)
        assert not account_of(red).state.payouts_enabled

    def test_knows_no_stranger(self, till):
        assert not till.check_account("acct_of_somebody_else")

    def test_an_account_that_is_gone_cannot_be_paid(self, till, red, name, payouts_ready, account_of):
        till.provider.finish_onboarding(name, link=None, succeed=True)
        till.check_account(name)
        del till.state.contents.objects[name]
        till.check_account(name)
        assert not payouts_ready(red)
        assert account_of(red).state.disabled_reason == "closed"

    def test_one_at_a_time(self, till, red, name, unit_of_work, clock):
        leased = self.lease(unit_of_work, red, clock)
        with pytest.raises(PayoutAccountBusy):
            till.check_account(name)
        clock.advance(timedelta(minutes=1))
        assert till.check_account(name)
        # Whoever comes back after their lease has what may be old news.
        till.provider.finish_onboarding(name, link=None, succeed=True)
        with pytest.raises(PayoutAccountBusy):
            till.check_account.go_on(leased)

    def test_silence_changes_nothing_and_is_asked_again(self, till, red, name, monkeypatch, payouts_ready, account_of):
        till.provider.finish_onboarding(name, link=None, succeed=True)
        till.check_account(name)
        with monkeypatch.context() as patch:
            patch.setattr(till.gateway, "get_account", self.silent, raising=False)
            with pytest.raises(OutcomeUnknown):
                till.check_account(name)
        assert payouts_ready(red)
        assert (account_of(red).failures, account_of(red).locked_until) == (1, None)

    def test_silence_is_not_held_against_who_has_been_read_since(
        self, till, red, name, monkeypatch, unit_of_work, clock, account_of
    ):
        leased = self.lease(unit_of_work, red, clock)
        clock.advance(timedelta(minutes=1))
        assert till.check_account(name)
        read = account_of(red)
        with monkeypatch.context() as patch:
            patch.setattr(till.gateway, "get_account", self.silent, raising=False)
            with pytest.raises(OutcomeUnknown):
                till.check_account.go_on(leased)
        assert account_of(red) == read
        assert (read.failures, read.next_check_at) == (0, clock.now() + READ_AGAIN_AFTER)

    def test_the_sweep_finds_what_no_event_told(self, till, sweep, red, name, clock, payouts_ready):
        till.provider.finish_onboarding(name, link=None, succeed=True)
        assert sweep() == 0
        clock.advance(READ_AGAIN_AFTER)
        assert (sweep(), sweep()) == (1, 0)
        assert payouts_ready(red)
        till.provider.finish_onboarding(name, link=None, succeed=False)
        clock.advance(TRUST_FOR)
        assert sweep() == 1
        assert not payouts_ready(red)

    def test_the_sweep_goes_on_past_who_is_not_answered_for(self, till, sweep, name, clock, monkeypatch):
        clock.advance(READ_AGAIN_AFTER)
        with monkeypatch.context() as patch:
            patch.setattr(till.gateway, "get_account", self.silent, raising=False)
            assert (sweep(), sweep()) == (1, 0)
        clock.advance(timedelta(minutes=2))
        assert sweep() == 1

    def test_the_sweep_goes_on_past_who_cannot_be_read_and_says_who(
        self, till, sweep, red, name, another, clock, monkeypatch, caplog, payouts_ready, account_of
    ):
        read = till.provider.get_account
        till.provider.finish_onboarding(account_of(another).provider_account_id, link=None, succeed=True)
        clock.advance(READ_AGAIN_AFTER)

        def broken(of):
            if of == name:
                raise ValueError("Not what an account looks like.")
            return read(of)

        with monkeypatch.context() as patch:
            patch.setattr(till.gateway, "get_account", broken, raising=False)
            assert sweep() == 2
        assert payouts_ready(another)
        (record,) = [record for record in caplog.records if record.exc_info]
        assert record.getMessage() == f"reading the payout account of seller {red.account_id} failed"
        # It comes again when its lease is over, and not before.
        assert sweep() == 0
        clock.advance(LEASE_FOR)
        assert sweep() == 1
        assert account_of(red).checked_at == clock.now()

    def test_the_sweep_lets_other_jobs_have_their_turn(self, till, sweep, name, another, clock, monkeypatch):
        read = till.provider.get_account
        clock.advance(READ_AGAIN_AFTER)

        def slow(of):
            clock.advance(TURN)
            return read(of)

        with monkeypatch.context() as patch:
            patch.setattr(till.gateway, "get_account", slow, raising=False)
            assert [sweep(), sweep(), sweep()] == [1, 1, 0]

    @pytest.fixture
    def another(self, start, a_seller):
        """A second seller who has an account at the provider."""
        blue = a_seller("blue")
        start(actor=blue)
        return blue

    @staticmethod
    def lease(unit_of_work, actor, clock):
        with unit_of_work() as uow:
            account = uow.payout_accounts.get_for_update(actor.account_id)
            account.lease(now=clock.now(), until=clock.now() + timedelta(minutes=1))
            uow.payout_accounts.save(account)
            uow.commit()
        return account

    @staticmethod
    def silent(*_, **__):
        raise OutcomeUnknown("No answer.")


class TestEvents:
    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 1, 0, 2, 0, 2)])
    def test_any_order_and_any_number_lead_to_what_the_provider_says(self, till, start, red, account_of, order):
        start(actor=red)
        name = account_of(red).provider_account_id
        for succeed in (True, False):
            till.provider.finish_onboarding(name, link=None, succeed=succeed)
        deliveries = till.provider.due_deliveries(lease_for=timedelta(minutes=1), limit=10)
        assert len(deliveries) == 3
        for which in order:
            till.receive_webhook(raw=deliveries[which].body, headers=deliveries[which].headers)
            till.process_webhooks()
        assert account_of(red).state.transfers is Transfers.INACTIVE

    def test_an_event_that_comes_before_we_know_the_account_waits(self, till, start, red, monkeypatch, payouts_ready):
        create = till.provider.create_account

        def lost(request, *, key):
            made = create(request, key=key)
            till.provider.finish_onboarding(made.id, link=None, succeed=True)
            raise OutcomeUnknown("The line went dead.")

        with monkeypatch.context() as patch:
            patch.setattr(till.gateway, "create_account", lost, raising=False)
            with pytest.raises(OutcomeUnknown):
                start(actor=red)
        till.deliver()
        till.process_webhooks()
        assert not payouts_ready(red)
        start(actor=red)
        till.market.clock.advance(timedelta(minutes=10))
        till.process_webhooks()
        assert payouts_ready(red)
