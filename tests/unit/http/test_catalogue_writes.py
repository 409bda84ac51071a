"""What administrators do to the catalogue over HTTP."""

from __future__ import annotations

import pytest

from marketplace.domain.identity import Role
from marketplace.entrypoints.container import Container
from tests.builders import an_actor, store_listing, store_product

ADMIN, STRANGER = 1, 2
V1 = "/api/v1"


@pytest.fixture
def container(container) -> Container:
    container.actor_lookup.override(
        lambda account, session: an_actor(account, *([Role.ADMIN] if account == ADMIN else []))
    )
    return container


@pytest.fixture
def unit_of_work(container):
    return container.backend.unit_of_work


@pytest.fixture
def as_admin(bearer):
    return bearer(ADMIN, 1)


@pytest.fixture
def as_stranger(bearer):
    return bearer(STRANGER, 1)


@pytest.fixture
def get(client):
    def read(path, status=200, **query):
        answer = client.get(V1 + path, query_string=query)
        assert answer.status_code == status, answer.text
        return answer.json

    return read


NEW_PRODUCT = {
    "tcg_type": "magic",
    "external_id": "lea-232",
    "name": "Black Lotus",
    "names": {"en": "Black Lotus"},
    "number": "232",
    "rarity": "Rare",
    "attributes": {"mana": 0},
    "allowed_languages": ["en"],
}


class TestAdministeringProducts:
    @pytest.fixture
    def product(self, client, as_admin):
        answer = client.post(f"{V1}/products/", json=NEW_PRODUCT, headers=as_admin)
        assert answer.status_code == 201, answer.text
        return answer.json

    def test_publishes(self, product, get):
        assert product.items() >= NEW_PRODUCT.items()
        assert get(f"/products/{product['id']}/") == product

    def test_tells_where_it_is(self, client, as_admin):
        answer = client.post(f"{V1}/products/", json=NEW_PRODUCT, headers=as_admin)
        assert client.get(answer.headers["Location"]).json == answer.json

    def test_publishes_into_a_set_and_categories(self, client, as_admin, get):
        new_set = {"tcg_type": "magic", "external_id": "lea", "code": "LEA", "name": "Alpha", "series": "Core"}
        made = client.post(f"{V1}/sets/", json=new_set, headers=as_admin).json
        category = get("/categories/")["results"][0]["id"]
        body = {**NEW_PRODUCT, "set": made["id"], "categories": [category, category], "block": "Old"}
        answer = client.post(f"{V1}/products/", json=body, headers=as_admin).json
        assert (answer["set"]["code"], answer["series"], answer["block"]) == ("LEA", "Core", "Old")
        assert [each["id"] for each in answer["categories"]] == [category]

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": None}, "name"),
            ({"tcg_type": "chess"}, "tcg_type"),
            ({"set": 999_999}, "set"),
            ({"set": "LEA"}, "set"),
            ({"categories": [999_999]}, "categories"),
            ({"external_id": "two words"}, "external_id"),
            ({"external_id": "lea-232\n"}, "external_id"),
            ({"attributes": {"a": [[[[[[[[[[1]]]]]]]]]]}}, "attributes"),
            ({"attributes": {"a": 2**60}}, "attributes"),
            ({"names": {"en": 5}}, "names"),
            ({"names": {"en": "Black Lotus", "xx": "?"}}, "names"),
            ({"allowed_languages": ["en", "xx"]}, "allowed_languages"),
            ({"allowed_versions": ["normal", "shiny"]}, "allowed_versions"),
            ({"price": "1.00"}, "price"),
            ({"status": "archived"}, "status"),
        ],
    )
    def test_names_what_will_not_do(self, client, as_admin, change, field):
        answer = client.post(f"{V1}/products/", json={**NEW_PRODUCT, **change}, headers=as_admin)
        assert (answer.status_code, answer.json["code"]) == (422, "validation_error")
        assert [name.split(".")[0] for name in answer.json["errors"]] == [field]

    def test_has_each_external_id_once(self, client, as_admin, product):
        answer = client.post(f"{V1}/products/", json=NEW_PRODUCT, headers=as_admin)
        assert (answer.status_code, answer.json["code"]) == (409, "duplicate_code")

    def test_corrects(self, client, as_admin, product, get):
        body = {"rarity": None, "names": {"fr": "Lotus noir"}, "allowed_versions": ["normal"]}
        answer = client.patch(f"{V1}/products/{product['id']}/", json=body, headers=as_admin)
        assert answer.status_code == 200
        assert answer.json.items() >= body.items()
        assert get(f"/products/{product['id']}/") == answer.json

    @pytest.mark.parametrize(
        ("body", "known"),
        [
            ({"names": {"fr": "Lotus noir", "xx": "?"}}, "en, fr, de"),
            ({"allowed_languages": ["xx"]}, "en, fr, de"),
            ({"allowed_versions": ["shiny"]}, "normal, reverse, holo"),
        ],
    )
    def test_names_the_codes_that_there_are(self, client, as_admin, product, get, body, known):
        answer = client.patch(f"{V1}/products/{product['id']}/", json=body, headers=as_admin)
        assert (answer.status_code, answer.json["code"]) == (422, "validation_error")
        [[message]] = answer.json["errors"].values()
        assert known in message
        assert get(f"/products/{product['id']}/") == product

    def test_keeps_the_names_that_an_import_brought_in_other_languages(self, client, as_admin, product, unit_of_work):
        with unit_of_work() as uow:
            imported = uow.products.get(product["id"])
            imported.revise(now=imported.created_at, names={"zh-tw": "黑蓮花"})
            uow.products.save(imported)
            uow.commit()
        names = {"zh-tw": "黑蓮花", "fr": "Lotus noir"}
        answer = client.patch(f"{V1}/products/{product['id']}/", json={"names": names}, headers=as_admin)
        assert (answer.status_code, answer.json["names"]) == (200, names)

    def test_corrects_what_was_read(self, client, as_admin, product):
        path = f"{V1}/products/{product['id']}/"
        tag = client.get(path).headers["ETag"]
        first = client.patch(path, json={"rarity": "A"}, headers={**as_admin, "If-Match": tag})
        second = client.patch(path, json={"rarity": "B"}, headers={**as_admin, "If-Match": tag})
        assert (first.status_code, second.status_code) == (200, 412)
        assert second.json["code"] == "precondition_failed"

    def test_archives_and_brings_back(self, client, as_admin, product, get):
        path = f"/products/{product['id']}/"
        assert client.delete(V1 + path, headers=as_admin).status_code == 204
        get(path, 404)
        assert client.get(V1 + path, headers=as_admin).json["status"] == "archived"
        back = client.patch(V1 + path, json={"status": "published"}, headers=as_admin)
        assert back.json["status"] == "published"
        get(path)

    def test_keeps_what_is_offered_when_it_archives(self, client, as_admin, get, unit_of_work):
        listing = store_listing(unit_of_work)
        assert client.delete(f"{V1}/products/{listing.product_id}/", headers=as_admin).status_code == 204
        assert get(f"/listings/{listing.id}/")["id"] == listing.id


class TestAdministeringTheRest:
    @pytest.mark.parametrize(
        ("path", "body", "again"),
        [
            ("/languages/", {"code": "fi", "name": "Suomi"}, 409),
            ("/versions/", {"code": "etched", "name": "Etched", "tcg_types": ["magic"]}, 409),
            ("/conditions/", {"code": "HP", "label": "Heavily played", "rank": 9}, 409),
            ("/grades/", {"grader": "ACE", "value": "9.5"}, 409),
            ("/sets/", {"tcg_type": "magic", "external_id": "lea", "code": "LEA", "name": "Alpha"}, 409),
            ("/categories/", {"name": "Boxes"}, 409),
        ],
    )
    def test_adds_each_thing_once(self, client, as_admin, path, body, again):
        made = client.post(V1 + path, json=body, headers=as_admin)
        assert made.status_code == 201, made.text
        assert made.json.items() >= {key: value for key, value in body.items() if key != "rank"}.items()
        assert client.post(V1 + path, json=body, headers=as_admin).status_code == again

    @pytest.mark.parametrize(
        ("path", "body", "field"),
        [
            ("/languages/", {"code": "FR", "name": "French"}, "code"),
            ("/versions/", {"code": "Etched", "name": "Etched"}, "code"),
            ("/versions/", {"code": "etched", "name": "Etched", "tcg_types": ["chess"]}, "tcg_types"),
            ("/conditions/", {"code": "hp", "label": "?", "rank": 9}, "code"),
            ("/conditions/", {"code": "HP", "label": "?", "rank": 1.5}, "rank"),
            ("/grades/", {"grader": "ACE", "value": "11"}, "value"),
            ("/sets/", {"tcg_type": "chess", "external_id": "lea", "code": "LEA", "name": "Alpha"}, "tcg_type"),
            ("/categories/", {"name": "Boxes", "parent": 999_999}, "parent"),
            ("/categories/", {"name": "Boxes", "slug": "Big Boxes"}, "slug"),
        ],
    )
    def test_names_what_will_not_do(self, client, as_admin, path, body, field):
        answer = client.post(V1 + path, json=body, headers=as_admin)
        assert (answer.status_code, list(answer.json["errors"])) == (422, [field])

    def test_changes_a_version(self, client, as_admin):
        path = f"{V1}/versions/3/"
        answer = client.patch(path, json={"name": "Holofoil", "displayable": False}, headers=as_admin)
        assert (answer.json["name"], answer.json["code"], answer.json["displayable"]) == ("Holofoil", "holo", False)
        assert client.patch(f"{V1}/versions/999999/", json={}, headers=as_admin).status_code == 404

    def test_moves_and_deletes_categories(self, client, as_admin):
        def make(**body):
            return client.post(f"{V1}/categories/", json=body, headers=as_admin).json["id"]

        one = make(name="One")
        below = make(name="Below", parent=one)
        path = f"{V1}/categories/{one}/"
        cycle = client.patch(path, json={"parent": below}, headers=as_admin)
        assert (cycle.status_code, cycle.json["code"]) == (409, "category_cycle")
        in_use = client.delete(path, headers=as_admin)
        assert (in_use.status_code, in_use.json["code"]) == (409, "category_in_use")
        tag = client.get(path).headers["ETag"]
        renamed = client.patch(path, json={"name": "Uno"}, headers={**as_admin, "If-Match": tag})
        assert (renamed.status_code, renamed.json["name"]) == (200, "Uno")
        assert client.patch(path, json={"name": "X"}, headers={**as_admin, "If-Match": tag}).status_code == 412
        moved = client.patch(f"{V1}/categories/{below}/", json={"parent": None}, headers=as_admin)
        assert moved.json["parent"] is None
        assert client.delete(path, headers=as_admin).status_code == 204
        assert client.get(path).status_code == 404

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("post", "/products/"),
            ("patch", "/products/1/"),
            ("delete", "/products/1/"),
            ("post", "/categories/"),
            ("patch", "/categories/1/"),
            ("delete", "/categories/1/"),
            ("post", "/sets/"),
            ("post", "/languages/"),
            ("post", "/versions/"),
            ("patch", "/versions/1/"),
            ("post", "/conditions/"),
            ("post", "/grades/"),
        ],
    )
    def test_is_for_administrators(self, client, as_stranger, unit_of_work, method, path):
        store_product(unit_of_work)
        bodies = {
            "/products/": NEW_PRODUCT,
            "/categories/": {"name": "X"},
            "/sets/": {"tcg_type": "magic", "external_id": "lea", "code": "LEA", "name": "Alpha"},
            "/languages/": {"code": "fi", "name": "Suomi"},
            "/versions/": {"code": "etched", "name": "Etched"},
            "/conditions/": {"code": "HP", "label": "?", "rank": 1},
            "/grades/": {"grader": "ACE", "value": "9"},
        }
        options = {} if method == "delete" else {"json": bodies.get(path, {})}
        assert getattr(client, method)(V1 + path, **options).status_code == 401
        refused = getattr(client, method)(V1 + path, headers=as_stranger, **options)
        assert (refused.status_code, refused.json["missing"]) == (403, ["admin"])
