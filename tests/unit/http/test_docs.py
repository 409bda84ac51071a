"""The API document and its readers."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from marketplace.entrypoints.http.blueprints import document_of
from marketplace.entrypoints.http.docs import STATIC

SCHEMA = Path(__file__).parents[2] / "data/openapi/schema-3.1.json"


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield path, method, operation


def test_the_document_is_served_and_need_not_be_sent_twice(client, app):
    response = client.get("/api/v1/openapi.json")
    assert response.status_code == 200
    assert response.json == document_of(app)
    again = client.get("/api/v1/openapi.json", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


def test_the_document_is_valid_openapi_3_1(app):
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document_of(app))


def test_every_operation_has_a_name_of_its_own_and_a_sentence(app):
    names = [operation["operationId"] for _, _, operation in operations(document_of(app))]
    assert len(names) == len(set(names))
    assert all(operation["summary"] for _, _, operation in operations(document_of(app)))


def test_every_path_ends_with_a_slash(app):
    assert [path for path in document_of(app)["paths"] if not path.endswith("/")] == []


def test_every_error_is_a_problem_document(app):
    document = document_of(app)
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400 and "$ref" in response:
                name = response["$ref"].rpartition("/")[2]
                assert list(document["components"]["responses"][name]["content"]) == ["application/problem+json"]
            elif int(status) >= 400:
                assert "/health/detailed/" in path, (path, method, status)


def test_every_reference_leads_somewhere(app):
    document = document_of(app)
    for reference in set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document))):
        place = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


@pytest.mark.parametrize("path", ["/swagger/", "/redoc/"])
def test_a_reader_loads_nothing_from_elsewhere(client, path):
    response = client.get(path)
    assert response.status_code == 200
    assert response.mimetype == "text/html"
    links = re.findall(r'(?:src|href)="([^"]+)"', response.text)
    assert links
    for link in links:
        assert link.startswith("/")
        with client.get(link) as linked:
            assert linked.status_code == 200
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "http" not in policy


def test_the_bundles_come_with_their_licences():
    for folder in ("swagger-ui", "redoc"):
        assert (STATIC / folder / "LICENSE").read_text("utf-8")


def test_static_files_are_those_of_the_folder_only(client):
    assert client.get("/static/../app.py").status_code == 404
    assert client.get("/static/%2e%2e/app.py").status_code == 404


def test_the_front_page_points_to_the_documents(client):
    body = client.get("/").json
    for link in [body["openapi"], body["health"], *body["documentation"]]:
        assert client.get(link).status_code == 200


def test_what_takes_fields_promises_none_of_them(app):
    document = document_of(app)
    schemas = document["components"]["schemas"]
    for path, method, operation in operations(document):
        if any(parameter["name"] == "fields" for parameter in operation.get("parameters", ())):
            name = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            shown = schemas[name]
            if "results" in shown["properties"]:
                assert shown["required"], (path, method)
                shown = schemas[shown["properties"]["results"]["items"]["$ref"].rpartition("/")[2]]
            assert "required" not in shown, (path, method)
