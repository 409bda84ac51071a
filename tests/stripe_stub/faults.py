"""What can go wrong between us and Stripe, on demand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from threading import Event, Lock
from typing import Any


class When(Enum):
    """Before the request is carried out, or after."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(kw_only=True)
class Fault:
    """What happens to the next ``times`` requests of ``verb`` whose path matches ``path``.

    One of: ``drop`` the connection; ``hang`` (until ``resume`` is called, ten seconds at most; then it is dropped);
    answer ``status``, ``kept`` under the key or not; answer ``garbled`` in the place of the true answer.
    """

    verb: str = "POST"
    path: str = ".*"
    times: int = 1
    drop: When | None = None
    hang: When | None = None
    status: int | None = None
    error: dict[str, Any] = field(default_factory=dict)
    kept: bool = False
    should_retry: bool | None = None
    garbled: bytes | None = None
    met: int = 0
    reached: Event = field(default_factory=Event)
    _resumed: Event = field(default_factory=Event)

    def matches(self, verb: str, path: str) -> bool:
        return self.met < self.times and verb == self.verb and re.fullmatch(self.path, path) is not None

    def wait(self) -> None:
        self.reached.set()
        self._resumed.wait(10)

    def resume(self) -> None:
        self._resumed.set()


class Faults:
    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self._waiting.append(fault)
        return fault

    def meet(self, verb: str, path: str) -> Fault | None:
        """The fault that this request meets."""
        with self._lock:
            for fault in self._waiting:
                if fault.matches(verb, path):
                    fault.met += 1
                    return fault
        return None

    def clear(self) -> None:
        with self._lock:
            for fault in self._waiting:
                fault.resume()
            self._waiting.clear()
