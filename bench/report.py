"""What was measured, for people: a table on the terminal, and docs/performance.md."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.flows import Flow
from bench.seed import Size
from bench.servers import THREADS, WORKERS

HEAD = (
    "| flow | L1 req/s | app req/s | of L1 | goal | L1 CPU us (app + db) | app CPU us (app + db) | CPU of L1 |"
    " p50 ms | p99 ms | spread |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


@dataclass(frozen=True)
class Sample:
    """One run of one application: requests a second, CPU microseconds a request, latencies in ms, bytes an answer."""

    rate: float
    server_us: float
    database_us: float
    p50: float
    p99: float
    size: int


@dataclass(frozen=True)
class Result:
    flow: Flow
    baseline: list[Sample]
    application: list[Sample]

    @property
    def ratio(self) -> float:
        """Of the medians of the rates."""
        return _median(self.application, "rate") / _median(self.baseline, "rate")

    @property
    def row(self) -> str:
        ours, theirs = self.application, self.baseline
        rates = [sample.rate for sample in ours]
        spread = (max(rates) - min(rates)) / median(rates)
        cells = (
            self.flow.name,
            f"{_median(theirs, 'rate'):,.0f}",
            f"{_median(ours, 'rate'):,.0f}",
            f"{self.ratio:.0%}",
            f"{self.flow.goal:.0%}",
            _cpu(theirs),
            _cpu(ours),
            f"{_total(ours) / _total(theirs):.0%}",
            f"{_median(ours, 'p50'):.1f}",
            f"{_median(ours, 'p99'):.1f}",
            f"{spread:.0%}",
        )
        return f"| {' | '.join(cells)} |"


def write(
    file: Path,
    results: list[Result],
    *,
    size: Size,
    rounds: int,
    seconds: float,
    connections: int,
    postgres: str,
    memory: list[float],
    notes: str,
) -> None:
    """Everything after the line ``<!-- by hand -->`` of an earlier file is kept."""
    kept = ""
    marker = "<!-- by hand -->"
    if file.exists() and marker in file.read_text():
        kept = file.read_text().partition(marker)[2]
    flows = "\n".join(f"- **{result.flow.name}**: {result.flow.what}." for result in results)
    rows = "\n".join(result.row for result in results)
    workers = ", ".join(f"{mib:.0f}" for mib in memory[:WORKERS])
    file.write_text(
        f"""# Performance

Figures of `make bench`, which writes this page. Machines differ and are busy with other things, so each figure stands
beside that of a baseline, **L1**, measured in the same interleaved run: a bare WSGI application on the same server that
takes a pooled psycopg2 connection, asks PostgreSQL in the plainest way and encodes the answer with orjson, without
framework, validation, authentication, log or prepared statements (`bench/baseline.py`). CPU time a request moves much
less than the rate when others use the machine.

{HEAD}
{rows}

Medians of {rounds} rounds of {seconds:g} s; spread is (largest - smallest) / median of our rates. CPU microseconds a
request: the server's processes + PostgreSQL's.

{flows}

What was measured: {size.products:,} products with four variants each, {size.listings:,} listings, {size.sellers:,}
sellers, {size.buyers:,} buyers; PostgreSQL {postgres} with fsync, Python {platform.python_version()}, granian with
{WORKERS} workers of {THREADS} threads, {connections} connections; all of it, and the load, on
{_cores()}. The application runs as in production: validation, authentication (the session is read from the database at
each request), request id, log line, security headers. Resident memory of the workers afterwards: {workers} MiB.{notes}

## How to repeat it

    make bench                       # all of it, about five minutes
    .venv/bin/python -m bench --help
    .venv/bin/python -m bench --smoke        # small and quick: does it still run? Writes nothing
    .venv/bin/python -m bench --scale 10     # ten times the data

A database server of its own is started in a temporary folder and removed again. The L1 of checkout makes five
statements in one transaction; that of the cart one conditional statement; that of the detail two, since it reads
variants and offers as well.

{marker}{kept}"""
    )


def _cores() -> str:
    import os

    count = len(os.sched_getaffinity(0))
    return f"{count} core{'s' if count != 1 else ''}"


def _median(samples: list[Sample], name: str) -> float:
    return median(getattr(sample, name) for sample in samples)


def _total(samples: list[Sample]) -> float:
    return median(sample.server_us + sample.database_us for sample in samples)


def _cpu(samples: list[Sample]) -> str:
    server, database = _median(samples, "server_us"), _median(samples, "database_us")
    return f"{server + database:,.0f} ({server:,.0f} + {database:,.0f})"
