"""What people can do with accounts, on the memory backend."""

import functools
import pickle
import re
from datetime import timedelta

import pytest

from marketplace.adapters.keyed_secrets import KeyedSecrets
from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.identity import InMemoryIdentityQueries
from marketplace.adapters.memory.password_hasher import FastPasswordHasher
from marketplace.adapters.memory.store import InMemoryIdSequence, InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from marketplace.application.access import OPERATOR, Actor
from marketplace.application.identity.administration import (
    CreateAccount,
    GrantRole,
    ReinstateAccount,
    RevokeRole,
    SuspendAccount,
)
from marketplace.application.identity.attempts import AttemptGuard
from marketplace.application.identity.profile import AddAddress, RemoveAddress, UpdateAddress, UpdateMe
from marketplace.application.identity.registration import (
    IssueVerificationCode,
    NewMember,
    Register,
    ResendVerification,
    VerifyEmail,
)
from marketplace.application.identity.second_factors import OwnerCheck
from marketplace.application.identity.sessions import LogIn, LogOut, PurgeSessions, RefreshSession, SessionOpener
from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import AccountIsSuspended, EmailTaken, UsernameTaken
from marketplace.domain.identity.addresses import MAX_ADDRESSES, TooManyAddresses
from marketplace.domain.identity.codes import CodeRequestedRecently, WrongCode
from marketplace.domain.identity.events import EmailVerificationRequested, VendorRegistered
from marketplace.domain.identity.sessions import InvalidCredentials, RefreshExpired, RefreshRefused
from marketplace.domain.shared.errors import Conflict, Forbidden, Invalid, NotFound
from marketplace.domain.shared.ids import AccountId
from tests.factors import factor_codes

DAY = timedelta(days=1)
PASSWORD = "a good long one"
PARTS = {"name": "Ash", "street": "Rue de la Paix", "city": "Paris", "country": "FR"}


def a_member(**changes):
    values = {"username": "ash", "email": "ash@example.com", "password": PASSWORD, "accept_terms": True}
    return NewMember(**{**values, **changes})


class Town:
    """Everything that identity can do, on one store."""

    def __init__(self):
        self.store = InMemoryStore()
        self.clock = FixedClock()
        self.hasher = FastPasswordHasher()
        self.secrets = KeyedSecrets(b"a key for tests")
        unit_of_work = self.unit_of_work = functools.partial(InMemoryUnitOfWork, self.store)
        ids = InMemoryIdSequence()
        opener = self.opener = SessionOpener(ids=ids, secrets=self.secrets, lifetime=DAY)
        plain, timed = {"unit_of_work": unit_of_work}, {"unit_of_work": unit_of_work, "clock": self.clock}
        self.queries = InMemoryIdentityQueries(self.store)
        guard = self.guard = AttemptGuard(**timed, secrets=self.secrets)
        self.register = Register(**timed, ids=ids, hasher=self.hasher, sessions=opener, guard=guard)
        self.create_account = CreateAccount(**timed, ids=ids, hasher=self.hasher)
        self.resend = ResendVerification(**timed, ids=ids)
        self.issue = IssueVerificationCode(**timed, secrets=self.secrets)
        self.verify = VerifyEmail(**timed, secrets=self.secrets, guard=guard)
        self.factor_codes = factor_codes(self.clock, self.secrets)
        self.log_in = LogIn(**timed, hasher=self.hasher, sessions=opener, guard=guard, second_factor=self.factor_codes)
        self.refresh = RefreshSession(**timed, secrets=self.secrets, lifetime=DAY)
        self.log_out = LogOut(**timed, secrets=self.secrets)
        self.purge = PurgeSessions(**timed)
        owner = OwnerCheck(**plain, hasher=self.hasher, guard=guard)
        self.update_me = UpdateMe(**timed, ids=ids, owner=owner)
        self.add_address = AddAddress(**timed, ids=ids)
        self.update_address, self.remove_address = UpdateAddress(**plain), RemoveAddress(**plain)
        self.grant, self.revoke = GrantRole(**timed), RevokeRole(**timed)
        self.suspend, self.reinstate = SuspendAccount(**timed), ReinstateAccount(**timed)

    def actor(self, signed_in):
        return self.queries.actor(signed_in.account_id, signed_in.session_id)

    def code(self, account_id):
        """The code that the latest request brings."""
        requests = [event for event in self.store.events if isinstance(event, EmailVerificationRequested)]
        issued = self.issue(account_id=account_id, requested_at=requests[-1].occurred_at)
        return issued.code


@pytest.fixture
def town():
    return Town()


@pytest.fixture
def ash(town):
    return town.register(member=a_member())


class TestRegister:
    def test_makes_an_account_that_is_signed_in_and_asks_for_a_code(self, town, ash):
        assert town.actor(ash) == Actor(account_id=ash.account_id)
        assert ash.refresh_expires_at == town.clock.now() + DAY
        assert town.store.events == [
            EmailVerificationRequested(occurred_at=town.clock.now(), account_id=ash.account_id)
        ]

    def test_passes_on_the_wish_to_sell(self, town):
        vendor = town.register(member=a_member(wants_to_sell=True))
        wish = VendorRegistered(occurred_at=town.clock.now(), account_id=vendor.account_id, shop_name="ash")
        assert wish in town.store.events

    def test_keeps_neither_password_nor_token(self, town, ash):
        kept = pickle.dumps(town.store.tables)  # their repr would hide it
        assert PASSWORD.encode() not in kept
        assert ash.refresh_token.encode() not in kept

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"username": "other", "email": "ASH@example.com"}, EmailTaken),
            ({"username": "ASH", "email": "other@example.com"}, UsernameTaken),
        ],
    )
    def test_refuses_a_name_that_is_taken(self, town, ash, changes, error):
        with pytest.raises(error):
            town.register(member=a_member(**changes))

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"accept_terms": False}, "accept_terms"),
            ({"username": "a"}, "username"),
            ({"password": "password123"}, "password"),
        ],
    )
    def test_refuses_bad_input(self, town, changes, field):
        with pytest.raises(Invalid) as caught:
            town.register(member=a_member(**changes))
        assert list(caught.value.facts["errors"]) == [field]
        assert town.store.tables.get("accounts", {}) == {}


class TestVerification:
    def test_the_code_verifies_the_address_once(self, town, ash):
        code = town.code(ash.account_id)
        assert re.fullmatch(r"\d{6}", code)
        assert town.verify(email=" ASH@example.com", code=code) == ash.account_id
        assert town.actor(ash).is_email_verified is True
        with pytest.raises(WrongCode):
            town.verify(email="ash@example.com", code=code)

    def test_the_code_is_kept_as_a_digest_only(self, town, ash):
        code = town.code(ash.account_id)
        assert code.encode() not in pickle.dumps(town.store.tables["one_time_codes"])
        assert code.encode() not in pickle.dumps(town.store.outbox)

    def test_a_wrong_code_costs_a_try_although_it_is_refused(self, town, ash):
        code = town.code(ash.account_id)
        wrong = "000000" if code != "000000" else "000001"
        for _ in range(5):
            with pytest.raises(WrongCode):
                town.verify(email="ash@example.com", code=wrong)
        with pytest.raises(WrongCode):
            town.verify(email="ash@example.com", code=code)

    @pytest.mark.parametrize("email", ["nobody@example.com", "ash"])
    def test_an_address_that_nobody_has_is_like_a_wrong_code(self, town, ash, email):
        with pytest.raises(WrongCode):
            town.verify(email=email, code=town.code(ash.account_id))

    def test_a_code_that_cannot_be_tried_any_more_is_not_written_again(self, town, ash):
        town.verify(email="ash@example.com", code=town.code(ash.account_id))
        before = [code.version for code in town.store.tables["one_time_codes"].values()]
        with pytest.raises(WrongCode):
            town.verify(email="ash@example.com", code="123456")
        assert [code.version for code in town.store.tables["one_time_codes"].values()] == before

    def test_an_account_that_never_asked_for_a_code_has_none(self, town):
        town.create_account(actor=OPERATOR, member=a_member(), roles=frozenset())
        with pytest.raises(WrongCode):
            town.verify(email="ash@example.com", code="123456")

    def test_a_retried_delivery_makes_another_code_and_the_last_one_counts(self, town, ash):
        first, second = town.code(ash.account_id), town.code(ash.account_id)
        if first != second:
            with pytest.raises(WrongCode):
                town.verify(email="ash@example.com", code=first)
        assert town.verify(email="ash@example.com", code=second) == ash.account_id

    def test_another_one_may_be_asked_for_after_a_minute(self, town, ash):
        asked_at = town.clock.now()
        with pytest.raises(CodeRequestedRecently):
            town.resend(actor=town.actor(ash))
        town.clock.advance(timedelta(minutes=1))
        town.resend(actor=town.actor(ash))
        assert town.issue(account_id=ash.account_id, requested_at=asked_at) is None
        assert town.issue(account_id=ash.account_id, requested_at=town.clock.now()) is not None

    def test_none_is_sent_once_the_address_is_verified(self, town, ash):
        town.verify(email="ash@example.com", code=town.code(ash.account_id))
        assert town.issue(account_id=ash.account_id, requested_at=town.clock.now()) is None
        with pytest.raises(Conflict):
            town.resend(actor=town.actor(ash))

    def test_none_is_sent_to_a_suspended_account(self, town, ash):
        town.suspend(actor=OPERATOR, name="ash")
        assert town.issue(account_id=ash.account_id, requested_at=town.clock.now()) is None

    def test_an_account_without_a_code_gets_its_first(self, town, ash):
        town.store.table("one_time_codes").clear()
        assert town.issue(account_id=ash.account_id, requested_at=town.clock.now()) is None
        town.resend(actor=town.actor(ash))
        assert town.issue(account_id=ash.account_id, requested_at=town.clock.now()) is not None


class TestLogIn:
    @pytest.mark.parametrize("name", ["ash", "ASH", "ash@example.com"])
    def test_opens_a_session(self, town, ash, name):
        signed_in = town.log_in(name=name, password=PASSWORD)
        assert signed_in.session_id != ash.session_id
        assert town.actor(signed_in).account_id == ash.account_id

    @pytest.mark.parametrize(("name", "password"), [("ash", "wrong"), ("nobody", PASSWORD), ("ash", "")])
    def test_refuses_a_wrong_password_and_an_unknown_name(self, town, ash, name, password):
        with pytest.raises(InvalidCredentials):
            town.log_in(name=name, password=password)

    def test_takes_the_password_from_any_keyboard(self, town):
        town.register(member=a_member(password="pa\u0301ssword ten"))
        assert town.log_in(name="ash", password="p\u00e1ssword ten")

    def test_tells_a_suspension_only_to_who_knows_the_password(self, town, ash):
        town.suspend(actor=OPERATOR, name="ash")
        with pytest.raises(AccountIsSuspended):
            town.log_in(name="ash", password=PASSWORD)
        with pytest.raises(InvalidCredentials):
            town.log_in(name="ash", password="wrong")

    def test_hashes_the_password_anew_when_the_parameters_have_changed(self, town, ash):
        stronger = FastPasswordHasher(rounds=2)
        log_in = LogIn(
            unit_of_work=town.unit_of_work,
            clock=town.clock,
            hasher=stronger,
            sessions=town.opener,
            guard=town.guard,
            second_factor=town.factor_codes,
        )
        assert log_in(name="ash", password=PASSWORD)
        with town.unit_of_work() as uow:
            kept = uow.accounts.get(ash.account_id).password_hash
        assert not stronger.is_outdated(kept)
        assert log_in(name="ash", password=PASSWORD)


class TestRefresh:
    def test_gives_the_next_token(self, town, ash):
        second = town.refresh(refresh_token=ash.refresh_token)
        third = town.refresh(refresh_token=second.refresh_token)
        assert len({ash.refresh_token, second.refresh_token, third.refresh_token}) == 3
        assert town.actor(third) is not None

    def test_a_spent_token_ends_the_family(self, town, ash):
        second = town.refresh(refresh_token=ash.refresh_token)
        for token in (ash.refresh_token, second.refresh_token):
            with pytest.raises(RefreshRefused):
                town.refresh(refresh_token=token)
        assert town.actor(second) is None

    def test_refuses_an_expired_or_invented_one(self, town, ash):
        with pytest.raises(RefreshRefused):
            town.refresh(refresh_token="invented")
        town.clock.advance(DAY)
        with pytest.raises(RefreshExpired):
            town.refresh(refresh_token=ash.refresh_token)


class TestLogOut:
    def test_ends_the_session(self, town, ash):
        town.log_out(actor=town.actor(ash), refresh_token=ash.refresh_token)
        assert town.actor(ash) is None
        with pytest.raises(RefreshRefused):
            town.refresh(refresh_token=ash.refresh_token)

    def test_takes_a_token_of_the_account_only(self, town, ash):
        gary = town.register(member=a_member(username="gary", email="gary@example.com"))
        for token in (gary.refresh_token, "invented"):
            with pytest.raises(Invalid):
                town.log_out(actor=town.actor(ash), refresh_token=token)
        assert town.actor(gary) is not None

    def test_sessions_are_forgotten_a_week_after_their_end(self, town, ash):
        town.clock.advance(8 * DAY)
        assert town.purge() == 0
        town.clock.advance(timedelta(seconds=1))
        assert town.purge() == 1
        with pytest.raises(RefreshRefused):
            town.refresh(refresh_token=ash.refresh_token)


class TestProfile:
    def test_changes_ones_own_account(self, town, ash):
        town.update_me(actor=town.actor(ash), changes={"first_name": "Satoshi"})
        assert town.queries.me(ash.account_id).first_name == "Satoshi"

    def test_refuses_to_change_the_rest(self, town, ash):
        with pytest.raises(Invalid):
            town.update_me(actor=town.actor(ash), changes={"roles": ["admin"]})

    def test_keeps_changes_and_forgets_addresses(self, town, ash):
        actor = town.actor(ash)
        id = town.add_address(actor=actor, parts=PARTS)
        town.update_address(actor=actor, address_id=id, parts={"city": "Lyon"})
        assert town.queries.address(ash.account_id, id).city == "Lyon"
        town.remove_address(actor=actor, address_id=id)
        with pytest.raises(NotFound):
            town.queries.address(ash.account_id, id)

    def test_keeps_fifty_addresses_at_most(self, town, ash):
        actor = town.actor(ash)
        for _ in range(MAX_ADDRESSES):
            town.add_address(actor=actor, parts=PARTS)
        with pytest.raises(TooManyAddresses):
            town.add_address(actor=actor, parts=PARTS)

    def test_somebody_elses_address_does_not_exist_not_even_for_admins(self, town, ash):
        id = town.add_address(actor=town.actor(ash), parts=PARTS)
        with pytest.raises(NotFound):
            town.update_address(actor=OPERATOR, address_id=id, parts={"city": "Lyon"})
        with pytest.raises(NotFound):
            town.remove_address(actor=OPERATOR, address_id=id)


class TestAdministration:
    def test_makes_an_admin_whose_address_needs_no_code(self, town):
        id = town.create_account(actor=OPERATOR, member=a_member(), roles=frozenset({Role.ADMIN}))
        account = town.queries.me(id)
        assert (account.roles, account.is_email_verified) == ((Role.ADMIN, Role.BUYER), True)
        assert not any(isinstance(event, EmailVerificationRequested) for event in town.store.events)
        assert town.actor(town.log_in(name="ash", password=PASSWORD)).is_admin

    def test_refuses_an_admin_whose_name_is_taken(self, town, ash):
        with pytest.raises(UsernameTaken):
            town.create_account(actor=OPERATOR, member=a_member(), roles=frozenset())

    def test_roles_count_at_once(self, town, ash):
        town.grant(actor=OPERATOR, name="ASH", role=Role.VERIFIER)
        assert town.actor(ash).roles == {Role.BUYER, Role.VERIFIER}
        town.revoke(actor=OPERATOR, name="ash@example.com", role=Role.VERIFIER)
        assert town.actor(ash).roles == {Role.BUYER}

    def test_a_suspension_ends_every_session_for_good(self, town, ash):
        other = town.log_in(name="ash", password=PASSWORD)
        town.suspend(actor=OPERATOR, name="ash")
        assert (town.actor(ash), town.actor(other)) == (None, None)
        with pytest.raises(RefreshRefused):
            town.refresh(refresh_token=ash.refresh_token)
        town.reinstate(actor=OPERATOR, name="ash")
        assert town.actor(ash) is None
        assert town.actor(town.log_in(name="ash", password=PASSWORD)) is not None

    def test_only_admins_may(self, town, ash):
        actor = town.actor(ash)
        attempts = [
            lambda: town.create_account(actor=actor, member=a_member(), roles=frozenset({Role.ADMIN})),
            lambda: town.grant(actor=actor, name="ash", role=Role.ADMIN),
            lambda: town.revoke(actor=actor, name="ash", role=Role.ADMIN),
            lambda: town.suspend(actor=actor, name="ash"),
            lambda: town.reinstate(actor=actor, name="ash"),
        ]
        for attempt in attempts:
            with pytest.raises(Forbidden):
                attempt()
        assert town.actor(ash) == Actor(account_id=AccountId(ash.account_id))

    def test_nobody_is_found_by_an_unknown_name(self, town):
        with pytest.raises(NotFound):
            town.suspend(actor=OPERATOR, name="nobody")
