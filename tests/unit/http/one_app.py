"""One application for many tests: its doors lead to whichever container is in force.

Making an application means compiling a hundred rules and describing a hundred operations, and none of that depends on
what is behind the doors. So it is made once for each configuration, of parts that are looked up when they are used.
"""

from __future__ import annotations

from typing import Any

from flask import Flask

from marketplace.entrypoints.container import Container
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.settings import Settings
from tests.tracing import untraced

_PLAIN = (str, bytes, int, float, bool, tuple, frozenset, type(None))


class _Switch:
    """Holds the container that is in force."""

    def __init__(self, container: Container) -> None:
        self.container = container


class _Part:
    """Stands for what a provider gives: asked of the container in force at every use."""

    def __init__(self, switch: _Switch, path: tuple[str, ...]) -> None:
        self._switch = switch
        self._path = path

    def _now(self) -> Any:
        return _provider(self._switch, self._path)()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._now(), name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._now()(*args, **kwargs)


class _Parts:
    """Stands for a container or a provider in it, for ``create_app``."""

    def __init__(self, switch: _Switch, path: tuple[str, ...] = ()) -> None:
        self._switch = switch
        self._path = path

    def __getattr__(self, name: str) -> _Parts:
        return _Parts(self._switch, (*self._path, name))

    def __call__(self) -> Any:
        if self._path in (("settings",), ("check_dependencies",)):
            return _provider(self._switch, self._path)()
        found = _provider(self._switch, self._path)()
        return found if isinstance(found, _PLAIN) else _Part(self._switch, self._path)


def _provider(switch: _Switch, path: tuple[str, ...]) -> Any:
    found: Any = switch.container
    for name in path:
        found = getattr(found, name)
    return found


_made: dict[Settings, tuple[_Switch, Flask, dict[str, Any]]] = {}


def app_of(container: Container) -> Flask:
    """The application of this container's configuration, leading to this container from now on.

    For tests that do nothing to the application itself: add no views, change no configuration.
    """
    settings = container.settings()
    if settings not in _made:
        switch = _Switch(container)
        with untraced():
            app = create_app(_Parts(switch))  # type: ignore[arg-type]  # it is one to whoever asks it for parts
        _made[settings] = switch, app, dict(app.extensions)
    switch, app, extensions = _made[settings]
    assert app.extensions == extensions, "A test changed the application that others use: make one for it alone."
    switch.container = container
    return app
