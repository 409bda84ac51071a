"""The second factor of an account: set up, confirmed, asked for, turned off, and taken from whoever lost theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from marketplace.application.access import Actor, require_role
from marketplace.application.identity.attempts import AttemptGuard
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.identity import PasswordHasher, Secrets
from marketplace.application.ports.second_factors import Authenticators, SealBroken, Vault
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity import Role
from marketplace.domain.identity.attempts import AttemptPurpose
from marketplace.domain.identity.codes import WrongCode
from marketplace.domain.identity.passwords import presented_form
from marketplace.domain.identity.second_factors import (
    RECOVERY_CODES,
    FactorChange,
    NoSecondFactor,
    SecondFactor,
    SecondFactorChanged,
    SecondFactorIsOn,
)
from marketplace.domain.shared.errors import Invalid, NotFound
from marketplace.domain.shared.ids import AccountId

_SET_ONE_UP = "This account has no second factor; set one up: POST /api/v1/auth/two-factor/."


@dataclass(frozen=True, kw_only=True, slots=True)
class Enrolment:
    """What an authenticator has to be told; shown once, to its owner."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class FactorCodes:
    """Makes and checks what belongs to a second factor, wherever it is asked for."""

    clock: Clock
    secrets: Secrets
    authenticators: Authenticators
    vault: Vault

    def sealed(self, secret: str, account_id: AccountId) -> str:
        return self.vault.seal(secret, label=_label(account_id))

    def step(self, factor: SecondFactor, code: str) -> int | None:
        """The step that a code of the authenticator belongs to. Raises SealBroken."""
        secret = self.vault.open(factor.sealed_secret, label=_label(factor.account_id))
        return self.authenticators.step_of(secret, code, now=self.clock.now())

    def use(self, factor: SecondFactor, typed: str) -> bool:
        """Use up a code of the authenticator or a recovery code, to be saved. Raises SealBroken."""
        code = "".join(typed.split()).replace("-", "").lower()
        if code.isascii() and code.isdigit() and len(code) == 6:
            return factor.use_step(self.step(factor, code))
        return factor.use_recovery(self._recovery_hash(factor.account_id, code))

    def fresh_recovery(self, account_id: AccountId) -> tuple[list[str], list[str]]:
        """Recovery codes to be shown once, and what is kept of them."""
        codes = [self.secrets.recovery_code() for _ in range(RECOVERY_CODES)]
        return codes, [self._recovery_hash(account_id, code.replace("-", "")) for code in codes]

    def _recovery_hash(self, account_id: AccountId, code: str) -> str:
        return self.secrets.digest("recovery code", str(account_id), code)


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnerCheck:
    """Makes sure that whoever is signed in is the owner, and nobody who found a device open."""

    unit_of_work: Callable[[], UnitOfWork]
    hasher: PasswordHasher
    guard: AttemptGuard

    def password(self, actor: Actor, password: str, *, field: str = "password") -> str:
        """Gives the hash that it was compared with. Raises Invalid, naming the field, and TooManyAttempts."""
        with self.guard.attempt(AttemptPurpose.CONFIRM_PASSWORD, name=actor.account_id, origin=actor.origin) as attempt:
            attempt.account_id = actor.account_id
            with self.unit_of_work() as uow:
                password_hash = uow.accounts.get(actor.account_id).password_hash
            if not self.hasher.verify(password_hash, presented_form(password, password_hash)):
                message = "It is not the password of this account."
                raise Invalid(message, errors={field: [message]})
        return password_hash


@dataclass(frozen=True, kw_only=True, slots=True)
class EnrolSecondFactor:
    """Give an account an authenticator; nothing is asked for until it is confirmed."""

    unit_of_work: Callable[[], UnitOfWork]
    codes: FactorCodes
    owner: OwnerCheck

    def __call__(self, *, actor: Actor, password: str) -> Enrolment:
        """Raises Invalid on a wrong password, TooManyAttempts, SecondFactorIsOn.

        ConcurrencyConflict when the password was changed at the same time.
        """
        verified = self.owner.password(actor, password)
        now = self.codes.clock.now()
        secret = self.codes.authenticators.new_secret()
        sealed = self.codes.sealed(secret, actor.account_id)
        with self.unit_of_work() as uow:
            account = uow.accounts.get_for_update(actor.account_id)
            account.require_password_unchanged(verified)
            factor = uow.second_factors.of(account.id)
            if factor is None:
                uow.second_factors.add(SecondFactor(account_id=account.id, sealed_secret=sealed, enrolled_at=now))
            else:
                factor.enrol_again(sealed, now=now)
                uow.second_factors.save(factor)
            uow.commit()
        return Enrolment(secret=secret, uri=self.codes.authenticators.uri(secret, name=account.username))


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfirmSecondFactor:
    """Turn it on, with a code that shows that the authenticator works; gives the recovery codes, this once."""

    unit_of_work: Callable[[], UnitOfWork]
    codes: FactorCodes
    guard: AttemptGuard

    def __call__(self, *, actor: Actor, code: str) -> list[str]:
        """Raises WrongCode, TooManyAttempts, NoSecondFactor before one was set up, SecondFactorIsOn."""
        recovery, hashes = self.codes.fresh_recovery(actor.account_id)
        with (
            self.guard.attempt(AttemptPurpose.SECOND_FACTOR, name=actor.account_id, origin=actor.origin) as attempt,
            self.unit_of_work() as uow,
        ):
            attempt.account_id = actor.account_id
            factor = uow.second_factors.of(actor.account_id)
            if factor is None:
                raise NoSecondFactor(_SET_ONE_UP)
            if factor.is_on:
                raise SecondFactorIsOn
            if not factor.confirm(self.codes.step(factor, code), hashes, now=self.codes.clock.now()):
                raise WrongCode
            uow.second_factors.save(factor)
            uow.commit()
        return recovery


@dataclass(frozen=True, kw_only=True, slots=True)
class FactorOwner:
    """The owner's password and a code, as what weakens the account needs."""

    unit_of_work: Callable[[], UnitOfWork]
    codes: FactorCodes
    owner: OwnerCheck
    guard: AttemptGuard

    def change(
        self, actor: Actor, *, password: str, code: str, act: Callable[[UnitOfWork, SecondFactor], None]
    ) -> None:
        """Check both and do ``act`` in the transaction that uses the code up.

        Raises Invalid on a wrong password, WrongCode, TooManyAttempts, NoSecondFactor, and ConcurrencyConflict when the
        password was changed at the same time.
        """
        verified = self.owner.password(actor, password)
        with (
            self.guard.attempt(AttemptPurpose.SECOND_FACTOR, name=actor.account_id, origin=actor.origin) as attempt,
            self.unit_of_work() as uow,
        ):
            attempt.account_id = actor.account_id
            uow.accounts.get_for_update(actor.account_id).require_password_unchanged(verified)
            factor = uow.second_factors.of(actor.account_id)
            if factor is None or not factor.is_on:
                raise NoSecondFactor(_SET_ONE_UP)
            if not self.codes.use(factor, code):
                raise WrongCode
            act(uow, factor)
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class DisableSecondFactor:
    """Turn it off: the password is enough again."""

    factor_owner: FactorOwner

    def __call__(self, *, actor: Actor, password: str, code: str) -> None:
        """Raises as FactorOwner.change."""
        now = self.factor_owner.codes.clock.now()

        def remove(uow: UnitOfWork, factor: SecondFactor) -> None:
            uow.second_factors.remove(factor.account_id)
            uow.record(
                SecondFactorChanged(occurred_at=now, account_id=factor.account_id, change=FactorChange.DISABLED.value)
            )

        self.factor_owner.change(actor, password=password, code=code, act=remove)


@dataclass(frozen=True, kw_only=True, slots=True)
class RenewRecoveryCodes:
    """Ten fresh recovery codes, shown this once; those that were left are worthless."""

    factor_owner: FactorOwner

    def __call__(self, *, actor: Actor, password: str, code: str) -> list[str]:
        """Raises as FactorOwner.change."""
        codes = self.factor_owner.codes
        recovery, hashes = codes.fresh_recovery(actor.account_id)

        def renew(uow: UnitOfWork, factor: SecondFactor) -> None:
            factor.renew_recovery(hashes, now=codes.clock.now())
            uow.second_factors.save(factor)

        self.factor_owner.change(actor, password=password, code=code, act=renew)
        return recovery


@dataclass(frozen=True, kw_only=True, slots=True)
class ResetSecondFactor:
    """Take the second factor of somebody who lost it, once you know that it is they who ask; their sessions end."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, name: str) -> AccountId:
        """``name`` is a user name or an e-mail address. Raises Forbidden, NotFound, NoSecondFactor."""
        require_role(actor, Role.ADMIN)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            found = uow.accounts.by_name(name)
            if found is None:
                raise NotFound(f"There is no account called {name!r}.")
            account = uow.accounts.get_for_update(found.id)
            factor = uow.second_factors.of(account.id)
            if factor is None:
                raise NoSecondFactor(f"{account.username} has no second factor.")
            uow.second_factors.remove(account.id)
            uow.sessions.revoke_all(account.id, now=now)
            uow.audit.add(
                actor.did(
                    "account.second_factor_reset",
                    "account",
                    account.id,
                    now=now,
                    before={"second_factor": "on" if factor.is_on else "pending"},
                    after={"second_factor": "none"},
                )
            )
            uow.record(SecondFactorChanged(occurred_at=now, account_id=account.id, change=FactorChange.RESET.value))
            uow.commit()
        return account.id


@dataclass(frozen=True, kw_only=True, slots=True)
class Resealed:
    """``broken`` are of accounts whose factor no key opens."""

    resealed: int
    broken: tuple[AccountId, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ResealSecondFactors:
    """Seal every secret with the present key, so that an earlier SECRET_KEY can be forgotten."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    vault: Vault
    batch: int = 500

    def __call__(self, *, actor: Actor) -> Resealed:
        """Raises Forbidden. Whoever signs in meanwhile waits for a batch at most."""
        require_role(actor, Role.ADMIN)
        done, broken, last = 0, list[AccountId](), AccountId(0)
        while True:
            with self.unit_of_work() as uow:
                factors = uow.second_factors.after(last, limit=self.batch)
                for factor in factors:
                    try:
                        factor.sealed_secret = self.vault.reseal(factor.sealed_secret)
                    except SealBroken:
                        broken.append(factor.account_id)
                        continue
                    uow.second_factors.save(factor)
                    done += 1
                if not factors:
                    result = {"resealed": done, "broken": len(broken)}
                    uow.audit.add(
                        actor.did("keys.resealed", "keys", "second_factors", now=self.clock.now(), after=result)
                    )
                uow.commit()
            if not factors:
                return Resealed(resealed=done, broken=tuple(broken))
            last = factors[-1].account_id


def _label(account_id: AccountId) -> str:
    return f"second factor of {account_id}"
