"""What every store of sellers' accounts at the payment provider promises."""

from datetime import timedelta

import pytest

from marketplace.domain.payout_accounts import (
    READ_AGAIN_AFTER,
    AccountRequest,
    AccountState,
    EntityType,
    PayoutAccount,
    Transfers,
)
from marketplace.domain.shared.errors import ConcurrencyConflict, Conflict, NotFound
from tests.builders import NOW, store_seller


def asked(account_id):
    request = AccountRequest(
        seller_id=account_id,
        email="misty@example.com",
        display_name="Card Cave",
        entity_type=EntityType.COMPANY,
        country="FR",
    )
    return PayoutAccount.ask(request, provider="simulated", now=NOW)


def made(account_id, name):
    account = asked(account_id)
    account.made(name, now=NOW)
    return account


class PayoutAccountContract:
    """Subclasses provide the fixture ``unit_of_work``."""

    @pytest.fixture
    def add(self, unit_of_work):
        def add(account):
            with unit_of_work() as uow:
                uow.payout_accounts.add(account)
                uow.commit()
            return account

        return add

    @pytest.fixture
    def seller(self, unit_of_work):
        return store_seller(unit_of_work)

    def test_gives_back_what_was_asked_for_until_it_is_made(self, unit_of_work, add, seller):
        account = add(asked(seller))
        with unit_of_work() as uow:
            assert uow.payout_accounts.find(seller) == account
            account.made("acct_1", now=NOW)
            account.read(
                AccountState(
                    transfers=Transfers.ACTIVE, payouts_enabled=True, requirements_due=("a", "b"), disabled_reason="c"
                ),
                now=NOW,
            )
            uow.payout_accounts.save(account)
            uow.commit()
        with unit_of_work() as uow:
            assert uow.payout_accounts.get_for_update(seller) == account
            assert uow.payout_accounts.find_by_provider("acct_1") == account
            assert uow.payout_accounts.find_by_provider("acct_2") is None
        assert account.request is None

    def test_knows_who_has_none(self, unit_of_work, seller):
        with unit_of_work() as uow:
            assert uow.payout_accounts.find(seller) is None
            with pytest.raises(NotFound):
                uow.payout_accounts.get_for_update(seller)

    def test_lets_a_seller_have_one_and_an_account_one_seller(self, unit_of_work, add, seller):
        add(made(seller, "acct_1"))
        with pytest.raises(Conflict):
            add(made(seller, "acct_2"))
        with pytest.raises(Conflict):
            add(made(store_seller(unit_of_work), "acct_1"))

    def test_refuses_a_stale_save(self, unit_of_work, add, seller):
        add(made(seller, "acct_1"))
        with unit_of_work() as uow:
            stale = uow.payout_accounts.find(seller)

        def save():
            with unit_of_work() as uow:
                fresh = uow.payout_accounts.get_for_update(seller)
                fresh.failed_to_reach(now=NOW)
                uow.payout_accounts.save(fresh)
                uow.commit()
            with unit_of_work() as uow:
                uow.payout_accounts.save(stale)
                uow.commit()

        with pytest.raises(ConcurrencyConflict):
            save()

    def test_gives_what_is_due_the_longest_overdue_first_and_nothing_leased(self, unit_of_work, add, seller):
        other = store_seller(unit_of_work)
        late, later = made(other, "acct_1"), made(seller, "acct_2")
        later.next_check_at = NOW + 2 * READ_AGAIN_AFTER
        add(late)
        add(later)
        add(asked(store_seller(unit_of_work)))

        def due(after):
            with unit_of_work() as uow:
                found = uow.payout_accounts.next_due_for_update(now=NOW + after)
                if found is None:
                    return None
                found.lease(now=NOW + after, until=NOW + after + timedelta(minutes=1))
                uow.payout_accounts.save(found)
                uow.commit()
                return found.account_id

        assert due(timedelta()) is None
        assert [due(2 * READ_AGAIN_AFTER) for _ in range(3)] == [other, seller, None]
        assert due(2 * READ_AGAIN_AFTER + timedelta(minutes=1)) == other
