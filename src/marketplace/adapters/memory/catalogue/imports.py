"""The import into memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import date, datetime

from marketplace.adapters.memory.catalogue.tables import seed
from marketplace.adapters.memory.store import InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from marketplace.application.ports.catalogue import CatalogueImport, Written
from marketplace.application.ports.ids import IdSequence
from marketplace.domain.catalogue.attributes import Version, version_name
from marketplace.domain.catalogue.card_sets import CardSet, SetDetails
from marketplace.domain.catalogue.categories import Category
from marketplace.domain.catalogue.imported import ImportedCard
from marketplace.domain.catalogue.products import Product
from marketplace.domain.catalogue.text import number_key
from marketplace.domain.shared.ids import CardSetId, CategoryId, ProductId, VersionId

_FINGERPRINTS = "catalogue_fingerprints"


class InMemoryCatalogueImport(CatalogueImport):
    def __init__(self, store: InMemoryStore, ids: IdSequence) -> None:
        seed(store)
        self._store = store
        self._ids = ids

    def sets(self) -> Mapping[tuple[str, str], SetDetails]:
        with self._store.lock:
            return {key: deepcopy(card_set.details) for key, card_set in self._sets().items()}

    def put_sets(self, sets: Sequence[SetDetails], *, now: datetime) -> Written:
        written = Written()
        with InMemoryUnitOfWork(self._store) as uow:
            stored = self._sets()
            for details in sets:
                self._add_game(uow, details.tcg_type, now)
                found = stored.get(details.key)
                if found is None:
                    id = CardSetId(self._ids.next())
                    uow.card_sets.add(CardSet(id=id, details=details, created_at=now, updated_at=now))
                    written += Written(added=1)
                elif found.details != details:
                    changed = deepcopy(found)
                    changed.details, changed.updated_at = details, now
                    uow.card_sets.save(changed)
                    written += Written(changed=1)
                else:
                    written += Written(unchanged=1)
            uow.commit()
        return written

    def put_cards(self, cards: Sequence[ImportedCard], *, now: datetime) -> Written:
        with InMemoryUnitOfWork(self._store) as uow:
            sets = self._sets()
            prints: dict[tuple[str, str], bytes] = self._store.table(_FINGERPRINTS)
            stored = {_key(product): product for product in self._store.table("products").values()}
            languages = {language.code for language in self._store.table("languages").values()}
            roots = {code: self._roots(uow, code) for code in {card.tcg_type for card in cards}}
            new_prints = {card.key: card.fingerprint(card.card_set.fingerprint) for card in cards}
            new = [card for card in cards if card.key not in stored]
            altered = [card for card in cards if card.key in stored and prints.get(card.key) != new_prints[card.key]]
            for card in new:
                product = Product.publish(
                    id=ProductId(self._ids.next()),
                    tcg_type=card.tcg_type,
                    external_id=card.external_id,
                    set_id=sets[card.card_set.key].id,
                    details=replace(card.details(languages=languages), category_ids=roots[card.tcg_type]),
                    now=now,
                )
                uow.products.add(product)
            for card in altered:
                product = deepcopy(stored[card.key])
                product.import_again(card.details(languages=languages), now=now)
                product.set_id = sets[card.card_set.key].id
                uow.products.save(product)
            self._add_versions(uow, [*new, *altered])
            uow.commit()
            prints |= new_prints
        return Written(added=len(new), changed=len(altered), unchanged=len(cards) - len(new) - len(altered))

    def settle(self) -> None:
        """There is nothing that memory would do better afterwards."""

    def exported_sets(self) -> Iterable[SetDetails]:
        with self._store.lock:
            found = sorted(self._sets().values(), key=_set_order)
            return [deepcopy(card_set.details) for card_set in found]

    def exported_cards(self) -> Iterable[ImportedCard]:
        with self._store.lock:
            sets = {card_set.id: card_set for card_set in self._sets().values()}
            products = [
                product
                for product in self._store.table("products").values()
                if product.set_id in sets and not product.is_archived and product.details.number is not None
            ]
            products.sort(key=lambda p: (*_set_order(sets[p.set_id]), number_key(p.details.number), p.id))
            return [_card(deepcopy(product), sets[product.set_id].details) for product in products]

    def _sets(self) -> dict[tuple[str, str], CardSet]:
        return {card_set.details.key: card_set for card_set in self._store.table("card_sets").values()}

    def _add_game(self, uow: InMemoryUnitOfWork, code: str, now: datetime) -> None:
        names = self._store.table("games")
        names.setdefault(code, code.replace("-", " ").title())
        if not self._roots(uow, code):
            root = Category(
                id=CategoryId(self._ids.next()),
                slug=code,
                name=names[code],
                tcg_type=code,
                created_at=now,
                updated_at=now,
            )
            uow.categories.add(root)

    def _roots(self, uow: InMemoryUnitOfWork, code: str) -> tuple[CategoryId, ...]:
        return tuple(sorted(category.id for category in uow.categories.roots() if category.tcg_type == code)[:1])

    def _add_versions(self, uow: InMemoryUnitOfWork, cards: Sequence[ImportedCard]) -> None:
        known = uow.catalogue.attributes().versions
        for code, game in sorted({(code, card.tcg_type) for card in cards for code in card.versions}):
            version = known.get(code)
            if version is None:
                id = VersionId(self._ids.next())
                version = Version(id=id, code=code, name=version_name(code), tcg_types=frozenset({game}))
                uow.catalogue.add_version(version)
                known = uow.catalogue.attributes().versions
            elif game not in version.tcg_types:
                version.tcg_types |= {game}
                uow.catalogue.save_version(version)


def _key(product: Product) -> tuple[str, str]:
    return product.tcg_type, product.external_id.casefold()


def _set_order(card_set: CardSet) -> tuple[str, date, str]:
    details = card_set.details
    return details.tcg_type, details.release_date or date.min, details.external_id


def _card(product: Product, card_set: SetDetails) -> ImportedCard:
    details = product.details
    assert details.number is not None  # what has none is not exported
    return ImportedCard(
        external_id=product.external_id,
        card_set=card_set,
        number=details.number,
        name=details.name,
        names=details.names,
        printed_number=details.printed_number,
        rarity=details.rarity,
        artist=details.artist,
        description=details.description,
        attributes=details.attributes,
    )
