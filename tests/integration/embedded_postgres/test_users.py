"""The embedded server under root, under another user, and in folders that are closed to it."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from pwd import getpwall

import pytest

import marketplace
from marketplace.adapters.embedded_postgres import EmbeddedPostgresError, start
from marketplace.adapters.postgres_binaries import find_programs, run_as, server_user, usable_programs
from marketplace.adapters.process_guard import Credentials
from tests.integration.embedded_postgres.helpers import OWNER, execute, postmaster

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")

# PostgreSQL looks its user up by name, so that this one has to exist.
SOMEBODY = next(user.pw_uid for user in getpwall() if user.pw_uid not in (0, 65534))

Starter = Callable[[Path], "subprocess.CompletedProcess[str]"]


def test_root_runs_the_server_as_nobody(home: Path) -> None:
    with start(home, fast=True) as server:
        assert Path(f"/proc/{postmaster(server.folder)}").stat().st_uid == 65534
        assert home.stat().st_mode & 0o777 == 0o711


def test_a_closed_home_stays_closed_and_the_server_moves(home: Path) -> None:
    home.chmod(0o700)

    with start(home, fast=True) as server:
        execute(server.url, "create table kept ()")
        assert server.folder.parent == Path("/var/tmp")
        assert (home / "postgres.moved").read_text() == f"{server.folder}\n"
        assert (server.folder.stat().st_mode & 0o777, server.folder.stat().st_uid) == (0o700, 65534)
        assert home.stat().st_mode & 0o777 == 0o700
    assert not (home / "postgres").exists()

    # Where it is does not depend on the home being closed for ever.
    home.chmod(0o711)
    with start(home, fast=True) as server:
        assert execute(server.url, "select to_regclass('kept')::text") == [("kept",)]


def test_a_strangers_folder_in_the_open_place_is_not_used(home: Path) -> None:
    home.chmod(0o700)
    with start(home, fast=True) as server:
        moved = server.folder
    os.chown(moved, SOMEBODY, SOMEBODY)

    with pytest.raises(EmbeddedPostgresError, match=f"belongs to uid {SOMEBODY}"):
        start(home, fast=True)


def test_programs_that_the_user_cannot_reach_are_copied_once(home: Path) -> None:
    wheel = find_programs().parents[1]
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    for folder in (wheel, wheel.with_name(f"{wheel.name}.libs")):
        shutil.copytree(folder, closed / folder.name)
    programs = closed / wheel.name / "pginstall" / "bin"

    with start(home, fast=True, bin_dir=programs) as server:
        assert execute(server.url, "select 1") == [(1,)]
        copies = list(server.folder.glob("server-*"))
        assert len(copies) == 1
        assert usable_programs(programs, server.folder, server_user()).is_relative_to(copies[0])


@pytest.fixture
def start_as_somebody() -> Iterator[Starter]:
    """Starts a server as a user who can reach neither root's home nor, perhaps, this checkout."""
    with tempfile.TemporaryDirectory(prefix="marketplace-tests-") as name:
        open_to_all = Path(name)
        open_to_all.chmod(0o755)
        source = Path(marketplace.__file__).parent
        shutil.copytree(source, open_to_all / "marketplace", ignore=shutil.ignore_patterns("__pycache__", "postgres"))
        user = Credentials(SOMEBODY, SOMEBODY)
        programs = usable_programs(find_programs(), open_to_all, user)
        python = next((path for path in _pythons() if _can_run(path, user)), None)
        if python is None:
            pytest.skip("no Python here that another user can run")

        def run(home: Path) -> subprocess.CompletedProcess[str]:
            environment = ["PYTHONDONTWRITEBYTECODE=1", f"PYTHONPATH={open_to_all}", f"PG_BIN_DIR={programs}"]
            return run_as(user, ["env", *environment, python, "-c", OWNER, home], cwd=Path("/"))

        yield run


def _pythons() -> Iterator[str]:
    yield sys.executable
    for name in ("python3.14", "python3.13", "python3.12", "python3.11", "python3"):
        yield f"/usr/bin/{name}"
        yield f"/usr/local/bin/{name}"


def _can_run(python: str, user: Credentials) -> bool:
    recent = "import sys; sys.exit(sys.version_info < (3, 11))"
    try:
        return run_as(user, [python, "-c", recent], cwd=Path("/")).returncode == 0
    except OSError:
        return False


def test_another_user_runs_the_server_as_itself(home: Path, start_as_somebody: Starter) -> None:
    os.chown(home, SOMEBODY, SOMEBODY)
    done = start_as_somebody(home)

    assert done.stdout.startswith("True postgresql://")
    assert (home / "postgres" / "data").stat().st_uid == SOMEBODY
    # Root goes on as the folder's owner, who can then start it again.
    with start(home, fast=True) as server:
        assert Path(f"/proc/{postmaster(server.folder)}").stat().st_uid == SOMEBODY


def test_another_users_server_folder_is_told_in_one_line(home: Path, start_as_somebody: Starter) -> None:
    with start(home, fast=True):
        pass
    done = start_as_somebody(home)

    assert "belongs to uid 65534: run as that user, or set MARKETPLACE_HOME" in done.stdout
