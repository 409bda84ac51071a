"""The benchmark still runs: its data fits the schema, its requests fit the API, its load counts what it gets."""

import subprocess
import sys
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

import pytest
from bench import load

ROOT = Path(__file__).parents[2]


class Scripted(StreamRequestHandler):
    """Answers /good with 200, in two pieces, and everything else with 404."""

    def handle(self) -> None:
        while line := self.rfile.readline():
            while self.rfile.readline().strip():
                pass
            if b"/good" in line:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
                self.wfile.flush()
                self.wfile.write(b"def")
            else:
                self.wfile.write(b"HTTP/1.1 404 NOT FOUND\r\ncontent-length: 0\r\n\r\n")


@pytest.fixture
def port():
    with ThreadingTCPServer(("127.0.0.1", 0), Scripted) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def request(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


class TestLoad:
    def test_sends_each_request_a_single_time_when_asked_to(self, port):
        outcome = load.run(port, 10, 2, [request("/good")] * 9, once=True)
        assert outcome["requests"] == 9
        assert outcome["refused"] == {}

    def test_goes_round_until_the_time_is_over(self, port):
        outcome = load.run(port, 0.2, 2, [request("/good")] * 3, once=False)
        assert outcome["requests"] > 3
        assert outcome["seconds"] >= 0.2

    def test_counts_what_was_refused_and_keeps_the_first(self, port):
        outcome = load.run(port, 10, 1, [request("/good"), request("/bad"), request("/bad")], once=True)
        assert outcome["refused"] == {"404": 2}
        assert "NOT FOUND" in outcome["first_refusal"]

    def test_reads_back_the_requests_that_were_written(self, tmp_path):
        requests = [b"one", b"", b"three\r\n"]
        load.write_requests(tmp_path / "file", requests)
        assert load.read_requests(tmp_path / "file") == requests


@pytest.mark.slow
def test_a_small_run_measures_every_flow_and_writes_nothing():
    page = ROOT / "docs" / "performance.md"
    before = page.read_text() if page.exists() else None
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--smoke"], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    for flow in ("list", "detail", "add to cart", "checkout"):
        assert f"| {flow} |" in done.stdout
    assert (page.read_text() if page.exists() else None) == before
