"""The parts of what administrators do to the catalogue."""

from __future__ import annotations

from dependency_injector import containers, providers

from marketplace.application.catalogue import attributes, categories, products
from marketplace.application.catalogue.import_catalogue import ImportCatalogue, OrderCatalogueImport
from marketplace.application.catalogue.sets import AddCardSet
from marketplace.application.ports.clock import Clock


class Catalogue(containers.DeclarativeContainer):
    """``import_catalogue`` is for the demo market and tests; operators order theirs, which is recorded."""

    backend = providers.DependenciesContainer()
    clock: providers.Dependency[Clock] = providers.Dependency()

    unit_of_work = backend.unit_of_work.provider
    import_catalogue = providers.Singleton(ImportCatalogue, clock=clock, catalogue=backend.catalogue_import)
    order_catalogue_import = providers.Singleton(
        OrderCatalogueImport, unit_of_work=unit_of_work, clock=clock, run=import_catalogue
    )
    publish_product = providers.Singleton(
        products.PublishProduct, unit_of_work=unit_of_work, ids=backend.ids, clock=clock
    )
    revise_product = providers.Singleton(products.ReviseProduct, unit_of_work=unit_of_work, clock=clock)
    archive_product = providers.Singleton(products.ArchiveProduct, unit_of_work=unit_of_work, clock=clock)
    add_category = providers.Singleton(categories.AddCategory, unit_of_work=unit_of_work, ids=backend.ids, clock=clock)
    change_category = providers.Singleton(categories.ChangeCategory, unit_of_work=unit_of_work, clock=clock)
    delete_category = providers.Singleton(categories.DeleteCategory, unit_of_work=unit_of_work, clock=clock)
    add_card_set = providers.Singleton(AddCardSet, unit_of_work=unit_of_work, ids=backend.ids, clock=clock)
    add_language = providers.Singleton(attributes.AddLanguage, unit_of_work=unit_of_work, ids=backend.ids, clock=clock)
    add_version = providers.Singleton(attributes.AddVersion, unit_of_work=unit_of_work, ids=backend.ids, clock=clock)
    change_version = providers.Singleton(attributes.ChangeVersion, unit_of_work=unit_of_work, clock=clock)
    add_condition = providers.Singleton(
        attributes.AddCondition, unit_of_work=unit_of_work, ids=backend.ids, clock=clock
    )
    add_grade = providers.Singleton(attributes.AddGrade, unit_of_work=unit_of_work, ids=backend.ids, clock=clock)
