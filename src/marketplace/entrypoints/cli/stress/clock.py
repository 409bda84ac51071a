"""A clock that several processes share, that runs fast, and that leaps when it is told to."""

from __future__ import annotations

import time
from ctypes import c_double
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.sharedctypes import RawValue
from typing import Any, Self

from marketplace.application.ports.clock import Clock

SPEED = 30
"""A minute in two seconds. So a lease of a minute ends soon after whoever had it was killed, and yet no call to the
provider lasts for the ten minutes after which it is said to have no effect any more."""


@dataclass(frozen=True, slots=True)
class FastClock(Clock):
    """Begins at ``start`` with the machine's second ``began``. ``ahead`` are the seconds that it has leapt, in memory
    that is shared with every process that it is given to when that is started."""

    start: datetime
    began: float
    ahead: Any  # a c_double, whose type hides its value

    @classmethod
    def from_now(cls) -> Self:
        return cls(start=datetime.now(UTC), began=time.time(), ahead=RawValue(c_double, 0.0))

    def now(self) -> datetime:
        return self.start + timedelta(seconds=(time.time() - self.began) * SPEED + self.ahead.value)

    def leap(self, by: timedelta) -> None:
        """While nobody is in the middle of anything: to them, a moment would have lasted so long."""
        self.ahead.value += by.total_seconds()
