"""The catalogue and its search over HTTP."""

from __future__ import annotations

import re

import pytest

from marketplace.domain.identity import Role
from marketplace.entrypoints.container import Container
from tests.builders import an_actor, euros, store_listing, store_variant
from tests.catalogue_files import excerpt

ADMIN, STRANGER = 1, 2
V1 = "/api/v1"
PRODUCT_KEYS = [
    "id",
    "external_id",
    "name",
    "names",
    "slug",
    "tcg_type",
    "block",
    "series",
    "set",
    "number",
    "printed_number",
    "rarity",
    "artist",
    "description",
    "attributes",
    "categories",
    "allowed_languages",
    "allowed_versions",
    "images",
    "lowest_price",
    "average_price",
    "market_price",
    "total_stock",
    "offer_count",
    "currency",
    "status",
    "created_at",
    "updated_at",
]


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
def catalogue(container):
    wanted = re.compile(b'"set_id":"(base1|swsh7|exu|jp-SV2a|sv03.5)"')
    container.catalogue.import_catalogue()(sets=excerpt("sets"), cards=filter(wanted.search, excerpt("cards")))


@pytest.fixture
def get(client):
    def read(path, status=200, **query):
        answer = client.get(V1 + path, query_string=query)
        assert answer.status_code == status, answer.text
        return answer.json

    return read


def names(page) -> list[str]:
    return [each["external_id"] for each in page["results"]]


@pytest.mark.usefixtures("catalogue")
class TestProducts:
    def test_have_all_the_keys_that_clients_rely_on(self, get):
        listed = get("/products/", external_id="base1-4")["results"][0]
        assert list(listed) == PRODUCT_KEYS
        assert get(f"/products/{listed['id']}/") == listed
        assert (
            listed["set"].items()
            >= {
                "external_id": "base1",
                "region": "intl",
                "code": "BS",
                "name": "Base Set",
                "release_date": "1999-01-09",
            }.items()
        )
        assert (listed["names"]["fr"], listed["attributes"]["hp"], listed["block"]) == ("Dracaufeu", 120, "Base")
        assert (listed["lowest_price"], listed["total_stock"], listed["currency"]) == (None, 0, "EUR")
        assert listed["categories"][0]["slug"] == "pokemon"
        assert listed["images"] == [
            {"id": None, "url": listed["attributes"]["image_url"], "alt_text": "Charizard", "sizes": {}}
        ]

    def test_show_what_is_offered(self, get, unit_of_work):
        product_id = get("/products/", external_id="base1-4")["results"][0]["id"]
        variant = store_variant(unit_of_work, product_id)
        store_listing(unit_of_work, variant=variant, price=euros(1005), stock=2)
        store_listing(unit_of_work, variant=variant, price=euros(50), stock=1)
        product = get(f"/products/{product_id}/")
        assert (product["lowest_price"], product["average_price"]) == ("0.50", "5.28")
        assert (product["total_stock"], product["offer_count"]) == (3, 2)

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"set": "BS", "number": "4"}, ["base1-4"]),
            ({"set": "swsh7", "q": "umbreon vmax"}, ["swsh7-95", "swsh7-215"]),
            ({"external_id": "exu-%3F"}, ["exu-%3F"]),
            ({"external_id": "exu-!"}, ["exu-!"]),
            ({"q": "dracaufeu", "set": "base1", "tcg_type": "pokemon", "category": "pokemon"}, ["base1-4"]),
            ({"series": "Base", "block": "Base", "rarity": "Rare", "number": "4"}, ["base1-4"]),
            ({"set": "base1", "ordering": "-number", "page_size": "2"}, ["base1-102", "base1-101"]),
            ({"set": "base1", "q": "", "number": "4"}, ["base1-4"]),
            ({"set": "base1", "number": "4", "updated_since": "2026-01-15T12:00:00Z"}, ["base1-4"]),
            ({"set": "base1", "number": "4", "updated_since": "2026-01-15T13:00:01+01:00"}, []),
        ],
    )
    def test_are_narrowed_by_filters(self, get, query, expected):
        assert names(get("/products/", **query)) == expected

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"colour": "red"}, "colour"),
            ({"q": "x" * 101}, "q"),
            ({"q": "bell\x07"}, "q"),
            ({"ordering": "price"}, "ordering"),
            ({"updated_since": "yesterday"}, "updated_since"),
            ({"updated_since": "0001-01-01T00:00:00+23:59"}, "updated_since"),
            ({"updated_since": "9999-12-31T23:59:59-23:59"}, "updated_since"),
            ({"fields": "id,secret"}, "fields"),
            ({"page": "0"}, "page"),
            ({"category": ""}, "category"),
        ],
    )
    def test_refuse_what_they_do_not_know(self, get, query, field):
        assert list(get("/products/", 422, **query)["errors"]) == [field]

    def test_can_be_followed_page_by_page(self, get, client):
        page = get("/products/", set="base1", page_size=60, fields="external_id")
        assert (page["count"], page["count_is_exact"], page["previous"]) == (102, True, None)
        last = client.get(page["next"]).json
        assert len(last["results"]) == 42
        assert last["next"] is None
        assert client.get(last["previous"]).json["results"] == page["results"]
        assert get("/products/", set="base1", page=2, page_size=60, fields="external_id")["results"] == last["results"]

    def test_keep_only_the_fields_that_are_wanted(self, get):
        assert get("/products/", external_id="base1-4", fields="name,number")["results"] == [
            {"name": "Charizard", "number": "4"}
        ]

    def test_are_not_sent_twice(self, client, get):
        for path in ("/products/", f"/products/{get('/products/')['results'][0]['id']}/", "/search/?q=pikachu"):
            tag = client.get(V1 + path).headers["ETag"]
            again = client.get(V1 + path, headers={"If-None-Match": tag})
            assert (again.status_code, again.data) == (304, b"")

    def test_have_variants(self, get, unit_of_work):
        product_id = get("/products/", external_id="base1-4")["results"][0]["id"]
        assert get(f"/products/{product_id}/variants/")["results"] == []
        store_variant(unit_of_work, product_id, language="fr", condition="GRADED", grade="PSA 10")
        (variant,) = get(f"/products/{product_id}/variants/")["results"]
        assert (variant["product"], variant["language"]["code"], variant["grade"]["value"]) == (product_id, "fr", "10")
        get("/products/999999/variants/", 404)


@pytest.mark.usefixtures("catalogue")
class TestSearch:
    @pytest.mark.parametrize(
        ("query", "first"),
        [("charizard", "base1-4"), ("リザードンex", "jp-SV2a-006"), ("4/102", "base1-4"), ("évoli", "base1-51")],
    )
    def test_puts_what_fits_best_first(self, get, query, first):
        found = get("/search/", q=query)
        if query == "évoli":
            first = names(get("/search/", q="Evoli"))[0]
        assert names(found)[0] == first
        assert list(found["results"][0]) == PRODUCT_KEYS

    def test_takes_filters_and_orderings(self, get):
        assert names(get("/search/", q="charizard", set="sv03.5", ordering="relevance")) == names(
            get("/products/", q="charizard", set="sv03.5")
        )
        get("/search/", 422, ordering="beauty")

    @pytest.mark.parametrize("query", ["", "  "])
    def test_does_not_search_for_nothing(self, get, query):
        assert list(get("/search/", 422, q=query)["errors"]) == ["q"]

    @pytest.mark.parametrize("ordering", ["price", "-price"])
    def test_is_sorted_by_price_with_what_is_not_offered_last(self, get, client, unit_of_work, ordering):
        offers = {"base1-4": 1005, "base1-1": 50, "base1-58": 700}
        for external_id, price in offers.items():
            product_id = get("/products/", external_id=external_id)["results"][0]["id"]
            store_listing(unit_of_work, variant=store_variant(unit_of_work, product_id), price=euros(price))
        page = get("/search/", set="base1", ordering=ordering, page_size=30)
        results = page["results"]
        while page["next"]:
            page = client.get(page["next"]).json
            results += page["results"]
        assert len({each["id"] for each in results}) == len(results) == page["count"]
        cheapest_first = sorted(offers, key=offers.__getitem__, reverse=ordering == "-price")
        assert [each["external_id"] for each in results[:3]] == cheapest_first
        assert {each["lowest_price"] for each in results[3:]} == {None}

    def test_can_be_followed_page_by_page(self, get, client):
        page = get("/search/", q="base", page_size=50)
        seen = names(page)
        while page["next"]:
            page = client.get(page["next"]).json
            seen += names(page)
        assert len(seen) == len(set(seen)) == page["count"]


@pytest.mark.usefixtures("catalogue")
class TestSetsAndCategories:
    def test_list_sets(self, get):
        listed = get("/sets/", q="evolving skies")["results"]
        assert [each["external_id"] for each in listed] == ["swsh7"]
        assert get(f"/sets/{listed[0]['id']}/") == listed[0]
        assert (listed[0]["code"], listed[0]["card_count_official"]) == ("EVS", 203)
        dates = [each["release_date"] for each in get("/sets/", region="jp", ordering="oldest")["results"]]
        assert dates == sorted(dates)
        assert get(f"/sets/{listed[0]['id']}/", fields="code") == {"code": "EVS"}
        get("/sets/999999/", 404)

    def test_show_the_tree(self, get, client, as_admin):
        root = next(each for each in get("/categories/")["results"] if each["slug"] == "pokemon")
        made = client.post(f"{V1}/categories/", json={"name": "Boxes", "parent": root["id"]}, headers=as_admin).json
        shown = next(each for each in get("/categories/")["results"] if each["slug"] == "pokemon")
        assert shown["children"] == [made]
        assert get(f"/categories/{root['id']}/") == shown
        assert get(f"/categories/{root['id']}/", fields="slug") == {"slug": "pokemon"}
        assert {"slug": "pokemon"} in get("/categories/", fields="slug")["results"]
        get("/categories/", 422, colour="red")
        get("/categories/999999/", 404)


class TestAttributes:
    @pytest.mark.parametrize(
        ("path", "keys", "first"),
        [
            ("/languages/", ["id", "code", "name"], "en"),
            ("/versions/", ["id", "code", "name", "tcg_types", "description", "displayable"], "normal"),
            ("/conditions/", ["id", "code", "label", "is_graded"], "MT"),
            ("/grades/", ["id", "value", "grader"], None),
        ],
    )
    def test_are_paged_lists(self, get, client, path, keys, first):
        page = get(path, page_size=5)
        assert list(page["results"][0]) == keys
        assert page["results"][0].get("code") == first
        seen = list(page["results"])
        while page["next"]:
            page = client.get(page["next"]).json
            seen += page["results"]
        assert len(seen) == page["count"]
        assert seen == get(path, page_size=100)["results"]
        if page["previous"]:
            back = client.get(page["previous"]).json
            assert back["results"] == seen[-len(page["results"]) - 5 : -len(page["results"])]
        tag = client.get(V1 + path).headers["ETag"]
        assert client.get(V1 + path, headers={"If-None-Match": tag}).status_code == 304

    def test_list_conditions_from_best_to_worst(self, get):
        codes = [each["code"] for each in get("/conditions/")["results"]]
        assert codes == ["MT", "NM", "EX", "GD", "LP", "PL", "PO", "GRADED"]

    def test_end_where_they_end(self, get):
        assert get("/languages/", page=9)["results"] == []
