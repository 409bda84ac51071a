"""Passwords that change: forgotten ones by a mailed code, known ones by whoever knows them."""

from __future__ import annotations

from typing import Any

from flask import request
from marshmallow import ValidationError, fields, validate, validates_schema

from marketplace.application.identity.passwords import (
    ChangePassword,
    ConfirmPasswordReset,
    RequestPasswordReset,
    VerifyResetCode,
)
from marketplace.domain.identity.passwords import MIN_PASSWORD
from marketplace.entrypoints.http.auth import current_actor, current_session, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.identity_schemas import Email, EmailVerificationSchema, Password
from marketplace.entrypoints.http.schemas import Schema

_NEVER_KEPT = {"Cache-Control": "no-store"}

Answer = tuple[dict[str, Any], dict[str, str]]


class PasswordResetSchema(Schema):
    email = Email(required=True)


class ResetGrantSchema(Schema):
    reset_token = fields.String(required=True, metadata={"description": "Good once, at /auth/password-reset/confirm/."})
    expires_at = fields.DateTime(required=True)


class NewPasswordSchema(Schema):
    reset_token = fields.String(required=True, validate=validate.Length(min=1, max=500))
    new_password = Password(required=True, shortest=MIN_PASSWORD)
    password_confirm = Password(required=True)

    @validates_schema
    def passwords_agree(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("new_password") != data.get("password_confirm"):
            raise ValidationError("It differs from new_password.", "password_confirm")


class PasswordChangeSchema(Schema):
    current_password = Password(required=True)
    new_password = Password(required=True, shortest=MIN_PASSWORD)


def passwords_blueprint(
    *,
    request_password_reset: RequestPasswordReset,
    verify_reset_code: VerifyResetCode,
    confirm_password_reset: ConfirmPasswordReset,
    change_password: ChangePassword,
) -> Blueprint:
    blueprint = Blueprint("passwords", __name__, description="Forgotten and changed passwords")

    @blueprint.post("/auth/password-reset/")
    @problems(429)
    @blueprint.arguments(PasswordResetSchema)
    @blueprint.response(202)
    def ask_for_reset(body: dict[str, Any]) -> None:
        """Have a code mailed to the address of an account, if it is one; the answer never tells."""
        request_password_reset(email=body["email"])

    @blueprint.post("/auth/password-reset/verify/")
    @problems(429)
    @blueprint.arguments(EmailVerificationSchema)
    @blueprint.response(200, ResetGrantSchema)
    def verify_code(body: dict[str, Any]) -> Answer:
        """Exchange the mailed code for a token that sets a new password: ten minutes, five tries."""
        grant = verify_reset_code(email=body["email"], code=body["otp"], origin=request.remote_addr or "")
        return {"reset_token": grant.reset_token, "expires_at": grant.expires_at}, _NEVER_KEPT

    @blueprint.post("/auth/password-reset/confirm/")
    @blueprint.arguments(NewPasswordSchema)
    @blueprint.response(204)
    def confirm_reset(body: dict[str, Any]) -> None:
        """Set the new password; every device is signed out."""
        confirm_password_reset(
            reset_token=body["reset_token"], new_password=body["new_password"], origin=request.remote_addr or ""
        )

    @blueprint.post("/auth/password-change/")
    @signed_in()
    @problems(409, 429)
    @blueprint.arguments(PasswordChangeSchema)
    @blueprint.response(204)
    def change(body: dict[str, Any]) -> None:
        """Replace one's password; every other device is signed out."""
        change_password(
            actor=current_actor(),
            session_id=current_session(),
            current_password=body["current_password"],
            new_password=body["new_password"],
        )

    return blueprint
