"""A real PostgreSQL server in a folder, without Docker, root rights or an installation.

The server belongs to the process that starts it (the owner) and ends with it, even by `kill -9`;
other processes that ask for the same home join it. What is alive is told by file locks, never by
process ids: the kernel drops a lock with the last process that holds it, while an id may have been
given to a stranger since. Three locks lie in the server's folder:

* `start.lock`: held while somebody looks and decides, so that of many starters one starts;
* `guard.lock`: held by the guard, that is as long as the server has an owner;
* `server.lock`: held by the guard and by every process of the server. Free means that nothing runs
  here, and whatever the last one left behind may be removed.

Connections need no password. The socket is the only way in unless a port is asked for, and it lies
in a folder that is closed to everybody else.
"""

import contextlib
import fcntl
import hashlib
import logging
import os
import shutil
import signal
import socket
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from marketplace.adapters.postgres_binaries import (
    EmbeddedPostgresError,
    find_programs,
    major_version,
    run_as,
    server_user,
    usable_programs,
)
from marketplace.adapters.process_guard import Credentials, GuardedProcess, spawn

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "start"]

_ROLE = "postgres"
_SOCKET_PORT = 5432  # only a part of the socket's name: each server has a folder of its own
_LONGEST_SOCKET_FOLDER = 85  # the path of a socket is limited to 108 bytes, on macOS to 104
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_ELSEWHERE = Path("/var/tmp")

_DEFAULTS = {
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Refused rows are the application's everyday business, and their text quotes what users typed.
    "log_min_messages": "fatal",
    "unix_socket_permissions": "0700",
}
# For tests: nothing in such a server is worth keeping over a crash of the machine.
_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}

_log = logging.getLogger(__name__)


class EmbeddedPostgres:
    """A running server, started by us (`owner`) or joined."""

    def __init__(self, folder: Path, address: "_Address", guarded: GuardedProcess | None) -> None:
        self.folder = folder
        self._address = address
        self._guarded = guarded

    @property
    def owner(self) -> bool:
        """Whether the server ends with this process."""
        return self._guarded is not None

    @property
    def url(self) -> str:
        """The address of the database `postgres`, as libpq takes it."""
        return self.url_for("postgres")

    def url_for(self, database: str) -> str:
        """Return the address of one database, as libpq takes it."""
        return self._address.url(database)

    def stop(self) -> None:
        """Stop the server if it is ours; what we only joined goes on."""
        if self._guarded is not None:
            self._guarded.stop()
            self._guarded = None

    def __enter__(self) -> "EmbeddedPostgres":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@dataclass(frozen=True)
class _Address:
    pid: int
    port: int
    socket_folder: str

    def url(self, database: str) -> str:
        host = quote(self.socket_folder, safe="")
        return f"postgresql://{_ROLE}@/{quote(database, safe='')}?host={host}&port={self.port}"

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
            client.connect(f"{self.socket_folder}/.s.PGSQL.{self.port}")
            return True
        return False


def start(
    home: Path,
    *,
    fast: bool = False,
    port: int | None = None,
    options: Mapping[str, str] | None = None,
    bin_dir: Path | None = None,
) -> EmbeddedPostgres:
    """Join the server of `home`, or start one there that ends when this process ends.

    `fast` gives up durability, for tests. `port` opens 127.0.0.1 as well. `options` are settings of
    the server that win over ours. `bin_dir` (or PG_BIN_DIR) names the server to use.
    Raises EmbeddedPostgresError, whose message is one line for the operator.
    """
    try:
        folder, user = _server_folder(home.resolve())
        return _join_or_start(folder, user, fast=fast, port=port, options=options or {}, bin_dir=bin_dir)
    except OSError as error:
        raise EmbeddedPostgresError(f"no PostgreSQL in {home}: {error}") from error


def _join_or_start(
    folder: Path,
    user: Credentials | None,
    *,
    fast: bool,
    port: int | None,
    options: Mapping[str, str],
    bin_dir: Path | None,
) -> EmbeddedPostgres:
    data = folder / "data"
    deadline = time.monotonic() + _START_SECONDS
    with _locked(folder / "start.lock", deadline), contextlib.ExitStack() as stack:
        server_lock = stack.enter_context(_opened(folder / "server.lock"))
        guard_lock = stack.enter_context(_opened(folder / "guard.lock"))
        while not _try_lock(guard_lock):
            # It has an owner: it is ready, still starting, or (when the owner is going) nearly gone.
            address = _ready(data)
            if address and address.answers():
                return EmbeddedPostgres(folder, address, None)
            _pause(deadline, folder)
        _end_orphan(data, user, server_lock, deadline)
        programs = usable_programs(find_programs(bin_dir), folder, user)
        _prepare_data(programs, data, user, fast=fast, lock=server_lock)
        sockets = _socket_folder(folder, user)
        _remove_leftovers(data, sockets)
        settings = {**_DEFAULTS, **(_FAST if fast else {}), **options}
        settings |= {
            "listen_addresses": "127.0.0.1" if port else "",
            "port": str(port or _SOCKET_PORT),
            "unix_socket_directories": str(sockets),
        }
        guarded = spawn(
            [programs / "postgres", "-D", data, *(f"--{name}={value}" for name, value in settings.items())],
            stop_signal=signal.SIGINT,  # to PostgreSQL: roll back, disconnect everybody, end
            grace=_STOP_SECONDS,
            log=folder / "log",
            user=user,
            cwd=Path("/"),
            hold_fds=[guard_lock],
            pass_fds=[server_lock],
        )
        try:
            while not ((address := _ready(data)) and address.answers()):
                if guarded.poll() is not None:
                    raise EmbeddedPostgresError(f"PostgreSQL did not start: {_last_line(folder / 'log')}")
                _pause(deadline, folder)
        except BaseException:
            guarded.stop()
            raise
        return EmbeddedPostgres(folder, address, guarded)


def _server_folder(home: Path) -> tuple[Path, Credentials | None]:
    """Return the server's folder, made and closed to others, and the user to run as.

    Where root's home cannot be reached by the server's user, only this folder moves away, and a file
    in the home says where to.
    """
    home.mkdir(parents=True, exist_ok=True)
    here, note = home / "postgres", home / "postgres.moved"
    user = server_user()
    if note.exists():
        moved = Path(note.read_text().strip())
        if not moved.exists():
            _log.warning("the database of %s is gone from %s: starting with an empty one", home, moved)
        return moved, _closed(moved, user)
    if user is None:
        return here, _closed(here, user)
    fresh = not here.exists()
    user = _closed(here, user)
    if _enters(here, user):
        return here, user
    if not fresh and any(here.iterdir()):
        raise EmbeddedPostgresError(f"{here} can no longer be reached by its user {user}: open {home} again")
    here.rmdir()
    moved = _elsewhere(home)
    user = _closed(moved, user)
    if not _enters(moved, user):
        raise EmbeddedPostgresError(f"uid {user.uid if user else 0} cannot use {moved}: set PG_UID")
    note.write_text(f"{moved}\n")
    return moved, user


def _elsewhere(path: Path) -> Path:
    """Return a short, private name for `path` in a place that every user can reach."""
    return _ELSEWHERE / f"marketplace-{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}"


def _closed(folder: Path, user: Credentials | None) -> Credentials | None:
    """Make `folder` the user's own and nobody else's, and return the user to run as.

    A folder that is there already belongs to whoever ran the first server in it, and root goes on as
    that user. In a place open to everybody a stranger may have made it first: then it is not used.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise EmbeddedPostgresError(f"{folder} is in the way: a folder for PostgreSQL has to be there")
    if user is None:
        if found.st_uid != os.geteuid():
            raise EmbeddedPostgresError(
                f"{folder} belongs to uid {found.st_uid}: run as that user, or set MARKETPLACE_HOME"
            )
    elif found.st_uid == 0:
        os.chown(folder, user.uid, user.gid, follow_symlinks=False)
    elif folder.parent == _ELSEWHERE and found.st_uid != user.uid:
        raise EmbeddedPostgresError(f"{folder} belongs to uid {found.st_uid}, not to {user.uid}: remove it")
    else:
        user = Credentials(found.st_uid, found.st_gid)
    folder.chmod(0o700)
    return user


def _enters(folder: Path, user: Credentials | None) -> bool:
    return run_as(user, ["/bin/sh", "-c", 'cd "$0" && test -w .', folder], cwd=Path("/")).returncode == 0


def _socket_folder(folder: Path, user: Credentials | None) -> Path:
    if len(os.fsencode(folder)) <= _LONGEST_SOCKET_FOLDER:
        return folder
    short = _elsewhere(folder)
    _closed(short, user)
    return short


def _prepare_data(programs: Path, data: Path, user: Credentials | None, *, fast: bool, lock: int) -> None:
    """Make the data folder, or see that the one that is there was made by the same major version."""
    version = major_version(programs, user)
    if data.exists():
        made_by = (data / "PG_VERSION").read_text().strip()
        if made_by != str(version):
            raise EmbeddedPostgresError(
                f"{data} was made by PostgreSQL {made_by}, but {programs} is {version}: "
                f"set PG_BIN_DIR to that version, or move the folder away to start anew"
            )
        return
    # A killed initdb leaves half a folder, so it works beside and the rename makes it count.
    half = data.with_name("data.new")
    if half.exists():
        shutil.rmtree(half)
    command: list[str | Path] = [programs / "initdb", "-D", half, "-U", _ROLE, "-A", "trust", "-E", "UTF8"]
    command += ["--no-instructions"]
    # The built-in locale sorts the same on every machine; before 17 there was none.
    if version >= 17:
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    else:
        command += ["--locale=C.UTF-8"]
    if fast:
        command += ["--no-sync", *(["--no-data-checksums"] if version >= 18 else [])]
    done = run_as(user, command, cwd=data.parent, pass_fds=[lock])
    if done.returncode:
        raise EmbeddedPostgresError(f"initdb failed: {done.stdout.strip()}")
    half.rename(data)


def _end_orphan(data: Path, user: Credentials | None, server_lock: int, deadline: float) -> None:
    """Take the server's lock; a server whose guard was killed is stopped for it."""
    patience = time.monotonic() + 1.0  # a server that lost its main process needs this long to go
    asked = False
    while not _try_lock(server_lock):
        if time.monotonic() > patience and not asked and (address := _ready(data)):
            # As its user: whoever may write the file must not make root signal any process.
            run_as(user, ["/bin/sh", "-c", 'kill -INT "$0"', str(address.pid)], cwd=Path("/"))
            asked = True
        _pause(deadline, data.parent)


def _remove_leftovers(data: Path, sockets: Path) -> None:
    """Remove what a killed server leaves, for its process id may be somebody else's by now."""
    (data / "postmaster.pid").unlink(missing_ok=True)
    for left in sockets.glob(".s.PGSQL.*"):
        left.unlink()


def _ready(data: Path) -> _Address | None:
    """Return where the server of this folder says that it listens, None while it is not ready."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        lines = (data / "postmaster.pid").read_text().splitlines()
        if lines[7].strip() == "ready":
            return _Address(pid=int(lines[0]), port=int(lines[3]), socket_folder=lines[4])
    return None


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    try:
        # Root opens it in another user's folder: never follow a link that lies there.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise EmbeddedPostgresError(f"cannot open {path}: {error.strerror}") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _locked(path: Path, deadline: float) -> Iterator[None]:
    with _opened(path) as descriptor:
        while not _try_lock(descriptor):
            _pause(deadline, path.parent)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pause(deadline: float, folder: Path) -> None:
    if time.monotonic() > deadline:
        raise EmbeddedPostgresError(f"PostgreSQL in {folder} did not get ready: see {folder / 'log'}")
    time.sleep(0.01)


def _last_line(log: Path) -> str:
    with contextlib.suppress(OSError, IndexError):
        return log.read_text(errors="replace").splitlines()[-1]
    return "it wrote nothing to its log"
