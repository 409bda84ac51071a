"""What holds at every door of the application, whoever adds one: bounds, headers, and a policy on every page."""

import re
from io import BytesIO

import pytest

from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.http.bodies import MAX_BODY
from marketplace.entrypoints.settings import Settings
from tests.unit.http.conftest import ENVIRONMENT

_APP = create_app(Container(settings=Settings.from_env(ENVIRONMENT), backend=MemoryBackend()))
_VALUES = {"name": "pages.css", "intent_id": "pi_1", "account_id": "acct_1", "message_id": "1"}


def address(rule) -> str:
    return re.sub(
        r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>", lambda m: "7" if m[1] == "int" else _VALUES.get(m[2], "x"), str(rule)
    )


WRITES = sorted(
    {
        (method, address(rule))
        for rule in _APP.url_map.iter_rules()
        for method in rule.methods & {"POST", "PUT", "PATCH", "DELETE"}
    }
)
READS = sorted({address(rule) for rule in _APP.url_map.iter_rules() if "GET" in rule.methods})


@pytest.fixture(scope="module")
def client():
    return _APP.test_client()


def test_there_are_doors():
    assert len(WRITES) > 50
    assert len(READS) > 50


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_no_door_takes_a_body_without_bounds(client, method, path):
    response = client.open(path, method=method, data=b" " * (MAX_BODY + 1), content_type="application/json")
    if path.startswith("/unsubscribe/"):
        assert response.status_code == 404  # a link that nobody was sent: the body is not even looked at
    elif path.startswith("/api/v1/webhooks/"):
        # Whatever is wrong with an event is answered alike.
        assert (response.status_code, response.json["code"]) == (400, "malformed_event")
    else:
        assert (response.status_code, response.json["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_nor_one_that_does_not_tell_its_length(client, method, path):
    response = client.open(
        path,
        method=method,
        input_stream=BytesIO(b" " * (2 * MAX_BODY)),
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert response.status_code == (400 if path.startswith("/api/v1/webhooks/") else 413)


@pytest.mark.parametrize("path", READS)
def test_every_answer_is_protected(client, path):
    with client.get(path) as response:
        headers = response.headers
        assert response.status_code < 500 or path.startswith("/health/")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Permissions-Policy"]
        policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in policy.get("script-src", "")
        assert "*" not in headers["Content-Security-Policy"]
