"""Notifications and preferences in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from marketplace.adapters.memory.pages import paged
from marketplace.adapters.memory.repository import InMemoryRepository
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.application.ports.notifications import (
    NotificationQueries,
    NotificationRepository,
    NotificationView,
    PreferenceRepository,
)
from marketplace.application.ports.pages import COUNT_CAP, Page, PageRequest
from marketplace.domain.notifications import Channel, Kind, Notification, Preferences
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import AccountId, NotificationId

if TYPE_CHECKING:
    from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork


@dataclass(frozen=True, slots=True)
class _Row:
    told: Notification
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Choice:
    account_id: AccountId
    kind: Kind
    channel: Channel
    wanted: bool


class _Rows(InMemoryRepository[_Row]):
    name = "notifications"
    noun = "notification"

    def key(self, entity: _Row) -> NotificationId:
        return entity.told.id

    def those(self, matches: Callable[[_Row], bool]) -> list[_Row]:
        return [row for row in self._scan() if matches(row)]


class _Choices(InMemoryRepository[_Choice]):
    name = "notification_preferences"
    noun = "preference"

    def key(self, entity: _Choice) -> tuple[AccountId, Kind, Channel]:
        return entity.account_id, entity.kind, entity.channel

    def of(self, account_id: AccountId) -> list[_Choice]:
        return [choice for choice in self._scan() if choice.account_id == account_id]


class InMemoryNotifications(NotificationRepository):
    def __init__(self, uow: InMemoryUnitOfWork) -> None:
        self._rows = _Rows(uow)

    def add(self, notification: Notification) -> bool:
        def is_the_same(row: _Row) -> bool:
            return (row.told.account_id, row.told.occasion) == (notification.account_id, notification.occasion)

        if self._rows.those(is_the_same):
            return False
        self._rows.add(_Row(notification))
        return True

    def told_at(self, account_id: AccountId, occasion: str) -> datetime | None:
        told = self._rows.those(lambda row: (row.told.account_id, row.told.occasion) == (account_id, occasion))
        return told[0].told.created_at if told else None

    def mark_read(self, account_id: AccountId, id: NotificationId, *, now: datetime) -> None:
        found = self._rows.those(lambda row: row.told.id == id and row.told.account_id == account_id)
        if not found:
            raise NotFound(f"There is no notification {id}.")
        self._read(found, now)

    def mark_all_read(self, account_id: AccountId, *, now: datetime) -> int:
        return self._read(self._rows.those(lambda row: row.told.account_id == account_id), now)

    def _read(self, rows: list[_Row], now: datetime) -> int:
        unread = [row for row in rows if row.read_at is None]
        for row in unread:
            self._rows.save(replace(row, read_at=now))
        return len(unread)

    def purge(self, *, created_before: datetime, limit: int) -> int:
        old = self._rows.those(lambda row: row.told.created_at < created_before)
        gone = sorted(old, key=lambda row: row.told.created_at)[:limit]
        for row in gone:
            self._rows.remove(row.told.id)
        return len(gone)


class InMemoryPreferences(PreferenceRepository):
    def __init__(self, uow: InMemoryUnitOfWork) -> None:
        self._choices = _Choices(uow)

    def of(self, account_id: AccountId) -> Preferences:
        return Preferences(
            chosen={(choice.kind, choice.channel): choice.wanted for choice in self._choices.of(account_id)}
        )

    def put(self, account_id: AccountId, kind: Kind, channel: Channel, wanted: bool) -> None:
        self._choices.save(_Choice(account_id, kind, channel, wanted))


class InMemoryNotificationQueries(NotificationQueries):
    def __init__(self, store: InMemoryStore) -> None:
        self._store = store

    def notifications(
        self, account_id: AccountId, request: PageRequest, *, unread: bool | None = None
    ) -> Page[NotificationView]:
        wanted = [row for row in self._of(account_id) if unread is None or (row.read_at is None) == unread]
        return paged(
            wanted,
            key=lambda row: (row.told.created_at.isoformat(), row.told.id),
            descending=True,
            request=request,
            view=_view,
        )

    def notification(self, account_id: AccountId, id: NotificationId) -> NotificationView:
        for row in self._of(account_id):
            if row.told.id == id:
                return _view(row)
        raise NotFound(f"There is no notification {id}.")

    def unread_count(self, account_id: AccountId) -> int:
        return min(COUNT_CAP, sum(row.read_at is None for row in self._of(account_id)))

    def _of(self, account_id: AccountId) -> list[_Row]:
        with self._store.lock:
            rows: list[_Row] = list(self._store.table(_Rows.name).values())
        return [row for row in rows if row.told.account_id == account_id]


def _view(row: _Row) -> NotificationView:
    told = row.told
    return NotificationView(
        id=told.id,
        kind=told.kind,
        title=told.title,
        body=told.body,
        link=told.link,
        created_at=told.created_at,
        read_at=row.read_at,
    )
