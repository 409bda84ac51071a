"""What becomes of a request that something overtakes: another password, or the erasure of whose it is."""

from dataclasses import replace

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.password_hasher import FastPasswordHasher
from marketplace.application.access import OPERATOR, Actor
from marketplace.application.identity.registration import NewMember
from marketplace.domain.identity.sessions import InvalidCredentials
from marketplace.domain.shared.errors import ConcurrencyConflict, Conflict, NotFound
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend
from marketplace.entrypoints.settings import Settings

PASSWORD, NEW_PASSWORD = "a good long one", "quite another one"


class OvertakenHasher(FastPasswordHasher):
    """Something happens once a password has been compared, ``times`` times."""

    def __init__(self, meanwhile, times=1):
        super().__init__()
        self._meanwhile, self._times = meanwhile, times

    def verify(self, password_hash, password):
        fits = super().verify(password_hash, password)
        if self._times:
            self._times -= 1
            self._meanwhile()
        return fits


@pytest.fixture
def market():
    settings = Settings.from_env({"ARGON2_MEMORY_KIB": "8", "ARGON2_TIME_COST": "1"})
    return Container(settings=settings, backend=MemoryBackend(), clock=FixedClock())


@pytest.fixture
def ash(market):
    member = NewMember(username="ash", email="ash@example.com", password=PASSWORD, accept_terms=True)
    return market.register()(member=member)


@pytest.fixture
def actor(ash):
    return Actor(account_id=ash.account_id)


@pytest.fixture
def account(market, ash):
    def read():
        with market.backend.unit_of_work() as uow:
            return uow.accounts.get(ash.account_id)

    return read


@pytest.fixture
def change_password(market, ash, actor):
    def change():
        market.passwords.change()(
            actor=actor, session_id=ash.session_id, current_password=PASSWORD, new_password=NEW_PASSWORD
        )

    return change


class TestByAnotherPassword:
    def test_who_logs_in_with_the_former_one_stays_outside(self, market, ash, account, change_password):
        log_in = replace(market.log_in(), hasher=OvertakenHasher(change_password))
        with pytest.raises(InvalidCredentials):
            log_in(name="ash", password=PASSWORD)
        assert market.log_in()(name="ash", password=NEW_PASSWORD)

    def test_the_former_one_does_not_come_back_hashed_anew(self, market, ash, account, change_password):
        class Outdated(OvertakenHasher):
            def is_outdated(self, password_hash):
                return True

        with pytest.raises(InvalidCredentials):
            replace(market.log_in(), hasher=Outdated(change_password))(name="ash", password=PASSWORD)
        assert market.log_in()(name="ash", password=NEW_PASSWORD)

    def test_the_same_one_hashed_anew_by_another_device_lets_in(self, market, ash):
        def hashed_anew():
            with market.backend.unit_of_work() as uow:
                account = uow.accounts.get(ash.account_id)
                account.rehash(FastPasswordHasher().hash(PASSWORD))
                uow.accounts.save(account)
                uow.commit()

        assert replace(market.log_in(), hasher=OvertakenHasher(hashed_anew))(name="ash", password=PASSWORD)
        with pytest.raises(ConcurrencyConflict):
            replace(market.log_in(), hasher=OvertakenHasher(hashed_anew, times=2))(name="ash", password=PASSWORD)

    def test_no_other_address_is_asked_for_with_the_former_one(self, market, actor, account, change_password):
        owner = replace(market.members.update_me().owner, hasher=OvertakenHasher(change_password))
        with pytest.raises(ConcurrencyConflict):
            replace(market.members.update_me(), owner=owner)(
                actor=actor, changes={}, email="thief@example.com", current_password=PASSWORD
            )
        assert account().pending_email == ""

    def test_no_authenticator_is_set_up_with_the_former_one(self, market, actor, change_password):
        enrol = market.second_factors.enrol()
        owner = replace(enrol.owner, hasher=OvertakenHasher(change_password))
        with pytest.raises(ConcurrencyConflict):
            replace(enrol, owner=owner)(actor=actor, password=PASSWORD)
        with market.backend.unit_of_work() as uow:
            assert uow.second_factors.of(actor.account_id) is None

    def test_no_second_factor_is_touched_with_the_former_one(self, market, actor, change_password):
        market.second_factors.enrol()(actor=actor, password=PASSWORD)
        disable = market.second_factors.disable()
        owner = replace(disable.factor_owner.owner, hasher=OvertakenHasher(change_password))
        with pytest.raises(ConcurrencyConflict):
            replace(disable, factor_owner=replace(disable.factor_owner, owner=owner))(
                actor=actor, password=PASSWORD, code="123456"
            )


class TestByTheErasure:
    """The door let them in before the account was erased, the use case looks at it after."""

    @pytest.fixture(autouse=True)
    def _erased(self, market, ash, actor):
        market.apply_to_sell()(actor=actor, shop_name="Pallet Cards")
        market.members.update_me()(actor=actor, changes={"account_type": "professional"})
        market.personal_data.erase_member()(actor=OPERATOR, name="ash")

    @pytest.mark.parametrize(
        "changes", [{"first_name": "Ash"}, {"phone_number": "+33 1 23 45 67 89"}, {"account_type": "professional"}]
    )
    def test_nothing_is_written_on_the_account(self, market, actor, account, changes):
        with pytest.raises(Conflict):
            market.members.update_me()(actor=actor, changes=changes)
        assert (account().first_name, account().phone_number) == ("", "")

    def test_no_company_is_kept(self, market, actor, account):
        with pytest.raises(Conflict):
            market.members.keep_company()(actor=actor, company_name="Cartes & Cie", siret_number="73282932000074")
        assert account().company is None

    def test_the_shop_has_no_name_again(self, market, actor):
        with pytest.raises(NotFound):
            market.update_shop()(actor=actor, changes={"shop_name": "Pallet Cards", "description": "Ash's own"})
        with market.backend.unit_of_work() as uow:
            assert "Pallet" not in uow.sellers.find(actor.account_id).shop_name
