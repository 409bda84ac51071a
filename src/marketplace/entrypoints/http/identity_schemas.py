"""What identity takes and gives over HTTP."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from marketplace.application.ports.identity import AccountView, AddressView
from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import MAX_NAME, AccountType
from marketplace.domain.identity.addresses import AddressType
from marketplace.domain.identity.names import MAX_EMAIL
from marketplace.domain.identity.passwords import MAX_PASSWORD, MIN_PASSWORD
from marketplace.domain.shared.errors import Invalid
from marketplace.entrypoints.email_addresses import well_formed_email
from marketplace.entrypoints.http.fields import FieldNames
from marketplace.entrypoints.http.pages import PageArgs
from marketplace.entrypoints.http.schemas import Flag, Pattern, Schema, Text

ACCOUNT_TYPES = {
    "individual": AccountType.INDIVIDUAL,
    "professional": AccountType.PROFESSIONAL,
    "particulier": AccountType.INDIVIDUAL,
    "professionnel": AccountType.PROFESSIONAL,
}
"""What clients may call an account type; the last two are accepted, never given."""


class Email(fields.String):
    """A well-formed address in its usual spelling."""

    def __init__(self, **kwargs: Any) -> None:
        described = {"format": "email", "example": "ash@example.com", **kwargs.pop("metadata", {})}
        super().__init__(validate=validate.Length(max=MAX_EMAIL), metadata=described, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            return well_formed_email(super()._deserialize(value, attr, data, **kwargs) or "")
        except Invalid as error:
            raise ValidationError(str(error)) from error


class Password(fields.String):
    """Taken as it is typed, blanks included, and never given."""

    def __init__(self, *, shortest: int = 1, **kwargs: Any) -> None:
        super().__init__(
            load_only=True,
            validate=validate.Length(min=shortest, max=MAX_PASSWORD),
            metadata={"format": "password"},
            **kwargs,
        )


class SecondFactorCode(fields.String):
    """Six digits of an authenticator, or a recovery code; blanks, dashes and capitals do not matter."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            load_only=True,
            validate=Pattern(r"^[0-9A-Za-z -]{6,20}$", error="Six digits, or a recovery code."),
            metadata={"description": "A code of the authenticator, or a recovery code.", "example": "123456"},
            **kwargs,
        )


class UserSchema(Schema):
    id = fields.Integer(required=True)
    username = fields.String(required=True)
    email = fields.String(required=True)
    first_name = fields.String(required=True)
    last_name = fields.String(required=True)
    phone_number = fields.String(required=True)
    account_type = fields.String(required=True, metadata={"enum": [kind.value for kind in AccountType]})
    roles = fields.List(fields.String(metadata={"enum": [role.value for role in Role]}), required=True)
    is_email_verified = fields.Boolean(required=True)
    language = fields.String(required=True)
    subscribed_to_newsletter = fields.Boolean(required=True)
    created_at = fields.DateTime(required=True)
    pending_email = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The address that takes the place of `email` once the code mailed to it is entered."},
    )
    terms_version = fields.String(
        required=True, allow_none=True, metadata={"description": "The terms that were accepted, if any."}
    )
    terms_accepted_at = fields.DateTime(required=True, allow_none=True)
    needs_to_accept_terms = fields.Boolean(
        required=True, metadata={"description": "Other terms are in force: PATCH `accept_terms`."}
    )


class TokensSchema(Schema):
    access_token = fields.String(required=True, metadata={"description": "For `Authorization: Bearer`."})
    refresh_token = fields.String(required=True, metadata={"description": "Good once, at /auth/token/refresh/."})
    token_type = fields.String(required=True, metadata={"enum": ["Bearer"]})
    expires_in = fields.Integer(required=True, metadata={"description": "Seconds that the access token is good for."})
    refresh_expires_in = fields.Integer(required=True, metadata={"description": "Seconds, likewise."})


class RegisteredSchema(TokensSchema):
    user = fields.Nested(UserSchema, required=True)


class RegistrationSchema(Schema):
    username = Text(required=True, shortest=3, longest=30, metadata={"example": "ash-ketchum"})
    email = Email(required=True)
    password = Password(required=True, shortest=MIN_PASSWORD)
    confirm_password = Password(required=True)
    first_name = Text(required=True, shortest=1, longest=MAX_NAME)
    last_name = Text(required=True, shortest=1, longest=MAX_NAME)
    accept_terms = Flag(required=True)
    account_type = fields.String(load_default="individual", validate=validate.OneOf(list(ACCOUNT_TYPES)))
    role = fields.String(load_default="customer", validate=validate.OneOf(["customer", "vendor"]))
    language = Text(load_default="en", shortest=2, longest=2)
    subscribed_to_newsletter = Flag(load_default=False)

    @validates_schema
    def passwords_agree(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("password") != data.get("confirm_password"):
            raise ValidationError("It differs from password.", "confirm_password")


class LoginSchema(Schema):
    username = Text(
        required=True, shortest=1, longest=MAX_EMAIL, metadata={"description": "User name or e-mail address."}
    )
    password = Password(required=True)
    otp = SecondFactorCode()


class RefreshSchema(Schema):
    refresh = fields.String(required=True, validate=validate.Length(min=1, max=500))


class EmailVerificationSchema(Schema):
    email = Email(required=True)
    otp = fields.String(
        required=True,
        validate=Pattern(r"^[0-9]{6}$", error="Six digits."),
        metadata={"example": "123456"},
    )


class VerifiedSchema(Schema):
    user = fields.Nested(UserSchema, required=True)


class UserChangesSchema(Schema):
    email = Email(
        metadata={
            "description": "Holds once the code that is mailed to it is entered at /auth/verify-email/; needs"
            " `current_password`. The present address takes a wish for another one back."
        }
    )
    current_password = Password()
    accept_terms = Flag(
        validate=validate.Equal(True, error="Only true: terms that were accepted stay accepted."),
        metadata={"description": "Accept the terms in force."},
    )
    first_name = Text(shortest=1, longest=MAX_NAME)
    last_name = Text(shortest=1, longest=MAX_NAME)
    phone_number = Text(longest=30, metadata={"example": "+33 1 23 45 67 89"})
    account_type = fields.String(validate=validate.OneOf(list(ACCOUNT_TYPES)))
    language = Text(shortest=2, longest=2, metadata={"example": "en"})
    subscribed_to_newsletter = Flag()

    @validates_schema
    def password_comes_with_an_address(self, data: dict[str, Any], **_: Any) -> None:
        if "email" in data and "current_password" not in data:
            raise ValidationError("Another e-mail address needs the password of the account.", "current_password")
        if "current_password" in data and "email" not in data:
            raise ValidationError("It is only asked for with another email.", "current_password")


class AddressChangesSchema(Schema):
    name = Text(shortest=1, longest=120)
    street_number = Text(longest=20)
    street = Text(shortest=1, longest=200)
    city = Text(shortest=1, longest=120)
    state = Text(longest=120)
    postal_code = Text(longest=20)
    country = Text(shortest=2, longest=2, metadata={"description": "ISO 3166.", "example": "FR"})
    phone_number = Text(longest=30)
    address_type = fields.String(validate=validate.OneOf([kind.value for kind in AddressType]))


class NewAddressSchema(AddressChangesSchema):
    name = Text(required=True, shortest=1, longest=120)
    street = Text(required=True, shortest=1, longest=200)
    city = Text(required=True, shortest=1, longest=120)
    country = Text(required=True, shortest=2, longest=2, metadata={"description": "ISO 3166.", "example": "FR"})


class PostalAddressSchema(Schema):
    name = fields.String(required=True)
    street_number = fields.String(required=True)
    street = fields.String(required=True)
    city = fields.String(required=True)
    state = fields.String(required=True)
    postal_code = fields.String(required=True)
    country = fields.String(required=True)
    phone_number = fields.String(required=True)


class AddressSchema(PostalAddressSchema):
    id = fields.Integer(required=True)
    address_type = fields.String(required=True, metadata={"enum": [kind.value for kind in AddressType]})
    created_at = fields.DateTime(required=True)


class AddressesArgs(PageArgs):
    wanted = FieldNames(AddressSchema)


def user_json(user: AccountView) -> dict[str, Any]:
    return {
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "phone_number": user.phone_number,
        "account_type": user.account_type.value,
        "roles": [role.value for role in user.roles],
        "is_email_verified": user.is_email_verified,
        "language": user.language,
        "subscribed_to_newsletter": user.subscribed_to_newsletter,
        "created_at": user.created_at,
        "pending_email": user.pending_email or None,
        "terms_version": user.terms_version or None,
        "terms_accepted_at": user.terms_accepted_at,
        "needs_to_accept_terms": user.needs_to_accept_terms,
    }


def address_json(address: AddressView) -> dict[str, Any]:
    return {
        "id": address.id,
        "name": address.name,
        "street_number": address.street_number,
        "street": address.street,
        "city": address.city,
        "state": address.state,
        "postal_code": address.postal_code,
        "country": address.country,
        "phone_number": address.phone_number,
        "address_type": address.address_type.value,
        "created_at": address.created_at,
    }
