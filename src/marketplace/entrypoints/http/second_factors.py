"""One's own second factor: set up, confirmed, turned off."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from marketplace.application.access import STAFF
from marketplace.application.identity.second_factors import (
    ConfirmSecondFactor,
    DisableSecondFactor,
    EnrolSecondFactor,
    RenewRecoveryCodes,
)
from marketplace.application.ports.second_factors import SecondFactorQueries
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.identity_schemas import Password, SecondFactorCode
from marketplace.entrypoints.http.schemas import Pattern, Schema

_NEVER_KEPT = {"Cache-Control": "no-store"}
_ONCE = "Null when the answer is repeated for an Idempotency-Key: it is shown once."

Answer = tuple[dict[str, Any], dict[str, str]]


class SecondFactorSchema(Schema):
    is_enabled = fields.Boolean(required=True)
    is_required = fields.Boolean(
        required=True, metadata={"description": "Whether this account can only act as staff with one."}
    )
    confirmed_at = fields.DateTime(required=True, allow_none=True)
    recovery_codes_left = fields.Integer(required=True)


class PasswordConfirmationSchema(Schema):
    password = Password(required=True)


class EnrolmentSchema(Schema):
    secret = fields.String(
        required=True, allow_none=True, metadata={"description": f"To be typed into an authenticator. {_ONCE}"}
    )
    otpauth_uri = fields.String(
        required=True, allow_none=True, metadata={"description": f"The same, for a QR code. {_ONCE}"}
    )


class ConfirmationSchema(Schema):
    otp = fields.String(
        required=True,
        validate=Pattern(r"^[0-9]{6}$", error="Six digits."),
        metadata={"description": "What the authenticator shows.", "example": "123456"},
    )


class OwnerSchema(Schema):
    password = Password(required=True)
    otp = SecondFactorCode(required=True)


class RecoveryCodesSchema(Schema):
    recovery_codes = fields.List(
        fields.String(metadata={"example": "7k3m-0fqz-91xd"}),
        required=True,
        allow_none=True,
        metadata={"description": f"Each is good once, in place of the authenticator's code. {_ONCE}"},
    )


def second_factors_blueprint(
    *,
    enrol: EnrolSecondFactor,
    confirm: ConfirmSecondFactor,
    disable: DisableSecondFactor,
    renew_recovery: RenewRecoveryCodes,
    queries: SecondFactorQueries,
    staff_need_one: bool,
) -> Blueprint:
    blueprint = Blueprint("two_factor", __name__, description="A second factor for signing in")

    @blueprint.get("/auth/two-factor/")
    @signed_in()
    @blueprint.response(200, SecondFactorSchema)
    def second_factor() -> Answer:
        """Whether one's account has a second factor."""
        actor = current_actor()
        view = queries.of(actor.account_id)
        body = {
            "is_enabled": view.confirmed_at is not None,
            "is_required": staff_need_one and bool(STAFF & (actor.roles | actor.withheld)),
            "confirmed_at": view.confirmed_at,
            "recovery_codes_left": view.recovery_codes_left,
        }
        return body, _NEVER_KEPT

    @blueprint.post("/auth/two-factor/")
    @signed_in(secrets=("secret", "otpauth_uri"))
    @problems(409, 429)
    @blueprint.arguments(PasswordConfirmationSchema)
    @blueprint.response(201, EnrolmentSchema)
    def set_up_second_factor(body: dict[str, Any]) -> Answer:
        """Set up an authenticator; nothing changes until it is confirmed."""
        enrolment = enrol(actor=current_actor(), password=body["password"])
        return {"secret": enrolment.secret, "otpauth_uri": enrolment.uri}, _NEVER_KEPT

    @blueprint.post("/auth/two-factor/confirm/")
    @signed_in(secrets=("recovery_codes",))
    @problems(409, 429)
    @blueprint.arguments(ConfirmationSchema)
    @blueprint.response(200, RecoveryCodesSchema)
    def confirm_second_factor(body: dict[str, Any]) -> Answer:
        """Turn it on with a code of the authenticator; gives ten recovery codes."""
        return {"recovery_codes": confirm(actor=current_actor(), code=body["otp"])}, _NEVER_KEPT

    @blueprint.post("/auth/two-factor/disable/")
    @signed_in()
    @problems(409, 429)
    @blueprint.arguments(OwnerSchema)
    @blueprint.response(204)
    def disable_second_factor(body: dict[str, Any]) -> None:
        """Turn it off: the password alone is enough again."""
        disable(actor=current_actor(), password=body["password"], code=body["otp"])

    @blueprint.post("/auth/two-factor/recovery-codes/")
    @signed_in(secrets=("recovery_codes",))
    @problems(409, 429)
    @blueprint.arguments(OwnerSchema)
    @blueprint.response(200, RecoveryCodesSchema)
    def renew_recovery_codes(body: dict[str, Any]) -> Answer:
        """Ten fresh recovery codes in place of those that are left."""
        codes = renew_recovery(actor=current_actor(), password=body["password"], code=body["otp"])
        return {"recovery_codes": codes}, _NEVER_KEPT

    return blueprint
