"""The audit trail: who used a privilege, on whom or what, when, from where, and what it changed. Only ever added to."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from marketplace.domain.shared.ids import AccountId

MAX_TEXT = 200
"""Longer values in ``before`` and ``after`` are cut, marked by an ellipsis at their end."""
HIDDEN = "(hidden)"
"""Stands in ``before`` and ``after`` for what nobody may read there."""
_ACTION = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_SECRET = re.compile(r"password|secret|token|otp|private")


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEntry:
    """One privileged act.

    ``actor_id`` is None for whoever runs commands on the server and for the program itself; ``origin`` tells those
    apart: a client's address, ``command line``, or ``worker``. ``action`` is a stable code, ``seller.approved``.
    ``before`` and ``after`` hold the fields that changed, ready for JSON, and no personal data: the trail outlives
    the account that it tells of. ``id`` is the store's, 0 until then; a greater one was written later.
    """

    actor_id: AccountId | None
    roles: tuple[str, ...]
    action: str
    subject_type: str
    subject_id: str
    occurred_at: datetime
    origin: str = ""
    reason: str = ""
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    id: int = 0

    def __post_init__(self) -> None:
        if not _ACTION.fullmatch(self.action):
            raise ValueError(f"An action is called like 'seller.approved', not {self.action!r}.")

    @classmethod
    def of(
        cls,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        **about: Any,
    ) -> Self:
        """An entry with what differs between two looks at the subject; secrets are hidden, long values cut."""
        old, new = _plain(before or {}), _plain(after or {})
        changed = [name for name in {**old, **new} if name not in old or name not in new or old[name] != new[name]]
        return cls(
            before={name: _shown(name, old[name]) for name in changed if name in old},
            after={name: _shown(name, new[name]) for name in changed if name in new},
            **about,
        )


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON gives it back: numbers and texts, sets sorted, anything else by its name."""
    plain: dict[str, Any] = json.loads(json.dumps(dict(values), default=_named))
    return plain


def _named(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, (set, frozenset)) else str(value)


def _shown(name: str, value: Any) -> Any:
    if _SECRET.search(name):
        return HIDDEN
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return value if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
