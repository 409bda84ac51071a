"""Counters of requests in this process, for the strategies of the library ``limits``.

The library's own memory storage looks through all of its keys every ten milliseconds, in a thread that it starts anew
each time: with ten thousand addresses that costs a quarter of a millisecond a request. It also cuts windows by the
wall clock, and never refuses to grow. See docs/decisions/0024.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from math import floor
from threading import Lock

from limits.storage import MemoryStorage

MOST_KEYS = 100_000
"""Some 30 MB. Beyond it the oldest tenth is forgotten: who commands so many addresses is not held up by counting."""


class SlidingWindowMemoryStorage(MemoryStorage):
    """Sliding windows that begin with the first request of a key, as they do on Redis. ``time`` is in seconds."""

    STORAGE_SCHEME: list[str] = []  # noqa: RUF012  # made by hand, never by an address; declared so by the library

    def __init__(self, *, time: Callable[[], float], most_keys: int = MOST_KEYS) -> None:
        super().__init__()
        self._time = time
        self._most_keys = most_keys
        # key -> beginning of the present window, requests in the one before, requests in this one
        self._windows: dict[str, tuple[float, int, int]] = {}
        self._lock = Lock()

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        with self._lock:
            now = self._time()
            began, previous, current = self._window(key, expiry, now)
            still_counts = floor(previous * (began + expiry - now) / expiry)
            if still_counts + current + amount > limit:
                return False
            if key not in self._windows and len(self._windows) >= self._most_keys:
                for oldest in list(islice(self._windows, max(1, self._most_keys // 10))):
                    del self._windows[oldest]
            self._windows[key] = (began, previous, current + amount)
            return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        with self._lock:
            now = self._time()
            began, previous, current = self._window(key, expiry, now)
        left = began + expiry - now
        return previous, left if previous else 0.0, current, left + expiry if current or previous else 0.0

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        with self._lock:
            self._windows.pop(key, None)

    def _window(self, key: str, expiry: int, now: float) -> tuple[float, int, int]:
        window = self._windows.get(key)
        if window is None:
            return now, 0, 0
        began, _, current = window
        passed = now - began
        if 0 <= passed < expiry:
            return window
        if expiry <= passed < 2 * expiry:
            return began + expiry, current, 0
        return now, 0, 0  # long ago, or the clock was set back
