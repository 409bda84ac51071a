"""Second factors in PostgreSQL, and what happens when many send codes at once."""

import functools
from collections import Counter
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa

from marketplace.adapters.keyed_secrets import KeyedSecrets
from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.password_hasher import FastPasswordHasher
from marketplace.adapters.postgres.identity_queries import PostgresIdentityQueries
from marketplace.adapters.postgres.ids import PostgresIdSequence
from marketplace.adapters.postgres.second_factors import PostgresSecondFactorQueries
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from marketplace.application.access import Actor
from marketplace.application.identity.attempts import AttemptGuard
from marketplace.application.identity.second_factors import ConfirmSecondFactor, EnrolSecondFactor, OwnerCheck
from marketplace.application.identity.sessions import LogIn, SessionOpener
from marketplace.domain.identity.attempts import TooManyAttempts
from marketplace.domain.identity.second_factors import SecondFactorIsOn, WrongSecondFactor
from marketplace.domain.shared.errors import MarketplaceError
from marketplace.domain.shared.ids import AccountId
from tests.contracts.identity import NOW, an_account, put
from tests.contracts.outbox import run_together
from tests.contracts.second_factors import SecondFactorContract, a_factor, keep
from tests.factors import Authenticator, factor_codes

PASSWORD = "a good long one"


@pytest.fixture
def engine(clean_database):
    engine = sa.create_engine(clean_database, pool_size=10, max_overflow=10, pool_timeout=60)
    yield engine
    engine.dispose()


@pytest.fixture
def unit_of_work(engine):
    return functools.partial(PostgresUnitOfWork, engine)


class TestPostgresSecondFactors(SecondFactorContract):
    @pytest.fixture
    def queries(self, engine):
        return PostgresSecondFactorQueries(engine)

    @pytest.fixture
    def identity_queries(self, engine):
        return PostgresIdentityQueries(engine)


@pytest.fixture
def clock():
    return FixedClock(NOW)


@pytest.fixture
def secrets():
    return KeyedSecrets(b"a key for tests")


@pytest.fixture
def codes(clock, secrets):
    return factor_codes(clock, secrets)


@pytest.fixture
def guard(unit_of_work, clock, secrets):
    return AttemptGuard(unit_of_work=unit_of_work, clock=clock, secrets=secrets)


@pytest.fixture
def log_in(engine, unit_of_work, clock, secrets, codes, guard):
    hasher = FastPasswordHasher()
    put(unit_of_work, an_account(1, username="ash", password_hash=hasher.hash(PASSWORD)))
    return LogIn(
        unit_of_work=unit_of_work,
        clock=clock,
        hasher=hasher,
        sessions=SessionOpener(ids=PostgresIdSequence(engine), secrets=secrets, lifetime=timedelta(days=1)),
        guard=guard,
        second_factor=codes,
    )


@pytest.fixture
def authenticator(log_in, unit_of_work, codes, clock):
    """That of an account whose second factor was turned on long ago, with two recovery codes."""
    secret = codes.authenticators.new_secret()
    hashes = [codes.secrets.digest("recovery code", "1", code) for code in ("abcdabcdabcd", "dcbadcbadcba")]
    sealed = codes.sealed(secret, AccountId(1))
    keep(unit_of_work, a_factor(1, sealed_secret=sealed, confirmed_at=NOW, recovery_hashes=tuple(hashes)))
    return Authenticator(secret, clock)


def race(count, act):
    """Let ``count`` threads act at the same time; gives how often each outcome came about."""
    outcomes, start = Counter(), Barrier(count)

    def run(number):
        start.wait()
        try:
            act(number)
        except MarketplaceError as error:
            outcomes[type(error)] += 1
        else:
            outcomes["done"] += 1

    run_together([functools.partial(run, number) for number in range(count)])
    return outcomes


class TestRaces:
    @pytest.mark.parametrize("kind", ["authenticator", "recovery"])
    def test_one_code_lets_in_once_however_many_send_it(self, log_in, authenticator, engine, kind):
        code = authenticator.code() if kind == "authenticator" else "abcd-abcd-abcd"
        outcomes = race(8, lambda _: log_in(name="ash", password=PASSWORD, otp=code))
        assert outcomes["done"] == 1
        assert outcomes[WrongSecondFactor] + outcomes[TooManyAttempts] == 7
        with engine.connect() as connection:
            assert connection.scalar(sa.text("select count(*) from sessions")) == 1

    def test_thirty_guesses_at_once_are_no_more_than_ten(self, log_in, authenticator):
        wrong = authenticator.wrong()
        outcomes = race(30, lambda _: log_in(name="ash", password=PASSWORD, otp=wrong))
        assert outcomes == {WrongSecondFactor: 10, TooManyAttempts: 20}
        with pytest.raises(TooManyAttempts):
            log_in(name="ash", password=PASSWORD, otp=authenticator.code())

    def test_a_factor_that_two_confirm_at_once_has_one_set_of_recovery_codes(
        self, log_in, unit_of_work, codes, guard, clock, engine
    ):
        secret = codes.authenticators.new_secret()
        keep(unit_of_work, a_factor(1, sealed_secret=codes.sealed(secret, AccountId(1))))
        confirm = ConfirmSecondFactor(unit_of_work=unit_of_work, codes=codes, guard=guard)
        owner, given = Actor(account_id=AccountId(1)), []
        code = Authenticator(secret, clock).code()
        outcomes = race(5, lambda _: given.append(confirm(actor=owner, code=code)))
        assert outcomes == {"done": 1, SecondFactorIsOn: 4}
        clock.advance(timedelta(seconds=30))
        assert log_in(name="ash", password=PASSWORD, otp=given[0][9])

    def test_two_who_set_one_up_at_once_leave_one(self, log_in, unit_of_work, codes, guard, engine):
        owner = OwnerCheck(unit_of_work=unit_of_work, hasher=log_in.hasher, guard=guard)
        enrol = EnrolSecondFactor(unit_of_work=unit_of_work, codes=codes, owner=owner)
        actor, secrets_given = Actor(account_id=AccountId(1)), []
        outcomes = race(4, lambda _: secrets_given.append(enrol(actor=actor, password=PASSWORD).secret))
        assert outcomes == {"done": 4}
        with unit_of_work() as uow:
            factor = uow.second_factors.of(AccountId(1))
        assert codes.vault.open(factor.sealed_secret, label="second factor of 1") in secrets_given
