"""Worker processes that are killed, and started again; and a provider whose answers get lost."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from typing import Any

import orjson

from marketplace.application.ports.payment_gateway import OutcomeUnknown
from marketplace.domain.shared.events import Event
from marketplace.entrypoints import logs, worker
from marketplace.entrypoints.cli.stress.clock import FastClock
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.processes import opened_container
from marketplace.entrypoints.jobs import Jobs
from marketplace.entrypoints.settings import Settings

_PATIENCE = 60
"""Seconds to wait for a process that was told to end."""
_MOST_ROUNDS = 2_000
# Workers are forked from a process that has all modules and nothing else: starting one takes a moment.
_processes = get_context("forkserver")
_processes.set_forkserver_preload([__name__, "marketplace.entrypoints.cli.main"])


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerTask:
    """What one worker process needs. ``faults``: how many of a thousand calls to the provider get no answer.

    ``letters``: whether what is told and written down follows the money, which takes as long again.
    """

    settings: Settings
    clock: FastClock
    log: Path
    faults: int = 0
    letters: bool = False


def work(task: WorkerTask) -> None:
    """Be a worker, as ``marketplace worker`` is, but for the clock, until killed or asked to stop."""
    logs.configure(format="json", level="error", file=task.log)
    with _hired(task) as container:
        if task.faults:
            provider = SilentProvider(container.payment_provider.simulated(), share=task.faults / 1000)
            container.payment_provider.gateway.override(provider)
        worker.run(container)


def come_to_rest(task: WorkerTask) -> None:
    """Work beside the others until nothing is due."""
    logs.configure(format="json", level="error", file=task.log)
    with _hired(task) as container:
        rounds = Jobs(jobs=container.jobs())
        for _ in range(_MOST_ROUNDS):
            if not rounds.run_round():
                return


@contextmanager
def _hired(task: WorkerTask) -> Iterator[Container]:
    with opened_container(task.settings) as container:
        container.clock.override(task.clock)
        if not task.letters:
            container.subscribers.override(_hear_nothing)
        yield container


def _hear_nothing(event: Event, event_id: int) -> None:
    """Events are relayed, each once, and nothing comes of them."""


class SilentProvider:
    """A gateway that at random does not answer: half the times after having done what it was asked for."""

    def __init__(self, inner: Any, *, share: float) -> None:
        self._inner, self._share = inner, share

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        # What comes with an event is read without asking anybody.
        return self._unreliable(found) if callable(found) and name != "parse_webhook" else found

    def _unreliable(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            chance = random.random()
            if chance < self._share / 2:
                raise OutcomeUnknown("The request was lost on its way.")
            answer = call(*args, **kwargs)
            if chance < self._share:
                raise OutcomeUnknown("The answer was lost on its way.")
            return answer

        return called


@dataclass(kw_only=True, slots=True)
class Workers:
    """Two of them, side by side. ``kills`` counts those that were ended in the middle of whatever they did."""

    task: WorkerTask
    count: int = 2
    kills: int = 0
    _running: list[BaseProcess] = field(default_factory=list)

    def start(self) -> None:
        self._running = [self._started(number) for number in range(self.count)]

    def kill_one(self, chance: Random) -> None:
        """SIGKILL, and another one in its place at once."""
        number = chance.randrange(self.count)
        self._kill(self._running[number])
        self._running[number] = self._started(number)

    def kill_all(self) -> None:
        for process in self._running:
            self._kill(process)
        self._running = []

    def stop(self) -> None:
        """Ask them to: each finishes the job in its hands."""
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.join(_PATIENCE)
            if process.exitcode is None:
                self._kill(process)
        self._running = []

    def come_to_rest(self) -> None:
        """Wait until nothing is due at this moment."""
        process = _processes.Process(target=come_to_rest, args=(self._task(self.count),), daemon=True)
        process.start()
        process.join()

    def errors(self) -> list[str]:
        """What went wrong in their jobs, without what they only tell operators, and silence that was made."""
        lines = [line for number in range(self.count + 1) for line in _lines(self._task(number).log)]
        told = [_told(line) for line in lines if "exception" in line]
        return [error for error in told if not (self.task.faults and OutcomeUnknown.__name__ in error)]

    def _started(self, number: int) -> BaseProcess:
        process = _processes.Process(target=work, args=(self._task(number),), daemon=True)
        process.start()
        return process

    def _kill(self, process: BaseProcess) -> None:
        process.kill()
        process.join(_PATIENCE)
        self.kills += 1

    def _task(self, number: int) -> WorkerTask:
        return replace(self.task, log=self.task.log.with_name(f"worker-{number}.log"))


def _lines(log: Path) -> list[dict[str, Any]]:
    """A killed process may have left a line that is not whole."""
    found = []
    for line in log.read_bytes().splitlines() if log.exists() else ():
        try:
            found.append(orjson.loads(line))
        except orjson.JSONDecodeError:
            continue
    return found


def _told(line: dict[str, Any]) -> str:
    last = str(line["exception"]).strip().splitlines()[-1:]
    return f"{line.get('event')} {line.get('job', '')}: {' '.join(last)}"
