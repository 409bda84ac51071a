"""What every store of seller profiles promises."""

from datetime import timedelta
from decimal import Decimal

import pytest

from marketplace.application.ports.pages import PageRequest
from marketplace.domain.payout_accounts import AccountState, PayoutAccount, Transfers
from marketplace.domain.sellers import (
    SellerApplied,
    SellerExists,
    SellerProfile,
    SellerStatus,
    SellingStep,
    ShopNameTaken,
)
from marketplace.domain.shared.errors import ConcurrencyConflict, NotFound
from tests.builders import NOW, a_holiday, a_seller, store_account


def add(unit_of_work, profile):
    with unit_of_work() as uow:
        uow.sellers.add(profile)
        uow.commit()
    return profile


def get(unit_of_work, account_id):
    with unit_of_work() as uow:
        return uow.sellers.get(account_id)


def change(unit_of_work, account_id, do):
    with unit_of_work() as uow:
        profile = uow.sellers.get(account_id)
        do(profile)
        uow.sellers.save(profile)
        uow.commit()


class SellerContract:
    """Subclasses provide the fixtures ``unit_of_work``, ``queries`` and ``events``, which gives all recorded so far."""

    @pytest.fixture
    def account_id(self, unit_of_work):
        return store_account(unit_of_work, "misty")

    def test_gives_back_what_was_added(self, unit_of_work, account_id):
        profile = a_seller(account_id, shop_name="Cerulean Cards", description="Water types.\nShipped dry.")
        profile.suspend("Late", now=NOW)
        profile.set_holiday(a_holiday())
        profile.rating = Decimal("4.85")
        profile.events.clear()
        add(unit_of_work, profile)
        assert get(unit_of_work, account_id) == profile

    def test_keeps_what_was_saved_and_nothing_else(self, unit_of_work, account_id):
        add(unit_of_work, a_seller(account_id))
        change(unit_of_work, account_id, lambda profile: profile.suspend("Late", now=NOW))
        with unit_of_work() as uow:
            uow.sellers.get_for_update(account_id).reinstate(now=NOW)
            uow.commit()
        assert get(unit_of_work, account_id).status is SellerStatus.SUSPENDED

    def test_forgets_what_was_not_committed(self, unit_of_work, account_id):
        with unit_of_work() as uow:
            uow.sellers.add(a_seller(account_id))
        with unit_of_work() as uow:
            assert uow.sellers.find(account_id) is None

    def test_knows_who_is_no_seller(self, unit_of_work, account_id):
        with unit_of_work() as uow:
            assert uow.sellers.find(account_id) is None
            with pytest.raises(NotFound):
                uow.sellers.get(account_id)

    def test_refuses_a_second_profile_of_an_account(self, unit_of_work, account_id):
        add(unit_of_work, a_seller(account_id))
        with pytest.raises(SellerExists):
            add(unit_of_work, a_seller(account_id, shop_name="Another"))

    @pytest.mark.parametrize("name", ["CARD CAVÉ", "Card Cave\u0301", "\uff23ard \u200bCavé"])
    def test_refuses_a_shop_name_that_is_taken_in_another_form(self, unit_of_work, account_id, name):
        add(unit_of_work, a_seller(account_id, shop_name="Card Cavé"))
        with unit_of_work() as uow:
            assert uow.sellers.has_shop(name)
        with pytest.raises(ShopNameTaken):
            add(unit_of_work, a_seller(store_account(unit_of_work), shop_name=name))

    def test_knows_whether_a_shop_exists(self, unit_of_work, account_id):
        add(unit_of_work, a_seller(account_id, shop_name="Card Cave"))
        with unit_of_work() as uow:
            assert uow.sellers.has_shop("card cave")
            assert not uow.sellers.has_shop("card cav")

    def test_refuses_a_stale_save(self, unit_of_work, account_id):
        add(unit_of_work, a_seller(account_id))
        stale = get(unit_of_work, account_id)
        change(unit_of_work, account_id, lambda profile: profile.set_holiday(a_holiday()))

        def save_it():
            with unit_of_work() as uow:
                uow.sellers.save(stale)
                uow.commit()

        with pytest.raises(ConcurrencyConflict):
            save_it()

    def test_stores_the_events_with_the_change(self, unit_of_work, account_id, events):
        profile = SellerProfile.of(account_id, shop_name="Card Cave", email_verified=True, now=NOW)
        profile.apply(now=NOW)
        add(unit_of_work, profile)
        assert events() == [SellerApplied(occurred_at=NOW, account_id=account_id)]

    # --- what is read

    def test_shows_an_approved_seller_to_everybody(self, unit_of_work, queries, account_id):
        add(unit_of_work, a_seller(account_id, shop_name="Card Cave", description="All of it"))
        change(unit_of_work, account_id, lambda profile: profile.set_holiday(a_holiday()))
        shown = queries.seller(account_id, now=NOW)
        assert (shown.id, shown.shop_name, shown.description) == (account_id, "Card Cave", "All of it")
        assert (shown.rating, shown.back_at, shown.created_at) == (None, a_holiday().ends_at, NOW)
        assert queries.seller(account_id, now=a_holiday().ends_at).back_at is None

    @pytest.mark.parametrize("status", [status for status in SellerStatus if status is not SellerStatus.APPROVED])
    def test_shows_nobody_else(self, unit_of_work, queries, account_id, status):
        profile = SellerProfile.of(account_id, shop_name="Card Cave", email_verified=True, now=NOW)
        profile.status = status
        add(unit_of_work, profile)
        with pytest.raises(NotFound):
            queries.seller(account_id, now=NOW)

    def test_tells_an_owner_everything(self, unit_of_work, queries, account_id):
        add(unit_of_work, a_seller(account_id, shop_name="Card Cave"))
        change(unit_of_work, account_id, lambda profile: profile.suspend("Late", now=NOW))
        own = queries.own(account_id, now=NOW)
        assert (own.shop_name, own.status, own.status_reason) == ("Card Cave", SellerStatus.SUSPENDED, "Late")
        assert (own.missing, own.is_selling, own.on_holiday) == ((SellingStep.APPROVAL,), False, False)

    def test_tells_who_never_asked_to_sell_what_it_takes(self, unit_of_work, queries, account_id):
        own = queries.own(account_id, now=NOW)
        assert (own.status, own.shop_name, own.created_at) == (SellerStatus.NONE, None, None)
        assert own.missing == (SellingStep.APPROVAL, SellingStep.IDENTITY, SellingStep.ONBOARDING)

    def test_knows_no_profile_of_an_account_that_does_not_exist(self, queries):
        with pytest.raises(NotFound):
            queries.own(1, now=NOW)

    def test_tells_an_owner_of_a_holiday_by_the_clock(self, unit_of_work, queries, account_id):
        profile = a_seller(account_id)
        profile.set_holiday(a_holiday(days=7))
        add(unit_of_work, profile)
        for at, away in ((-1, False), (0, True), (6, True), (7, False)):
            own = queries.own(account_id, now=NOW + timedelta(days=at))
            assert (own.on_holiday, own.is_selling, own.holiday) == (away, not away, a_holiday(days=7))

    def test_tells_an_owner_what_the_provider_said(self, unit_of_work, queries, account_id):
        add(unit_of_work, a_seller(account_id))
        assert queries.own(account_id, now=NOW).payout_account is None
        state = AccountState(transfers=Transfers.PENDING, requirements_due=("external_account",), disabled_reason="x")
        account = PayoutAccount(
            account_id=account_id, provider="simulated", request=None, created_at=NOW, provider_account_id="acct_1"
        )
        account.read(state, now=NOW)
        with unit_of_work() as uow:
            uow.payout_accounts.add(account)
            uow.commit()
        assert queries.own(account_id, now=NOW).payout_account == state

    def test_lists_who_applied_the_first_first(self, unit_of_work, queries):
        ids = []
        for day, status in enumerate([SellerStatus.PENDING, SellerStatus.REJECTED, SellerStatus.PENDING]):
            profile = SellerProfile.of(
                store_account(unit_of_work), shop_name=f"Shop {day}", email_verified=True, now=NOW + timedelta(days=day)
            )
            profile.status = status
            ids.append(add(unit_of_work, profile).account_id)
        waiting = queries.sellers(PageRequest(size=1), status=SellerStatus.PENDING, now=NOW)
        assert ([record.id for record in waiting.items], waiting.count) == ([ids[0]], 2)
        rest = queries.sellers(PageRequest(size=1, after=waiting.next), status=SellerStatus.PENDING, now=NOW)
        assert ([record.id for record in rest.items], rest.next) == ([ids[2]], None)
        everybody = queries.sellers(PageRequest(), status=None, now=NOW)
        assert [record.id for record in everybody.items] == ids
        assert everybody.items[0].missing == (SellingStep.APPROVAL, SellingStep.IDENTITY, SellingStep.ONBOARDING)

    def test_shows_one_record_to_administrators(self, unit_of_work, queries, account_id):
        profile = a_seller(account_id, shop_name="Card Cave", description="All of it")
        profile.set_holiday(a_holiday())
        profile.suspend("Late", now=NOW)
        add(unit_of_work, profile)
        record = queries.record(account_id, now=NOW)
        assert (record.username, record.email) == ("misty", "misty@example.com")
        assert (record.shop_name, record.description, record.rating) == ("Card Cave", "All of it", None)
        assert (record.status, record.status_reason) == (SellerStatus.SUSPENDED, "Late")
        assert (record.holiday, record.on_holiday, record.is_selling) == (a_holiday(), True, False)
        assert (record.missing, record.created_at) == ((SellingStep.APPROVAL,), NOW)
        with pytest.raises(NotFound):
            queries.record(store_account(unit_of_work), now=NOW)

    @pytest.mark.parametrize("name", ["Card Cave", "card cave", "misty", "Misty@Example.com"])
    def test_finds_a_seller_by_any_name(self, unit_of_work, queries, account_id, name):
        add(unit_of_work, a_seller(account_id, shop_name="Card Cave"))
        assert queries.account_called(name) == account_id

    def test_lets_the_name_of_a_shop_go_before_anybodys_own(self, unit_of_work, queries, account_id):
        add(unit_of_work, a_seller(account_id, shop_name="Card Cave"))
        other = store_account(unit_of_work, "brock")
        add(unit_of_work, a_seller(other, shop_name="misty"))
        assert queries.account_called("misty") == other

    @pytest.mark.parametrize("name", ["misty", "", "\udcff", "\0"])
    def test_finds_nobody_by_a_name_that_nobody_has(self, unit_of_work, queries, account_id, name):
        with pytest.raises(NotFound):
            queries.account_called(name)
