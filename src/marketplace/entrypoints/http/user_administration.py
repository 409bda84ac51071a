"""Accounts, for administrators: finding them, their roles, letting them in or not."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from marketplace.application.access import require_role
from marketplace.application.identity.administration import MAX_REASON, ChangeAccess
from marketplace.application.ports.identity import AccountView, IdentityQueries
from marketplace.domain.identity import Role
from marketplace.domain.identity.accounts import AccountType
from marketplace.domain.identity.names import MAX_EMAIL
from marketplace.domain.shared.ids import AccountId
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.etags import etagged
from marketplace.entrypoints.http.fields import FieldNames
from marketplace.entrypoints.http.identity_schemas import UserSchema, user_json
from marketplace.entrypoints.http.pages import Ordering, PageArgs, page_body, page_of, page_request
from marketplace.entrypoints.http.professional_info import ProfessionalInfoSchema, professional_info_json
from marketplace.entrypoints.http.schemas import BoundedList, Flag, Schema, Text

_ROLES = [role.value for role in Role]


class AdminUserSchema(UserSchema):
    is_suspended = fields.Boolean(required=True)


class AdminUserDetailSchema(AdminUserSchema):
    professional_info = fields.Nested(
        ProfessionalInfoSchema,
        required=True,
        allow_none=True,
        metadata={"description": "The company of a professional, empty until it was told; null for an individual."},
    )


class AdminUsersArgs(PageArgs):
    role = fields.String(validate=validate.OneOf(_ROLES))
    suspended = Flag(in_query=True)
    q = Text(
        shortest=1, longest=MAX_EMAIL, metadata={"description": "The beginning of a user name or an e-mail address."}
    )
    ordering = Ordering("id")
    wanted = FieldNames(AdminUserSchema)


class AccessSchema(Schema):
    """What an admin decides on an account."""

    roles = BoundedList(
        fields.String(validate=validate.OneOf(_ROLES)),
        longest=len(_ROLES),
        metadata={
            "description": "All that it is to have; `buyer` goes without saying, `seller` comes and goes with the"
            " decisions on the seller and has to stay as it is."
        },
    )
    is_suspended = Flag(metadata={"description": "A suspension ends every session at once."})
    reason = Text(longest=MAX_REASON, metadata={"description": "For the audit trail; a suspension needs one."})


def user_administration_blueprint(*, change_access: ChangeAccess, queries: IdentityQueries) -> Blueprint:
    blueprint = Blueprint("user_administration", __name__, description="Accounts, for administrators")

    @blueprint.get("/admin/users/")
    @signed_in()
    @problems(403)
    @blueprint.arguments(AdminUsersArgs, location="query")
    @blueprint.response(200, page_of(AdminUserSchema))
    def users(args: dict[str, Any]) -> dict[str, Any]:
        """Accounts, the oldest first unless asked otherwise."""
        require_role(current_actor(), Role.ADMIN)
        asked = page_request(args)
        page = queries.accounts(
            page=asked,
            role=Role(args["role"]) if "role" in args else None,
            is_suspended=args.get("suspended"),
            starting_with=args.get("q", ""),
        )
        return page_body(page, asked, args, show=_user)

    @blueprint.get("/admin/users/<int:user_id>/")
    @signed_in()
    @etagged
    @problems(403)
    @blueprint.response(200, AdminUserDetailSchema)
    def user(user_id: int) -> dict[str, Any]:
        """One account, a professional's with the company behind it."""
        require_role(current_actor(), Role.ADMIN)
        account = queries.me(AccountId(user_id))
        is_professional = account.account_type is AccountType.PROFESSIONAL
        company = professional_info_json(queries.company(account.id)) if is_professional else None
        return {**_user(account), "professional_info": company}

    @blueprint.patch("/admin/users/<int:user_id>/")
    @signed_in()
    @problems(403, 409)
    @blueprint.arguments(AccessSchema)
    @blueprint.response(200, AdminUserSchema)
    def change_user(body: dict[str, Any], user_id: int) -> dict[str, Any]:
        """Decide what somebody may do, and whether they are let in. One's own access is another admin's to take."""
        roles = {Role(role) for role in body["roles"]} if "roles" in body else None
        change_access(
            actor=current_actor(),
            account_id=AccountId(user_id),
            roles=roles,
            is_suspended=body.get("is_suspended"),
            reason=body.get("reason", ""),
        )
        return _user(queries.me(AccountId(user_id)))

    return blueprint


def _user(account: AccountView) -> dict[str, Any]:
    return {**user_json(account), "is_suspended": account.is_suspended}
