"""What every schema shares: unknown fields refused, integers that are integers, money as decimal strings."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Self

import marshmallow as ma
from marshmallow import ValidationError, fields, validate

from marketplace.domain.shared.ids import MAX_ID

# No zeros in front: "05.00" is more often a slip than an amount.
_DECIMAL = re.compile(r"(0|[1-9]\d{0,11})(\.\d{1,3})?", re.ASCII)


class Schema(ma.Schema):
    """Base of every schema: a field that it does not name is a 422."""

    class Meta:
        unknown = ma.RAISE

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Itself: nothing changes an instance, and each of a view's decorators copies what it documents, all fields."""
        return self


class StrictInteger(fields.Integer):
    """A JSON integer; ``true``, ``1.0`` and ``"1"`` are none. In a query, decimal digits. Below 2^53 either way."""

    def __init__(self, *, low: int = -MAX_ID, high: int = MAX_ID, in_query: bool = False, **kwargs: Any) -> None:
        self._in_query = in_query
        checks = [validate.Range(min=low, max=high), *_listed(kwargs.pop("validate", []))]
        super().__init__(strict=True, validate=checks, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if self._in_query and isinstance(value, str) and re.fullmatch(r"-?\d{1,16}", value, re.ASCII):
            return int(value)
        if type(value) is not int:
            raise ValidationError("Not a whole number.")
        return value


class Id(StrictInteger):
    """An identity: 1 to 2^53 - 1."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(low=1, **kwargs)


class MoneyString(fields.String):
    """An amount that is not negative, as a decimal string such as ``"25.99"``; a JSON number is refused."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("metadata", {"example": "25.99"})
        kwargs["metadata"] = {"pattern": f"^{_DECIMAL.pattern}$", **kwargs["metadata"]}
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not _DECIMAL.fullmatch(text):
            raise ValidationError('Not an amount: write a decimal string such as "25.99".')
        return text


class Text(fields.String):
    """A string of bounded length, trimmed, without control characters but line breaks and tabs."""

    def __init__(self, *, longest: int = 200, shortest: int = 0, **kwargs: Any) -> None:
        checks = [validate.Length(min=shortest, max=longest), *_listed(kwargs.pop("validate", []))]
        super().__init__(validate=checks, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = (super()._deserialize(value, attr, data, **kwargs) or "").strip()
        if any(ord(character) < 32 and character not in "\n\r\t" for character in text):
            raise ValidationError("Control characters are not allowed.")
        return text


class Pattern(validate.Regexp):
    """The whole of a text, without the line break at its end that ``$`` lets through."""

    def __call__(self, value: Any) -> Any:
        if self.regex.fullmatch(value) is None:
            raise ValidationError(self._format_error(value))
        return value


class BoundedList(fields.List[Any]):
    """So many elements at most, which are counted before any of them is looked at."""

    def __init__(self, element: fields.Field[Any], *, longest: int, shortest: int | None = None, **kwargs: Any) -> None:
        self._length = validate.Length(min=shortest, max=longest)
        super().__init__(element, validate=self._length, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list):
            self._length(value)
        return super()._deserialize(value, attr, data, **kwargs)


class Instant(fields.AwareDateTime):
    """An instant with its distance from UTC, RFC 3339.

    The distance is a database's business neither in hours nor at the end of time, so that it is gone here.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", default_timezone=None, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        moment: datetime = super()._deserialize(value, attr, data, **kwargs)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            raise ValidationError("Not an instant within the calendar.") from None


class Flag(fields.Boolean):
    """A JSON boolean; ``"true"`` is none. In a query ``true`` or ``false``."""

    def __init__(self, *, in_query: bool = False, **kwargs: Any) -> None:
        self._in_query = in_query
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if self._in_query and value in ("true", "false"):
            return bool(value == "true")
        if type(value) is not bool:
            raise ValidationError("Not true or false.")
        return value


class ProblemSchema(Schema):
    """A problem document (RFC 9457). What else a code promises (``available``, ``items``) stands beside these."""

    class Meta:
        unknown = ma.INCLUDE

    type = fields.String(required=True, metadata={"example": "urn:marketplace:problem:validation_error"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String(required=True)
    code = fields.String(required=True, metadata={"description": "Stable; what clients switch on."})
    request_id = fields.String(required=True)
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))


def _listed(checks: Any) -> list[Any]:
    return list(checks) if isinstance(checks, list | tuple) else [checks]
