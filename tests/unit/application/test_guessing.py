"""Ten thousand guesses at a password or a code get nowhere, and keep no owner out."""

import logging
from datetime import timedelta

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.application.identity.registration import NewMember
from marketplace.domain.identity.attempts import AttemptPurpose, AttemptsLocked, TooManyAttempts
from marketplace.domain.identity.codes import WrongCode
from marketplace.domain.identity.events import EmailVerificationRequested, PasswordResetRequested
from marketplace.domain.identity.sessions import InvalidCredentials
from marketplace.domain.shared.errors import Invalid, Unavailable
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend
from marketplace.entrypoints.settings import Settings

PASSWORD, NEW_PASSWORD = "a good long one", "a better and longer one"
HOME, ELSEWHERE = "198.51.100.1", "203.0.113.7"
GUESSES = 10_000


class Town:
    """Ash, who lives at HOME, and whoever guesses."""

    def __init__(self):
        self.clock = FixedClock()
        self.container = Container(settings=Settings.from_env({}), backend=MemoryBackend(), clock=self.clock)
        self.log_in_at_door = self.container.log_in()
        self.store = self.container.backend.store()
        member = NewMember(username="ash", email="ash@example.com", password=PASSWORD, accept_terms=True)
        self.ash = self.container.register()(member=member).account_id

    def log_in(self, password=PASSWORD, *, name="ash", origin=ELSEWHERE):
        return self.log_in_at_door(name=name, password=password, origin=origin)

    def verify(self, code, *, email="ash@example.com", origin=ELSEWHERE):
        return self.container.verify_email()(email=email, code=code, origin=origin)

    def events(self, kind):
        return [event for event in self.store.events if isinstance(event, kind)]

    def reset_code(self):
        self.container.passwords.request_reset()(email="ash@example.com")
        asked = self.events(PasswordResetRequested)[-1]
        issued = self.container.passwords.issue_reset_code()(reset_id=asked.reset_id, requested_at=asked.occurred_at)
        return issued.issued.code

    def lock(self, **options):
        """Fail until nothing is looked at any more."""
        for _ in range(20):
            try:
                self.log_in("wrong", **options)
            except InvalidCredentials:
                continue
            except TooManyAttempts:
                return
        raise AssertionError("Twenty failures locked nothing.")


@pytest.fixture
def town():
    return Town()


def looked_at(clock, guess, *, over):
    """Of ten thousand guesses, spread over a time, how many were looked at; the rest was refused unseen."""
    seen = 0
    for number in range(GUESSES):
        try:
            guess(number)
        except TooManyAttempts:
            pass
        except (InvalidCredentials, WrongCode):
            seen += 1
        clock.advance(over / GUESSES)
    return seen


@pytest.mark.volume
@pytest.mark.parametrize(("over", "most"), [("0", 10), ("1", 42), ("30", 16 + 25 * 30)])
class TestTenThousandGuesses:
    """At once, in a day, in a month; nobody's name is looked at as often as somebody's."""

    @pytest.mark.parametrize("name", ["ash", "ash@example.com", "nobody"])
    def test_at_a_password(self, town, over, most, name):
        days = timedelta(days=int(over))
        seen = looked_at(town.clock, lambda number: town.log_in(f"guess-{number}", name=name), over=days)
        assert 10 <= seen <= most

    @pytest.mark.parametrize("email", ["ash@example.com", "nobody@example.com"])
    def test_at_a_code(self, town, over, most, email):
        request = town.events(EmailVerificationRequested)[-1]
        town.container.issue_verification_code()(account_id=town.ash, requested_at=request.occurred_at)
        days = timedelta(days=int(over))
        seen = looked_at(town.clock, lambda number: town.verify(f"{number:06d}", email=email), over=days)
        assert 10 <= seen <= most
        assert not town.container.backend.identity_queries().me(town.ash).is_email_verified

    def test_at_a_code_of_a_reset_from_a_thousand_addresses(self, town, over, most):
        town.reset_code()
        verify = town.container.passwords.verify_reset_code()

        def guess(number):
            verify(email="ash@example.com", code=f"{number:06d}", origin=f"203.0.{number % 4}.{number % 250}")

        seen = looked_at(town.clock, guess, over=timedelta(days=int(over)))
        assert 10 <= seen <= most


class TestTheOwner:
    def test_who_forgot_a_little_is_not_held_up(self, town):
        for _ in range(9):
            with pytest.raises(InvalidCredentials):
                town.log_in("wrong")
        assert town.log_in().account_id == town.ash

    def test_success_forgets_every_failure(self, town):
        for _ in range(3):
            for _ in range(9):
                with pytest.raises(InvalidCredentials):
                    town.log_in("wrong")
            town.log_in()

    def test_a_locked_name_is_locked_for_the_right_password_too(self, town):
        town.lock()
        with pytest.raises(TooManyAttempts):
            town.log_in()
        town.clock.advance(timedelta(minutes=1))
        assert town.log_in().account_id == town.ash

    def test_gets_in_where_they_got_in_before(self, town):
        town.log_in(origin=HOME)
        town.lock()
        assert town.log_in(origin=HOME).account_id == town.ash
        assert town.log_in(origin=HOME, name="ASH@example.com").account_id == town.ash

    def test_a_known_place_has_ten_tries_of_its_own_and_no_more(self, town):
        town.log_in(origin=HOME)
        town.lock()
        town.lock(origin=HOME)
        with pytest.raises(TooManyAttempts):
            town.log_in(origin=HOME)

    def test_a_place_is_forgotten_after_ninety_days(self, town):
        town.log_in(origin=HOME)
        town.clock.advance(timedelta(days=90))
        town.lock()
        with pytest.raises(TooManyAttempts):
            town.log_in(origin=HOME)

    def test_of_an_address_of_six_the_network_is_the_place(self, town):
        town.log_in(origin="2001:db8:1:2::aaaa")
        town.lock()
        assert town.log_in(origin="2001:db8:1:2::bbbb").account_id == town.ash
        town.lock()
        with pytest.raises(TooManyAttempts):
            town.log_in(origin="2001:db8:1:3::aaaa")

    def test_a_new_password_opens_the_log_in_that_attackers_keep_locked(self, town):
        """From a place where they never were, and with the attack going on all the time."""
        town.lock()
        grant = town.container.passwords.verify_reset_code()(
            email="ash@example.com", code=town.reset_code(), origin=HOME
        )
        town.container.passwords.confirm_reset()(reset_token=grant.reset_token, new_password=NEW_PASSWORD, origin=HOME)
        town.lock()
        assert town.log_in(NEW_PASSWORD, origin=HOME).account_id == town.ash


class TestWhatIsTold:
    def test_the_log_names_the_account_and_no_name(self, town, caplog):
        with caplog.at_level(logging.WARNING):
            town.lock()
            town.lock(name="nobody@example.com")
        assert [record.getMessage() for record in caplog.records] == [
            f"log_in of account {town.ash} is locked for 60 s after 10 failures",
            "log_in of account (nobody's) is locked for 60 s after 10 failures",
        ]

    def test_it_is_an_event_once_and_for_nobody_as_well(self, town):
        for name in ("ash", "nobody"):
            town.lock(name=name)
            town.clock.advance(timedelta(minutes=1))
            with pytest.raises(InvalidCredentials):
                town.log_in("wrong", name=name)
        assert [(event.account_id, event.purpose, event.origin) for event in town.events(AttemptsLocked)] == [
            (town.ash, "log_in", ELSEWHERE),
            (0, "log_in", ELSEWHERE),
        ]

    def test_the_owner_is_mailed_and_the_trail_has_an_entry(self, town):
        town.lock()
        town.lock(name="nobody@example.com")
        while town.container.relay_events()():
            pass
        letters = town.container.backend.mailbox().messages(limit=10)
        assert [letter.to for letter in letters if "guessing" in letter.subject] == ["ash@example.com"]
        entries = list(town.store.table("audit_entries").values())
        assert [(entry.action, entry.subject_id, entry.origin, entry.after) for entry in entries] == [
            ("account.locked_out", str(town.ash), ELSEWHERE, {"locked": "log_in"})
        ]

    def test_nothing_that_is_kept_names_anybody_or_a_place(self, town):
        town.log_in(origin=HOME)
        town.lock()
        kept = repr([town.store.table(name) for name in ("attempt_counters", "known_places")])
        for personal in ("ash", "example.com", HOME, ELSEWHERE):
            assert personal not in kept


class TestTheGuard:
    def test_what_was_no_failure_is_taken_back(self, town):
        guard = town.container.attempt_guard()
        for _ in range(30):
            with guard.attempt(AttemptPurpose.LOG_IN, name="ash", origin=ELSEWHERE):
                pass  # right, though not in yet: a second factor is missing
            with pytest.raises(Unavailable), guard.attempt(AttemptPurpose.LOG_IN, name="ash", origin=ELSEWHERE):
                raise Unavailable("Too many passwords are being hashed.")
        assert town.log_in().account_id == town.ash

    def test_purposes_are_counted_each_for_itself(self, town):
        guard = town.container.attempt_guard()
        town.lock()
        for _ in range(10):
            with (
                pytest.raises(Invalid),
                guard.attempt(AttemptPurpose.CONFIRM_PASSWORD, name=town.ash, origin=ELSEWHERE),
            ):
                raise Invalid("Wrong.")

    def test_an_account_is_not_the_user_whose_name_is_its_number(self, town):
        guard = town.container.attempt_guard()
        for _ in range(10):
            with pytest.raises(Invalid), guard.attempt(AttemptPurpose.SECOND_FACTOR, name=7, origin=ELSEWHERE):
                raise Invalid("Wrong.")
        with guard.attempt(AttemptPurpose.SECOND_FACTOR, name="7", origin=ELSEWHERE) as attempt:
            assert attempt.purpose is AttemptPurpose.SECOND_FACTOR

    def test_counters_are_purged_when_there_is_nothing_left_of_them(self, town):
        town.log_in(origin=HOME)
        town.lock(name="nobody")
        purge = town.container.purge_attempts()
        town.clock.advance(timedelta(hours=10))
        assert purge() == 0
        town.clock.advance(timedelta(hours=8))
        assert purge() == 1
        town.clock.advance(timedelta(days=90))
        assert purge() == 3  # the place, by user name, address and number
        assert not town.store.table("attempt_counters")
