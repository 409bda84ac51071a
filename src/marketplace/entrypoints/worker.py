"""The worker process: relays events and runs what is due. Any number run side by side."""

from __future__ import annotations

import signal
from threading import Event
from types import FrameType

import structlog

from marketplace.entrypoints.container import Container
from marketplace.entrypoints.jobs import Jobs

log = structlog.get_logger(__name__)


def run(container: Container) -> None:
    """Work until SIGTERM or SIGINT, finish the job in hand, return."""
    stop = Event()

    def ask(signum: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    jobs = Jobs(jobs=container.jobs())
    log.info("worker started", jobs=list(jobs.jobs))
    jobs.run_until(stop)
    log.info("worker stopped")
