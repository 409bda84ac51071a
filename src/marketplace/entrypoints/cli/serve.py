"""`marketplace serve`: everything at once, in the order in which it depends on one another.

    this process ── owns the embedded PostgreSQL
      ├── guard ── granian ── web workers
      └── guard ── worker

A guard ends what it holds when this process goes, however it goes; see adapters/process_guard.py.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

import click

from marketplace.domain.shared.errors import Conflict, Unavailable
from marketplace.entrypoints.cli.console import settings_from_environment
from marketplace.entrypoints.cli.demo import is_unfinished, load_demo
from marketplace.entrypoints.container.processes import (
    GuardedProcess,
    is_empty,
    opened_container,
    opened_database,
    start_guarded,
    upgrade,
)
from marketplace.entrypoints.settings import Settings

BLOCKING_THREADS = 4
STOP_SECONDS = 30.0
ORPHAN_SECONDS = 2.0
"""How long web and worker may take to end when this process was killed."""
START_SECONDS = 30.0


class PortInUse(Conflict):
    code = "port_in_use"


@click.command()
def serve() -> None:
    """Serve API and worker on http://127.0.0.1:$PORT, with an embedded database unless DATABASE_URL is set.

    Ctrl-C and SIGTERM finish what is in flight and stop everything that was started.
    """
    configured = settings_from_environment()
    _require_free(configured.port)
    with _asked_to_stop() as stop, opened_database(configured, as_owner=True) as settings:
        _prepare(configured, settings)
        with _started(settings) as processes:
            _await_answer(settings, processes, stop)
            if not stop.is_set():
                _announce(settings)
            _watch(processes, stop)
    click.echo("Stopped.", err=True)


def _require_free(port: int) -> None:
    # What a killed run left behind ends by itself, a moment later.
    deadline = time.monotonic() + ORPHAN_SECONDS + 2
    while (fault := _fault_of(port)) == errno.EADDRINUSE and time.monotonic() < deadline:
        time.sleep(0.1)
    if fault:
        reason = "in use" if fault == errno.EADDRINUSE else "not allowed to this user"
        raise PortInUse(f"Port {port} is {reason}: stop what listens there, or set PORT to another.")


def _fault_of(port: int) -> int:
    """Why the port cannot be had; 0 when it can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            return error.errno
    return 0


@contextmanager
def _asked_to_stop() -> Iterator[Event]:
    """Set by SIGTERM and Ctrl-C. A second one does not interrupt the stopping."""
    stop = Event()

    def ask(signum: int, frame: FrameType | None) -> None:
        stop.set()

    before = {each: signal.signal(each, ask) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _prepare(configured: Settings, settings: Settings) -> None:
    """A schema that fits, and in development something to look at."""
    if settings.is_development or not configured.database_url:
        upgrade(settings.database_url)
    with opened_container(settings) as container:
        faults = container.backend.readiness().check()
        if faults:
            raise Unavailable(" ".join(faults.values()))
        if settings.has_demo and (is_empty(container) or is_unfinished(container)):
            load_demo(container)


@contextmanager
def _started(settings: Settings) -> Iterator[list[GuardedProcess]]:
    environment = {**os.environ, "DATABASE_URL": settings.database_url}
    granian = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi"),
        *("--host", "127.0.0.1", "--port", str(settings.port)),
        *("--workers", str(settings.web_workers), "--blocking-threads", str(BLOCKING_THREADS)),
        *("--no-ws", "--log-level", "warning", "--respawn-failed-workers"),
        *("--workers-kill-timeout", str(int(STOP_SECONDS) - 5)),
        "marketplace.entrypoints.http.wsgi:app",
    ]
    processes: list[GuardedProcess] = []
    try:
        for command in (granian, [sys.executable, "-m", "marketplace", "worker"]):
            processes.append(start_guarded(command, grace=STOP_SECONDS, orphan_grace=ORPHAN_SECONDS, env=environment))
        yield processes
    finally:
        for process in processes:
            process.stop()


def _await_answer(settings: Settings, processes: list[GuardedProcess], stop: Event) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not stop.is_set() and time.monotonic() < deadline:
        _require_running(processes)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{settings.port}/health/live/", timeout=2):
                return
        except urllib.error.HTTPError:
            return  # refused, this address is not an allowed host: it answers all the same
        except OSError:
            stop.wait(0.05)
    if not stop.is_set():
        raise Unavailable(f"The server did not answer within {START_SECONDS:.0f} s; the log above says why.")


def _watch(processes: list[GuardedProcess], stop: Event) -> None:
    while not stop.wait(0.5):
        _require_running(processes)


def _require_running(processes: list[GuardedProcess]) -> None:
    if any(process.poll() is not None for process in processes):
        raise Unavailable("The server or the worker ended by itself; the log above says why.")


def _announce(settings: Settings) -> None:
    address = f"http://127.0.0.1:{settings.port}"
    click.echo(f"\n  Marketplace    {address}/")
    click.echo(f"  Documentation  {address}/swagger/  {address}/redoc/")
    if settings.has_demo:
        click.echo("  Accounts       buyer, seller, verifier and admin, each @example.com; password marketplace-demo")
    click.echo("  Ctrl-C stops everything.\n")
    sys.stdout.flush()
