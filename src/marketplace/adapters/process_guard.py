"""Run a command that ends when this process ends, however it ends.

A child outlives a parent that is killed with `kill -9`: nothing tells it. So each command runs under
a small guard process that holds the reading end of a pipe whose writing end only we hold. When we go,
the kernel closes our end, the guard reads the end of the file and stops its command. The guard is
this very file, run as a script: it may import the standard library only.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType, TracebackType

_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Credentials:
    """The user and group that a command runs as; only root may become somebody else."""

    uid: int
    gid: int


@dataclass(frozen=True)
class _Order:
    """What the guard is told, as JSON in its only argument."""

    command: list[str]
    parent: int
    stop_signal: int
    grace: float
    orphan_grace: float
    log: str | None
    uid: int | None
    gid: int | None
    pass_fds: list[int]


class GuardedProcess:
    """A command under its guard. It ends with `stop`, with the command itself, or with this process."""

    def __init__(self, guard: "subprocess.Popen[bytes]", grace: float) -> None:
        self._guard = guard
        self._grace = grace

    @property
    def guard_pid(self) -> int:
        """The guard's process id; SIGTERM to it stops the command."""
        return self._guard.pid

    def poll(self) -> int | None:
        """Return the command's exit status, or None while it runs."""
        status = self._guard.poll()
        if status is not None:
            self._let_go()
        return status

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the command to end by itself and return its exit status."""
        status = self._guard.wait(timeout)
        self._let_go()
        return status

    def stop(self) -> int:
        """Stop the command, by force once its grace is over, and return its exit status."""
        self._let_go()
        # The guard kills the command after the grace; the rest is for a machine under load.
        return self._guard.wait(self._grace + 30)

    def _let_go(self) -> None:
        assert self._guard.stdin is not None
        self._guard.stdin.close()

    def __enter__(self) -> "GuardedProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def spawn(
    command: Sequence[str | Path],
    *,
    stop_signal: signal.Signals = signal.SIGTERM,
    grace: float = 10.0,
    orphan_grace: float | None = None,
    log: Path | None = None,
    user: Credentials | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    hold_fds: Sequence[int] = (),
    pass_fds: Sequence[int] = (),
) -> GuardedProcess:
    """Start `command` under a guard.

    `stop_signal` asks it to end, SIGKILL follows after `grace` seconds, or after `orphan_grace`, if that
    is less, when this process is gone: then somebody may be starting it all again. Its output goes to
    `log`, or to ours. `hold_fds` stay open in the guard, `pass_fds` in the guard and in the command: a file
    lock on one of them lasts exactly as long as those processes live.
    """
    order = _Order(
        command=[str(word) for word in command],
        parent=os.getpid(),
        stop_signal=int(stop_signal),
        grace=grace,
        orphan_grace=grace if orphan_grace is None else min(grace, orphan_grace),
        log=str(log) if log else None,
        uid=user.uid if user else None,
        gid=user.gid if user else None,
        pass_fds=list(pass_fds),
    )
    guard = subprocess.Popen(
        # -I -S: neither the environment nor an installed package decides how the guard starts.
        [sys.executable, "-I", "-S", os.path.abspath(__file__), json.dumps(asdict(order))],
        stdin=subprocess.PIPE,
        env=None if env is None else dict(env),
        cwd=cwd,
        pass_fds=[*hold_fds, *pass_fds],
        # Ctrl-C reaches the whole foreground group: in a session of its own the command is stopped
        # once, by us, in the order that we choose.
        start_new_session=True,
    )
    return GuardedProcess(guard, grace)


class _StopAsked:
    """Whether somebody sent SIGTERM to the guard."""

    def __init__(self) -> None:
        self.yes = False

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        self.yes = True


def _run_guard(order: _Order) -> int:
    """Own the command until the parent goes, somebody sends SIGTERM, or the command ends."""
    stop_asked = _StopAsked()
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop_asked)
    # A handler has to be there for the signal to wake `select`.
    signal.signal(signal.SIGCHLD, lambda *_: None)
    child = _start_command(order)
    while child.poll() is None:
        ready, _, _ = select.select([0, wake_read], [], [], _POLL_SECONDS)
        if wake_read in ready:
            os.read(wake_read, 64)
        # The pipe also stays open in a fork of the parent, so its pid is looked at as well.
        if 0 in ready or stop_asked.yes or os.getppid() != order.parent:
            child.send_signal(order.stop_signal)
            _wait_for_its_end(child, order)
            break
    # What is left of its group goes too: the command itself when its grace is over, and the workers
    # of a command that was killed.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    return _status(child.wait())


def _wait_for_its_end(child: "subprocess.Popen[bytes]", order: _Order) -> None:
    asked = time.monotonic()
    while child.poll() is None:
        grace = order.grace if os.getppid() == order.parent else order.orphan_grace
        left = asked + grace - time.monotonic()
        if left <= 0:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(min(left, _POLL_SECONDS))


def _start_command(order: _Order) -> "subprocess.Popen[bytes]":
    output: int | None = None
    if order.log is not None:
        # The folder may belong to the command's user: never follow a link that it put there.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        output = os.open(order.log, flags, 0o600)
    return subprocess.Popen(
        order.command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=order.pass_fds,
        process_group=0,
        user=order.uid,
        group=order.gid,
        extra_groups=None if order.uid is None else [],
    )


def _status(code: int) -> int:
    """Exit as a shell does: 128 and the signal's number for a command that a signal ended."""
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(_run_guard(_Order(**json.loads(sys.argv[1]))))
