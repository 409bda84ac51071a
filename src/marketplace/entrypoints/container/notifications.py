"""Telling members something, and what they do with it."""

from __future__ import annotations

from dependency_injector import containers, providers

from marketplace.adapters.letters.jinja_letters import JinjaLetters
from marketplace.application.notifications import reading, unsubscribing
from marketplace.application.notifications.notify import Notify
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.identity import Secrets
from marketplace.entrypoints.settings import Settings


class Notifications(containers.DeclarativeContainer):
    settings = providers.Dependency(instance_of=Settings)
    backend = providers.DependenciesContainer()
    clock: providers.Dependency[Clock] = providers.Dependency()
    secrets: providers.Dependency[Secrets] = providers.Dependency()

    unit_of_work = backend.unit_of_work.provider
    letters = providers.Singleton(JinjaLetters, brand=settings.provided.brand, public_url=settings.provided.public_url)
    links = providers.Singleton(
        unsubscribing.UnsubscribeLinks, secrets=secrets, public_url=settings.provided.public_url
    )
    notify = providers.Singleton(
        Notify,
        unit_of_work=unit_of_work,
        clock=clock,
        ids=backend.ids,
        identity_queries=backend.identity_queries,
        letters=letters,
        mailer=backend.mailer,
        unsubscribe_links=links,
    )
    read_subscription = providers.Singleton(unsubscribing.ReadSubscription, unit_of_work=unit_of_work, links=links)
    unsubscribe = providers.Singleton(unsubscribing.Unsubscribe, unit_of_work=unit_of_work, links=links)
    mark_read = providers.Singleton(reading.MarkRead, unit_of_work=unit_of_work, clock=clock)
    mark_all_read = providers.Singleton(reading.MarkAllRead, unit_of_work=unit_of_work, clock=clock)
    read_preferences = providers.Singleton(reading.ReadPreferences, unit_of_work=unit_of_work)
    choose_preferences = providers.Singleton(reading.ChoosePreferences, unit_of_work=unit_of_work)
    purge = providers.Singleton(
        reading.PurgeNotifications,
        unit_of_work=unit_of_work,
        clock=clock,
        keep_for=settings.provided.notification_retention,
    )
