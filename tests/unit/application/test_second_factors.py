"""What people can do with second factors, on the memory backend."""

import functools
from datetime import timedelta

import pytest

from marketplace.adapters.fernet_vault import FernetVault
from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.identity import InMemoryIdentityQueries
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from marketplace.application.access import OPERATOR, Actor, require_role, with_second_factor_demanded
from marketplace.application.identity.actors import FindActor
from marketplace.application.identity.second_factors import ResealSecondFactors, ResetSecondFactor
from marketplace.domain.identity import Role
from marketplace.domain.identity.second_factors import FactorChange, NoSecondFactor, SecondFactorChanged
from marketplace.domain.shared.errors import Forbidden, NotFound
from marketplace.domain.shared.ids import AccountId, SessionId
from tests.contracts.identity import NOW, a_session, an_account, put
from tests.contracts.second_factors import a_factor, keep

ADMIN = Actor(account_id=AccountId(1), roles=frozenset(Role))
VERIFIER = Actor(account_id=AccountId(2), roles=frozenset({Role.BUYER, Role.VERIFIER}))


@pytest.fixture
def store():
    return InMemoryStore()


@pytest.fixture
def unit_of_work(store):
    return functools.partial(InMemoryUnitOfWork, store)


class TestReset:
    @pytest.fixture
    def reset(self, unit_of_work):
        return ResetSecondFactor(unit_of_work=unit_of_work, clock=FixedClock(NOW))

    @pytest.fixture(autouse=True)
    def _member(self, unit_of_work):
        put(unit_of_work, an_account(1), an_account(2), a_session(10, 1))
        keep(unit_of_work, a_factor(1, confirmed_at=NOW))

    def test_takes_it_away_ends_the_sessions_and_tells_the_owner(self, reset, store, unit_of_work):
        assert reset(actor=OPERATOR, name="MEMBER-1") == 1
        with unit_of_work() as uow:
            assert uow.second_factors.of(AccountId(1)) is None
        assert InMemoryIdentityQueries(store).actor(AccountId(1), SessionId(10)) is None
        told = SecondFactorChanged(occurred_at=NOW, account_id=1, change=FactorChange.RESET)
        assert told in store.events

    def test_is_on_record(self, reset, store):
        reset(actor=OPERATOR, name="member-1")
        (entry,) = store.table("audit_entries").values()
        assert (entry.action, entry.subject_type, entry.subject_id) == ("account.second_factor_reset", "account", "1")
        assert (entry.actor_id, entry.origin) == (None, "command line")
        assert (entry.before, entry.after) == ({"second_factor": "on"}, {"second_factor": "none"})

    @pytest.mark.parametrize(("name", "error"), [("nobody", NotFound), ("member-2", NoSecondFactor)])
    def test_there_has_to_be_one(self, reset, name, error):
        with pytest.raises(error):
            reset(actor=OPERATOR, name=name)

    @pytest.mark.parametrize("actor", [VERIFIER, Actor(account_id=AccountId(1)), with_second_factor_demanded(ADMIN)])
    def test_is_for_admins(self, reset, actor):
        with pytest.raises(Forbidden):
            reset(actor=actor, name="member-1")


class TestReseal:
    OLD, NEW = b"o" * 32, b"n" * 32

    def test_goes_through_all_of_them_and_names_those_that_no_key_opens(self, unit_of_work, store):
        put(unit_of_work, *(an_account(number) for number in range(1, 6)))
        old, new = FernetVault([self.OLD]), FernetVault([self.NEW])
        keep(unit_of_work, *(a_factor(n, sealed_secret=old.seal(f"secret {n}", label=str(n))) for n in (1, 2, 4, 5)))
        keep(unit_of_work, a_factor(3, sealed_secret="of a key that is lost"))
        reseal = ResealSecondFactors(
            unit_of_work=unit_of_work, clock=FixedClock(NOW), vault=FernetVault([self.NEW, self.OLD]), batch=2
        )
        done = reseal(actor=OPERATOR)
        assert (done.resealed, done.broken) == (4, (3,))
        with unit_of_work() as uow:
            opened = [new.open(uow.second_factors.of(AccountId(n)).sealed_secret, label=str(n)) for n in (1, 2, 4, 5)]
        assert opened == ["secret 1", "secret 2", "secret 4", "secret 5"]
        (entry,) = store.table("audit_entries").values()
        assert (entry.action, entry.after) == ("keys.resealed", {"resealed": 4, "broken": 1})

    def test_is_for_admins(self, unit_of_work):
        reseal = ResealSecondFactors(unit_of_work=unit_of_work, clock=FixedClock(NOW), vault=FernetVault([self.NEW]))
        with pytest.raises(Forbidden):
            reseal(actor=VERIFIER)


class TestStaff:
    def test_without_one_is_no_staff_where_it_is_demanded(self):
        assert with_second_factor_demanded(ADMIN).roles == {Role.BUYER, Role.SELLER}
        assert not with_second_factor_demanded(ADMIN).is_admin
        assert with_second_factor_demanded(VERIFIER).roles == {Role.BUYER}

    @pytest.mark.parametrize(("actor", "role"), [(ADMIN, Role.ADMIN), (VERIFIER, Role.VERIFIER)])
    def test_is_told_what_is_missing(self, actor, role):
        with pytest.raises(Forbidden) as refused:
            require_role(with_second_factor_demanded(actor), role)
        assert refused.value.facts["missing"] == ["second_factor"]
        assert "/auth/two-factor/" in str(refused.value)

    def test_a_role_that_they_do_not_have_is_missing_as_ever(self):
        with pytest.raises(Forbidden) as refused:
            require_role(with_second_factor_demanded(VERIFIER), Role.ADMIN)
        assert refused.value.facts["missing"] == ["admin"]

    def test_nobody_else_is_asked(self):
        buyer = Actor(account_id=AccountId(3))
        assert with_second_factor_demanded(buyer) is buyer

    @pytest.mark.parametrize(
        ("demanded", "confirmed", "is_admin"),
        [(False, None, True), (True, None, False), (True, NOW, True), (True, NOW + timedelta(days=1), True)],
    )
    def test_the_door_learns_it_from_the_database(self, store, unit_of_work, demanded, confirmed, is_admin):
        put(unit_of_work, an_account(1, roles=frozenset({Role.BUYER, Role.ADMIN})), a_session(10, 1))
        keep(unit_of_work, a_factor(1, confirmed_at=confirmed))
        find = FindActor(queries=InMemoryIdentityQueries(store), staff_need_second_factor=demanded)
        actor = find(AccountId(1), SessionId(10))
        assert actor.is_admin is is_admin
        assert find(AccountId(1), SessionId(11)) is None
