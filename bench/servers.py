"""What is measured: a database with data, and the two applications on the same server software."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.seed import Size, generate
from marketplace.adapters import embedded_postgres
from marketplace.adapters.postgres.databases import create_database, named
from marketplace.adapters.postgres.migrate import upgrade

WORKERS, THREADS = 2, 4
_SECRET = "only-for-the-benchmark-0123456789abcdef"
_DATABASE = "bench"


@dataclass(frozen=True)
class Database:
    """``pid`` is the server's first process."""

    url: str
    dsn: str
    pid: int
    version: str


@dataclass(frozen=True)
class Server:
    name: str
    port: int
    process: subprocess.Popen[bytes]


def environment(database: Database, home: Path) -> dict[str, str]:
    """As in production, but for the payment provider: this version has only the simulated one."""
    return {
        "MARKETPLACE_ENV": "staging",
        # On, as they are on a server, and never reached.
        "RATE_LIMIT_ENABLED": "true",
        "RATE_LIMIT_ANONYMOUS": "1000000/second",
        "RATE_LIMIT_AUTHENTICATED": "1000000/second",
        "RATE_LIMIT_LOGIN": "1000000/second",
        "MARKETPLACE_HOME": str(home),
        "DATABASE_URL": database.url,
        "SECRET_KEY": _SECRET,
        "EMAIL_HOST": "127.0.0.1",
        "LOG_FORMAT": "json",
        "ALLOWED_HOSTS": "127.0.0.1",
    }


@contextmanager
def database(home: Path, size: Size) -> Iterator[Database]:
    """A durable server of its own with generated data, gone afterwards."""
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o711)
    with embedded_postgres.start(home, options={"shared_buffers": "512MB", "max_wal_size": "4GB"}) as server:
        driver = server.url.replace("postgresql://", "postgresql+psycopg2://", 1)
        create_database(driver, _DATABASE)
        url = named(driver, _DATABASE)
        upgrade(url)
        dsn = server.url_for(_DATABASE)
        generate(dsn, size)
        data = server.folder / "data"
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        version = (data / "PG_VERSION").read_text().strip()
        yield Database(url=url, dsn=dsn, pid=pid, version=version)


@contextmanager
def served(name: str, target: str, variables: dict[str, str], log: Path) -> Iterator[Server]:
    """``target`` on two workers of four threads, as `marketplace serve` starts them."""
    port = _free_port()
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", str(WORKERS), "--blocking-threads", str(THREADS), "--no-ws", "--log-level", "warning"),
        target,
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env={**os.environ, **variables}, stdout=out, stderr=out)
    try:
        _await(process, port, log)
        yield Server(name=name, port=port, process=process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"A server did not start:\n{log.read_text()[-2000:]}")
