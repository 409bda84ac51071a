"""What administrators do to the catalogue."""

from dataclasses import replace
from functools import partial

import pytest

from marketplace.adapters.memory.clock import FixedClock
from marketplace.adapters.memory.store import InMemoryIdSequence, InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from marketplace.application.catalogue.attributes import (
    AddCondition,
    AddGrade,
    AddLanguage,
    AddVersion,
    ChangeVersion,
)
from marketplace.application.catalogue.categories import AddCategory, ChangeCategory, DeleteCategory
from marketplace.application.catalogue.products import ArchiveProduct, PublishProduct, ReviseProduct
from marketplace.application.catalogue.sets import AddCardSet
from marketplace.domain.catalogue.card_sets import SetDetails
from marketplace.domain.catalogue.categories import CategoryCycle
from marketplace.domain.catalogue.errors import CategoryInUse, DuplicateCode
from marketplace.domain.catalogue.products import ProductDetails, ProductStatus
from marketplace.domain.identity import Role
from marketplace.domain.shared.errors import Forbidden, Invalid, NotFound, PreconditionFailed
from tests.builders import an_actor, store_product, store_set

ADMIN = an_actor(1, Role.ADMIN)
SELLER = an_actor(2, Role.SELLER)
BOX = SetDetails(external_id="promo", tcg_type="pokemon", region="intl", code="PR", name="Promos", series="Special")
BOX_OF_CHESS = replace(BOX, tcg_type="chess")


@pytest.fixture
def unit_of_work():
    return partial(InMemoryUnitOfWork, InMemoryStore())


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def tools(unit_of_work, clock):
    """Use cases take what they need of these."""
    everything = {"unit_of_work": unit_of_work, "clock": clock, "ids": InMemoryIdSequence()}
    return lambda use_case: use_case(**{name: everything[name] for name in use_case.__dataclass_fields__})


@pytest.fixture
def get(unit_of_work):
    def find(kind, id):
        with unit_of_work() as uow:
            return getattr(uow, kind).get(id)

    return find


def fields(refused) -> list[str]:
    return list(refused.value.facts["errors"])


class TestPublishProduct:
    @pytest.fixture
    def publish(self, tools):
        return tools(PublishProduct)

    def test_puts_a_product_into_the_catalogue(self, publish, get, clock):
        id = publish(actor=ADMIN, tcg_type="magic", external_id="lea-1", details=ProductDetails(name="Ankh"))
        product = get("products", id)
        assert (product.details.name, product.tcg_type, product.external_id) == ("Ankh", "magic", "lea-1")
        assert product.created_at == clock.now()

    def test_takes_the_series_of_its_set_unless_told(self, publish, tools, get):
        set_id = tools(AddCardSet)(actor=ADMIN, details=BOX)
        taken = publish(actor=ADMIN, tcg_type="pokemon", set_id=set_id, details=ProductDetails(name="One"))
        told = publish(actor=ADMIN, tcg_type="pokemon", set_id=set_id, details=ProductDetails(name="Two", series="X"))
        assert (get("products", taken).details.series, get("products", told).details.series) == ("Special", "X")

    def test_is_for_administrators(self, publish):
        with pytest.raises(Forbidden) as refused:
            publish(actor=SELLER, tcg_type="magic", details=ProductDetails(name="Ankh"))
        assert refused.value.facts["missing"] == ["admin"]

    def test_needs_a_game_that_exists(self, publish):
        with pytest.raises(Invalid) as refused:
            publish(actor=ADMIN, tcg_type="chess", details=ProductDetails(name="Queen"))
        assert fields(refused) == ["tcg_type"]

    def test_needs_a_set_of_its_game(self, publish, unit_of_work):
        for set_id in (999, store_set(unit_of_work)):
            with pytest.raises(Invalid) as refused:
                publish(actor=ADMIN, tcg_type="magic", set_id=set_id, details=ProductDetails(name="Ankh"))
            assert fields(refused) == ["set"]

    def test_needs_categories_that_exist(self, publish):
        with pytest.raises(Invalid) as refused:
            publish(actor=ADMIN, tcg_type="magic", details=ProductDetails(name="Ankh", category_ids=(999,)))
        assert fields(refused) == ["categories"]

    @pytest.mark.parametrize(
        "attributes",
        [{"power": 2**60}, {"image_url": 5}, {"hp": "120"}, {"finishes": ["Cosmos Foil"]}, {"x\0": 1}],
    )
    def test_refuses_attributes_that_no_card_could_have(self, publish, attributes):
        with pytest.raises(Invalid) as refused:
            publish(actor=ADMIN, tcg_type="magic", details=ProductDetails(name="Ankh", attributes=attributes))
        assert fields(refused) == ["attributes"]


class TestReviseProduct:
    @pytest.fixture
    def revise(self, tools):
        return tools(ReviseProduct)

    @pytest.fixture
    def product_id(self, unit_of_work):
        return store_product(unit_of_work)

    def test_changes_what_is_given(self, revise, product_id, get, clock):
        revise(actor=ADMIN, product_id=product_id, changes={"rarity": "Rare"})
        product = get("products", product_id)
        assert (product.details.rarity, product.details.name) == ("Rare", "Charizard")
        assert (product.version, product.updated_at) == (2, clock.now())

    def test_stores_nothing_when_nothing_changes(self, revise, product_id, get):
        revise(actor=ADMIN, product_id=product_id, changes={"name": "Charizard"}, status=ProductStatus.PUBLISHED)
        assert get("products", product_id).version == 1

    def test_archives_and_brings_back(self, revise, product_id, get):
        revise(actor=ADMIN, product_id=product_id, changes={}, status=ProductStatus.ARCHIVED)
        assert get("products", product_id).is_archived
        revise(actor=ADMIN, product_id=product_id, changes={}, status=ProductStatus.PUBLISHED)
        assert not get("products", product_id).is_archived

    def test_is_based_on_the_version_that_was_read(self, revise, product_id):
        revise(actor=ADMIN, product_id=product_id, changes={"rarity": "Rare"}, if_version=[1, 7])
        with pytest.raises(PreconditionFailed):
            revise(actor=ADMIN, product_id=product_id, changes={"rarity": "Common"}, if_version=[1, 7])

    def test_is_for_administrators(self, revise, product_id):
        with pytest.raises(Forbidden):
            revise(actor=SELLER, product_id=product_id, changes={})

    def test_names_what_is_not_there(self, revise, product_id):
        with pytest.raises(NotFound):
            revise(actor=ADMIN, product_id=999, changes={})
        with pytest.raises(Invalid) as refused:
            revise(actor=ADMIN, product_id=product_id, changes={"category_ids": (999,)})
        assert fields(refused) == ["categories"]

    def test_refuses_what_nobody_could_store(self, revise, product_id):
        with pytest.raises(Invalid) as refused:
            revise(actor=ADMIN, product_id=product_id, changes={"attributes": {"a": "\0"}})
        assert fields(refused) == ["attributes"]


class TestArchiveProduct:
    def test_archives_once(self, tools, unit_of_work, get):
        product_id = store_product(unit_of_work)
        for _ in range(2):
            tools(ArchiveProduct)(actor=ADMIN, product_id=product_id)
        product = get("products", product_id)
        assert (product.is_archived, product.version) == (True, 2)

    def test_is_for_administrators(self, tools, unit_of_work):
        with pytest.raises(Forbidden):
            tools(ArchiveProduct)(actor=SELLER, product_id=store_product(unit_of_work))


class TestCategories:
    def test_are_made_below_one_another(self, tools, get):
        root = tools(AddCategory)(actor=ADMIN, name="Sealed Boxes", tcg_type="magic", position=3)
        below = tools(AddCategory)(actor=ADMIN, name="Big", slug="big-ones", parent_id=root)
        category = get("categories", below)
        assert (get("categories", root).slug, category.slug, category.parent_id) == ("sealed-boxes", "big-ones", root)

    def test_are_renamed_and_moved(self, tools, get, clock):
        add, change = tools(AddCategory), tools(ChangeCategory)
        one, other = (add(actor=ADMIN, name=name) for name in ("One", "Two"))
        change(actor=ADMIN, category_id=other, changes={"name": "Another", "parent_id": one}, if_version=[1, 7])
        category = get("categories", other)
        assert (category.name, category.parent_id, category.version) == ("Another", one, 2)
        change(actor=ADMIN, category_id=other, changes={"name": "Another"})
        assert get("categories", other).version == 2
        change(actor=ADMIN, category_id=other, changes={"parent_id": None})
        assert get("categories", other).parent_id is None

    def test_are_never_moved_below_themselves(self, tools):
        add, change = tools(AddCategory), tools(ChangeCategory)
        one = add(actor=ADMIN, name="One")
        below = add(actor=ADMIN, name="Below", parent_id=one)
        with pytest.raises(CategoryCycle):
            change(actor=ADMIN, category_id=one, changes={"parent_id": below})

    def test_are_changed_as_they_were_read(self, tools):
        one = tools(AddCategory)(actor=ADMIN, name="One")
        with pytest.raises(PreconditionFailed):
            tools(ChangeCategory)(actor=ADMIN, category_id=one, changes={}, if_version=[7, 8])

    def test_belong_to_games_that_exist(self, tools):
        with pytest.raises(Invalid) as refused:
            tools(AddCategory)(actor=ADMIN, name="Pawns", tcg_type="chess")
        assert fields(refused) == ["tcg_type"]

    def test_have_slugs_of_their_own(self, tools):
        tools(AddCategory)(actor=ADMIN, name="One")
        with pytest.raises(DuplicateCode):
            tools(AddCategory)(actor=ADMIN, name="ONE")

    def test_are_deleted_when_nothing_is_in_them(self, tools, get):
        one = tools(AddCategory)(actor=ADMIN, name="One")
        below = tools(AddCategory)(actor=ADMIN, name="Below", parent_id=one)
        with pytest.raises(CategoryInUse):
            tools(DeleteCategory)(actor=ADMIN, category_id=one)
        tools(DeleteCategory)(actor=ADMIN, category_id=below)
        tools(DeleteCategory)(actor=ADMIN, category_id=one)
        with pytest.raises(NotFound):
            get("categories", one)

    def test_are_for_administrators(self, tools):
        for attempt in (
            lambda: tools(AddCategory)(actor=SELLER, name="One"),
            lambda: tools(ChangeCategory)(actor=SELLER, category_id=1, changes={}),
            lambda: tools(DeleteCategory)(actor=SELLER, category_id=1),
        ):
            with pytest.raises(Forbidden):
                attempt()


class TestReferenceData:
    def test_grows(self, tools, unit_of_work, get):
        language = tools(AddLanguage)(actor=ADMIN, code="fi", name="Suomi")
        version = tools(AddVersion)(actor=ADMIN, code="etched", name="Etched", tcg_types=["magic"])
        condition = tools(AddCondition)(actor=ADMIN, code="HP", label="Heavily played", rank=9)
        grade = tools(AddGrade)(actor=ADMIN, grader="ACE", value="9.50")
        with unit_of_work() as uow:
            attributes = uow.catalogue.attributes()
        assert attributes.language("fi") == language
        assert attributes.version("etched") == version
        assert attributes.condition("HP") == condition
        assert attributes.grade("ACE 9.5") == grade
        set_id = tools(AddCardSet)(actor=ADMIN, details=BOX)
        assert get("card_sets", set_id).details == BOX

    def test_names_prints_differently(self, tools, unit_of_work):
        version = tools(AddVersion)(actor=ADMIN, code="etched", name="Etched")
        tools(ChangeVersion)(actor=ADMIN, version_id=version.id, name="Etched foil", displayable=False)
        with unit_of_work() as uow:
            found = uow.catalogue.attributes().version("etched")
        assert (found.name, found.displayable) == ("Etched foil", False)

    def test_belongs_to_games_that_exist(self, tools):
        with pytest.raises(Invalid):
            tools(AddVersion)(actor=ADMIN, code="etched", name="Etched", tcg_types=["chess"])
        with pytest.raises(Invalid) as refused:
            tools(ChangeVersion)(actor=ADMIN, version_id=1, tcg_types=["chess"])
        assert fields(refused) == ["tcg_types"]
        with pytest.raises(Invalid):
            tools(AddCardSet)(actor=ADMIN, details=BOX_OF_CHESS)

    def test_names_a_version_that_is_not_there(self, tools):
        with pytest.raises(NotFound):
            tools(ChangeVersion)(actor=ADMIN, version_id=999)

    def test_is_for_administrators(self, tools):
        for attempt in (
            lambda: tools(AddLanguage)(actor=SELLER, code="fi", name="Suomi"),
            lambda: tools(AddVersion)(actor=SELLER, code="etched", name="Etched"),
            lambda: tools(ChangeVersion)(actor=SELLER, version_id=1),
            lambda: tools(AddCondition)(actor=SELLER, code="HP", label="?", rank=1),
            lambda: tools(AddGrade)(actor=SELLER, grader="ACE", value="9"),
            lambda: tools(AddCardSet)(actor=SELLER, details=BOX),
        ):
            with pytest.raises(Forbidden):
                attempt()
