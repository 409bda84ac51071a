"""Long answers are compressed, but for those that may hold secrets."""

import gzip
import json

import pytest

from tests.unit.http.habits.conftest import shared_client

GZIP = {"Accept-Encoding": "br, gzip;q=0.8"}
LONG, SHORT = "/probe/things/?page_size=45", "/probe/things/?page_size=1"


@pytest.fixture(scope="module")
def client():
    return shared_client()


def test_a_long_answer_is_compressed(client):
    response = client.get(LONG, headers=GZIP)
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.content_length == len(response.data)
    assert json.loads(gzip.decompress(response.data)) == client.get(LONG).json


@pytest.mark.parametrize("headers", [{}, {"Accept-Encoding": "br"}, {"Accept-Encoding": "gzip;q=0"}])
def test_who_does_not_take_it_gets_it_plain(client, headers):
    response = client.get(LONG, headers=headers)
    assert "Content-Encoding" not in response.headers
    assert "Accept-Encoding" in response.headers["Vary"]


def test_a_short_answer_is_not_worth_it(client):
    assert "Content-Encoding" not in client.get(SHORT, headers=GZIP).headers


def test_a_signed_in_caller_gets_it_plain(client):
    response = client.get(LONG, headers={**GZIP, "Authorization": "Bearer x"})
    assert "Content-Encoding" not in response.headers


def test_the_compressed_document_is_not_sent_twice(client):
    first = client.get("/api/v1/openapi.json", headers=GZIP)
    assert first.headers["Content-Encoding"] == "gzip"
    again = client.get("/api/v1/openapi.json", headers={**GZIP, "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
