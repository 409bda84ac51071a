"""Taking in a whole catalogue, a line a set and a line a card."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NoReturn, TypeVar

from marketplace.application.access import Actor, require_role
from marketplace.application.ports.catalogue import CatalogueImport, Written
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.catalogue.card_sets import SetDetails
from marketplace.domain.catalogue.imported import ImportedCard, parse_card, parse_set
from marketplace.domain.identity import Role
from marketplace.domain.shared.errors import Invalid

BATCH = 1_000
MAX_LINE = 256 * 1024
"""Bytes of a line; a longer one is refused."""
MAX_REPORTED = 1_000
"""Refused lines that are told one by one; all are counted."""

T = TypeVar("T", SetDetails, ImportedCard)


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedLine:
    """``line`` counts from 1."""

    file: str
    line: int
    reason: str


@dataclass(kw_only=True, slots=True)
class CatalogueReport:
    sets: Written = field(default_factory=Written)
    cards: Written = field(default_factory=Written)
    refused: list[RefusedLine] = field(default_factory=list)
    refused_count: int = 0

    def refuse(self, file: str, line: int, reason: str) -> None:
        self.refused_count += 1
        if len(self.refused) < MAX_REPORTED:
            self.refused.append(RefusedLine(file=file, line=line, reason=reason))


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportCatalogue:
    """Bring the catalogue up to date with two files; what is the same already is left alone.

    A broken line is reported and the rest goes in. Each batch is stored by itself, so that an import that was stopped
    is finished by running it again.
    """

    clock: Clock
    catalogue: CatalogueImport
    batch: int = BATCH

    def __call__(
        self,
        *,
        sets: Iterable[bytes],
        cards: Iterable[bytes],
        progress: Callable[[int], None] = lambda lines: None,
    ) -> CatalogueReport:
        """``progress`` is told how many more lines are done.

        What is wrong with a line is in the report, and no error. Raises DuplicateCode when somebody else gives a set's
        code away meanwhile; the batches before it are stored.
        """
        report = CatalogueReport()
        self._import_sets(sets, report, progress)
        self._import_cards(cards, report, progress)
        if report.sets.wrote or report.cards.wrote:
            self.catalogue.settle()
        return report

    def _import_sets(self, lines: Iterable[bytes], report: CatalogueReport, progress: Callable[[int], None]) -> None:
        by_code = {card_set.code_key: card_set.key for card_set in self.catalogue.sets().values()}

        def parse(raw: object) -> SetDetails:
            parsed = parse_set(raw)
            if by_code.setdefault(parsed.code_key, parsed.key) != parsed.key:
                other = by_code[parsed.code_key][1]
                raise Invalid(f"code: The set {other} of this region has the code {parsed.code!r} already.")
            return parsed

        for batch, done in _batches(_parsed("sets", lines, parse, report), self.batch):
            report.sets += self.catalogue.put_sets(batch, now=self.clock.now())
            progress(done)

    def _import_cards(self, lines: Iterable[bytes], report: CatalogueReport, progress: Callable[[int], None]) -> None:
        known = self.catalogue.sets()
        for batch, done in _batches(_parsed("cards", lines, lambda raw: parse_card(raw, known), report), self.batch):
            report.cards += self.catalogue.put_cards(batch, now=self.clock.now())
            progress(done)


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderCatalogueImport:
    """The import that an administrator asks for, on the record."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock
    run: ImportCatalogue

    def __call__(
        self,
        *,
        actor: Actor,
        sets: Iterable[bytes],
        cards: Iterable[bytes],
        progress: Callable[[int], None] = lambda lines: None,
    ) -> CatalogueReport:
        """As ``ImportCatalogue``. Raises Forbidden."""
        require_role(actor, Role.ADMIN)
        with self.unit_of_work() as uow:
            # Before it begins: its batches are transactions of their own, and it may be stopped between two of them.
            uow.audit.add(actor.did("catalogue.imported", "catalogue", "all", now=self.clock.now()))
            uow.commit()
        return self.run(sets=sets, cards=cards, progress=progress)


def _parsed(
    file: str, lines: Iterable[bytes], parse: Callable[[object], T], report: CatalogueReport
) -> Iterator[T | None]:
    """What each line says, None for one that is refused or empty. An id that comes again is refused."""
    seen: dict[tuple[str, str], int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            yield None
            continue
        try:
            parsed = parse(_decoded(line))
            first = seen.setdefault(parsed.key, number)
            if first != number:
                raise Invalid(f"id: Line {first} has the id {parsed.external_id!r} already.")
        except Invalid as error:
            report.refuse(file, number, str(error))
            yield None
        else:
            yield parsed


def _decoded(line: bytes) -> object:
    if len(line) > MAX_LINE:
        raise Invalid(f"The line is longer than {MAX_LINE} bytes.")
    try:
        return json.loads(line.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise Invalid(f"The line is not UTF-8 (at byte {error.start + 1}).") from error
    except (ValueError, RecursionError) as error:
        raise Invalid(f"The line is not JSON: {error}.") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _batches(items: Iterator[T | None], size: int) -> Iterator[tuple[list[T], int]]:
    """What could be read, in batches, each with the number of lines that it took."""
    batch: list[T] = []
    lines = 0
    for item in items:
        lines += 1
        if item is not None:
            batch.append(item)
        if lines == size:
            yield batch, lines
            batch, lines = [], 0
    if lines:
        yield batch, lines
