"""Notifications and preferences in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from marketplace.adapters.postgres.errors import translated
from marketplace.adapters.postgres.pages import paged
from marketplace.adapters.postgres.tables.notifications import notification_preferences, notifications
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
    from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork

_columns = notifications.c
_choices = notification_preferences.c
_KINDS = frozenset(kind.value for kind in Kind)
_VIEW = sa.select(
    _columns.id,
    _columns.kind,
    _columns.title,
    _columns.body,
    _columns.link,
    _columns.created_at,
    _columns.read_at,
)


class PostgresNotifications(NotificationRepository):
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    def add(self, notification: Notification) -> bool:
        fresh = insert(notifications).values(
            id=notification.id,
            account_id=notification.account_id,
            kind=notification.kind.value,
            occasion=notification.occasion,
            title=notification.title,
            body=notification.body,
            link=notification.link,
            created_at=notification.created_at,
        )
        return self._uow.execute(fresh.on_conflict_do_nothing(constraint="told_once")).rowcount == 1

    def told_at(self, account_id: AccountId, occasion: str) -> datetime | None:
        told = sa.select(_columns.created_at).where(_columns.account_id == account_id, _columns.occasion == occasion)
        found: datetime | None = self._uow.execute(told).scalar()
        return found

    def mark_read(self, account_id: AccountId, id: NotificationId, *, now: datetime) -> None:
        read = (
            sa.update(notifications)
            .where(_columns.id == id, _columns.account_id == account_id)
            .values(read_at=sa.func.coalesce(_columns.read_at, now))
        )
        if self._uow.execute(read).rowcount == 0:
            raise NotFound(f"There is no notification {id}.")

    def mark_all_read(self, account_id: AccountId, *, now: datetime) -> int:
        # In the order of their ids, so that no two that read the same wait for one another.
        unread = (
            sa.select(_columns.id)
            .where(_columns.account_id == account_id, _columns.read_at.is_(None))
            .order_by(_columns.id)
            .with_for_update()
        )
        return self._uow.execute(sa.update(notifications).where(_columns.id.in_(unread)).values(read_at=now)).rowcount

    def purge(self, *, created_before: datetime, limit: int) -> int:
        old = (
            sa.select(_columns.id)
            .where(_columns.created_at < created_before)
            .order_by(_columns.created_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return self._uow.execute(sa.delete(notifications).where(_columns.id.in_(old))).rowcount


class PostgresPreferences(PreferenceRepository):
    def __init__(self, uow: PostgresUnitOfWork) -> None:
        self._uow = uow

    def of(self, account_id: AccountId) -> Preferences:
        mine = sa.select(_choices.kind, _choices.channel, _choices.wanted).where(_choices.account_id == account_id)
        return Preferences(
            chosen={
                (Kind(row.kind), Channel(row.channel)): row.wanted
                for row in self._uow.execute(mine)
                if row.kind in _KINDS  # one of another version is none of ours
            }
        )

    def put(self, account_id: AccountId, kind: Kind, channel: Channel, wanted: bool) -> None:
        fresh = insert(notification_preferences).values(
            account_id=account_id, kind=kind.value, channel=channel.value, wanted=wanted
        )
        self._uow.execute(
            fresh.on_conflict_do_update(
                constraint="notification_preferences_pkey", set_={"wanted": fresh.excluded.wanted}
            )
        )


class PostgresNotificationQueries(NotificationQueries):
    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def notifications(
        self, account_id: AccountId, request: PageRequest, *, unread: bool | None = None
    ) -> Page[NotificationView]:
        mine = _VIEW.where(_columns.account_id == account_id)
        if unread is not None:
            mine = mine.where(_columns.read_at.is_(None) if unread else _columns.read_at.is_not(None))
        with translated({}), self._engine.connect() as connection:
            return paged(
                connection,
                mine,
                keys=[_columns.created_at, _columns.id],
                descending=True,
                request=request,
                view=_view,
            )

    def notification(self, account_id: AccountId, id: NotificationId) -> NotificationView:
        with translated({}), self._engine.connect() as connection:
            row = connection.execute(_VIEW.where(_columns.id == id, _columns.account_id == account_id)).first()
        if row is None:
            raise NotFound(f"There is no notification {id}.")
        return _view(row)

    def unread_count(self, account_id: AccountId) -> int:
        unread = (
            sa.select(sa.literal(1))
            .select_from(notifications)
            .where(_columns.account_id == account_id, _columns.read_at.is_(None))
            .limit(COUNT_CAP)
            .subquery()
        )
        with translated({}), self._engine.connect() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(unread)).scalar_one())


def _view(row: Any) -> NotificationView:
    return NotificationView(
        id=row.id,
        kind=row.kind,
        title=row.title,
        body=row.body,
        link=row.link,
        created_at=row.created_at,
        read_at=row.read_at,
    )
