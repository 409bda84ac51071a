"""What every aggregate has: an optimistic version and the events it recorded since it was loaded."""

from __future__ import annotations

from dataclasses import dataclass, field

from marketplace.domain.shared.events import Event


@dataclass(kw_only=True, slots=True)
class Aggregate:
    """``version`` counts saves, 0 before the first; ``events`` wait for the commit that stores them."""

    version: int = field(default=0, compare=False)
    events: list[Event] = field(default_factory=list, compare=False, repr=False)
