"""`marketplace serve` and `marketplace worker` as processes: they start, answer, stop in order, and leave nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

PATIENCE = 60.0


def marketplace(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "marketplace", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def until(there: Callable[[], Any], process: subprocess.Popen[str] | None = None) -> Any:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            pytest.fail(f"It ended: {process.communicate()}")
        found = there()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail("It took too long.")


def answer(port: int, path: str = "/health/ready/") -> Any:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return json.load(response)
    except OSError:
        return None


def descendants(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(line.split()[0]): int(line.split()[1]) for line in listed.splitlines()}
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found[1:]


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists() and "Z" not in _state(pid)]


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "Z"


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(port: int) -> Iterator[dict[str, str]]:
    home = Path(tempfile.mkdtemp(prefix="marketplace-serve-"))
    home.chmod(0o711)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    yield {**kept, "MARKETPLACE_HOME": str(home), "PORT": str(port), "LOG_FORMAT": "json", "WEB_WORKERS": "1"}
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def serving(environment: dict[str, str], port: int) -> Iterator[subprocess.Popen[str]]:
    process = marketplace("serve", **environment)
    try:
        until(lambda: answer(port), process)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_asked_to_stop_and_leaves_nothing(serving, port, asked):
    assert answer(port) == {"status": "ok"}
    assert answer(port, "/api/v1/openapi.json")["openapi"] == "3.1.0"
    started = descendants(serving.pid)
    assert len(started) >= 5  # two guards, the web server and its worker, the worker, the database
    serving.send_signal(asked)
    printed, log = serving.communicate(timeout=PATIENCE)
    assert serving.returncode == 0, log
    assert f"http://127.0.0.1:{port}/" in printed
    assert "/swagger/" in printed
    assert "marketplace-demo" in printed
    assert alive(started) == []
    assert answer(port) is None


def test_what_is_in_flight_is_finished_first(serving, port):
    waiting = threading.Event()
    answers = []

    def slow() -> None:
        # The body comes in two parts: the request is in flight from the first to the second.
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            body = b'{"username": "nobody", "password": "x"}'
            connection.sendall(
                b"POST /api/v1/auth/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                b"Content-Length: " + str(len(body)).encode() + b"\r\nConnection: close\r\n\r\n" + body[:5]
            )
            waiting.set()
            time.sleep(1.0)
            connection.sendall(body[5:])
            answers.append(connection.recv(65536))

    thread = threading.Thread(target=slow)
    thread.start()
    waiting.wait(5)
    time.sleep(0.3)
    serving.send_signal(signal.SIGTERM)
    thread.join(30)
    _, log = serving.communicate(timeout=PATIENCE)
    assert serving.returncode == 0, log
    assert answers[0].startswith(b"HTTP/1.1 4"), answers


def test_a_kill_leaves_nothing_that_the_next_start_cannot_clean_up(serving, port, environment):
    started = descendants(serving.pid)
    serving.kill()
    until(lambda: not alive(started))
    again = marketplace("serve", **environment)
    try:
        until(lambda: answer(port), again)
    finally:
        again.send_signal(signal.SIGTERM)
        _, log = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, log


def test_a_port_in_use_is_said_in_one_line(environment, port):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        refused = marketplace("serve", **environment)
        printed, log = refused.communicate(timeout=PATIENCE)
    assert refused.returncode == 1
    assert printed == ""
    assert log == f"port_in_use: Port {port} is in use: stop what listens there, or set PORT to another.\n"


def test_a_second_run_on_the_same_home_is_said_in_one_line(serving, environment):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        other = str(probe.getsockname()[1])
    refused = marketplace("serve", **{**environment, "PORT": other})
    _, log = refused.communicate(timeout=PATIENCE)
    assert refused.returncode == 1
    assert log.startswith("home_in_use: ")
    assert log.count("\n") == 1


def test_a_command_joins_the_server_that_runs(serving, environment):
    joined = marketplace("db", "current", "--json", **environment)
    printed, log = joined.communicate(timeout=PATIENCE)
    assert joined.returncode == 0, log
    revisions = json.loads(printed)
    assert revisions["current"] == revisions["newest"]
    assert serving.poll() is None


def test_a_worker_that_dies_takes_everything_down_with_a_word(serving, port):
    worker = next(
        pid
        for pid in descendants(serving.pid)
        if Path(f"/proc/{pid}/cmdline").read_bytes().endswith(b"-m\x00marketplace\x00worker\x00")
    )
    os.kill(worker, signal.SIGKILL)
    _, log = serving.communicate(timeout=PATIENCE)
    assert serving.returncode == 1
    assert "unavailable: The server or the worker ended by itself" in log
    assert answer(port) is None


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_stops_when_it_is_asked_to(environment, database_factory, asked):
    environment["DATABASE_URL"] = database_factory()
    process = marketplace("worker", **environment)
    assert process.stderr is not None
    first = process.stderr.readline()
    assert json.loads(first)["event"] == "worker started"
    process.send_signal(asked)
    _, log = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert json.loads(log.splitlines()[-1])["event"] == "worker stopped"


def test_workers_run_side_by_side(environment, database_factory):
    environment["DATABASE_URL"] = database_factory()
    processes = [marketplace("worker", **environment) for _ in range(3)]
    for process in processes:
        assert process.stderr is not None
        assert "worker started" in process.stderr.readline()
    time.sleep(1.0)
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        _, log = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        assert "job failed" not in log


def test_a_database_of_ones_own_is_not_served_before_it_is_migrated(environment, postgres):
    refused = marketplace(
        "worker", **{**environment, "DATABASE_URL": postgres.url.replace("postgresql:", "postgresql+psycopg2:")}
    )
    _, log = refused.communicate(timeout=PATIENCE)
    assert refused.returncode == 1
    assert log.startswith("unavailable: The database is at no revision")
    assert "marketplace db upgrade" in log


def test_a_database_that_does_not_answer_is_said_in_one_line(environment, port):
    refused = marketplace("worker", **{**environment, "DATABASE_URL": f"postgresql://nobody@127.0.0.1:{port}/x"})
    _, log = refused.communicate(timeout=PATIENCE)
    assert (refused.returncode, log) == (1, "unavailable: The database does not answer.\n")
