"""The kinds of refusal. A concrete error is a subclass with a stable ``code``; doors translate the kind."""

from __future__ import annotations

from typing import Any, ClassVar


class MarketplaceError(Exception):
    """A request that was understood and refused.

    ``str(error)`` says what was wrong, with which value, and what to do. ``facts`` are the extras that the
    API promises beside the code (``available``, ``items``, ``errors``), JSON-ready.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.facts: dict[str, Any] = facts


class Invalid(MarketplaceError):
    """Never acceptable, whatever the state. ``errors={"field": ["message"]}`` names the fields."""

    code = "validation_error"


class NotFound(MarketplaceError):
    """There is no such thing, or the caller may not know of it."""

    code = "not_found"


class Forbidden(MarketplaceError):
    """The caller is known and may not. ``missing`` lists what they lack."""

    code = "permission_denied"


class Unauthenticated(MarketplaceError):
    """The caller is not known."""

    code = "not_authenticated"


class Conflict(MarketplaceError):
    """Fine in itself, but not in the present state."""

    code = "conflict"


class Unavailable(MarketplaceError):
    """An outside service did not answer; the same request may succeed later."""

    code = "unavailable"


class ConcurrencyConflict(Conflict):
    """Somebody else changed the same thing meanwhile: read it again and repeat."""

    code = "concurrent_change"


class PreconditionFailed(Conflict):
    """The caller's ``If-Match`` names an older version."""

    code = "precondition_failed"


class IllegalTransition(Conflict):
    """A state machine has no such move."""

    code = "illegal_transition"
