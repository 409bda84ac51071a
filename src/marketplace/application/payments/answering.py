"""What operators do about a chargeback: tell the bank what speaks against it, or give in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from marketplace.application.access import Actor, require_role
from marketplace.application.payments.chargebacks import ChargebackCheck
from marketplace.application.ports.chargebacks import ProviderChargeback
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import AlreadyInState, PaymentGateway
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.identity import Role
from marketplace.domain.payments.chargebacks import Chargeback, ChargebackDecidedAlready
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import ChargebackId


@dataclass(frozen=True, kw_only=True, slots=True)
class SubmitEvidence:
    """Keep evidence at the provider, and send it to the bank when it is complete."""

    unit_of_work: Callable[[], UnitOfWork]
    gateway: PaymentGateway
    clock: Clock
    check: ChargebackCheck

    def __call__(
        self, *, actor: Actor, chargeback_id: ChargebackId, evidence: Mapping[str, str], submit: bool = False
    ) -> Chargeback:
        """``submit`` sends all that was kept to the bank, and ends what can be said.

        Raises Forbidden, NotFound, Invalid without any evidence and as ``prepare_evidence`` does,
        ChargebackDecidedAlready, PaymentBusy, and Unavailable without an answer: it can be repeated then.
        """
        require_role(actor, Role.ADMIN)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            chargeback = uow.chargebacks.get_for_update(chargeback_id)
            chargeback.require_open()
            key = chargeback.prepare_evidence(evidence)
            if not chargeback.evidence:
                raise Invalid("There is no evidence to send.", errors={"evidence": ["Give at least one text."]})
            self.check.take(uow, chargeback)
            after = {"fields": sorted(evidence), "submitted": submit}
            uow.audit.add(actor.did("chargeback.evidence", "chargeback", chargeback_id, now=now, after=after))
            uow.commit()
        answered = _asked(
            chargeback,
            self.check,
            lambda: self.gateway.submit_evidence(
                chargeback.provider_chargeback_id, evidence=chargeback.evidence, submit=submit, key=key
            ),
        )
        if submit:
            self._note_submission(chargeback_id)
        return answered

    def _note_submission(self, id: ChargebackId) -> None:
        with self.unit_of_work() as uow:
            chargeback = uow.chargebacks.get_for_update(id)
            chargeback.evidence_submitted(now=self.clock.now())
            uow.chargebacks.save(chargeback)
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class AcceptChargeback:
    """Give in: the buyer's bank keeps the money, and everybody bears their part of it at once."""

    unit_of_work: Callable[[], UnitOfWork]
    gateway: PaymentGateway
    clock: Clock
    check: ChargebackCheck

    def __call__(self, *, actor: Actor, chargeback_id: ChargebackId, reason: str) -> Chargeback:
        """Raises Forbidden, NotFound, ChargebackDecidedAlready, PaymentBusy, and Unavailable without an answer."""
        require_role(actor, Role.ADMIN)
        now = self.clock.now()
        with self.unit_of_work() as uow:
            chargeback = uow.chargebacks.get_for_update(chargeback_id)
            chargeback.require_open()
            self.check.take(uow, chargeback)
            uow.audit.add(actor.did("chargeback.accepted", "chargeback", chargeback_id, now=now, reason=reason))
            uow.commit()
        key = f"du-close:{chargeback.id}:1"
        return _asked(
            chargeback,
            self.check,
            lambda: self.gateway.accept_chargeback(chargeback.provider_chargeback_id, key=key),
        )


def _asked(leased: Chargeback, check: ChargebackCheck, ask: Callable[[], ProviderChargeback]) -> Chargeback:
    """What the provider answers, applied. Raises ChargebackDecidedAlready when the bank was quicker."""
    try:
        return check.applied(leased, ask)
    except AlreadyInState as error:
        check.of(leased.id)
        raise ChargebackDecidedAlready(f"Chargeback {leased.id} was decided meanwhile; read it again.") from error
