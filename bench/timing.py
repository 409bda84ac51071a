"""`python -m bench.timing`: does the time of an answer tell whether a name is known? For docs/security.md.

Each question is asked of a known and of an unknown name in turn, from addresses that differ, through the whole
application on a PostgreSQL of its own. What tells is how often the known name took longer: half of the times is
nothing. Chance alone strays from half by about ``spread``.
"""

from __future__ import annotations

import argparse
import ipaddress
import itertools
import json
import logging
import re
import statistics
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from flask.testing import FlaskClient

from marketplace.application.identity.registration import NewMember
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.processes import opened_container, opened_database, upgrade
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.settings import Settings

PAGE = Path(__file__).parents[1] / "docs" / "security.md"
BEGIN, END = "<!-- figures of bench.timing -->\n", "<!-- end of figures -->\n"
PASSWORD = "known to nobody but us"

Question = Callable[[str], tuple[str, dict[str, str]]]
QUESTIONS: dict[str, Question] = {
    "log-in by user name, wrong password": lambda name: ("login", {"username": name, "password": "wrong"}),
    "log-in by e-mail address, wrong password": lambda name: ("login", {"username": _mail(name), "password": "wrong"}),
    "log-in, wrong password with a code": lambda name: (
        "login",
        {"username": name, "password": "wrong", "otp": "123456"},
    ),
    "e-mail verification, wrong code": lambda name: ("verify-email", {"email": _mail(name), "otp": "123456"}),
    "password reset, asking": lambda name: ("password-reset", {"email": _mail(name)}),
    "password reset, wrong code": lambda name: ("password-reset/verify", {"email": _mail(name), "otp": "123456"}),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.timing", description=__doc__)
    parser.add_argument("--accounts", type=int, default=400, help="as many known as unknown names")
    parser.add_argument("--write", action="store_true", help="put the table into docs/security.md")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable()
    with _application(asked.accounts) as client:
        table = list(_table(client, asked.accounts))
    print("\n".join(table))
    if asked.write:
        text = PAGE.read_text("utf-8")
        fresh = BEGIN + "\n" + "\n".join(table) + "\n\n" + END
        PAGE.write_text(
            re.sub(re.escape(BEGIN) + ".*" + re.escape(END), lambda _: fresh, text, flags=re.DOTALL), "utf-8"
        )


@contextmanager
def _application(accounts: int) -> Iterator[FlaskClient]:
    with tempfile.TemporaryDirectory(prefix="marketplace-timing-") as home:
        Path(home).chmod(0o711)
        configured = Settings.from_env({"MARKETPLACE_HOME": home, "LOG_FILE": f"{home}/log"})
        with opened_database(configured) as settings:
            upgrade(settings.database_url)
            with opened_container(settings) as container:
                for number in range(accounts):
                    _join(container, f"known-{number}")
                while container.relay_events()():
                    pass
                yield create_app(container).test_client()


def _join(container: Container, name: str) -> None:
    container.register()(
        member=NewMember(username=name, email=_mail(name), password=PASSWORD, accept_terms=True, first_name="Ada")
    )


def _table(client: FlaskClient, accounts: int) -> Iterator[str]:
    spread = (1 / (6 * accounts)) ** 0.5  # of the statistic of Mann and Whitney, two samples of the same size
    yield f"{accounts} pairs, asked in turn; chance strays from 50 % by about {spread:.1%}."
    yield ""
    yield "| question | known (ms): 5 %, median, 95 % | unknown (ms): likewise | medians differ by | known is slower |"
    yield "| --- | --- | --- | --- | --- |"
    for title, question in QUESTIONS.items():
        known, unknown = _ask(client, question, accounts)
        difference = statistics.median(known) - statistics.median(unknown)
        yield (
            f"| {title} | {_summary(known)} | {_summary(unknown)} | {difference * 1000:+.2f} ms "
            f"| {_share_slower(known, unknown):.1%} |"
        )


def _ask(client: FlaskClient, question: Question, accounts: int) -> tuple[list[float], list[float]]:
    """Seconds for known and for unknown names; the first pairs, which warm everything up, do not count."""
    took: tuple[list[float], list[float]] = ([], [])
    for number in range(accounts):
        # Whichever of the two comes first in a pair has no advantage over the other.
        order = (0, 1) if number % 2 else (1, 0)
        for kind in order:
            path, body = question(f"{('known', 'nobody')[kind]}-{number}")
            status, seconds = _timed(client, path, body)
            if status not in (202, 401, 422):
                sys.exit(f"{path} answered {status}, which is not what is measured.")
            took[kind].append(seconds)
    return took[0][10:], took[1][10:]


_ADDRESSES = itertools.count(int(ipaddress.IPv4Address("10.0.0.1")), 4099)


def _timed(client: FlaskClient, path: str, body: dict[str, str]) -> tuple[int, float]:
    elsewhere = {"REMOTE_ADDR": str(ipaddress.IPv4Address(next(_ADDRESSES)))}
    content = json.dumps(body)
    start = time.perf_counter()
    answer = client.post(f"/api/v1/auth/{path}/", data=content, content_type="application/json", environ_base=elsewhere)
    return answer.status_code, time.perf_counter() - start


def _summary(seconds: list[float]) -> str:
    twentieths = statistics.quantiles(seconds, n=20)
    return ", ".join(f"{value * 1000:.2f}" for value in (twentieths[0], statistics.median(seconds), twentieths[-1]))


def _share_slower(known: list[float], unknown: list[float]) -> float:
    ordered = sorted(unknown)
    return sum(bisect_left(ordered, value) for value in known) / (len(known) * len(unknown))


def _mail(name: str) -> str:
    return f"{name}@example.com"


if __name__ == "__main__":
    main()
