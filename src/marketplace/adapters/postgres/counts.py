"""Counts of long public lists, remembered for a while: counting to the cap costs more than the page itself."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from time import monotonic

SECONDS = 30.0
_WORTH_KEEPING = 100
"""Shorter lists are counted each time: that is quick, and exact to the moment. To count a set costs a tenth of its
page."""
_AT_MOST = 1_000

Count = tuple[int, bool]


class CountCache:
    """Counts by the question they answer, each at most ``seconds`` old."""

    def __init__(self, *, seconds: float = SECONDS, now: Callable[[], float] = monotonic) -> None:
        self._seconds, self._now = seconds, now
        self._kept: OrderedDict[Hashable, tuple[float, Count]] = OrderedDict()
        self._lock = Lock()

    def count(self, question: Hashable, ask: Callable[[], Count]) -> Count:
        """The remembered answer, or that of ``ask``."""
        now = self._now()
        with self._lock:
            kept = self._kept.get(question)
        if kept is not None and now < kept[0]:
            return kept[1]
        answer = ask()
        if answer[0] >= _WORTH_KEEPING:
            with self._lock:
                self._kept[question] = (now + self._seconds, answer)
                self._kept.move_to_end(question)
                while len(self._kept) > _AT_MOST:
                    self._kept.popitem(last=False)
        return answer
