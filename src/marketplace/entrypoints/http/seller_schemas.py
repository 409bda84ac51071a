"""What sellers and administrators send and are told about shops."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, validate

from marketplace.application.ports.sellers import OwnSellerView, SellerRecord, SellerView
from marketplace.domain.payout_accounts import COUNTRIES, AccountState
from marketplace.domain.sellers import (
    MAX_DESCRIPTION,
    MAX_REASON,
    MAX_SHOP_NAME,
    Holiday,
    SellerStatus,
    SellingStep,
)
from marketplace.entrypoints.http.fields import FieldNames
from marketplace.entrypoints.http.pages import PageArgs
from marketplace.entrypoints.http.schemas import Flag, Schema, Text

_STATUSES = [str(status) for status in SellerStatus]
_ACTIONS: Mapping[SellingStep, str] = {
    SellingStep.VERIFIED_EMAIL: "Send the code that was mailed to you to POST /api/v1/auth/verify-email/.",
    SellingStep.APPROVAL: "An administrator looks at your application; you need do nothing.",
    SellingStep.IDENTITY: "The marketplace verifies who you are; you need do nothing.",
    SellingStep.ONBOARDING: "POST /api/v1/sellers/me/onboarding/ gives you the payment provider's page; open it there.",
}
_NO_APPLICATION = "Apply to sell: POST /api/v1/sellers/ with the name of your shop."
_INSTANT = {"description": "An instant (ISO 8601 with an offset), or a date: its first instant, UTC."}


class Instant(fields.Field[datetime]):
    """An aware instant, or a date, which stands for its first instant in UTC."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"type": "string", "example": "2026-12-24", **_INSTANT}
        super().__init__(metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or len(value) > 40:
            raise ValidationError("Not an instant or a date (ISO 8601).")
        try:
            if len(value) == 10:
                day = date.fromisoformat(value)
                return datetime(day.year, day.month, day.day, tzinfo=UTC)
            moment = datetime.fromisoformat(value)
            # Moved to UTC here: an offset at either end of the calendar leads out of it.
            return _aware(moment).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ValidationError("Not an instant or a date (ISO 8601).") from error


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValidationError("Say of which offset it is, as in 2026-12-24T18:00:00+01:00.")
    return moment


class SellerSchema(Schema):
    id = fields.Integer(required=True)
    shop_name = fields.String(required=True)
    description = fields.String(required=True)
    rating = fields.Float(required=True, allow_none=True, metadata={"description": "1 to 5, null without reviews."})
    on_holiday = fields.Boolean(required=True)
    back_at = fields.DateTime(
        required=True, allow_none=True, metadata={"description": "When the holiday that it is on now ends."}
    )
    created_at = fields.DateTime(required=True)


class ChecklistStepSchema(Schema):
    step = fields.String(required=True, metadata={"enum": [str(step) for step in SellingStep]})
    done = fields.Boolean(required=True)
    action = fields.String(required=True, allow_none=True, metadata={"description": "What to do; null when done."})


class PayoutAccountSchema(Schema):
    transfers = fields.String(required=True, metadata={"description": "active: the marketplace can pay you."})
    payouts_enabled = fields.Boolean(required=True, metadata={"description": "Whether it goes on to your bank."})
    requirements_due = fields.List(fields.String(), required=True)
    disabled_reason = fields.String(required=True)


class OwnSellerSchema(Schema):
    id = fields.Integer(required=True)
    shop_name = fields.String(required=True, allow_none=True)
    description = fields.String(required=True)
    rating = fields.Float(required=True, allow_none=True)
    status = fields.String(required=True, metadata={"enum": _STATUSES})
    status_reason = fields.String(required=True)
    is_selling = fields.Boolean(required=True, metadata={"description": "Whether the public sees your listings."})
    on_holiday = fields.Boolean(required=True)
    holiday_from = fields.DateTime(required=True, allow_none=True)
    holiday_until = fields.DateTime(required=True, allow_none=True)
    checklist = fields.List(fields.Nested(ChecklistStepSchema), required=True)
    payout_account = fields.Nested(
        PayoutAccountSchema, required=True, allow_none=True, metadata={"description": "Null until onboarding."}
    )
    created_at = fields.DateTime(required=True, allow_none=True)


class SellerRecordSchema(Schema):
    id = fields.Integer(required=True)
    username = fields.String(required=True)
    email = fields.String(required=True)
    shop_name = fields.String(required=True)
    description = fields.String(required=True)
    rating = fields.Float(required=True, allow_none=True)
    status = fields.String(required=True, metadata={"enum": _STATUSES})
    status_reason = fields.String(required=True)
    is_selling = fields.Boolean(required=True)
    on_holiday = fields.Boolean(required=True)
    holiday_from = fields.DateTime(required=True, allow_none=True)
    holiday_until = fields.DateTime(required=True, allow_none=True)
    missing = fields.List(fields.String(metadata={"enum": [str(step) for step in SellingStep]}), required=True)
    created_at = fields.DateTime(required=True, metadata={"description": "When they applied."})


class ApplicationSchema(Schema):
    shop_name = Text(shortest=1, longest=MAX_SHOP_NAME, required=True)
    description = Text(longest=MAX_DESCRIPTION)


class ShopChangesSchema(Schema):
    shop_name = Text(shortest=1, longest=MAX_SHOP_NAME)
    description = Text(longest=MAX_DESCRIPTION)
    holiday_from = Instant(allow_none=True)
    holiday_until = Instant(allow_none=True)


class OnboardingSchema(Schema):
    country = fields.String(
        validate=validate.OneOf(sorted(COUNTRIES)),
        metadata={"description": "Where you are; counts until your account at the provider is made."},
    )


class OnboardingLinkSchema(Schema):
    url = fields.String(required=True, metadata={"description": "The provider's page; can be used once."})
    expires_at = fields.DateTime(required=True)


class SellersArgs(PageArgs):
    status = fields.String(validate=validate.OneOf([s for s in _STATUSES if s != SellerStatus.NONE]))
    wanted = FieldNames(SellerRecordSchema)


class DecisionSchema(Schema):
    reason = Text(longest=MAX_REASON, metadata={"description": "For the audit trail."})


class ReasonSchema(Schema):
    reason = Text(shortest=1, longest=MAX_REASON, required=True, metadata={"description": "What the seller is told."})


class IdentityCheckSchema(DecisionSchema):
    verified = Flag(load_default=True, metadata={"description": "false takes it back, and needs a reason."})


def seller_json(found: SellerView) -> dict[str, Any]:
    return {
        "id": found.id,
        "shop_name": found.shop_name,
        "description": found.description,
        "rating": rating_json(found.rating),
        "on_holiday": found.back_at is not None,
        "back_at": found.back_at,
        "created_at": found.created_at,
    }


def own_json(found: OwnSellerView) -> dict[str, Any]:
    return {
        "id": found.id,
        **_shop_json(found),
        "checklist": [
            {
                "step": step.value,
                "done": step not in found.missing,
                "action": _action(step, found) if step in found.missing else None,
            }
            for step in SellingStep
        ],
        "payout_account": None if found.payout_account is None else _payout_account_json(found.payout_account),
        "created_at": found.created_at,
    }


def _shop_json(found: OwnSellerView | SellerRecord) -> dict[str, Any]:
    """What its owner and admins see, and nobody else."""
    return {
        "shop_name": found.shop_name,
        "description": found.description,
        "rating": rating_json(found.rating),
        "status": found.status.value,
        "status_reason": found.status_reason,
        "is_selling": found.is_selling,
        "on_holiday": found.on_holiday,
        **_holiday_json(found.holiday),
    }


def record_json(found: SellerRecord) -> dict[str, Any]:
    return {
        "id": found.id,
        "username": found.username,
        "email": found.email,
        **_shop_json(found),
        "missing": [step.value for step in found.missing],
        "created_at": found.created_at,
    }


def rating_json(rating: Decimal | None) -> float | None:
    return None if rating is None else float(rating)


def _action(step: SellingStep, found: OwnSellerView) -> str:
    if step is SellingStep.APPROVAL:
        match found.status:
            case SellerStatus.NONE:
                return _NO_APPLICATION
            case SellerStatus.REJECTED:
                return "Your application was turned down; status_reason tells why."
            case SellerStatus.SUSPENDED:
                return "Your shop is suspended; status_reason tells why."
    if step is SellingStep.ONBOARDING and found.status is SellerStatus.NONE:
        return f"First: {_NO_APPLICATION}"
    return _ACTIONS[step]


def _holiday_json(holiday: Holiday | None) -> dict[str, Any]:
    return {
        "holiday_from": None if holiday is None else holiday.begins_at,
        "holiday_until": None if holiday is None else holiday.ends_at,
    }


def _payout_account_json(state: AccountState) -> dict[str, Any]:
    return {
        "transfers": state.transfers.value,
        "payouts_enabled": state.payouts_enabled,
        "requirements_due": list(state.requirements_due),
        "disabled_reason": state.disabled_reason,
    }
