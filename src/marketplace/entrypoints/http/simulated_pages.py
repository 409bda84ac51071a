"""The pages of the simulated payment provider, together. Development only."""

from __future__ import annotations

from typing import Protocol

from flask import Flask

from marketplace.application.ports.provider_desk import SimulatedDesk
from marketplace.application.ports.provider_state import SimulatedBank, SimulatedOnboarding
from marketplace.entrypoints.http.onboarding_pages import onboarding_blueprint
from marketplace.entrypoints.http.payment_pages import bank_blueprint
from marketplace.entrypoints.http.provider_pages import provider_blueprint
from marketplace.entrypoints.keys import Purpose
from marketplace.entrypoints.settings import Settings


class ProviderWithPages(SimulatedBank, SimulatedOnboarding, SimulatedDesk, Protocol):
    """What its pages show and do."""


def register_simulated_pages(app: Flask, provider: ProviderWithPages, settings: Settings) -> None:
    app.register_blueprint(bank_blueprint(bank=provider, key=settings.key(Purpose.BANK_PAGES)))
    app.register_blueprint(onboarding_blueprint(provider=provider, key=settings.key(Purpose.ONBOARDING_PAGES)))
    app.register_blueprint(
        provider_blueprint(desk=provider, onboarding=provider, key=settings.key(Purpose.PROVIDER_PAGES))
    )
