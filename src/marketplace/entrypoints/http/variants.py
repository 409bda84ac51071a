"""What a variant looks like on the wire, and how its parts are referred to: by id or by code."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError, fields

from marketplace.application.ports.catalogue import VariantView
from marketplace.domain.catalogue.attributes import Condition, Grade, Language, Version
from marketplace.domain.shared.ids import MAX_ID
from marketplace.entrypoints.http.schemas import Schema

_LONGEST_CODE = 100
_DIGITS = re.compile(r"\d{1,16}", re.ASCII)


class Ref(fields.Field[int | str]):
    """An id, or a code. In a query, digits are an id."""

    def __init__(self, *, in_query: bool = False, **kwargs: Any) -> None:
        self._in_query = in_query
        kwargs["metadata"] = {
            "type": ["integer", "string"],
            "description": "Its id or its code.",
            "minimum": 1,
            "maxLength": _LONGEST_CODE,
            **kwargs.get("metadata", {}),
        }
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int | str:
        if self._in_query and isinstance(value, str) and _DIGITS.fullmatch(value):
            value = int(value)
        if type(value) is int and 1 <= value <= MAX_ID:
            return value
        if isinstance(value, str) and 0 < len(value.strip()) <= _LONGEST_CODE and value.isprintable():
            return value.strip()
        raise ValidationError("Neither an id nor a code.")


class LanguageSchema(Schema):
    id = fields.Integer(required=True)
    code = fields.String(required=True, metadata={"example": "fr"})
    name = fields.String(required=True)


class VersionSchema(Schema):
    id = fields.Integer(required=True)
    code = fields.String(required=True, metadata={"example": "holo-first-edition"})
    name = fields.String(required=True)
    tcg_types = fields.List(fields.String(), required=True)
    description = fields.String(required=True)
    displayable = fields.Boolean(required=True)


class ConditionSchema(Schema):
    id = fields.Integer(required=True)
    code = fields.String(required=True, metadata={"example": "NM"})
    label = fields.String(required=True)
    is_graded = fields.Boolean(required=True)


class GradeSchema(Schema):
    id = fields.Integer(required=True)
    value = fields.String(required=True, metadata={"example": "9.5"})
    grader = fields.String(required=True, metadata={"example": "PSA"})


class VariantSchema(Schema):
    id = fields.Integer(required=True)
    product = fields.Integer(required=True)
    language = fields.Nested(LanguageSchema, required=True)
    version = fields.Nested(VersionSchema, required=True)
    condition = fields.Nested(ConditionSchema, required=True)
    grade = fields.Nested(GradeSchema, required=True, allow_none=True)


def variant_json(variant: VariantView) -> dict[str, Any]:
    return {
        "id": variant.id,
        "product": variant.product,
        "language": language_json(variant.language),
        "version": version_json(variant.version),
        "condition": condition_json(variant.condition),
        "grade": None if variant.grade is None else grade_json(variant.grade),
    }


def language_json(language: Language) -> dict[str, Any]:
    return {"id": language.id, "code": language.code, "name": language.name}


def version_json(version: Version) -> dict[str, Any]:
    return {
        "id": version.id,
        "code": version.code,
        "name": version.name,
        "tcg_types": sorted(version.tcg_types),
        "description": version.description,
        "displayable": version.displayable,
    }


def condition_json(condition: Condition) -> dict[str, Any]:
    return {
        "id": condition.id,
        "code": condition.code,
        "label": condition.label,
        "is_graded": condition.is_graded,
    }


def grade_json(grade: Grade) -> dict[str, Any]:
    return {"id": grade.id, "value": grade.value, "grader": grade.grader}
