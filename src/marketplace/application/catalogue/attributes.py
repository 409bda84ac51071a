"""What admins add to the languages, versions, conditions and grades."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from marketplace.application.access import Actor, require_role
from marketplace.application.catalogue.games import require_games
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.ids import IdSequence
from marketplace.application.ports.unit_of_work import UnitOfWork
from marketplace.domain.catalogue.attributes import Condition, Grade, Language, Version
from marketplace.domain.identity import Role
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import ConditionId, GradeId, LanguageId, VersionId


@dataclass(frozen=True, kw_only=True, slots=True)
class AddLanguage:
    """Let cards be offered in another language."""

    unit_of_work: Callable[[], UnitOfWork]
    ids: IdSequence
    clock: Clock

    def __call__(self, *, actor: Actor, code: str, name: str) -> Language:
        """Raises Forbidden, Invalid for what is no code, DuplicateCode."""
        require_role(actor, Role.ADMIN)
        language = Language(id=LanguageId(self.ids.next()), code=code, name=name)
        with self.unit_of_work() as uow:
            uow.catalogue.add_language(language)
            uow.audit.add(
                actor.did("language.added", "language", language.id, now=self.clock.now(), after=asdict(language))
            )
            uow.commit()
        return language


@dataclass(frozen=True, kw_only=True, slots=True)
class AddVersion:
    """Let cards be offered in another print."""

    unit_of_work: Callable[[], UnitOfWork]
    ids: IdSequence
    clock: Clock

    def __call__(
        self,
        *,
        actor: Actor,
        code: str,
        name: str,
        tcg_types: Iterable[str] = (),
        description: str = "",
        displayable: bool = True,
    ) -> Version:
        """Raises Forbidden, Invalid, for a game that is not there as well, DuplicateCode."""
        require_role(actor, Role.ADMIN)
        version = Version(
            id=VersionId(self.ids.next()),
            code=code,
            name=name,
            tcg_types=frozenset(tcg_types),
            description=description,
            displayable=displayable,
        )
        with self.unit_of_work() as uow:
            require_games(uow, *sorted(version.tcg_types), field="tcg_types")
            uow.catalogue.add_version(version)
            uow.audit.add(
                actor.did("version.added", "version", version.id, now=self.clock.now(), after=asdict(version))
            )
            uow.commit()
        return version


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeVersion:
    """Name, explain or hide a print; its code stays, since listings and files use it."""

    unit_of_work: Callable[[], UnitOfWork]
    clock: Clock

    def __call__(
        self,
        *,
        actor: Actor,
        version_id: VersionId,
        name: str | None = None,
        tcg_types: Iterable[str] | None = None,
        description: str | None = None,
        displayable: bool | None = None,
    ) -> Version:
        """What is left out stays. Raises Forbidden, NotFound, Invalid."""
        require_role(actor, Role.ADMIN)
        with self.unit_of_work() as uow:
            version = uow.catalogue.attributes().versions.get(version_id)
            if version is None:
                raise NotFound(f"There is no version {version_id}.")
            before = asdict(version)
            version.describe(name=name, tcg_types=tcg_types, description=description, displayable=displayable)
            require_games(uow, *sorted(version.tcg_types), field="tcg_types")
            uow.catalogue.save_version(version)
            uow.audit.add(
                actor.did(
                    "version.changed", "version", version_id, now=self.clock.now(), before=before, after=asdict(version)
                )
            )
            uow.commit()
        return version


@dataclass(frozen=True, kw_only=True, slots=True)
class AddCondition:
    """Let cards be offered in another state of preservation."""

    unit_of_work: Callable[[], UnitOfWork]
    ids: IdSequence
    clock: Clock

    def __call__(self, *, actor: Actor, code: str, label: str, rank: int, is_graded: bool = False) -> Condition:
        """``rank`` 1 is the best. Raises Forbidden, Invalid, DuplicateCode."""
        require_role(actor, Role.ADMIN)
        id = ConditionId(self.ids.next())
        condition = Condition(id=id, code=code, label=label, rank=rank, is_graded=is_graded)
        with self.unit_of_work() as uow:
            uow.catalogue.add_condition(condition)
            uow.audit.add(
                actor.did("condition.added", "condition", condition.id, now=self.clock.now(), after=asdict(condition))
            )
            uow.commit()
        return condition


@dataclass(frozen=True, kw_only=True, slots=True)
class AddGrade:
    """Let graded cards be offered with another grader's or another mark."""

    unit_of_work: Callable[[], UnitOfWork]
    ids: IdSequence
    clock: Clock

    def __call__(self, *, actor: Actor, grader: str, value: str) -> Grade:
        """Raises Forbidden, Invalid, DuplicateCode when the grader has that mark."""
        require_role(actor, Role.ADMIN)
        grade = Grade(id=GradeId(self.ids.next()), grader=grader, value=value)
        with self.unit_of_work() as uow:
            uow.catalogue.add_grade(grade)
            uow.audit.add(actor.did("grade.added", "grade", grade.id, now=self.clock.now(), after=asdict(grade)))
            uow.commit()
        return grade
