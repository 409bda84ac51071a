"""Running jobs over and over: whichever is due, side by side with other workers, until told to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event

import structlog

Job = Callable[[], int]
"""Does what is due, a bounded amount of it, and gives the number of things done."""

IDLE_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 60.0

log = structlog.get_logger(__name__)


@dataclass(kw_only=True, slots=True)
class _Turn:
    """When a job may run again, and how often it has failed in a row."""

    run: Job
    not_before: float = 0.0
    failures: int = 0


@dataclass(kw_only=True, slots=True)
class Jobs:
    """Named jobs, each given its turn. A job that fails waits longer each time and holds up nobody else."""

    jobs: Mapping[str, Job]
    idle: float = IDLE_SECONDS
    monotonic: Callable[[], float] = time.monotonic
    _turns: dict[str, _Turn] = field(init=False)

    def __post_init__(self) -> None:
        self._turns = {name: _Turn(run=job) for name, job in self.jobs.items()}

    def run_until(self, stop: Event) -> None:
        """Work until ``stop`` is set: the job that is running then is finished, no other is begun."""
        while not stop.is_set():
            if self.run_round(stop) == 0:
                stop.wait(self.idle)

    def run_round(self, stop: Event | None = None) -> int:
        """Give every job that may run its turn; gives the number of things done."""
        done = 0
        for name, turn in self._turns.items():
            if stop is not None and stop.is_set():
                break
            if self.monotonic() >= turn.not_before:
                done += self._take(name, turn)
        return done

    def _take(self, name: str, turn: _Turn) -> int:
        try:
            done = turn.run()
        except Exception as error:  # whatever it is, the other jobs go on, and this one is tried again
            turn.failures += 1
            pause = min(LONGEST_BACKOFF_SECONDS, self.idle * 2**turn.failures)
            turn.not_before = self.monotonic() + pause
            log.error("job failed", job=name, failures=turn.failures, retry_in=pause, exc_info=error)
            return 0
        turn.failures = 0
        if done:
            log.info("job done", job=name, done=done)
        return done
