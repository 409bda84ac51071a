"""Request ids, security headers, CORS, and what the log says of a request."""

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.settings import Settings
from tests.unit.http.conftest import ENVIRONMENT


def test_an_id_that_is_offered_is_taken(client):
    assert client.get("/health/", headers={"X-Request-ID": "a.b_c-9"}).headers["X-Request-ID"] == "a.b_c-9"


@pytest.mark.parametrize("offered", ["", "a b", "x" * 65, "é", "<script>", "a\tb"])
def test_an_id_that_is_not_fit_is_replaced(client, offered):
    answered = client.get("/health/", headers={"X-Request-ID": offered}).headers["X-Request-ID"]
    assert answered != offered
    assert len(answered) == 32


@pytest.mark.parametrize(
    "path", ["/health/", "/nowhere/", "/probe/crash/", "/swagger/", "/redoc/", "/", "/static/pages.css", "/probe/me/"]
)
def test_every_answer_is_protected(client, path):
    headers = client.get(path, buffered=True).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in headers
    assert headers["X-Request-ID"]


def test_what_a_caller_sees_is_not_kept_for_others(client, anna):
    assert client.get("/probe/me/", headers=anna).headers["Cache-Control"] == "private, no-cache"
    assert client.get("/probe/things/").headers["Cache-Control"] == "no-cache"
    assert client.get("/nowhere/").headers["Cache-Control"] == "no-store"


def client_with(**environment):
    settings = Settings.from_env({**ENVIRONMENT, **environment})
    return create_app(Container(settings=settings, backend=MemoryBackend())).test_client()


def test_https_stays_https():
    client = client_with(PUBLIC_URL="https://localhost")
    assert client.get("/health/").headers["Strict-Transport-Security"] == "max-age=31536000"


def test_a_page_of_an_allowed_origin_may_call():
    client = client_with(CORS_ALLOWED_ORIGINS="https://shop.example")
    response = client.options(
        "/health/", headers={"Origin": "https://shop.example", "Access-Control-Request-Method": "GET"}
    )
    assert response.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
    assert "PATCH" in response.headers["Access-Control-Allow-Methods"]
    # No cookie is ever taken: callers have tokens.
    assert "Access-Control-Allow-Credentials" not in response.headers
    answer = client.get("/health/", headers={"Origin": "https://shop.example"})
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"ETag", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After"} <= set(exposed)
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_page_of_another_origin_may_not():
    client = client_with(CORS_ALLOWED_ORIGINS="https://shop.example")
    response = client.get("/health/", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in response.headers
    assert "Origin" in response.vary


def test_by_default_no_origin_may(client):
    response = client.get("/health/", headers={"Origin": "https://shop.example"})
    assert "Access-Control-Allow-Origin" not in response.headers


def test_a_host_that_is_not_ours_is_refused_and_the_answer_protected():
    response = client_with(ALLOWED_HOSTS=".cards.example").get("/health/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert response.json["code"] == "bad_request"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    allowed = client_with(ALLOWED_HOSTS=".cards.example")
    assert allowed.get("/health/", headers={"Host": "api.cards.example"}).status_code == 200


def test_a_request_leaves_a_line_without_its_query_and_headers(client, anna):
    with capture_logs(processors=[merge_contextvars]) as lines:
        client.get("/probe/things/?ordering=name", headers={**anna, "X-Request-ID": "line-1"})
    (line,) = lines
    assert line.pop("ms") >= 0
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "GET",
        "path": "/probe/things/",
        "status": 200,
        "request_id": "line-1",
    }


def test_an_answer_without_content_has_no_type_and_no_length(client):
    response = client.post("/probe/bare/")
    assert (response.status_code, response.data) == (204, b"")
    assert "Content-Type" not in response.headers
    assert "Content-Length" not in response.headers
