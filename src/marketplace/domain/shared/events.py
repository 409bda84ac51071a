"""Facts that other parts react to: recorded on an aggregate, stored in its commit, relayed afterwards."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, Self


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that has happened. Fields are integers, strings, booleans or aware datetimes, never secrets."""

    occurred_at: datetime

    _types: ClassVar[dict[str, type[Event]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # Called a second time by @dataclass(slots=True), which makes a new class: the later one wins.
        Event._types[cls.__name__] = cls

    @property
    def name(self) -> str:
        return type(self).__name__

    def payload(self) -> dict[str, Any]:
        """The fields as JSON-ready values."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in values.items()}

    @classmethod
    def restore(cls, name: str, payload: dict[str, Any]) -> Event:
        """The event that ``payload()`` described. Raises KeyError on a name that no class has."""
        return Event._types[name]._from_payload(payload)

    @classmethod
    def _from_payload(cls, payload: dict[str, Any]) -> Self:
        moments = {field.name for field in fields(cls) if field.type in (datetime, "datetime")}
        return cls(**{k: datetime.fromisoformat(v) if k in moments and v else v for k, v in payload.items()})
