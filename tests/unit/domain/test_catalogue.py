"""The catalogue's rules: attributes, variants, products, categories."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.domain.catalogue.attributes import (
    Condition,
    Grade,
    Language,
    Version,
    version_code,
    version_name,
)
from marketplace.domain.catalogue.categories import MAX_DEPTH, Category, CategoryCycle, in_tree_order
from marketplace.domain.catalogue.products import Product, ProductArchived, ProductDetails, ProductStatus
from marketplace.domain.catalogue.standard import standard_attributes
from marketplace.domain.catalogue.variants import GradeForbidden, GradeRequired, VariantKey, variant_key
from marketplace.domain.shared.errors import Invalid

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
STANDARD = standard_attributes()


class TestAttributes:
    def test_are_found_by_id_or_code(self):
        french = STANDARD.language("fr")
        assert STANDARD.language(french.id) is french
        assert STANDARD.language("FR") is french

    def test_name_what_is_not_there(self):
        with pytest.raises(Invalid, match="no grade 'PSA 11'") as refused:
            STANDARD.grade("PSA 11")
        assert list(refused.value.facts["errors"]) == ["grade"]

    def test_know_grades_as_collectors_write_them(self):
        assert STANDARD.grade("psa  10").value == "10"
        assert STANDARD.grade("BGS 9.5").code == "BGS 9.5"

    def test_leave_out_marks_that_a_company_does_not_give(self):
        with pytest.raises(Invalid):
            STANDARD.grade("PSA 9.5")

    def test_rank_conditions_from_the_best(self):
        ranked = sorted({each.rank: each.code for each in STANDARD.conditions.values()}.items())
        assert [code for _, code in ranked] == ["MT", "NM", "EX", "GD", "LP", "PL", "PO", "GRADED"]

    @pytest.mark.parametrize("code", ["", "français", "FR", "f", "fr-", "en-latin"])
    def test_refuse_what_is_no_language_code(self, code):
        with pytest.raises(Invalid):
            Language(id=1, code=code, name="?")

    @pytest.mark.parametrize("code", ["", "Holo", "holo foil", "holo-", "-holo"])
    def test_refuse_what_is_no_version_code(self, code):
        with pytest.raises(Invalid):
            Version(id=1, code=code, name="?")

    @pytest.mark.parametrize("code", ["", "nm", "N M"])
    def test_refuse_what_is_no_condition_code(self, code):
        with pytest.raises(Invalid):
            Condition(id=1, code=code, label="?", rank=1)

    @pytest.mark.parametrize("value", ["", "ten", "0.5", "10.5", "9.3", "-1", "NaN", "Infinity"])
    def test_refuse_what_is_no_grade(self, value):
        with pytest.raises(Invalid):
            Grade(id=1, grader="PSA", value=value)

    @pytest.mark.parametrize(("written", "kept"), [("10.0", "10"), ("9.50", "9.5"), ("1E1", "10")])
    def test_write_grades_in_one_way(self, written, kept):
        assert Grade(id=1, grader="PSA", value=written).value == kept

    def test_describe_a_version_and_leave_the_rest(self):
        version = Version(id=1, code="holo", name="Holo", tcg_types=frozenset({"pokemon"}), description="Foil.")
        version.describe(name="Holofoil")
        assert (version.name, version.description, version.displayable) == ("Holofoil", "Foil.", True)
        version.describe(tcg_types=["magic"], description="", displayable=False)
        assert (version.tcg_types, version.description, version.displayable) == (frozenset({"magic"}), "", False)


class TestVersionCode:
    @pytest.mark.parametrize(
        ("arguments", "code", "name"),
        [
            ({"finish": "holo"}, "holo", "Holo"),
            ({"finish": "normal", "first_edition": True}, "normal-first-edition", "Normal, first edition"),
            (
                {"finish": "holo", "first_edition": True, "shadowless": True},
                "holo-first-edition-shadowless",
                "Holo, first edition, shadowless",
            ),
            ({"finish": "holo", "shadowless": True}, "holo-shadowless", "Holo, shadowless"),
        ],
    )
    def test_tells_the_print(self, arguments, code, name):
        assert version_code(**arguments) == code
        assert version_name(code) == name

    @pytest.mark.parametrize("finish", ["", "Holo", "cosmos foil", "x" * 31])
    def test_refuses_what_is_no_finish(self, finish):
        with pytest.raises(Invalid):
            version_code(finish)


class TestVariantKey:
    def key(self, **changes) -> VariantKey:
        wanted = {"product_id": 1, "language": "fr", "version": "holo", "condition": "NM", **changes}
        return variant_key(STANDARD, **wanted)

    def test_is_the_same_by_ids_and_by_codes(self):
        by_code = self.key(condition="GRADED", grade="PSA 10")
        by_id = self.key(
            language=by_code.language_id,
            version=by_code.version_id,
            condition=by_code.condition_id,
            grade=by_code.grade_id,
        )
        assert by_id == by_code

    def test_requires_a_grade_for_the_graded_condition(self):
        with pytest.raises(GradeRequired, match="requires a grade") as refused:
            self.key(condition="GRADED")
        assert list(refused.value.facts["errors"]) == ["grade"]

    def test_forbids_a_grade_for_any_other_condition(self):
        with pytest.raises(GradeForbidden, match="NM forbids a grade"):
            self.key(grade="PSA 10")

    def test_names_every_part_that_is_not_there(self):
        with pytest.raises(Invalid) as refused:
            self.key(language="xx", version=999, condition="NN", grade="PSA 11")
        assert sorted(refused.value.facts["errors"]) == ["condition", "grade", "language", "version"]

    def test_names_an_unknown_grade_alone(self):
        with pytest.raises(Invalid) as refused:
            self.key(condition="GRADED", grade="XYZ 1")
        assert list(refused.value.facts["errors"]) == ["grade"]


def a_product(**changes) -> Product:
    values = {"id": 7, "tcg_type": "pokemon", "external_id": "base1-4", "details": ProductDetails(name="Charizard")}
    return Product.publish(**{**values, "now": NOW, **changes})


class TestProduct:
    def test_has_a_readable_slug(self):
        assert a_product().slug == "charizard-base1-4"

    def test_gets_an_external_id_of_its_own(self):
        assert a_product(external_id=None).external_id == "product-7"

    def test_needs_a_name(self):
        with pytest.raises(Invalid) as refused:
            ProductDetails(name="  ")
        assert list(refused.value.facts["errors"]) == ["name"]

    def test_keeps_its_slug_when_it_is_renamed(self):
        product = a_product()
        product.revise(now=LATER, name="Dracaufeu")
        assert (product.details.name, product.slug, product.updated_at) == ("Dracaufeu", "charizard-base1-4", LATER)

    def test_is_not_updated_by_a_change_that_changes_nothing(self):
        product = a_product()
        product.revise(now=LATER, name="Charizard")
        assert product.updated_at == NOW

    def test_is_archived_and_brought_back(self):
        product = a_product()
        product.archive(now=LATER)
        assert (product.status, product.updated_at) == (ProductStatus.ARCHIVED, LATER)
        with pytest.raises(ProductArchived):
            product.require_published()
        product.republish(now=LATER)
        product.require_published()
        assert product.status is ProductStatus.PUBLISHED

    def test_is_archived_once(self):
        product = a_product()
        product.archive(now=NOW)
        product.archive(now=LATER)
        assert product.updated_at == NOW

    def test_keeps_what_an_import_lacks(self):
        product = a_product(details=ProductDetails(name="Old", description="By hand.", category_ids=(3,)))
        product.import_again(ProductDetails(name="New"), now=LATER)
        assert product.details == ProductDetails(name="New", description="By hand.", category_ids=(3,))
        assert product.updated_at == LATER

    def test_takes_over_what_an_import_says(self):
        product = a_product(details=ProductDetails(name="Old", description="By hand.", rarity="Rare"))
        product.import_again(ProductDetails(name="New", description="By the source."), now=LATER)
        assert product.details == ProductDetails(name="New", description="By the source.")


def a_category(id: int, **changes) -> Category:
    return Category(**{"id": id, "slug": f"c{id}", "name": f"C{id}", "created_at": NOW, "updated_at": NOW, **changes})


class TestCategory:
    TREE = {1: None, 2: 1, 3: 2, 4: None}  # noqa: RUF012 — read only

    def test_is_placed_below_another(self):
        category = a_category(4)
        category.place(3, parents=self.TREE, now=LATER)
        assert (category.parent_id, category.updated_at) == (3, LATER)

    def test_becomes_a_root(self):
        category = a_category(2, parent_id=1)
        category.place(None, parents=self.TREE, now=LATER)
        assert category.parent_id is None

    def test_stays_as_it_is_where_it_was(self):
        category = a_category(2, parent_id=1)
        category.place(1, parents=self.TREE, now=LATER)
        assert category.updated_at == NOW

    @pytest.mark.parametrize("below", [1, 2, 3])
    def test_is_never_placed_below_itself(self, below):
        with pytest.raises(CategoryCycle):
            a_category(1).place(below, parents=self.TREE, now=LATER)

    def test_needs_a_parent_that_exists(self):
        with pytest.raises(Invalid) as refused:
            a_category(1).place(99, parents=self.TREE, now=LATER)
        assert list(refused.value.facts["errors"]) == ["parent"]

    def test_keeps_the_tree_flat_enough(self):
        chain = {1: None} | {id: id - 1 for id in range(2, MAX_DEPTH + 1)}
        with pytest.raises(Invalid, match="deeper"):
            a_category(99).place(MAX_DEPTH, parents=chain, now=LATER)
        a_category(99).place(MAX_DEPTH - 1, parents=chain, now=LATER)

    def test_counts_what_moves_along(self):
        chain = {1: None} | {id: id - 1 for id in range(2, MAX_DEPTH + 1)} | {50: None, 51: 50}
        with pytest.raises(Invalid, match="deeper"):
            a_category(50).place(MAX_DEPTH - 1, parents=chain, now=LATER)

    def test_is_described_and_keeps_what_is_left_out(self):
        category = a_category(1, tcg_type="pokemon", position=3)
        category.describe(now=LATER, name="Cards")
        assert (category.name, category.slug, category.tcg_type, category.position) == ("Cards", "c1", "pokemon", 3)
        category.describe(now=LATER, slug="cards", tcg_type=None, position=0)
        assert (category.name, category.slug, category.tcg_type, category.position) == ("Cards", "cards", None, 0)
        assert category.updated_at == LATER

    def test_is_not_updated_by_a_description_that_it_has(self):
        category = a_category(1)
        category.describe(now=LATER, name="C1")
        assert category.updated_at == NOW


class _Node:
    def __init__(self, id, parent, position=0, name=""):
        self.id, self.parent, self.position, self.name = id, parent, position, name


class TestTreeOrder:
    def test_puts_parents_first_and_siblings_by_position_and_name(self):
        nodes = [_Node(5, 1, 0, "b"), _Node(2, 4), _Node(1, None, 2), _Node(4, None, 1), _Node(3, 1, 0, "a")]
        assert [node.id for node in in_tree_order(nodes)] == [4, 2, 1, 3, 5]
