"""What taking in a catalogue promises, on either backend."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.adapters.memory.clock import FixedClock
from marketplace.application.catalogue.import_catalogue import ImportCatalogue
from marketplace.application.ports.catalogue import ProductFilters, Written
from marketplace.application.ports.pages import PageRequest
from marketplace.domain.catalogue.card_sets import SetDetails
from marketplace.domain.catalogue.errors import DuplicateCode
from marketplace.domain.catalogue.products import ProductStatus
from tests.builders import NOW, store_product
from tests.catalogue_files import documents, excerpt, lines_of

SETS, CARDS = documents(excerpt("sets")), documents(excerpt("cards"))
BASE = [card for card in CARDS if card["set_id"] == "base1"][:8]


class CatalogueImportContract:
    """Subclasses provide ``catalogue_import``, ``unit_of_work`` and ``queries`` on the same store."""

    @pytest.fixture
    def clock(self):
        return FixedClock(NOW)

    @pytest.fixture
    def run(self, catalogue_import, clock):
        importing = ImportCatalogue(clock=clock, catalogue=catalogue_import, batch=100)
        return lambda sets, cards: importing(sets=lines_of(sets), cards=lines_of(cards))

    @pytest.fixture
    def product(self, unit_of_work, queries):
        def find(external_id):
            filters = ProductFilters(external_id=external_id)
            found = queries.products(filters, PageRequest(), now=NOW).items
            assert len(found) == 1
            with unit_of_work() as uow:
                return uow.products.get(found[0].id)

        return find

    def test_takes_in_every_line_once(self, run, queries):
        report = run(SETS, CARDS)
        assert (report.sets, report.cards) == (Written(added=len(SETS)), Written(added=len(CARDS)))
        assert report.refused == []
        assert queries.products(ProductFilters(), PageRequest(), now=NOW).count == len(CARDS)

    def test_changes_nothing_the_second_time(self, run, clock, product):
        run(SETS, CARDS)
        before = product("base1-4")
        clock.advance(timedelta(days=1))
        again = run(SETS, CARDS)
        assert (again.sets, again.cards) == (Written(unchanged=len(SETS)), Written(unchanged=len(CARDS)))
        after = product("base1-4")
        assert (after, after.version) == (before, before.version)

    def test_stores_what_the_line_says(self, run, product):
        run(SETS, CARDS)
        charizard = product("base1-4")
        details = charizard.details
        assert (details.name, details.names["fr"], details.number) == ("Charizard", "Dracaufeu", "4")
        assert (details.printed_number, details.artist, details.series) == ("4/102", "Mitsuhiro Arita", "Base")
        assert details.attributes["hp"] == 120
        assert details.allowed_languages == ("en", "fr", "de", "it")
        assert "holo-first-edition-shadowless" in details.allowed_versions
        assert charizard.slug == "charizard-base1-4"

    @pytest.mark.parametrize("id", ["exu-!", "exu-%3F"])
    def test_takes_ids_that_are_awkward_in_addresses(self, run, product, id):
        run(SETS, CARDS)
        assert product(id).details.name == "Unown"

    def test_puts_products_into_the_category_of_their_game(self, run, queries):
        run(SETS, CARDS)
        filters = ProductFilters(category="pokemon")
        assert queries.products(filters, PageRequest(), now=NOW).count == len(CARDS)

    def test_makes_the_versions_that_occur(self, run, unit_of_work):
        run(SETS, CARDS)
        with unit_of_work() as uow:
            versions = uow.catalogue.attributes().versions
        assert {"holo-first-edition-shadowless", "normal-shadowless"} <= versions.keys()
        assert "pokemon" in versions["holo-shadowless"].tcg_types

    def test_adds_a_game_that_is_not_known(self, run, unit_of_work, queries):
        card_set = {**SETS[0], "id": "op1", "game": "one-piece", "code": "OP1"}
        card = {**BASE[0], "id": "op1-1", "game": "one-piece", "set_id": "op1", "finishes": ["holo", "parallel"]}
        assert run([card_set], [card]).cards == Written(added=1)
        assert run([card_set], [card]).cards == Written(unchanged=1)
        with unit_of_work() as uow:
            assert uow.catalogue.games()["one-piece"] == "One Piece"
            versions = uow.catalogue.attributes().versions
        assert "one-piece" in versions["holo"].tcg_types
        assert versions["parallel"].tcg_types == {"one-piece"}
        assert [each.name for each in queries.categories() if each.tcg_type == "one-piece"] == ["One Piece"]

    def test_updates_what_has_changed_and_nothing_else(self, run, clock, product):
        run(SETS, BASE)
        before, other = product(BASE[0]["id"]), product(BASE[1]["id"])
        clock.advance(timedelta(days=1))
        changed = {**BASE[0], "name": "Renamed", "finishes": ["normal", "etched"]}
        assert run(SETS, [changed, *BASE[1:]]).cards == Written(changed=1, unchanged=len(BASE) - 1)
        after = product(BASE[0]["id"])
        assert after.details.name == "Renamed"
        assert (after.id, after.slug, after.created_at) == (before.id, before.slug, before.created_at)
        assert (after.version, after.updated_at) == (before.version + 1, clock.now())
        assert product(BASE[1]["id"]) == other

    def test_updates_the_cards_of_a_set_that_was_renamed(self, run, queries):
        run(SETS, BASE)
        renamed = [{**each, "name": "First Edition Ever"} if each["id"] == "base1" else each for each in SETS]
        report = run(renamed, BASE)
        assert (report.sets.changed, report.cards.changed) == (1, len(BASE))
        assert queries.products(ProductFilters(q="first edition ever"), PageRequest(), now=NOW).count == len(BASE)

    def test_leaves_alone_what_an_admin_made_of_an_unchanged_card(self, run, product, unit_of_work):
        run(SETS, BASE)
        with unit_of_work() as uow:
            edited = product(BASE[0]["id"])
            edited.revise(now=NOW, description="The first of all.", rarity="Legendary")
            uow.products.save(edited)
            uow.commit()
        assert run(SETS, BASE).cards == Written(unchanged=len(BASE))
        assert product(BASE[0]["id"]).details.rarity == "Legendary"
        run(SETS, [{**BASE[0], "name": "Renamed"}])
        details = product(BASE[0]["id"]).details
        assert (details.name, details.description) == ("Renamed", "The first of all.")
        assert details.rarity == BASE[0]["rarity"]

    def test_does_not_bring_back_what_was_archived(self, run, product, unit_of_work):
        run(SETS, BASE)
        with unit_of_work() as uow:
            archived = product(BASE[0]["id"])
            archived.archive(now=NOW)
            uow.products.save(archived)
            uow.commit()
        assert run(SETS, [{**BASE[0], "name": "Renamed"}]).cards == Written(changed=1)
        with unit_of_work() as uow:
            found = uow.products.get(archived.id)
        assert (found.status, found.details.name) == (ProductStatus.ARCHIVED, "Renamed")

    def test_makes_slugs_differ(self, run, product):
        twin_set = {**SETS[0], "id": "x1", "game": "magic", "code": "X1"}
        twin = {**BASE[0], "game": "magic", "set_id": "x1"}
        run(SETS, BASE)
        run([twin_set], [twin])
        # In one file as well: two games, one id.
        both = [{**twin, "id": "y-1"}, {**BASE[0], "id": "y-1"}]
        assert run([*SETS, twin_set], both).cards == Written(added=2)

    def test_refuses_a_code_that_another_set_has(self, catalogue_import):
        sets = [
            SetDetails(external_id=id, tcg_type="pokemon", region="intl", code=code, name=id)
            for id, code in (("one", "AA"), ("two", "aa"))
        ]
        with pytest.raises(DuplicateCode):
            catalogue_import.put_sets(sets, now=NOW)
        assert catalogue_import.sets() == {}

    def test_exports_what_it_took_in(self, run, catalogue_import):
        run(SETS, CARDS)
        catalogue_import.settle()
        assert list(map(SetDetails.document, catalogue_import.exported_sets())) == sorted(
            SETS, key=lambda each: (each["release_date"], each["id"])
        )
        exported = {each.external_id: each.document() for each in catalogue_import.exported_cards()}
        assert exported == {each["id"]: each for each in CARDS}

    def test_exports_nothing_that_an_import_would_refuse(self, run, catalogue_import, unit_of_work):
        run(SETS, BASE)
        store_product(unit_of_work, "A sealed box")
        assert len(list(catalogue_import.exported_cards())) == len(BASE)

    def test_exports_by_set_and_number(self, run, catalogue_import):
        run(SETS, CARDS)
        numbers = [each.number for each in catalogue_import.exported_cards() if each.card_set.external_id == "base1"]
        assert numbers == [str(number) for number in range(1, 103)]

    # Each backend runs it in a class of its own, on one store for all examples: what came before is the point.
    @settings(
        max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]
    )
    @given(data=st.data())
    def test_ends_in_the_same_catalogue_whatever_came_before(self, run, catalogue_import, data):
        """Any parts of the files, in any order, some lines changed: a whole import repairs it, and then rests."""
        parts = st.lists(st.sampled_from(BASE), unique_by=lambda each: each["id"])
        for part in data.draw(st.lists(parts, max_size=3)):
            change = data.draw(st.dictionaries(st.sampled_from(["name", "rarity", "weight"]), st.just("X"), max_size=2))
            run(SETS, [{**card, **change} for card in part])
        run(SETS, BASE)
        assert {each.external_id: each.document() for each in catalogue_import.exported_cards()} == {
            each["id"]: each for each in BASE
        }
        assert run(SETS, BASE).cards == Written(unchanged=len(BASE))
