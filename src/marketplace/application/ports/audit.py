"""The audit trail: adding to it, and reading it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from marketplace.application.ports.pages import Page, PageRequest
from marketplace.domain.audit import AuditEntry
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import AccountId


class AuditTrail(Protocol):
    """Append-only: nothing that was recorded is ever changed or taken out."""

    def add(self, entry: AuditEntry) -> None:
        """Record an act in the transaction that does it: ``uow.audit.add(actor.did("seller.approved", ...))``."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditFilter:
    """What is looked for; None is everything. ``since`` is the first instant that counts, ``until`` the first after.

    Raises Invalid for a ``subject_id`` without its ``subject_type``: an id alone names nothing.
    """

    actor_id: AccountId | None = None
    subject_type: str | None = None
    subject_id: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.subject_id is not None and self.subject_type is None:
            message = "An id alone names nothing: give subject_type as well."
            raise Invalid(message, errors={"subject_type": [message]})


class AuditQueries(Protocol):
    def entries(self, request: PageRequest, *, wanted: AuditFilter) -> Page[AuditEntry]:
        """The newest first."""
        ...
