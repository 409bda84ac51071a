"""``fields=id,name``: keep only those top-level fields of each object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marshmallow import ValidationError
from marshmallow import fields as ma

from marketplace.entrypoints.http.schemas import Schema


class FieldNames(ma.String):
    """Names of fields of a schema, separated by commas; an unknown one is a 422."""

    def __init__(self, of: type[Schema], **kwargs: Any) -> None:
        self._known = frozenset(field.data_key or name for name, field in of().dump_fields.items())
        kwargs.setdefault("data_key", "fields")
        kwargs.setdefault("metadata", {"description": "Keep only these top-level fields.", "example": "id"})
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs) or ""
        names = [name.strip() for name in text.split(",") if name.strip()]
        unknown = sorted(set(names) - self._known)
        if unknown or not names:
            raise ValidationError(
                f"Unknown field {unknown[0][:50]!r}; there are: {', '.join(sorted(self._known))}."
                if unknown
                else "Name at least one field."
            )
        return tuple(dict.fromkeys(names))


def projected(item: dict[str, Any], names: Iterable[str] | None) -> dict[str, Any]:
    """``item`` with only the fields named; all of them when ``names`` is None."""
    return item if names is None else {name: item[name] for name in names if name in item}
