"""The whole real catalogue goes in, and every fact that is told of it holds afterwards."""

from __future__ import annotations

import json
import random

import pytest
import sqlalchemy as sa

from marketplace.entrypoints.container import build_container
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.settings import Settings
from tests.catalogue_files import documents, real_catalogue, real_lines

pytestmark = [pytest.mark.slow, pytest.mark.volume]

V1 = "/api/v1"


@pytest.fixture(scope="module")
def facts():
    return json.loads((real_catalogue() / "facts.json").read_text())


@pytest.fixture(scope="module")
def container(postgres, migrated_template):
    real_catalogue()
    name = "whole_catalogue"
    with sa.create_engine(url_of(postgres, "postgres"), isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(sa.text(f"create database {name} template {migrated_template}"))
    settings = Settings.from_env({"DATABASE_URL": url_of(postgres, name), "ALLOWED_HOSTS": "localhost"})
    container = build_container(settings)
    yield container
    container.backend.engine().dispose()


def url_of(postgres, name: str) -> str:
    return postgres.url_for(name).replace("postgresql://", "postgresql+psycopg2://", 1)


@pytest.fixture(scope="module")
def imported(container):
    return container.catalogue.import_catalogue()(sets=real_lines("sets"), cards=real_lines("cards"))


@pytest.fixture(scope="module")
def sql(container, imported):
    """One value, or a mapping where a query gives two columns."""

    def ask(query, **parameters):
        with container.backend.reader().connect() as connection:
            result = connection.execute(sa.text(query), parameters)
            return dict(map(tuple, result)) if len(result.keys()) == 2 else result.scalar_one()

    return ask


@pytest.fixture(scope="module")
def get(container, imported):
    client = create_app(container).test_client()

    def read(path, **query):
        answer = client.get(V1 + path, query_string=query or None)
        assert answer.status_code == 200, answer.text
        return answer.json

    return read


COUNT = "select count(*) from products p join card_sets s on s.id = p.set_id where "


def test_everything_goes_in_once(imported, container, facts):
    assert (imported.sets.added, imported.cards.added, imported.refused) == (facts["sets"], facts["cards"], [])
    again = container.catalogue.import_catalogue()(sets=real_lines("sets"), cards=real_lines("cards"))
    assert (again.sets.unchanged, again.cards.unchanged) == (facts["sets"], facts["cards"])
    assert not again.sets.wrote
    assert not again.cards.wrote


def test_nothing_was_touched_the_second_time(sql):
    assert sql("select max(version) from products") == sql("select max(version) from card_sets") == 1


def test_comes_out_as_it_went_in(imported, container):
    source = container.backend.catalogue_import()
    assert [each.document() for each in source.exported_sets()] == sorted(
        documents(real_lines("sets")), key=lambda each: (each["release_date"], each["id"])
    )
    exported = {each.external_id: each.document() for each in source.exported_cards()}
    assert exported == {each["id"]: each for each in documents(real_lines("cards"))}


def test_cards_and_sets_by_region_and_kind(sql, facts):
    assert sql("select count(*) from products") == facts["cards"]
    assert sql("select region, count(*) from card_sets group by 1") == facts["sets_by_region"]
    by_region = sql("select region, count(*) from products p join card_sets s on s.id = p.set_id group by 1")
    assert by_region == facts["cards_by_region"]
    by_kind = sql("select attributes->>'supertype', count(*) from products group by 1")
    assert by_kind == facts["cards_by_supertype"]
    assert sql("select count(*) from card_sets where names ? 'fr'") == facts["sets_with_french_name"]


def test_names(sql, facts):
    for region, coverage in facts["names_coverage"].items():
        for language, count in coverage.items():
            assert sql(COUNT + "s.region = :r and p.names ? :l", r=region, l=language) == count
    for key, count in facts["cards_named_exactly"].items():
        language, name = key.split(":")
        assert sql(COUNT + "p.names ->> :l = :n", l=language, n=name) == count
    for part, count in facts["cards_with_english_name_containing"].items():
        assert sql(COUNT + "strpos(p.names ->> 'en', :part) > 0", part=part) == count
    longest = "select name from (select value as name from products, jsonb_each_text(names)) n"
    assert sql(f"{longest} order by length(name) desc limit 1") == facts["longest_name"]


def test_species_sets_and_artists(sql, facts):
    for number, count in facts["cards_with_dex_id"].items():
        assert sql(COUNT + "p.attributes->'dex_ids' @> cast(:n as jsonb)", n=f"[{number}]") == count
    for external_id, count in facts["cards_in_set"].items():
        assert sql(COUNT + "s.external_id = :id", id=external_id) == count
    largest = "select s.external_id, count(*) from products p join card_sets s on s.id = p.set_id group by 1"
    assert sql(f"{largest} order by 2 desc limit 1") == dict([facts["largest_set"]])
    assert sql("select count(distinct artist) from products") == facts["distinct_artists"]
    assert sql(COUNT + "p.artist is null") == facts["cards_without_artist"]
    for artist, count in facts["cards_by_artist"].items():
        assert sql(COUNT + "p.artist = :artist", artist=artist) == count


def test_rarities_prints_and_types(sql, facts):
    assert sql(COUNT + "p.rarity is null") == facts["cards_without_rarity"]
    by_rarity = sql("select rarity, count(*) from products where rarity is not null group by 1")
    assert facts["cards_by_rarity"].items() <= by_rarity.items()
    first = "p.attributes->'first_edition' = 'true'"
    assert sql(COUNT + first) == facts["cards_with_first_edition_print"]
    assert sql(COUNT + "not p.attributes ? 'finishes'") == facts["cards_with_unknown_finishes"]
    assert sql(COUNT + "p.attributes->'finishes' ? 'reverse'") == facts["cards_with_reverse"]
    assert sql(COUNT + "'reverse' = any(p.allowed_versions)") == facts["cards_with_reverse"]
    assert (
        sql("select t, count(*) from products, jsonb_array_elements_text(attributes->'types') t group by 1")
        == (facts["types"])
    )


def test_numbers_and_hit_points(sql, get, facts):
    not_digits = facts["cards_whose_number_is_not_all_digits"]
    assert sql(COUNT + "p.number !~ '^[0-9]+$'") == not_digits
    for printed, ids in facts["cards_with_printed_number"].items():
        found = get("/products/", number=printed)["results"]
        assert sorted(each["external_id"] for each in found) == sorted(ids)
    assert sql("select max((attributes->>'hp')::int) from products") == facts["hp_max"]
    best = "select external_id, 1 from products where (attributes->>'hp')::int = :hp"
    assert sorted(sql(best, hp=facts["hp_max"])) == sorted(facts["hp_max_ids"])


def test_release_dates(sql, facts):
    dates = "select min(release_date)::text, max(release_date)::text from card_sets"
    assert sql(dates) == dict([facts["release_dates"]])
    by_year = sql("select extract(year from release_date)::int::text, count(*) from card_sets group by 1")
    assert facts["sets_released_by_year"].items() <= by_year.items()


def test_cards_are_found_by_what_is_told_of_them(get):
    charizard = get("/products/", set="base1", number="4")["results"][0]
    assert (charizard["name"], charizard["names"]["fr"]) == ("Charizard", "Dracaufeu")
    assert (charizard["artist"], charizard["attributes"]["hp"]) == ("Mitsuhiro Arita", 120)
    assert "holo-first-edition" in charizard["allowed_versions"]
    umbreon = get("/products/", set="EVS", number="215/203")["results"]
    assert [each["name"] for each in umbreon] == ["Umbreon VMAX"]
    assert get("/products/", set="MEW", tcg_type="pokemon")["count"] == 207
    for external_id in ("exu-!", "exu-%3F"):
        found = get("/products/", external_id=external_id)["results"]
        assert [each["external_id"] for each in found] == [external_id]
        assert get(f"/products/{found[0]['id']}/")["external_id"] == external_id


def test_searching_finds_names_and_no_wildcards(get, facts):
    assert get("/search/", q="_____")["count"] == 3
    assert [each["external_id"] for each in get("/search/", q="%")["results"]] == ["exu-%3F"]
    for name, count in (("Charizard", 28), ("Dracaufeu", 23)):
        found = get("/search/", q=name, page_size=100)
        exact = [each for each in found["results"] if name in each["names"].values()]
        assert len([each for each in exact if name in (each["names"].get("en"), each["names"].get("fr"))]) >= count
        assert found["results"][: len(exact)] == exact
    assert get("/search/", q="ピカチュウ")["count"] >= facts["cards_named_exactly"]["ja:ピカチュウ"]


def test_any_card_can_be_reached_by_its_set_and_number(get):
    sets = {each["id"]: each for each in documents(real_lines("sets"))}
    for card in random.Random(7).sample(documents(real_lines("cards")), 100):
        found = get("/products/", set=card["set_id"], number=card["number"])["results"]
        assert card["id"] in [each["external_id"] for each in found]
        assert all(each["set"]["code"] == sets[card["set_id"]]["code"] for each in found)


def test_pages_reach_every_set(get):
    page, seen = get("/sets/", page_size=100), []
    while True:
        seen += [each["external_id"] for each in page["results"]]
        if page["next"] is None:
            break
        page = get(page["next"].removeprefix(V1))
    assert len(set(seen)) == len(seen) == 307
