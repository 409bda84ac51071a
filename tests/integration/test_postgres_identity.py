"""Identity in PostgreSQL, and what happens when many people do the same thing at once."""

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
from marketplace.adapters.postgres.tables.identity import accounts
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from marketplace.application.access import Actor
from marketplace.application.identity.attempts import AttemptGuard
from marketplace.application.identity.profile import AddAddress
from marketplace.application.identity.registration import NewMember, Register, VerifyEmail
from marketplace.application.identity.sessions import LogIn, RefreshSession, SessionOpener
from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import EmailTaken
from marketplace.domain.identity.addresses import MAX_ADDRESSES, TooManyAddresses
from marketplace.domain.identity.attempts import FIRST_LOCK, FREE_FAILURES, TooManyAttempts
from marketplace.domain.identity.codes import MAX_TRIES, WrongCode
from marketplace.domain.identity.sessions import RefreshRefused
from marketplace.domain.shared.ids import AccountId, SessionId
from tests.contracts.identity import (
    NOW,
    AccountContract,
    AddressContract,
    CodeContract,
    SessionContract,
    a_code,
    a_session,
    an_account,
    an_address,
    put,
)
from tests.contracts.members import MemberContract
from tests.contracts.outbox import run_together
from tests.factors import factor_codes
from tests.integration.statements import noted

DAY = timedelta(days=1)


@pytest.fixture
def engine(clean_database):
    engine = sa.create_engine(clean_database, pool_size=10, max_overflow=10, pool_timeout=60)
    yield engine
    engine.dispose()


@pytest.fixture
def unit_of_work(engine):
    return functools.partial(PostgresUnitOfWork, engine)


@pytest.fixture
def queries(engine):
    return PostgresIdentityQueries(engine)


class TestPostgresAccounts(AccountContract):
    pass


class TestPostgresMembers(MemberContract):
    pass


class TestPostgresSessions(SessionContract):
    pass


class TestPostgresCodes(CodeContract):
    pass


class TestPostgresAddresses(AddressContract):
    pass


@pytest.fixture
def ids(engine):
    return PostgresIdSequence(engine)


@pytest.fixture
def secrets():
    return KeyedSecrets(b"a key for tests")


@pytest.fixture
def opener(ids, secrets):
    return SessionOpener(ids=ids, secrets=secrets, lifetime=DAY)


@pytest.fixture
def register(unit_of_work, ids, opener, secrets):
    return Register(
        unit_of_work=unit_of_work,
        clock=FixedClock(NOW),
        ids=ids,
        hasher=FastPasswordHasher(),
        sessions=opener,
        guard=a_guard(unit_of_work, secrets, FixedClock(NOW)),
    )


def a_guard(unit_of_work, secrets, clock):
    return AttemptGuard(unit_of_work=unit_of_work, clock=clock, secrets=secrets)


def race(count, act):
    """Let ``count`` threads do ``act(number)`` at the same time; gives how often each outcome came about."""
    outcomes = Counter()
    start = Barrier(count)

    def run(number):
        start.wait()
        try:
            act(number)
        except (EmailTaken, RefreshRefused, WrongCode, TooManyAddresses, TooManyAttempts) as error:
            outcomes[type(error)] += 1
        else:
            outcomes["done"] += 1

    run_together([functools.partial(run, number) for number in range(count)])
    return outcomes


def a_member(number=0, email="ash@example.com"):
    return NewMember(username=f"ash-{number}", email=email, password="a good long one", accept_terms=True)


class TestRaces:
    def test_fifty_registrations_with_one_address_make_one_account(self, register, queries, engine):
        spellings = ["ash@example.com", "ASH@example.com", "\uff41sh@example.com"]
        outcomes = race(50, lambda number: register(member=a_member(number, spellings[number % 3])))
        assert outcomes == {"done": 1, EmailTaken: 49}
        with engine.connect() as connection:
            tables = ("accounts", "sessions", "one_time_codes", "outbox")
            counts = [connection.scalar(sa.text(f"select count(*) from {table}")) for table in tables]
        assert counts == [1, 1, 1, 1]

    def test_of_thirty_refreshes_with_one_token_one_wins_and_the_family_ends(
        self, register, unit_of_work, secrets, queries
    ):
        signed_in = register(member=a_member())
        refresh = RefreshSession(unit_of_work=unit_of_work, clock=FixedClock(NOW), secrets=secrets, lifetime=DAY)
        winners = []
        outcomes = race(30, lambda _: winners.append(refresh(refresh_token=signed_in.refresh_token)))
        assert outcomes == {"done": 1, RefreshRefused: 29}
        assert queries.actor(signed_in.account_id, signed_in.session_id) is None
        with pytest.raises(RefreshRefused):
            refresh(refresh_token=winners[0].refresh_token)

    def test_twenty_guesses_at_once_are_five_tries(self, register, unit_of_work, secrets, engine):
        put(unit_of_work, an_account(1, email="ash@example.com"))
        code = a_code(20, 1)
        code.issue(secrets.digest("code", "verify_email", "1", "123456"), now=NOW)
        put(unit_of_work, code)
        clock = FixedClock(NOW)
        verify = VerifyEmail(
            unit_of_work=unit_of_work, clock=clock, secrets=secrets, guard=a_guard(unit_of_work, secrets, clock)
        )
        outcomes = race(20, lambda number: verify(email="ash@example.com", code=f"{number:06d}"))
        assert outcomes == {WrongCode: FREE_FAILURES, TooManyAttempts: 20 - FREE_FAILURES}
        with engine.connect() as connection:
            assert connection.scalar(sa.text("select tries from one_time_codes")) == MAX_TRIES
        clock.advance(FIRST_LOCK)
        with pytest.raises(WrongCode):
            verify(email="ash@example.com", code="123456")

    def test_one_code_is_used_once_by_however_many(self, unit_of_work, secrets):
        put(unit_of_work, an_account(1, email="ash@example.com"))
        code = a_code(20, 1)
        code.issue(secrets.digest("code", "verify_email", "1", "123456"), now=NOW)
        put(unit_of_work, code)
        verify = VerifyEmail(
            unit_of_work=unit_of_work,
            clock=FixedClock(NOW),
            secrets=secrets,
            guard=a_guard(unit_of_work, secrets, FixedClock(NOW)),
        )
        outcomes = race(10, lambda _: verify(email="ash@example.com", code="123456"))
        assert outcomes == {"done": 1, WrongCode: 9}

    def test_nobody_gets_past_the_most_addresses(self, unit_of_work, ids, queries):
        put(unit_of_work, an_account(1))
        far_away = 10_000_000  # from what the sequence gives out
        put(unit_of_work, *(an_address(far_away + number) for number in range(MAX_ADDRESSES - 3)))
        add = AddAddress(unit_of_work=unit_of_work, clock=FixedClock(NOW), ids=ids)
        parts = {"name": "Ash", "street": "Rue de la Paix", "city": "Paris", "country": "FR"}
        outcomes = race(12, lambda _: add(actor=Actor(account_id=AccountId(1)), parts=parts))
        assert outcomes == {"done": 3, TooManyAddresses: 9}

    def test_log_ins_at_the_same_time_open_a_session_each(self, register, unit_of_work, opener, secrets):
        register(member=a_member())
        log_in = LogIn(
            unit_of_work=unit_of_work,
            clock=FixedClock(NOW),
            hasher=FastPasswordHasher(rounds=2),
            sessions=opener,
            guard=a_guard(unit_of_work, secrets, FixedClock(NOW)),
            second_factor=factor_codes(FixedClock(NOW), secrets),
        )
        outcomes = race(10, lambda _: log_in(name="ash@example.com", password="a good long one"))
        assert outcomes == {"done": 10}


class TestQueries:
    def test_the_actor_of_a_request_is_one_statement_that_reads_by_index(self, engine, unit_of_work, queries):
        put(unit_of_work, an_account(1), a_session(10, 1))
        statements = noted(engine)
        assert queries.actor(AccountId(1), SessionId(10)) is not None
        assert len(statements) == 1
        (statement, parameters), *_ = statements
        with engine.connect() as connection:
            connection.exec_driver_sql("set enable_seqscan = off")
            plan = "\n".join(connection.exec_driver_sql(f"explain {statement}", tuple(parameters)).scalars())
        assert "Seq Scan" not in plan


def test_accounts_are_found_by_indexes(clean_database):
    """Neither a prefix of a name nor a role nor the suspended ones take a walk through all accounts."""
    engine = sa.create_engine(clean_database)
    statement = sa.select(accounts.c.id)
    names = (accounts.c.username_key, accounts.c.email_key)
    prefix = statement.where(sa.or_(*(name.startswith("mis_", autoescape=True) for name in names)))
    with engine.begin() as connection:
        connection.exec_driver_sql("set local enable_seqscan = off")
        connection.exec_driver_sql("set local enable_indexscan = off")

        def plan(wanted: sa.Select) -> str:
            compiled = wanted.compile(engine, compile_kwargs={"literal_binds": True})
            # What psycopg2 would take for a placeholder is a percent sign.
            text = str(compiled).replace("%%", "%")
            return "\n".join(connection.execute(sa.text(f"explain {text}".replace(":", "\\:"))).scalars())

        by_name, suspended = plan(prefix), plan(statement.where(accounts.c.is_suspended))
        by_role = {role: plan(statement.where(accounts.c.roles.contains([role.value]))) for role in Role}
    engine.dispose()
    assert "accounts_username_prefix_idx" in by_name
    assert "accounts_email_prefix_idx" in by_name
    assert "accounts_suspended_idx" in suspended
    assert "accounts_sellers_idx" in by_role[Role.SELLER]
    assert "accounts_verifiers_idx" in by_role[Role.VERIFIER]
    assert "accounts_admins_idx" in by_role[Role.ADMIN]
