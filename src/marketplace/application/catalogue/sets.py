"""What admins do to sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from marketplace.application.access import Actor, require_role
from marketplace.application.catalogue.games import require_games
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.catalogue.card_sets import CardSet, SetDetails
from marketplace.domain.identity import Role
from marketplace.domain.shared.ids import CardSetId


@dataclass(frozen=True, kw_only=True, slots=True)
class AddCardSet:
    """Add a set that no import has brought."""

    unit_of_work: Callable[[], UnitOfWork]
    ids: IdSequence
    clock: Clock

    def __call__(self, *, actor: Actor, details: SetDetails) -> CardSetId:
        """Raises Forbidden, Invalid for a game that is not there, DuplicateCode."""
        require_role(actor, Role.ADMIN)
        now = self.clock.now()
        card_set = CardSet(id=CardSetId(self.ids.next()), details=details, created_at=now, updated_at=now)
        with self.unit_of_work() as uow:
            require_games(uow, details.tcg_type)
            uow.card_sets.add(card_set)
            uow.audit.add(actor.did("card_set.added", "card_set", card_set.id, now=now, after=asdict(details)))
            uow.commit()
        return card_set.id
