"""Requests that are done once, however often they are sent.

(absent) ──begin──> running ──complete──> answered ──24 h──> (absent)
                      │  ▲
                      ├──┘ lapsed after 60 s: the next attempt takes over and resumes
                      └──release──> (absent), or resumable when something was attached
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, Self

from marketplace.domain.shared.errors import Conflict, Invalid
from marketplace.domain.shared.ids import AccountId

KEPT = timedelta(hours=24)
LAPSES_AFTER = timedelta(seconds=60)


class IdempotencyKeyReused(Invalid):
    code = "idempotency_key_reused"

    @classmethod
    def of(cls, key: str) -> Self:
        """For the caller who gave ``key`` to two requests."""
        return cls(f"The Idempotency-Key {key!r} was used for another request; take a new one for this.")


class IdempotencyKeyInUse(Conflict):
    code = "idempotency_key_in_use"

    @classmethod
    def of(cls, key: str) -> Self:
        """For the caller whose first request with ``key`` has not been answered yet."""
        return cls(f"The request with the Idempotency-Key {key!r} is still being done; ask again in a moment.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """The right to do the work under a key, until it lapses and another attempt takes over."""

    account_id: AccountId
    key: str
    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What was answered, without secrets. ``body`` is the JSON text, empty for none."""

    status: int
    body: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


class IdempotencyKeys(Protocol):
    """The keys of requests, one set an account. Each method is a transaction of its own."""

    def begin(self, *, account_id: AccountId, key: str, fingerprint: str, now: datetime) -> Attempt | Answer:
        """An attempt for whoever has to do the work, or the answer that was given.

        Raises IdempotencyKeyReused when the key stands for another request, IdempotencyKeyInUse while it is being done.
        """
        ...

    def complete(self, attempt: Attempt, answer: Answer) -> None:
        """Keep the answer. Does nothing when another attempt has taken over."""
        ...

    def release(self, attempt: Attempt) -> None:
        """Forget the key, or, when something is attached to it, let the next attempt resume at once."""
        ...

    def purge(self, *, now: datetime, limit: int) -> int:
        """Forget keys that are older than 24 hours; gives the number."""
        ...


class AttachedWork(Protocol):
    """``uow.idempotency``: what a use case leaves under a key in its own transaction, so that a retry resumes it."""

    def attach(self, account_id: AccountId, key: str, resource_id: int, *, now: datetime) -> None:
        """Raises ConcurrencyConflict when another attempt has attached something meanwhile."""
        ...

    def resource(self, account_id: AccountId, key: str) -> int | None:
        """What an earlier attempt attached; the key stays locked until the unit ends."""
        ...
