"""Variants: a product in one language, version, condition and grade; what can be compared on price."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from marketplace.domain.catalogue.attributes import Attributes, Condition, Grade
from marketplace.domain.shared.errors import Invalid
from marketplace.domain.shared.ids import ConditionId, GradeId, LanguageId, ProductId, VariantId, VersionId

T = TypeVar("T")


class GradeRequired(Invalid):
    code = "grade_required"


class GradeForbidden(Invalid):
    code = "grade_forbidden"


@dataclass(frozen=True, kw_only=True, slots=True)
class VariantKey:
    """What makes a variant the one that it is; no two variants have the same."""

    product_id: ProductId
    language_id: LanguageId
    version_id: VersionId
    condition_id: ConditionId
    grade_id: GradeId | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    id: VariantId
    key: VariantKey


def variant_key(
    attributes: Attributes,
    *,
    product_id: ProductId,
    language: int | str,
    version: int | str,
    condition: int | str,
    grade: int | str | None = None,
) -> VariantKey:
    """The key that ids or codes describe.

    Raises Invalid naming every attribute that does not exist, GradeRequired for the graded condition without a grade,
    GradeForbidden for another condition with one.
    """
    errors: dict[str, list[str]] = {}

    def looked_up(find: Callable[[int | str], T], ref: int | str) -> T | None:
        try:
            return find(ref)
        except Invalid as error:
            errors.update(error.facts["errors"])
            return None

    the_language = looked_up(attributes.language, language)
    the_version = looked_up(attributes.version, version)
    the_condition = looked_up(attributes.condition, condition)
    the_grade = None if grade is None else looked_up(attributes.grade, grade)
    if the_language is None or the_version is None or the_condition is None or errors:
        raise Invalid(" ".join(message for messages in errors.values() for message in messages), errors=errors)
    require_grade_to_fit(the_condition, the_grade)
    return VariantKey(
        product_id=product_id,
        language_id=the_language.id,
        version_id=the_version.id,
        condition_id=the_condition.id,
        grade_id=None if the_grade is None else the_grade.id,
    )


def require_grade_to_fit(condition: Condition, grade: Grade | None) -> None:
    """A graded condition requires a grade and an ungraded one forbids it. Raises GradeRequired, GradeForbidden."""
    if condition.is_graded and grade is None:
        message = f"The condition {condition.code} requires a grade; give one of GET /api/v1/grades/, such as PSA 10."
        raise GradeRequired(message, errors={"grade": [message]})
    if grade is not None and not condition.is_graded:
        message = f"The condition {condition.code} forbids a grade; leave out {grade.code} or use the graded condition."
        raise GradeForbidden(message, errors={"grade": [message]})
