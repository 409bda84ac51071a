"""The embedded server: who owns it, what it survives, and what a reader of its errors is told."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from marketplace.adapters.embedded_postgres import EmbeddedPostgresError, start
from tests.integration.embedded_postgres.helpers import OWNER, execute, postmaster


@pytest.fixture
def owner() -> Iterator[Callable[[Path], subprocess.Popen[str]]]:
    """Starts processes that own (or join) the server of a home; they have said so when this returns."""
    processes: list[subprocess.Popen[str]] = []

    def run(home: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", OWNER, home], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        if process.poll() is None:
            process.communicate()
        for stream in (process.stdin, process.stdout):
            if stream and not stream.closed:
                stream.close()


def _said(process: subprocess.Popen[str]) -> tuple[bool, str]:
    assert process.stdout is not None
    owner, _, url = process.stdout.readline().strip().partition(" ")
    return owner == "True", url


def _wait_until_gone(pid: int) -> None:
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    pytest.fail(f"process {pid} is still there")


def test_data_is_kept_over_a_restart(home: Path) -> None:
    with start(home, fast=True) as server:
        assert server.owner
        execute(server.url, "create table kept as select 42 as answer")

    with start(home, fast=True) as server:
        assert execute(server.url, "select answer from kept") == [(42,)]


def test_a_second_start_joins_and_leaves_the_server_running(home: Path) -> None:
    with start(home, fast=True) as server:
        joined = start(home)
        assert (joined.owner, joined.url) == (False, server.url)
        joined.stop()

        assert execute(server.url, "select 1") == [(1,)]


def test_the_server_is_closed_to_others(home: Path) -> None:
    with start(home, fast=True) as server:
        assert server.folder.stat().st_mode & 0o777 == 0o700
        assert execute(server.url, "show listen_addresses") == [("",)]
        assert execute(server.url, "show unix_socket_permissions") == [("0700",)]


def test_settings_can_be_given(home: Path) -> None:
    with start(home, fast=True, options={"max_connections": "17"}) as server:
        assert execute(server.url, "show max_connections") == [("17",)]
        assert execute(server.url, "show fsync") == [("off",)]


def test_the_default_is_durable(home: Path) -> None:
    with start(home) as server:
        rows = execute(server.url, "select name, setting from pg_settings where name in ('fsync', 'full_page_writes')")
        assert dict(rows) == {"fsync": "on", "full_page_writes": "on"}


def test_a_port_opens_the_local_address_only(home: Path, unused_port: int) -> None:
    with start(home, fast=True, port=unused_port) as server:
        assert execute(f"postgresql://postgres@127.0.0.1:{unused_port}/postgres", "select 1") == [(1,)]
        assert execute(server.url, "show listen_addresses") == [("127.0.0.1",)]


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_two_homes_live_side_by_side(home: Path) -> None:
    with start(home / "one", fast=True) as one, start(home / "two", fast=True) as two:
        execute(one.url, "create table mine ()")

        assert execute(two.url, "select to_regclass('mine')::text") == [(None,)]


def test_a_name_with_spaces_and_a_very_long_one_work(home: Path) -> None:
    for name in ("with space & more?", "long-" * 30):
        with start(home / name, fast=True) as server:
            assert execute(server.url_for("template1"), "select 1") == [(1,)]
            [(sockets,)] = execute(server.url, "show unix_socket_directories")
        if sockets != str(server.folder):
            shutil.rmtree(str(sockets))


def test_many_starters_get_one_server(home: Path, owner: Callable[[Path], subprocess.Popen[str]]) -> None:
    said = [_said(process) for process in [owner(home) for _ in range(4)]]

    assert sorted(owner for owner, _ in said) == [False, False, False, True]
    assert len({url for _, url in said}) == 1


def test_the_server_goes_with_its_killed_owner(home: Path, owner: Callable[[Path], subprocess.Popen[str]]) -> None:
    process = owner(home)
    _, url = _said(process)
    execute(url, "create table kept ()")
    pid = postmaster(home / "postgres")

    process.kill()
    process.wait()

    _wait_until_gone(pid)
    with start(home, fast=True) as server:
        assert server.owner
        assert execute(server.url, "select to_regclass('kept')::text") == [("kept",)]


def test_the_next_start_follows_a_killed_owner_at_once(
    home: Path, owner: Callable[[Path], subprocess.Popen[str]]
) -> None:
    process = owner(home)
    _said(process)

    process.kill()

    # Either the old server is still going down or it is gone: it is never joined for good.
    with start(home, fast=True) as server:
        limit = time.monotonic() + 5
        while not server.owner and time.monotonic() < limit:
            time.sleep(0.05)
            server = start(home, fast=True)
        assert server.owner
        server.stop()
    process.wait()


def test_committed_rows_survive_a_killed_server(home: Path) -> None:
    with start(home) as server:
        execute(server.url, "create table kept as select generate_series(1, 1000) as number")
        os.kill(postmaster(server.folder), signal.SIGKILL)

    with start(home) as server:
        assert server.owner
        assert execute(server.url, "select count(*) from kept") == [(1000,)]


def test_a_server_whose_guard_was_killed_is_taken_over(
    home: Path, owner: Callable[[Path], subprocess.Popen[str]]
) -> None:
    process = owner(home)
    _said(process)
    orphan = postmaster(home / "postgres")
    guard = int(Path(f"/proc/{orphan}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(guard, signal.SIGKILL)

    with start(home, fast=True) as server:
        assert server.owner
        assert postmaster(server.folder) != orphan
    process.kill()
    process.wait()


def test_leftovers_that_name_a_living_stranger_are_in_nobodys_way(home: Path) -> None:
    with start(home, fast=True) as server:
        folder = server.folder
        pid_file = (folder / "data" / "postmaster.pid").read_text()
    # As after a restart of the machine: the number now belongs to a process of somebody else.
    (folder / "data" / "postmaster.pid").write_text(pid_file.replace(pid_file.split()[0], str(os.getpid()), 1))
    (folder / ".s.PGSQL.5432.lock").write_text(f"{os.getpid()}\n")
    (folder / ".s.PGSQL.5432").touch()

    with start(home, fast=True) as server:
        assert execute(server.url, "select 1") == [(1,)]


def test_a_half_made_data_folder_is_made_anew(home: Path) -> None:
    with start(home, fast=True) as server:
        folder = server.folder
    (folder / "data").rename(folder / "data.new")
    (folder / "data.new" / "global" / "pg_control").unlink()

    with start(home, fast=True) as server:
        assert execute(server.url, "select 1") == [(1,)]


def test_another_major_version_is_told_in_one_line(home: Path) -> None:
    with start(home, fast=True) as server:
        version = server.folder / "data" / "PG_VERSION"
    version.write_text("12\n")

    with pytest.raises(EmbeddedPostgresError, match=r"^.* was made by PostgreSQL 12, but .* is \d+: .*$"):
        start(home, fast=True)


def test_a_setting_that_the_server_refuses_is_told(home: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="max_connections"):
        start(home, fast=True, options={"max_connections": "many"})


def test_a_folder_without_a_server_is_told(home: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="has no initdb and postgres in it"):
        start(home, bin_dir=home)


def test_a_home_that_is_a_file_is_told(home: Path) -> None:
    (home / "file").touch()

    with pytest.raises(EmbeddedPostgresError, match="no PostgreSQL in"):
        start(home / "file")
