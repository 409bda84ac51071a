"""What happens to passwords between the door and the mailbox, and when two things happen at once."""

import logging
import re
from datetime import timedelta

import pytest

from marketplace.adapters.fernet_vault import FernetVault
from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.password_hasher import FastPasswordHasher
from marketplace.application.access import Actor
from marketplace.application.identity.passwords import ChangePassword, ConfirmPasswordReset, IssueResetCode
from marketplace.application.identity.registration import NewMember
from marketplace.domain.identity.codes import WrongCode
from marketplace.domain.identity.events import PasswordResetRequested
from marketplace.domain.identity.password_resets import InvalidResetToken
from marketplace.domain.identity.sessions import RefreshRefused
from marketplace.domain.shared.errors import ConcurrencyConflict
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend
from marketplace.entrypoints.settings import Settings

PASSWORD, NEW_PASSWORD = "a good long one", "quite another one"
EMAIL = "ash@example.com"
MINUTE = timedelta(minutes=1)


class MeanwhileHasher(FastPasswordHasher):
    """Something happens while it hashes, which takes long."""

    def __init__(self, meanwhile):
        super().__init__()
        self._meanwhile = meanwhile

    def hash(self, password):
        self._meanwhile()
        return super().hash(password)


class Town:
    def __init__(self):
        settings = Settings.from_env({"ARGON2_MEMORY_KIB": "8", "ARGON2_TIME_COST": "1"})
        self.clock = FixedClock()
        self.container = Container(settings=settings, backend=MemoryBackend(), clock=self.clock)
        self.passwords = self.container.passwords
        self.unit_of_work = self.container.backend.unit_of_work
        self.store = self.container.backend.store()

    def joins(self, name="ash"):
        member = NewMember(username=name, email=f"{name}@example.com", password=PASSWORD, accept_terms=True)
        return self.container.register()(member=member)

    def asks(self, email=EMAIL):
        self.passwords.request_reset()(email=email)
        requests = [e for e in self.store.events if isinstance(e, PasswordResetRequested)]
        return requests[-1].reset_id, requests[-1].occurred_at

    def issues(self, request):
        reset_id, requested_at = request
        return self.passwords.issue_reset_code()(reset_id=reset_id, requested_at=requested_at)

    def gets_token(self):
        code = self.issues(self.asks()).issued.code
        return self.passwords.verify_reset_code()(email=EMAIL, code=code).reset_token

    def moves(self, account_id, email):
        with self.unit_of_work() as uow:
            account = uow.accounts.get(account_id)
            account.email = email
            uow.accounts.save(account)
            uow.commit()

    def the_reset(self):
        (reset,) = self.store.table("password_resets").values()
        return reset


@pytest.fixture
def town():
    return Town()


@pytest.fixture
def ash(town):
    return town.joins()


class TestIssuing:
    def test_gives_six_digits_to_the_owner(self, town, ash):
        reset = town.issues(town.asks(" ASH@example.com"))
        assert (reset.account_id, reset.issued.email, reset.issued.language) == (ash.account_id, EMAIL, "en")
        assert re.fullmatch(r"\d{6}", reset.issued.code)
        assert reset.issued.code not in repr(reset)

    def test_a_retried_delivery_makes_another_code_and_the_last_one_counts(self, town, ash):
        request = town.asks()
        first, second = town.issues(request).issued.code, town.issues(request).issued.code
        if first != second:
            with pytest.raises(WrongCode):
                town.passwords.verify_reset_code()(email=EMAIL, code=first)
        assert town.passwords.verify_reset_code()(email=EMAIL, code=second).expires_at == town.clock.now() + 15 * MINUTE

    def test_a_request_that_a_later_one_followed_gives_none(self, town, ash):
        early = town.asks()
        town.clock.advance(MINUTE)
        late = town.asks()
        assert town.issues(early) is None
        assert town.issues(late) is not None

    def test_a_request_that_was_forgotten_gives_none(self, town, ash):
        request = town.asks()
        town.store.table("password_resets").clear()
        assert town.issues(request) is None

    def test_nobodys_address_has_a_code_that_nobody_gets(self, town, ash):
        assert town.issues(town.asks("nobody@example.com")) is None
        reset = town.the_reset()
        assert (reset.account_id, reset.sealed_address) == (None, "")
        assert reset.code_hash is not None

    def test_an_address_that_became_somebodys_is_theirs_at_the_next_request(self, town, ash):
        town.issues(town.asks("misty@example.com"))
        misty = town.joins("misty")
        town.clock.advance(MINUTE)
        assert town.issues(town.asks("misty@example.com")).account_id == misty.account_id

    def test_an_address_that_is_somebody_elses_by_now_is_not_the_first_ones(self, town, ash):
        request = town.asks()
        town.issues(request)
        town.moves(ash.account_id, "other@example.com")
        assert town.issues(request) is None

    def test_a_seal_that_another_key_made_is_nobodys(self, town, ash):
        request = town.asks()
        issue = IssueResetCode(
            unit_of_work=town.unit_of_work,
            clock=town.clock,
            secrets=town.container.secrets(),
            vault=FernetVault([b"x" * 32]),
        )
        assert issue(reset_id=request[0], requested_at=request[1]) is None
        assert town.the_reset().sealed_address == ""


class TestAtTheSameTime:
    def confirm(self, town, meanwhile):
        return ConfirmPasswordReset(
            unit_of_work=town.unit_of_work,
            clock=town.clock,
            secrets=town.container.secrets(),
            hasher=MeanwhileHasher(meanwhile),
            guard=town.container.attempt_guard(),
        )

    def test_a_token_that_is_used_meanwhile_sets_no_second_password(self, town, ash):
        token = town.gets_token()

        def somebody_is_faster():
            town.passwords.confirm_reset()(reset_token=token, new_password=NEW_PASSWORD)

        with pytest.raises(InvalidResetToken):
            self.confirm(town, somebody_is_faster)(reset_token=token, new_password="yet another one")
        assert town.container.log_in()(name="ash", password=NEW_PASSWORD)

    def test_a_token_whose_address_changes_hands_meanwhile_sets_nobodys_password(self, town, ash):
        gary = town.joins("gary")
        token = town.gets_token()

        def the_address_changes_hands():
            town.moves(ash.account_id, "other@example.com")
            town.moves(gary.account_id, EMAIL)
            town.clock.advance(MINUTE)
            town.issues(town.asks())

        with pytest.raises(InvalidResetToken):
            self.confirm(town, the_address_changes_hands)(reset_token=token, new_password=NEW_PASSWORD)
        for name in ("ash", "gary"):
            assert town.container.log_in()(name=name, password=PASSWORD)

    def test_a_password_that_is_changed_meanwhile_is_not_changed_again(self, town, ash):
        token = town.gets_token()

        def somebody_is_faster():
            town.passwords.confirm_reset()(reset_token=token, new_password=NEW_PASSWORD)

        change = ChangePassword(
            unit_of_work=town.unit_of_work,
            clock=town.clock,
            hasher=MeanwhileHasher(somebody_is_faster),
            owner=town.container.second_factors.owner(),
        )
        with pytest.raises(ConcurrencyConflict):
            change(
                actor=Actor(account_id=ash.account_id),
                session_id=ash.session_id,
                current_password=PASSWORD,
                new_password="yet another one",
            )
        assert town.container.log_in()(name="ash", password=NEW_PASSWORD)


class TestLog:
    def test_tells_of_a_spent_token_without_telling_it(self, town, ash, caplog):
        town.container.refresh_session()(refresh_token=ash.refresh_token)
        with caplog.at_level(logging.WARNING), pytest.raises(RefreshRefused):
            town.container.refresh_session()(refresh_token=ash.refresh_token)
        (line,) = [record.getMessage() for record in caplog.records if "spent" in record.getMessage()]
        assert f"session {ash.session_id} of account {ash.account_id}" in line
        assert ash.refresh_token not in line
