"""What the tests of the embedded server share."""

from contextlib import closing
from pathlib import Path

import psycopg2

# Starts or joins a server, says which, and stops it when its standard input closes.
OWNER = """
import sys
from pathlib import Path
from marketplace.adapters.embedded_postgres import start

server = start(Path(sys.argv[1]), fast=True)
print(server.owner, server.url, flush=True)
sys.stdin.read()
server.stop()
"""


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    """Run one statement in a transaction of its own."""
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def postmaster(server_folder: Path) -> int:
    """The process id of the server of this folder."""
    return int((server_folder / "data" / "postmaster.pid").read_text().split()[0])
