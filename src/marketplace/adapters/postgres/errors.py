"""What the database refuses, in the domain's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import sqlalchemy as sa
from psycopg2 import errorcodes

from marketplace.domain.shared.errors import ConcurrencyConflict, Conflict, MarketplaceError, Unavailable

_RETRY = {errorcodes.DEADLOCK_DETECTED, errorcodes.SERIALIZATION_FAILURE, errorcodes.LOCK_NOT_AVAILABLE}
_REFUSED = {errorcodes.UNIQUE_VIOLATION, errorcodes.CHECK_VIOLATION, errorcodes.FOREIGN_KEY_VIOLATION}


@contextmanager
def translated(constraints: Mapping[str, tuple[type[MarketplaceError], str]]) -> Iterator[None]:
    """Raise the error that ``constraints`` names for the violated constraint, with its sentence.

    A lost connection or a time-out becomes Unavailable, a deadlock or a lost race ConcurrencyConflict; a violated
    constraint that nobody named is still a Conflict, never a crash, and says which one it was.
    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        code = getattr(error.orig, "pgcode", None)
        if code in _RETRY:
            raise ConcurrencyConflict("Somebody else changed the same thing at the same time; repeat.") from error
        if code in _REFUSED:
            name = error.orig.diag.constraint_name or ""  # type: ignore[union-attr]  # psycopg2 errors have it
            if name in constraints:
                kind, message = constraints[name]
                raise kind(message) from error
            raise Conflict(f"The database refused this: {name}.") from error
        if code == errorcodes.QUERY_CANCELED or error.connection_invalidated or code is None:
            raise Unavailable("The database did not answer; try again in a moment.") from error
        raise
    except sa.exc.TimeoutError as error:
        raise Unavailable("The database is busy; try again in a moment.") from error
