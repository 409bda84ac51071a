"""What second factors promise, whatever keeps them."""

import pytest

from marketplace.application.ports.second_factors import SecondFactorView
from marketplace.domain.identity import Role
from marketplace.domain.identity.second_factors import SecondFactor
from marketplace.domain.shared.errors import ConcurrencyConflict
from marketplace.domain.shared.ids import AccountId, SessionId
from tests.contracts.identity import NOW, a_session, an_account, put


def a_factor(account_id=1, **changes):
    return SecondFactor(account_id=AccountId(account_id), enrolled_at=NOW, **{"sealed_secret": "sealed", **changes})


def keep(unit_of_work, *factors):
    with unit_of_work() as uow:
        for factor in factors:
            uow.second_factors.add(factor)
        uow.commit()


class SecondFactorContract:
    """Subclasses give ``unit_of_work``, a factory, ``queries``, and ``identity_queries``, on the same empty store."""

    @pytest.fixture(autouse=True)
    def _members(self, unit_of_work):
        put(unit_of_work, an_account(1), an_account(2), an_account(3))

    def test_gives_back_what_was_added_and_saved(self, unit_of_work):
        keep(unit_of_work, a_factor())
        with unit_of_work() as uow:
            factor = uow.second_factors.of(AccountId(1))
            assert factor == a_factor(version=1)
            assert factor.confirm(57_000_000, ["one", "two"], now=NOW)
            uow.second_factors.save(factor)
            uow.commit()
        with unit_of_work() as uow:
            assert uow.second_factors.of(AccountId(1)) == a_factor(
                confirmed_at=NOW, last_step=57_000_000, recovery_hashes=("one", "two"), version=2
            )
            assert uow.second_factors.of(AccountId(2)) is None

    def test_keeps_one_for_each_account(self, unit_of_work):
        keep(unit_of_work, a_factor())
        with pytest.raises(ConcurrencyConflict):
            keep(unit_of_work, a_factor(sealed_secret="another"))

    def test_refuses_a_stale_save(self, unit_of_work):
        keep(unit_of_work, a_factor())
        with unit_of_work() as uow:
            stale = uow.second_factors.of(AccountId(1))
        with unit_of_work() as uow:
            fresh = uow.second_factors.of(AccountId(1))
            fresh.use_step(1)
            uow.second_factors.save(fresh)
            uow.commit()
        stale.use_step(1)
        with unit_of_work() as uow, pytest.raises(ConcurrencyConflict):
            uow.second_factors.save(stale)

    def test_removes_one_and_takes_another_in_its_place(self, unit_of_work):
        keep(unit_of_work, a_factor(1), a_factor(2))
        with unit_of_work() as uow:
            uow.second_factors.remove(AccountId(1))
            uow.second_factors.remove(AccountId(3))  # has none
            uow.commit()
        keep(unit_of_work, a_factor(1, sealed_secret="another"))
        with unit_of_work() as uow:
            assert uow.second_factors.of(AccountId(1)).sealed_secret == "another"
            assert uow.second_factors.of(AccountId(2)).sealed_secret == "sealed"

    def test_goes_through_all_of_them_part_by_part(self, unit_of_work):
        keep(unit_of_work, a_factor(3), a_factor(1), a_factor(2))
        with unit_of_work() as uow:
            first = uow.second_factors.after(AccountId(0), limit=2)
            rest = uow.second_factors.after(first[-1].account_id, limit=2)
        assert [factor.account_id for factor in first + rest] == [1, 2, 3]

    def test_shows_whether_it_is_on_and_what_is_left(self, unit_of_work, queries):
        keep(unit_of_work, a_factor(1), a_factor(2, confirmed_at=NOW, recovery_hashes=("one", "two", "three")))
        off = SecondFactorView(confirmed_at=None, recovery_codes_left=0)
        assert queries.of(AccountId(1)) == off
        assert queries.of(AccountId(2)) == SecondFactorView(confirmed_at=NOW, recovery_codes_left=3)
        assert queries.of(AccountId(3)) == off

    def test_only_a_confirmed_one_counts_for_the_actor(self, unit_of_work, identity_queries):
        put(unit_of_work, *(a_session(10 + account, account) for account in (1, 2, 3)))
        keep(unit_of_work, a_factor(1), a_factor(2, confirmed_at=NOW))
        actors = [identity_queries.actor(AccountId(n), SessionId(10 + n)) for n in (1, 2, 3)]
        assert [actor.has_second_factor for actor in actors] == [False, True, False]
        assert all(actor.roles == {Role.BUYER} for actor in actors)
