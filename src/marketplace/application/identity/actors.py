"""Who is behind a session, for every door."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.application.access import Actor, with_second_factor_demanded
from marketplace.application.ports.identity import IdentityQueries
from marketplace.domain.shared.ids import AccountId, SessionId


@dataclass(frozen=True, kw_only=True, slots=True)
class FindActor:
    """The account behind a session with what it may do at this moment; None as IdentityQueries.actor."""

    queries: IdentityQueries
    staff_need_second_factor: bool

    def __call__(self, account_id: AccountId, session_id: SessionId) -> Actor | None:
        actor = self.queries.actor(account_id, session_id)
        if actor is None or not self.staff_need_second_factor:
            return actor
        return with_second_factor_demanded(actor)
