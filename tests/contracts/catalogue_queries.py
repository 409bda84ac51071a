"""What reading and searching the catalogue promises, on either backend."""

from datetime import date, timedelta

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.application.catalogue.import_catalogue import ImportCatalogue
from marketplace.application.ports.catalogue import CardSetFilters, ProductFilters
from marketplace.application.ports.pages import PageRequest
from marketplace.domain.reservations import HoldPolicy
from marketplace.domain.shared.errors import NotFound
from tests.builders import (
    NOW,
    store_product,
)
from tests.catalogue_files import documents, excerpt
from tests.contracts.catalogue import a_category

CARDS = documents(excerpt("cards"))
SETS = {each["id"]: each for each in documents(excerpt("sets"))}
LATER = NOW + timedelta(hours=1)
POLICY = HoldPolicy(hold_for=timedelta(minutes=30), max_hold=timedelta(minutes=120))


class _Reading:
    """Subclasses provide ``unit_of_work``, ``queries`` and ``catalogue_import`` on the same store."""

    @pytest.fixture
    def catalogue(self, catalogue_import):
        importing = ImportCatalogue(clock=FixedClock(NOW), catalogue=catalogue_import)
        importing(sets=excerpt("sets"), cards=excerpt("cards"))

    @pytest.fixture
    def listed(self, queries):
        """External ids of the list's first hundred."""

        def read(ordering="", **filters):
            request = PageRequest(size=100, ordering=ordering)
            return [each.external_id for each in queries.products(ProductFilters(**filters), request, now=NOW).items]

        return read

    @pytest.fixture
    def found(self, queries):
        """External ids of what a search finds, the best first."""

        def read(q, ordering="", **filters):
            request = PageRequest(size=100, ordering=ordering)
            page = queries.search(ProductFilters(q=q, **filters), request, now=NOW)
            return [each.external_id for each in page.items]

        return read


def ids(matches) -> list[str]:
    return [card["id"] for card in CARDS if matches(card)]


@pytest.mark.usefixtures("catalogue")
class ProductListContract(_Reading):
    @pytest.mark.parametrize(
        ("filters", "matches"),
        [
            ({"tcg_type": "pokemon", "set": "exu"}, lambda card: card["set_id"] == "exu"),
            ({"tcg_type": "magic"}, lambda card: False),
            ({"set": "EVS"}, lambda card: card["set_id"] == "swsh7"),
            ({"set": "SWSH7"}, lambda card: card["set_id"] == "swsh7"),
            ({"set": "no-such-set"}, lambda card: False),
            ({"set": 5_000_000_000}, lambda card: False),
            ({"series": "Base", "number": "4"}, lambda card: card["id"] in ("base1-4", "basep-4")),
            (
                {"block": "Base", "rarity": "Rare"},
                lambda c: SETS[c["set_id"]]["series"] == "Base" and c["rarity"] == "Rare",
            ),
            ({"number": "4/102"}, lambda card: card.get("printed_number") == "4/102"),
            ({"number": "tg03"}, lambda card: card["number"] == "TG03"),
            ({"external_id": "EXU-!"}, lambda card: card["id"] == "exu-!"),
            ({"external_id": "exu-?"}, lambda card: False),
            ({"category": "pokemon", "set": "exu"}, lambda card: card["set_id"] == "exu"),
            ({"category": "magic"}, lambda card: False),
            ({"category": "no-such-category"}, lambda card: False),
            ({"updated_since": NOW, "set": "exu"}, lambda card: card["set_id"] == "exu"),
            ({"updated_since": LATER}, lambda card: False),
            ({"q": "charizard", "set": "base1"}, lambda card: card["id"] == "base1-4"),
            ({"q": ""}, lambda card: card in CARDS[:100]),
        ],
    )
    def test_is_narrowed_by_filters(self, listed, filters, matches):
        assert sorted(listed(**filters)) == sorted(ids(matches))

    def test_is_narrowed_by_the_id_of_a_set(self, queries, listed, unit_of_work):
        store_product(unit_of_work, "In no set")
        set_id = queries.card_sets(CardSetFilters(q="exu"), PageRequest()).items[0].id
        assert len(listed(set=set_id)) == len(listed(set="exu")) == len(listed(set=str(set_id))) > 0

    def test_includes_what_is_in_the_categories_below(self, queries, unit_of_work, listed):
        root = next(each for each in queries.categories() if each.slug == "pokemon")
        with unit_of_work() as uow:
            uow.categories.add(a_category(801, parent_id=root.id, slug="boxes"))
            uow.categories.add(a_category(802, parent_id=801, slug="big-boxes"))
            uow.commit()
        store_product(unit_of_work, "Sealed box", rarity="here", category_ids=(802,))
        for category in ("pokemon", root.id, str(root.id), "boxes", 801, "BIG-BOXES"):
            assert len(listed(category=category, rarity="here")) == 1
        assert len(listed(category="boxes")) == 1

    @pytest.mark.parametrize(
        ("ordering", "expected"),
        [
            ("", [str(n) for n in range(1, 103)]),
            ("number", [str(n) for n in range(1, 103)]),
            ("-number", [str(n) for n in range(102, 0, -1)]),
        ],
    )
    def test_is_ordered_by_number(self, queries, ordering, expected):
        page = queries.products(ProductFilters(set="base1"), PageRequest(size=100, ordering=ordering), now=NOW)
        assert [each.number for each in page.items] == expected[:100]

    def test_is_ordered_by_name_without_regard_to_accents(self, queries, unit_of_work):
        for name in ("Évoli", "Zubat", "evoli", "Abra", "Eva"):
            store_product(unit_of_work, name, rarity="here")
        for ordering, expected in (
            ("name", ["Abra", "Eva", "Évoli", "evoli", "Zubat"]),
            ("-name", ["Zubat", "evoli", "Évoli", "Eva", "Abra"]),
        ):
            page = queries.products(ProductFilters(rarity="here"), PageRequest(ordering=ordering), now=NOW)
            assert [each.name for each in page.items] == expected

    def test_is_ordered_by_time(self, queries, unit_of_work):
        made = [store_product(unit_of_work, name, rarity="here") for name in ("One", "Two", "Three")]
        with unit_of_work() as uow:
            first = uow.products.get(made[0])
            first.revise(now=LATER, artist="Somebody")
            uow.products.save(first)
            uow.commit()

        def read(ordering):
            page = queries.products(ProductFilters(rarity="here"), PageRequest(ordering=ordering), now=NOW)
            return [each.name for each in page.items]

        assert read("oldest") == ["One", "Two", "Three"]
        assert read("newest") == ["Three", "Two", "One"]
        assert read("updated") == ["Two", "Three", "One"]
        assert read("-updated") == ["One", "Three", "Two"]

    @pytest.mark.parametrize("ordering", ["", "name", "-name", "number", "-number", "newest", "oldest", "updated"])
    def test_can_be_walked_there_and_back(self, queries, ordering):
        filters = ProductFilters(set="base1")
        page = queries.products(filters, PageRequest(size=40, ordering=ordering), now=NOW)
        assert (page.count, page.count_is_exact, page.previous) == (102, True, None)
        pages = [page]
        while page.next:
            page = queries.products(filters, PageRequest(size=40, ordering=ordering, after=page.next), now=NOW)
            pages.append(page)
        walked = [each.id for page in pages for each in page.items]
        assert len(set(walked)) == 102
        back = queries.products(filters, PageRequest(size=40, ordering=ordering, before=page.previous), now=NOW)
        assert [each.id for each in back.items] == walked[40:80]
        second = queries.products(filters, PageRequest(size=40, ordering=ordering, number=2), now=NOW)
        assert [each.id for each in second.items] == walked[40:80]

    def test_shows_everything_that_is_known(self, queries):
        product = queries.products(ProductFilters(external_id="base1-4"), PageRequest(), now=NOW).items[0]
        assert (product.name, product.names["fr"], product.slug) == ("Charizard", "Dracaufeu", "charizard-base1-4")
        assert (product.tcg_type, product.series, product.block) == ("pokemon", "Base", "Base")
        assert (product.number, product.printed_number, product.rarity) == ("4", "4/102", "Rare")
        assert (product.artist, product.description) == ("Mitsuhiro Arita", "")
        assert (product.attributes["hp"], product.attributes["types"]) == (120, ["Fire"])
        assert (product.set.external_id, product.set.region, product.set.code) == ("base1", "intl", "BS")
        assert (product.set.name, product.set.release_date) == ("Base Set", date(1999, 1, 9))
        assert [each.slug for each in product.categories] == ["pokemon"]
        assert product.allowed_languages == ["en", "fr", "de", "it"]
        assert "holo" in product.allowed_versions
        assert (product.created_at, product.updated_at, product.version) == (NOW, NOW, 1)
        assert (product.lowest_price, product.average_price, product.market_price) == (None, None, None)
        assert (product.total_stock, product.offer_count, product.status) == (0, 0, "published")
        assert queries.product(product.id, now=NOW) == product

    def test_shows_a_product_that_has_next_to_nothing(self, queries, unit_of_work):
        id = store_product(unit_of_work, "Sealed box", block="Wizards")
        product = queries.product(id, now=NOW)
        assert (product.set, product.number, product.series, product.block) == (None, None, None, "Wizards")
        assert (list(product.categories), dict(product.names)) == ([], {})

    def test_hides_what_is_archived(self, queries, unit_of_work, listed):
        product = queries.products(ProductFilters(external_id="base1-4"), PageRequest(), now=NOW).items[0]
        with unit_of_work() as uow:
            archived = uow.products.get(product.id)
            archived.archive(now=NOW)
            uow.products.save(archived)
            uow.commit()
        assert listed(external_id="base1-4") == []
        with pytest.raises(NotFound):
            queries.product(product.id, now=NOW)
        with pytest.raises(NotFound):
            queries.variants(product.id, PageRequest())
        assert queries.product(product.id, now=NOW, archived_too=True).status == "archived"


@pytest.mark.usefixtures("catalogue")
class SearchContract(_Reading):
    def test_finds_names_in_any_language(self, found):
        for query in ("Charizard", "dracaufeu", "GLURAK"):
            assert found(query)[0] == "base1-4"
        assert "jp-SV2a-006" in found("リザードン")
        assert set(found("リザードンex")) == {each for each in found("リザードン") if each in found("リザードンex")}

    def test_puts_a_whole_name_first(self, found):
        assert found("charizard", set="sv03.5") == found("charizard ex", set="sv03.5")
        ranked = found("pikachu")
        exact = ids(lambda card: "Pikachu" in card["names"].values())
        assert ranked[: len(exact)] == exact
        assert len(ranked) > len(exact)

    def test_finds_numbers_and_sets(self, found):
        assert found("4/102")[0] == "base1-4"
        assert found("charizard base set", set="base1") == ["base1-4"]
        assert "swsh7-215" in found("umbreon evolving skies")
        assert "swsh7-215" in found("umbreon EVS 215/203")
        assert found("exu-%3F") == ["exu-%3F"]

    def test_needs_every_word(self, found):
        assert found("charizard blastoise") == []

    def test_does_not_take_wildcards(self, found):
        expected = ids(lambda card: any("_____" in name for name in card["names"].values()))
        assert sorted(found("_____")) == sorted(expected) != []
        assert found("%zard") == []
        assert found("char\\") == []

    def test_finds_spellings_that_differ(self, found):
        assert found("evoli") == found("Évoli") != []
        assert found("farfetchd") == found("Farfetch'd") == found("farfetch\u2019d") != []

    def test_finds_everything_for_nothing(self, queries):
        for query in (None, "", "  ", "'"):
            for ordering in ("", "relevance", "name"):
                page = queries.search(ProductFilters(q=query), PageRequest(ordering=ordering), now=NOW)
                assert page.count == len(CARDS)

    def test_takes_every_filter_and_ordering_of_the_list(self, found, listed):
        assert found("charizard", set="base1", rarity="Rare") == ["base1-4"]
        assert found("pikachu", ordering="-name") == listed("-name", q="pikachu")

    def test_can_be_walked(self, queries):
        filters = ProductFilters(q="base set")
        page = queries.search(filters, PageRequest(size=30), now=NOW)
        walked = list(page.items)
        while page.next:
            page = queries.search(filters, PageRequest(size=30, after=page.next), now=NOW)
            walked += page.items
        assert len({each.id for each in walked}) == len(walked) == page.count


@pytest.mark.usefixtures("catalogue")
class SetsAndCategoriesContract(_Reading):
    def test_lists_sets_the_newest_first(self, queries):
        page = queries.card_sets(CardSetFilters(), PageRequest(size=100))
        dates = [each.release_date for each in page.items]
        assert dates == sorted(dates, reverse=True)
        assert page.count == len(SETS)

    @pytest.mark.parametrize("ordering", ["newest", "oldest", "name", "-name", "code", "-code"])
    def test_lists_sets_in_order(self, queries, ordering):
        pages = [queries.card_sets(CardSetFilters(), PageRequest(size=10, ordering=ordering))]
        while pages[-1].next:
            request = PageRequest(size=10, ordering=ordering, after=pages[-1].next)
            pages.append(queries.card_sets(CardSetFilters(), request))
        walked = [each for page in pages for each in page.items]
        key = {"newest": "release_date", "oldest": "release_date"}.get(ordering, ordering.removeprefix("-"))
        values = [getattr(each, key) for each in walked]
        assert values == sorted(values, reverse=ordering == "newest" or ordering.startswith("-"))
        assert len({each.id for each in walked}) == len(SETS)

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ({"q": "evolving"}, {"swsh7"}),
            ({"q": "set de base"}, {"base1"}),
            ({"q": "EVS"}, {"swsh7"}),
            ({"tcg_type": "magic"}, set()),
            ({"region": "jp"}, {id for id, each in SETS.items() if each["region"] == "jp"}),
            ({"series": "Base", "region": "intl"}, {id for id, each in SETS.items() if each["series"] == "Base"}),
        ],
    )
    def test_narrows_sets_by_filters(self, queries, filters, expected):
        page = queries.card_sets(CardSetFilters(**filters), PageRequest(size=100))
        assert {each.external_id for each in page.items} == expected

    def test_shows_a_set(self, queries):
        listed = queries.card_sets(CardSetFilters(q="set de base"), PageRequest()).items[0]
        found = queries.card_set(listed.id)
        assert found == listed
        assert (found.code, found.names["fr"], found.region) == ("BS", "Set de Base", "intl")
        assert (found.card_count_official, found.product_count, found.block) == (102, 102, "Base")
        with pytest.raises(NotFound):
            queries.card_set(999_999)

    def test_shows_the_tree_parents_first(self, queries, unit_of_work):
        root = next(each for each in queries.categories() if each.slug == "pokemon")
        with unit_of_work() as uow:
            uow.categories.add(a_category(850, parent_id=root.id, position=2))
            uow.categories.add(a_category(801, parent_id=850))
            uow.categories.add(a_category(860, parent_id=root.id, position=1))
            uow.commit()
        found = [each for each in queries.categories() if each.id in (801, 850, 860)]
        assert [(each.id, each.parent, each.slug) for each in found] == [
            (860, root.id, "category-860"),
            (850, root.id, "category-850"),
            (801, 850, "category-801"),
        ]

    def test_tells_the_attributes(self, queries, unit_of_work):
        with unit_of_work() as uow:
            assert queries.attributes() == uow.catalogue.attributes()
