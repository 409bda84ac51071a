"""The rule that whatever belongs to a game belongs to one that is there."""

from __future__ import annotations

from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.shared.errors import Invalid


def require_games(uow: UnitOfWork, *codes: str, field: str = "tcg_type") -> None:
    """Raises Invalid, blaming ``field``, for the first code that is no game's."""
    games = uow.catalogue.games()
    for code in codes:
        if code not in games:
            message = f"There is no game {code!r}; there are: {', '.join(games)}."
            raise Invalid(message, errors={field: [message]})
