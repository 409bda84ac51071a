"""A guarded command ends when it should, and takes with it what it started."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from marketplace.adapters.process_guard import GuardedProcess, spawn

# Writes the ids of itself and of a worker of its own, then waits to be told to end.
FAMILY = "sleep 1000 & echo $$ $! > {family}.new; mv {family}.new {family}; wait"

PARENT = """
import sys
from marketplace.adapters.process_guard import spawn

guarded = spawn(["sh", "-c", sys.argv[1]])
print(guarded.guard_pid, flush=True)
guarded.wait()
"""


def _eventually(holds: Callable[[], bool]) -> None:
    limit = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < limit
        time.sleep(0.01)


def _family(path: Path) -> list[int]:
    _eventually(path.exists)
    return [int(pid) for pid in path.read_text().split()]


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    try:
        # Nobody may be there to collect the status of what lost its parents.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return Path("/proc/self").exists()


def test_the_exit_status_is_the_commands() -> None:
    assert spawn(["sh", "-c", "exit 3"]).wait() == 3


def test_a_signals_number_is_told_as_a_shell_does() -> None:
    assert spawn(["sh", "-c", "kill -9 $$"]).wait() == 128 + signal.SIGKILL


def test_stop_asks_first(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    guarded = spawn(["sh", "-c", f"trap 'exit 7' TERM; touch {ready}; while :; do sleep 0.01; done"])
    _eventually(ready.exists)

    assert guarded.stop() == 7
    assert guarded.poll() == 7


def test_stop_uses_force_when_the_grace_is_over(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    stubborn = f"trap '' INT; touch {ready}; while :; do sleep 0.01; done"
    with spawn(["sh", "-c", stubborn], stop_signal=signal.SIGINT, grace=0.1) as guarded:
        _eventually(ready.exists)

    assert guarded.poll() == 128 + signal.SIGKILL


def test_a_sigterm_to_the_guard_stops_the_command(tmp_path: Path) -> None:
    guarded = spawn(["sh", "-c", FAMILY.format(family=tmp_path / "family")])
    command, worker = _family(tmp_path / "family")

    os.kill(guarded.guard_pid, signal.SIGTERM)

    assert guarded.wait() == 128 + signal.SIGTERM
    _eventually(lambda: _gone(command) and _gone(worker))


def test_a_killed_parent_takes_the_whole_family_with_it(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, FAMILY.format(family=tmp_path / "family")], stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    guard = int(parent.stdout.readline())
    family = _family(tmp_path / "family")

    parent.kill()
    parent.communicate()

    _eventually(lambda: all(_gone(pid) for pid in (guard, *family)))


def test_what_will_not_end_is_killed_soon_after_its_parent(tmp_path: Path) -> None:
    stubborn = f"trap '' TERM; {FAMILY.format(family=tmp_path / 'family')}; sleep 1000"
    code = PARENT.replace("sys.argv[1]])", "sys.argv[1]], grace=600, orphan_grace=0.2)")
    with subprocess.Popen([sys.executable, "-c", code, stubborn], stdout=subprocess.PIPE) as parent:
        family = _family(tmp_path / "family")
        parent.kill()
    for pid in family:
        _eventually(lambda pid=pid: _gone(pid))  # type: ignore[misc]  # a lambda whose default has no type


def test_the_workers_of_a_killed_command_go_too(tmp_path: Path) -> None:
    guarded = spawn(["sh", "-c", FAMILY.format(family=tmp_path / "family")])
    command, worker = _family(tmp_path / "family")

    os.kill(command, signal.SIGKILL)

    assert guarded.wait() == 128 + signal.SIGKILL
    _eventually(lambda: _gone(worker))


def test_the_output_goes_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"

    spawn(["sh", "-c", "echo told; echo warned >&2"], log=log, env={"PATH": os.environ["PATH"]}).wait()

    assert log.read_text() == "told\nwarned\n"
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_log_that_is_a_link_is_not_followed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log").symlink_to(tmp_path / "elsewhere")

    guarded: GuardedProcess = spawn(["echo", "told"], log=tmp_path / "log")

    assert guarded.wait() != 0
    assert "Too many levels of symbolic links" in capfd.readouterr().err
    assert not (tmp_path / "elsewhere").exists()
