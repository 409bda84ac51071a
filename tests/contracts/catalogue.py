"""What every store of the catalogue promises."""

from dataclasses import replace
from datetime import timedelta

import pytest

from marketplace.application.ports.catalogue import PrintKey
from marketplace.domain.catalogue.attributes import Condition, Grade, Language, Version
from marketplace.domain.catalogue.card_sets import CardSet, SetDetails
from marketplace.domain.catalogue.categories import Category
from marketplace.domain.catalogue.errors import CategoryInUse, DuplicateCode
from marketplace.domain.catalogue.products import Product, ProductArchived, ProductDetails
from marketplace.domain.catalogue.standard import GAMES, standard_attributes
from marketplace.domain.catalogue.variants import GradeForbidden, GradeRequired, variant_key
from marketplace.domain.shared.errors import ConcurrencyConflict, Invalid, NotFound
from tests.builders import NOW, store_product, store_set, store_variant

LATER = NOW + timedelta(hours=1)
STANDARD = standard_attributes()
DETAILS = ProductDetails(
    name="Charizard",
    names={"en": "Charizard", "fr": "Dracaufeu", "ja": "リザードン"},
    number="4",
    printed_number="4/102",
    series="Base",
    block="Wizards",
    rarity="Rare",
    artist="Mitsuhiro Arita",
    description="Spits fire.",
    attributes={"hp": 120, "types": ["Fire"], "nested": {"a": [1.5, None, True]}},
    allowed_languages=("en", "fr"),
    allowed_versions=("holo", "holo-first-edition"),
)


def a_product(id=501, **changes) -> Product:
    values = {"tcg_type": "pokemon", "external_id": f"card-{id}", "details": DETAILS, "now": NOW}
    return Product.publish(id=id, **{**values, **changes})


def a_set(id=601, **changes) -> CardSet:
    values = {"external_id": "base1", "tcg_type": "pokemon", "region": "intl", "code": "BS", "name": "Base Set"}
    return CardSet(id=id, details=SetDetails(**{**values, **changes}), created_at=NOW, updated_at=NOW)


def a_category(id=701, **changes) -> Category:
    values = {"slug": f"category-{id}", "name": f"Category {id}", "created_at": NOW, "updated_at": NOW}
    return Category(id=id, **{**values, **changes})


def put(unit_of_work, *things) -> None:
    with unit_of_work() as uow:
        for thing in things:
            match thing:
                case Product():
                    uow.products.add(thing)
                case CardSet():
                    uow.card_sets.add(thing)
                case Category():
                    uow.categories.add(thing)
        uow.commit()


def commit(unit_of_work, do) -> None:
    with unit_of_work() as uow:
        do(uow)
        uow.commit()


class AttributesContract:
    """Subclasses provide ``unit_of_work``, on a store that holds the reference data only."""

    def test_begins_with_the_games(self, unit_of_work):
        with unit_of_work() as uow:
            assert GAMES.items() <= uow.catalogue.games().items()

    def test_begins_with_the_standard_attributes(self, unit_of_work):
        with unit_of_work() as uow:
            found = uow.catalogue.attributes()
        assert found.languages == STANDARD.languages
        assert found.conditions == STANDARD.conditions
        assert found.grades == STANDARD.grades
        assert STANDARD.versions.items() <= found.versions.items()

    @pytest.mark.parametrize(
        ("add", "thing", "kind"),
        [
            ("add_language", Language(id=900, code="zh-Hant", name="繁體中文"), "language"),
            ("add_version", Version(id=901, code="etched", name="Etched", tcg_types=frozenset({"magic"})), "version"),
            ("add_condition", Condition(id=902, code="HP", label="Heavily played", rank=9), "condition"),
            ("add_grade", Grade(id=903, grader="ACE", value="9.5"), "grade"),
        ],
    )
    def test_takes_more_of_each_kind(self, unit_of_work, add, thing, kind):
        with unit_of_work() as uow:
            getattr(uow.catalogue, add)(thing)
            assert getattr(uow.catalogue.attributes(), kind)(thing.code) == thing

    @pytest.mark.parametrize(
        ("add", "thing"),
        [
            ("add_language", Language(id=900, code="fr", name="French")),
            ("add_version", Version(id=901, code="holo", name="Foil")),
            ("add_condition", Condition(id=902, code="NM", label="As new", rank=9)),
            ("add_grade", Grade(id=903, grader="PSA", value="10")),
        ],
    )
    def test_has_each_code_once(self, unit_of_work, add, thing):
        with pytest.raises(DuplicateCode):
            commit(unit_of_work, lambda uow: getattr(uow.catalogue, add)(thing))

    def test_keeps_what_a_version_is_called(self, unit_of_work):
        with unit_of_work() as uow:
            uow.catalogue.add_version(Version(id=901, code="etched", name="Etched"))
            changed = Version(
                id=901,
                code="etched",
                name="Etched foil",
                tcg_types=frozenset({"magic", "other"}),
                description="Lines in metal.",
                displayable=False,
            )
            uow.catalogue.save_version(changed)
            assert uow.catalogue.attributes().version("etched") == changed


class VariantsContract:
    """Subclasses provide ``unit_of_work``."""

    def test_makes_a_variant_that_does_not_exist_yet(self, unit_of_work):
        product_id, variant_id = store_variant(unit_of_work, language="fr", condition="GRADED", grade="PSA 10")
        with unit_of_work() as uow:
            found = uow.catalogue.variant(variant_id)
        assert found.key == variant_key(
            STANDARD, product_id=product_id, language="fr", version="holo", condition="GRADED", grade="PSA 10"
        )

    def test_finds_the_variant_that_exists(self, unit_of_work):
        product_id, variant_id = store_variant(unit_of_work)
        assert store_variant(unit_of_work, product_id) == (product_id, variant_id)
        assert store_variant(unit_of_work, product_id, condition="EX") != (product_id, variant_id)

    def test_finds_the_same_variant_by_ids_and_by_codes(self, unit_of_work):
        put(unit_of_work, a_product(external_id="exu-%3F"))
        with unit_of_work() as uow:
            by_code = uow.catalogue.variant_of(product="EXU-%3F", language="FR", version="holo", condition="nm")
            by_id = uow.catalogue.variant_of(
                product=501,
                language=STANDARD.language("fr").id,
                version=STANDARD.version("holo").id,
                condition=STANDARD.condition("NM").id,
            )
        assert by_code == by_id

    def test_forgets_a_variant_that_was_not_committed(self, unit_of_work):
        product_id = store_product(unit_of_work)
        with unit_of_work() as uow:
            made = uow.catalogue.variant_of(product=product_id, language="fr", version="holo", condition="NM")
        with unit_of_work() as uow, pytest.raises(NotFound):
            uow.catalogue.variant(made.id)

    def test_requires_and_forbids_grades(self, unit_of_work):
        product_id = store_product(unit_of_work)
        with pytest.raises(GradeRequired):
            store_variant(unit_of_work, product_id, condition="GRADED")
        with pytest.raises(GradeForbidden):
            store_variant(unit_of_work, product_id, grade="PSA 10")

    @pytest.mark.parametrize("ref", [999_999, "no-such-card"])
    def test_names_a_product_that_is_not_there(self, unit_of_work, ref):
        with pytest.raises(Invalid) as refused:
            store_variant(unit_of_work, ref)
        assert list(refused.value.facts["errors"]) == ["product"]

    def test_asks_which_of_two_games_is_meant(self, unit_of_work):
        put(unit_of_work, a_product(501, external_id="x-1"), a_product(502, external_id="X-1", tcg_type="magic"))
        with pytest.raises(Invalid, match="several games"):
            store_variant(unit_of_work, "x-1")

    def test_offers_no_archived_product(self, unit_of_work):
        product = a_product()
        product.archive(now=NOW)
        put(unit_of_work, product)
        with pytest.raises(ProductArchived):
            store_variant(unit_of_work, product.id)

    def test_makes_and_finds_many_at_once(self, unit_of_work):
        product_id, existing = store_variant(unit_of_work)
        keys = [
            variant_key(STANDARD, product_id=product_id, language=language, version="holo", condition=condition)
            for language in ("en", "fr", "de")
            for condition in ("NM", "EX", "GD")
        ]
        graded = variant_key(
            STANDARD, product_id=product_id, language="en", version="holo", condition="GRADED", grade="PSA 9"
        )
        with unit_of_work() as uow:
            made = uow.catalogue.variants_of([*keys, graded, *keys])
            uow.commit()
        assert set(made) == {*keys, graded}
        assert len(set(made.values())) == 10
        assert made[keys[0]] == existing
        with unit_of_work() as uow:
            assert uow.catalogue.variants_of([*keys, graded]) == made
            assert uow.catalogue.variants_of([]) == {}

    def test_knows_products_by_what_is_printed_on_them(self, unit_of_work):
        intl, jp = store_set(unit_of_work, "MEW"), store_set(unit_of_work, "MEW", region="jp")
        wanted = store_product(unit_of_work, set_id=intl, number="006")
        store_product(unit_of_work, set_id=jp, number="006")
        twin = store_product(unit_of_work, set_id=jp, number="7")
        store_product(unit_of_work, set_id=jp, number="7")
        with unit_of_work() as uow:
            archived = uow.products.get(store_product(unit_of_work, set_id=intl, number="8"))
            archived.archive(now=NOW)
            uow.products.save(archived)
            uow.commit()

        def key(number, region="intl", code="mew"):
            return PrintKey(tcg_type="pokemon", region=region, set_code=code, number=number)

        with unit_of_work() as uow:
            asked = [key("006"), key("6"), key("8"), key("006", code="XY"), key("7", region="jp")]
            assert uow.catalogue.products_printed(asked) == {key("006"): wanted}
            assert twin
            assert uow.catalogue.products_printed([]) == {}


class ProductContract:
    """Subclasses provide ``unit_of_work``."""

    def test_gives_back_what_was_added(self, unit_of_work):
        category, card_set = a_category(), a_set()
        product = a_product(set_id=card_set.id, details=replace(DETAILS, category_ids=(category.id,)))
        put(unit_of_work, category, card_set, product)
        with unit_of_work() as uow:
            assert uow.products.get(product.id) == product
            assert uow.card_sets.get(card_set.id) == card_set
            assert uow.categories.get(category.id) == category

    def test_gives_back_what_was_saved(self, unit_of_work):
        product, one, other = a_product(), a_category(701), a_category(702)
        put(unit_of_work, one, other, product)
        with unit_of_work() as uow:
            stored = uow.products.get(product.id)
            stored.revise(now=LATER, name="Dracaufeu", number=None, category_ids=(701, 702))
            stored.archive(now=LATER)
            uow.products.save(stored)
            uow.commit()
        with unit_of_work() as uow:
            found = uow.products.get(product.id)
        assert found == stored
        assert found.version == 2

    def test_forgets_what_was_not_committed(self, unit_of_work):
        with unit_of_work() as uow:
            uow.products.add(a_product())
        with unit_of_work() as uow, pytest.raises(NotFound):
            uow.products.get(501)

    def test_refuses_a_stale_save(self, unit_of_work):
        put(unit_of_work, a_product())
        with unit_of_work() as uow:
            stale = uow.products.get(501)
        with unit_of_work() as uow:
            fresh = uow.products.get(501)
            fresh.revise(now=LATER, name="First")
            uow.products.save(fresh)
            uow.commit()
        stale.revise(now=LATER, name="Second")
        with pytest.raises(ConcurrencyConflict):
            commit(unit_of_work, lambda uow: uow.products.save(stale))

    def test_has_each_external_id_once_in_a_game(self, unit_of_work):
        put(
            unit_of_work, a_product(501, external_id="base1-4"), a_product(502, external_id="base1-4", tcg_type="magic")
        )
        with pytest.raises(DuplicateCode):
            put(unit_of_work, a_product(503, external_id="BASE1-4"))

    def test_makes_slugs_differ(self, unit_of_work):
        first, second = a_product(501, external_id="x-1"), a_product(502, external_id="x-1", tcg_type="magic")
        put(unit_of_work, first, second)
        with unit_of_work() as uow:
            assert uow.products.get(501).slug == "charizard-x-1"
            assert uow.products.get(502).slug == "charizard-x-1-502"

    def test_has_each_set_once(self, unit_of_work):
        put(unit_of_work, a_set(601), a_set(602, external_id="jp-base1", region="jp"))
        with pytest.raises(DuplicateCode):
            put(unit_of_work, a_set(603, external_id="BASE1", code="XX"))
        with pytest.raises(DuplicateCode):
            put(unit_of_work, a_set(604, external_id="other", code="bs"))

    def test_says_what_is_not_there(self, unit_of_work):
        with unit_of_work() as uow:
            for repository in (uow.products, uow.card_sets, uow.categories):
                with pytest.raises(NotFound, match="999"):
                    repository.get(999)
            with pytest.raises(NotFound):
                uow.categories.remove(999)
            with pytest.raises(NotFound):
                uow.catalogue.variant(999)


class CategoryContract:
    """Subclasses provide ``unit_of_work``."""

    def test_gives_back_what_was_saved(self, unit_of_work):
        put(unit_of_work, a_category(701), a_category(702, parent_id=701, tcg_type="pokemon", position=2))
        with unit_of_work() as uow:
            assert uow.categories.parents_for_update().items() >= {701: None, 702: 701}.items()
            stored = uow.categories.get(702)
            stored.describe(now=LATER, name="Renamed", tcg_type=None)
            uow.categories.save(stored)
            uow.commit()
        with unit_of_work() as uow:
            assert uow.categories.get(702) == stored

    def test_has_each_slug_once(self, unit_of_work):
        put(unit_of_work, a_category(701, slug="cards"))
        with pytest.raises(DuplicateCode):
            put(unit_of_work, a_category(702, slug="cards"))

    def test_removes_what_is_empty(self, unit_of_work):
        put(unit_of_work, a_category(701))
        with unit_of_work() as uow:
            uow.categories.remove(701)
            uow.commit()
        with unit_of_work() as uow, pytest.raises(NotFound):
            uow.categories.get(701)

    def test_keeps_what_others_are_below(self, unit_of_work):
        put(unit_of_work, a_category(701), a_category(702, parent_id=701))
        with pytest.raises(CategoryInUse):
            commit(unit_of_work, lambda uow: uow.categories.remove(701))

    def test_keeps_what_products_are_in(self, unit_of_work):
        put(unit_of_work, a_category(701), a_product(details=replace(DETAILS, category_ids=(701,))))
        with pytest.raises(CategoryInUse):
            commit(unit_of_work, lambda uow: uow.categories.remove(701))
