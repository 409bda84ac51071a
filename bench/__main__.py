"""`python -m bench`: seed a database, serve both applications, load them in turn, print and write the figures."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench import cpu, report
from bench.flows import SHOPPERS, Flow, flows
from bench.load import write_requests
from bench.seed import Size, fill_carts
from bench.servers import Database, Server, database, environment, served
from marketplace.entrypoints.container import build_container
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.http.auth import access_token
from marketplace.entrypoints.settings import Settings

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
WARM_UP = 1.0


def main() -> None:
    asked = _arguments()
    size = Size.of(asked.scale)
    work = Path(tempfile.mkdtemp(prefix="marketplace-bench-"))
    try:
        work.chmod(0o711)
        with ExitStack() as stack:
            _say(f"Making {size.products:,} products, {size.listings:,} listings ...")
            store = stack.enter_context(database(work / "home", size))
            fill_carts(store.dsn, size, first=0, count=size.buyers - SHOPPERS)
            variables = environment(store, work)
            chosen = [flow for flow in _flows(variables, size) if asked.only in ("", flow.name)]
            baseline = stack.enter_context(
                served("L1", "bench.baseline:app", {"BENCH_DSN": store.dsn}, work / "baseline.log")
            )
            application = stack.enter_context(
                served("application", "marketplace.entrypoints.http.wsgi:app", variables, work / "app.log")
            )
            results = _measure(chosen, baseline, application, store, asked, work)
            memory = cpu.memory_mib(application.process.pid)
        print(report.HEAD)
        for result in results:
            print(result.row)
        if not asked.smoke and not asked.only:
            PAGE.parent.mkdir(exist_ok=True)
            report.write(
                PAGE,
                results,
                size=size,
                rounds=asked.rounds,
                seconds=asked.seconds,
                connections=asked.connections,
                postgres=store.version,
                memory=memory,
                notes="",
            )
            _say(f"Written: docs/{PAGE.name}")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 50,000 products and 300,000 listings")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each run")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--only", default="", help="one flow: list, detail, 'add to cart', checkout; writes nothing")
    parser.add_argument("--patience", type=float, default=120.0, help="seconds to wait, in all, for a quiet machine")
    parser.add_argument("--smoke", action="store_true", help="a hundredth of the data, one short round; writes nothing")
    asked = parser.parse_args()
    if asked.smoke:
        asked.scale, asked.rounds, asked.seconds, asked.patience = 0.01, 1, 0.5, 0.0
    return asked


def _flows(variables: dict[str, str], size: Size) -> list[Flow]:
    container = build_container(Settings.from_env(variables))
    app = create_app(container)
    try:
        with app.app_context():
            return flows(size, lambda buyer: access_token(buyer, buyer))
    finally:
        container.backend.engine().dispose()


def _measure(
    chosen: list[Flow],
    baseline: Server,
    application: Server,
    store: Database,
    asked: argparse.Namespace,
    work: Path,
) -> list[report.Result]:
    """Round by round, each flow on the baseline and then on the application."""
    results = [report.Result(flow, [], []) for flow in chosen]
    queues = {
        (flow.name, server.name): _Queue(work, flow, server) for flow in chosen for server in (baseline, application)
    }
    quiet = cpu.QuietMachine(asked.patience)
    for queue in queues.values():
        queue.run(min(WARM_UP, asked.seconds), asked.connections)
    for number in range(1, asked.rounds + 1):
        for result in results:
            for server, samples in ((baseline, result.baseline), (application, result.application)):
                quiet.wait()
                queue = queues[result.flow.name, server.name]
                samples.append(_sample(queue, store, asked))
                _say(f"round {number} {result.flow.name:<12} {server.name:<12} {samples[-1].rate:8,.0f} req/s")
    return results


class _Queue:
    """The requests of one flow for one server; those that are sent once are taken from it."""

    def __init__(self, work: Path, flow: Flow, server: Server) -> None:
        self.server = server
        self._flow = flow
        # The baseline sells out of no cart, so that its requests can be sent again.
        self._once = flow.once and server.name != "L1"
        self._left = flow.baseline if server.name == "L1" else flow.application
        self._file = work / f"{flow.name}-{server.name}.requests".replace(" ", "-")

    def run(self, seconds: float, connections: int) -> dict[str, object]:
        if not self._left:
            sys.exit(f"There are no more requests for {self._flow.name}: take fewer rounds or a larger --scale.")
        write_requests(self._file, self._left)
        command = [sys.executable, "-m", "bench.load", str(self.server.port), str(seconds), str(connections)]
        done = subprocess.run(
            [*command, str(self._file), *(["--once"] if self._once else [])],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"The load on {self.server.name} failed:\n{done.stderr}")
        outcome: dict[str, object] = json.loads(done.stdout)
        if outcome["refused"]:
            sys.exit(f"{self.server.name} refused {self._flow.name}: {outcome['refused']}\n{outcome['first_refusal']}")
        if self._once:
            self._left = self._left[int(str(outcome["requests"])) :]
        return outcome


def _sample(queue: _Queue, store: Database, asked: argparse.Namespace) -> report.Sample:
    before = cpu.tree_seconds(queue.server.process.pid), cpu.tree_seconds(store.pid)
    outcome = queue.run(asked.seconds, asked.connections)
    time.sleep(0.1)
    after = cpu.tree_seconds(queue.server.process.pid), cpu.tree_seconds(store.pid)
    count = float(str(outcome["requests"]))
    return report.Sample(
        rate=count / float(str(outcome["seconds"])),
        server_us=(after[0] - before[0]) / count * 1e6,
        database_us=(after[1] - before[1]) / count * 1e6,
        p50=float(str(outcome["p50_ms"])),
        p99=float(str(outcome["p99_ms"])),
        size=int(str(outcome["bytes"])),
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
