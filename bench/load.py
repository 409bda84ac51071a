"""The load: a process of its own that keeps connections busy with requests that were built beforehand.

    python -m bench.load PORT SECONDS CONNECTIONS FILE [--once]

FILE holds whole HTTP requests, each after its length in four bytes. They are sent over and over, or, with ``--once``,
each a single time. One thread, one epoll: about 20 us a request, so that the server has the machine to itself.
Prints one JSON object.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
from pathlib import Path
from time import perf_counter

_END_OF_HEAD = b"\r\n\r\n"


def write_requests(file: Path, requests: list[bytes]) -> None:
    with file.open("wb") as out:
        for request in requests:
            out.write(struct.pack("<I", len(request)) + request)


def read_requests(file: Path) -> list[bytes]:
    data, at, requests = file.read_bytes(), 0, []
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at)
        requests.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return requests


class Connection:
    __slots__ = ("received", "sent_at", "socket", "wanted")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.wanted = 0
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self.received, self.wanted = b"", 0
        self.sent_at = perf_counter()
        self.socket.sendall(request)

    def is_complete(self) -> bool:
        """Take in what has come; whether it is the whole answer. Raises ConnectionError when no more will come."""
        chunk = self.socket.recv(262144)
        if not chunk:
            raise ConnectionError("the server closed a connection")
        self.received += chunk
        if not self.wanted:
            head = self.received.find(_END_OF_HEAD)
            if head < 0:
                return False
            names = self.received[:head].lower()
            length = names.find(b"\r\ncontent-length:")
            if length < 0:
                raise ConnectionError("an answer without Content-Length")
            self.wanted = head + 4 + int(names[length + 17 : names.find(b"\r\n", length + 17) % (head + 1)])
        return len(self.received) >= self.wanted

    @property
    def status(self) -> bytes:
        return self.received[9:12]


def run(port: int, seconds: float, connections: int, requests: list[bytes], *, once: bool) -> dict[str, object]:
    poll = select.epoll()
    opened = {}
    for _ in range(connections):
        connection = Connection(port)
        opened[connection.socket.fileno()] = connection
        poll.register(connection.socket.fileno(), select.EPOLLIN)
    latencies: list[float] = []
    refused: dict[str, int] = {}
    first_refusal = ""
    number, total, size = 0, len(requests), 0
    began = perf_counter()
    ends = began + seconds
    idle = 0
    for connection in opened.values():
        connection.send(requests[number % total])
        number += 1
    while idle < connections:
        for fd, _ in poll.poll(10):
            connection = opened[fd]
            if not connection.is_complete():
                continue
            now = perf_counter()
            latencies.append(now - connection.sent_at)
            size += len(connection.received)
            if connection.status[:1] != b"2":
                refused[connection.status.decode()] = refused.get(connection.status.decode(), 0) + 1
                first_refusal = first_refusal or connection.received[:1200].decode(errors="replace")
            if now < ends and not (once and number >= total):
                connection.send(requests[number % total])
                number += 1
            else:
                idle += 1
    took = perf_counter() - began
    for connection in opened.values():
        connection.socket.close()
    latencies.sort()
    count = len(latencies)
    return {
        "requests": count,
        "seconds": took,
        "p50_ms": latencies[count // 2] * 1000,
        "p99_ms": latencies[count * 99 // 100] * 1000,
        "bytes": size // max(1, count),
        "refused": refused,
        "first_refusal": first_refusal,
    }


def main() -> None:
    port, seconds, connections, file = sys.argv[1:5]
    requests = read_requests(Path(file))
    print(json.dumps(run(int(port), float(seconds), int(connections), requests, once="--once" in sys.argv)))


if __name__ == "__main__":
    main()
