"""What members do with what they are told: read it, and choose what comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from marketplace.application.access import Actor
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.notifications import Channel, Kind, Preference, Preferences
from marketplace.domain.shared.ids import AccountId, NotificationId


@dataclass(frozen=True, kw_only=True, slots=True)
class MarkRead:
    """Note that a notification was read."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor, id: NotificationId) -> None:
        """Doing it again changes nothing. Raises NotFound, also for another's."""
        with self.unit_of_work() as uow:
            uow.notifications.mark_read(actor.account_id, id, now=self.clock.now())
            uow.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class MarkAllRead:
    """Note that one has seen everything."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(self, *, actor: Actor) -> int:
        """Gives the number of those that were not read yet."""
        with self.unit_of_work() as uow:
            marked = uow.notifications.mark_all_read(actor.account_id, now=self.clock.now())
            uow.commit()
        return marked


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadPreferences:
    """Show what one is told, by which channel, and what of it can be switched."""

    unit_of_work: Callable[[], UnitOfWork]

    def __call__(self, *, actor: Actor) -> Sequence[Preference]:
        with self.unit_of_work() as uow:
            subscribed = uow.accounts.get(actor.account_id).subscribed_to_newsletter
            return _preferences(uow, actor.account_id, subscribed=subscribed).all()


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    kind: Kind
    channel: Channel
    wanted: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ChoosePreferences:
    """Switch kinds of messages on and off, all of the choices or none."""

    unit_of_work: Callable[[], UnitOfWork]

    def __call__(self, *, actor: Actor, choices: Sequence[Choice]) -> Sequence[Preference]:
        """Gives every switch as it is afterwards. Raises NecessaryNotification, and Invalid for no switch at all."""
        with self.unit_of_work() as uow:
            account = uow.accounts.get_for_update(actor.account_id)
            preferences = _preferences(uow, account.id, subscribed=account.subscribed_to_newsletter)
            before = dict(preferences.chosen)
            for choice in choices:
                preferences.choose(choice.kind, choice.channel, choice.wanted)
            for (kind, channel), wanted in preferences.chosen.items():
                if before.get((kind, channel)) == wanted:
                    continue
                if kind is Kind.NEWSLETTER:
                    account.change({"subscribed_to_newsletter": wanted})
                    uow.accounts.save(account)
                else:
                    uow.notification_preferences.put(account.id, kind, channel, wanted)
            uow.commit()
        return preferences.all()


@dataclass(frozen=True, kw_only=True, slots=True)
class PurgeNotifications:
    """Forget what members were told long ago."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    keep_for: timedelta
    limit: int = 1_000

    def __call__(self) -> int:
        """One batch; gives the number. Raises Unavailable when the store does not answer."""
        with self.unit_of_work() as uow:
            gone = uow.notifications.purge(created_before=self.clock.now() - self.keep_for, limit=self.limit)
            uow.commit()
        return gone


def _preferences(uow: UnitOfWork, account_id: AccountId, *, subscribed: bool) -> Preferences:
    preferences = uow.notification_preferences.of(account_id)
    preferences.chosen[Kind.NEWSLETTER, Channel.MAIL] = subscribed
    return preferences
