"""Memory is always there."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.application.ports.health import Readiness


class InMemoryReadiness(Readiness):
    def check(self) -> Mapping[str, str]:
        return {}
