"""Putting a new version of the fees into force."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from marketplace.application.access import Actor, require_role
from marketplace.application.fees.in_force import RememberedFees
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.fees import FeeRule, FeeSchedule, read_rules, refuse
from marketplace.domain.identity import Role
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import FeeScheduleId
from marketplace.domain.shared.text import checked_text

FURTHEST = timedelta(days=2 * 366)
"""How far ahead a version may be planned."""
MAX_NOTE = 500

Faults = dict[str, list[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class AddFeeSchedule:
    """Add a version, which takes effect now or later and is never changed."""

    unit_of_work: Callable[[], UnitOfWork]
    ids: IdSequence
    clock: Clock
    currency: str
    remembered: RememberedFees

    def __call__(
        self,
        *,
        actor: Actor,
        rules: object,
        currency: str | None = None,
        effective_from: datetime | None = None,
        note: str = "",
    ) -> FeeSchedule:
        """``rules`` as ``read_rules`` reads them; without ``effective_from`` it holds from now on.

        Raises Forbidden; Invalid that names every fault, nothing being stored then; FeeScheduleTaken.
        """
        require_role(actor, Role.ADMIN)
        now = self.clock.now()
        read, faults = read_rules(rules, self.currency)
        faults.update(self._faults(currency, effective_from, note, now))
        with self.unit_of_work() as uow:
            faults.update(_unknown(uow, read))
            refuse(faults)
            schedule = FeeSchedule(
                id=FeeScheduleId(self.ids.next()),
                currency=self.currency,
                rules=read,
                effective_from=effective_from or now,
                note=note,
            )
            before = uow.fee_schedules.in_force(self.currency, schedule.effective_from or now)
            uow.fee_schedules.add(schedule)
            uow.audit.add(
                actor.did(
                    "fee_schedule.added",
                    "fee_schedule",
                    schedule.id or 0,
                    now=now,
                    reason=note,
                    before={"in_force": None if before is None else before.id},
                    after=_look(schedule),
                )
            )
            uow.commit()
        self.remembered.forget()
        return schedule

    def _faults(self, currency: str | None, effective_from: datetime | None, note: str, now: datetime) -> Faults:
        found: Faults = {}
        if currency not in (None, self.currency):
            found["currency"] = [f"Orders are paid in {self.currency} here, not in {currency}."]
        if effective_from is not None and effective_from.tzinfo is None:
            found["effective_from"] = ["An instant needs its time zone, as in 2027-01-01T00:00:00Z."]
        elif effective_from is not None and not now <= effective_from <= now + FURTHEST:
            found["effective_from"] = [
                f"{effective_from.isoformat()} has passed or is more than {FURTHEST.days} days away; "
                "leave it out for now."
            ]
        try:
            checked_text(note, field="note", maximum=MAX_NOTE, lines=True)
        except Invalid as error:
            found.update(error.facts["errors"])
        return found


def _unknown(uow: UnitOfWork, rules: tuple[FeeRule, ...]) -> Faults:
    """What the rules name that is not there."""
    sellers = {rule.seller_id for rule in rules if rule.seller_id is not None}
    categories = {rule.category_id for rule in rules if rule.category_id is not None}
    if not sellers and not categories:
        return {}
    no_sellers, no_categories = uow.fee_schedules.missing(sellers=sellers, categories=categories)
    found: Faults = {}
    for place, rule in enumerate(rules):
        if rule.seller_id in no_sellers:
            found[f"rules.{place}.seller"] = [f"There is no seller {rule.seller_id}."]
        if rule.category_id in no_categories:
            found[f"rules.{place}.category"] = [f"There is no category {rule.category_id}; GET /api/v1/categories/."]
    return found


def _look(schedule: FeeSchedule) -> dict[str, Any]:
    """For the audit trail, which cuts long texts; the version itself is kept whole."""
    return {
        "in_force": schedule.id,
        "effective_from": schedule.effective_from,
        "rules": len(schedule.rules),
    }
