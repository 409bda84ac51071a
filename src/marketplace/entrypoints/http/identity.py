"""Joining, signing in, and one's own account and addresses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import request

from marketplace.application.identity.profile import AddAddress, RemoveAddress, UpdateAddress, UpdateMe
from marketplace.application.identity.registration import NewMember, Register, ResendVerification, VerifyEmail
from marketplace.application.identity.sessions import LogIn, LogOut, RefreshSession, SignedIn
from marketplace.application.ports.identity import IdentityQueries
from marketplace.domain.shared.ids import AddressId
from marketplace.entrypoints.http.auth import access_token, current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.etags import etagged
from marketplace.entrypoints.http.identity_schemas import (
    ACCOUNT_TYPES,
    AddressChangesSchema,
    AddressesArgs,
    AddressSchema,
    EmailVerificationSchema,
    LoginSchema,
    NewAddressSchema,
    RefreshSchema,
    RegisteredSchema,
    RegistrationSchema,
    TokensSchema,
    UserChangesSchema,
    UserSchema,
    VerifiedSchema,
    address_json,
    user_json,
)
from marketplace.entrypoints.http.pages import page_body, page_of, page_request

_NEVER_KEPT = {"Cache-Control": "no-store"}

Answer = tuple[dict[str, Any], dict[str, str]]


def auth_blueprint(
    *,
    register: Register,
    log_in: LogIn,
    refresh_session: RefreshSession,
    log_out: LogOut,
    verify_email: VerifyEmail,
    resend_verification: ResendVerification,
    queries: IdentityQueries,
    access_lifetime: timedelta,
    refresh_lifetime: timedelta,
) -> Blueprint:
    blueprint = Blueprint("auth", __name__, description="Joining and signing in")

    def tokens(signed_in: SignedIn) -> dict[str, Any]:
        return {
            "access_token": access_token(signed_in.account_id, signed_in.session_id),
            "refresh_token": signed_in.refresh_token,
            "token_type": "Bearer",
            "expires_in": int(access_lifetime.total_seconds()),
            "refresh_expires_in": int(refresh_lifetime.total_seconds()),
        }

    @blueprint.post("/auth/register/")
    @problems(409)
    @blueprint.arguments(RegistrationSchema)
    @blueprint.response(201, RegisteredSchema)
    def register_account(body: dict[str, Any]) -> Answer:
        """Join; a code to verify the e-mail address is mailed."""
        signed_in = register(
            member=NewMember(
                username=body["username"],
                email=body["email"],
                password=body["password"],
                accept_terms=body["accept_terms"],
                first_name=body["first_name"],
                last_name=body["last_name"],
                account_type=ACCOUNT_TYPES[body["account_type"]],
                language=body["language"],
                wants_to_sell=body["role"] == "vendor",
                subscribed_to_newsletter=body["subscribed_to_newsletter"],
            ),
            origin=request.remote_addr or "",
            user_agent=request.user_agent.string,
        )
        return {"user": user_json(queries.me(signed_in.account_id)), **tokens(signed_in)}, _NEVER_KEPT

    @blueprint.post("/auth/login/")
    @problems(401, 403, 409)
    @blueprint.arguments(LoginSchema)
    @blueprint.response(200, TokensSchema)
    def login(body: dict[str, Any]) -> Answer:
        """Sign in with a user name or an e-mail address, and a code where the account has a second factor."""
        signed_in = log_in(
            name=body["username"],
            password=body["password"],
            otp=body.get("otp"),
            origin=request.remote_addr or "",
            user_agent=request.user_agent.string,
        )
        return tokens(signed_in), _NEVER_KEPT

    @blueprint.post("/auth/token/refresh/")
    @problems(401)
    @blueprint.arguments(RefreshSchema)
    @blueprint.response(200, TokensSchema)
    def refresh_tokens(body: dict[str, Any]) -> Answer:
        """Spend a refresh token for a new pair; a token that was spent before ends the whole session."""
        signed_in = refresh_session(
            refresh_token=body["refresh"], origin=request.remote_addr or "", user_agent=request.user_agent.string
        )
        return tokens(signed_in), _NEVER_KEPT

    @blueprint.post("/auth/logout/")
    @signed_in()
    @blueprint.arguments(RefreshSchema)
    @blueprint.response(204)
    def logout(body: dict[str, Any]) -> None:
        """End the session of a refresh token."""
        log_out(actor=current_actor(), refresh_token=body["refresh"])

    @blueprint.post("/auth/verify-email/")
    @blueprint.arguments(EmailVerificationSchema)
    @blueprint.response(200, VerifiedSchema)
    def verify(body: dict[str, Any]) -> dict[str, Any]:
        """Prove by the mailed code that an address is one's own: ten minutes, five tries."""
        account_id = verify_email(email=body["email"], code=body["otp"], origin=request.remote_addr or "")
        return {"user": user_json(queries.me(account_id))}

    @blueprint.post("/auth/resend-verification-email/")
    @signed_in()
    @problems(429)
    @blueprint.response(202)
    def resend_verification_email() -> None:
        """Have another code mailed, at most one a minute."""
        resend_verification(actor=current_actor())

    return blueprint


def users_blueprint(
    *,
    update_me: UpdateMe,
    add_address: AddAddress,
    update_address: UpdateAddress,
    remove_address: RemoveAddress,
    queries: IdentityQueries,
) -> Blueprint:
    blueprint = Blueprint("users", __name__, description="One's own account and addresses")

    @blueprint.get("/users/me/")
    @signed_in()
    @etagged
    @blueprint.response(200, UserSchema)
    def me() -> dict[str, Any]:
        """One's own account."""
        return user_json(queries.me(current_actor().account_id))

    @blueprint.patch("/users/me/")
    @signed_in()
    @problems(409, 429)
    @blueprint.arguments(UserChangesSchema)
    @blueprint.response(200, UserSchema)
    def change_me(body: dict[str, Any]) -> dict[str, Any]:
        """Change one's own names, e-mail address and preferences, or accept the terms in force."""
        email, password = body.pop("email", None), body.pop("current_password", "")
        accepts = body.pop("accept_terms", False)
        if "account_type" in body:
            body["account_type"] = ACCOUNT_TYPES[body["account_type"]]
        update_me(actor=current_actor(), changes=body, email=email, current_password=password, accept_terms=accepts)
        return user_json(queries.me(current_actor().account_id))

    _addresses(blueprint, add_address, update_address, remove_address, queries)
    return blueprint


def _addresses(
    blueprint: Blueprint,
    add_address: AddAddress,
    update_address: UpdateAddress,
    remove_address: RemoveAddress,
    queries: IdentityQueries,
) -> None:
    def show(address_id: int) -> dict[str, Any]:
        return address_json(queries.address(current_actor().account_id, AddressId(address_id)))

    @blueprint.get("/users/me/addresses/")
    @signed_in()
    @blueprint.arguments(AddressesArgs, location="query")
    @blueprint.response(200, page_of(AddressSchema))
    def addresses(args: dict[str, Any]) -> dict[str, Any]:
        """One's own addresses, the oldest first."""
        asked = page_request(args)
        page = queries.addresses(current_actor().account_id, page=asked)
        return page_body(page, asked, args, show=address_json)

    @blueprint.post("/users/me/addresses/")
    @signed_in()
    @blueprint.arguments(NewAddressSchema)
    @blueprint.response(201, AddressSchema)
    def create_address(body: dict[str, Any]) -> dict[str, Any]:
        """Keep another address; fifty at most."""
        return show(add_address(actor=current_actor(), parts=body))

    @blueprint.get("/users/me/addresses/<int:address_id>/")
    @signed_in()
    @etagged
    @blueprint.response(200, AddressSchema)
    def address(address_id: int) -> dict[str, Any]:
        """One of one's own addresses."""
        return show(address_id)

    @blueprint.patch("/users/me/addresses/<int:address_id>/")
    @signed_in()
    @problems(409)
    @blueprint.arguments(AddressChangesSchema)
    @blueprint.response(200, AddressSchema)
    def change_address(body: dict[str, Any], address_id: int) -> dict[str, Any]:
        """Change an address; orders keep the copy they were placed with."""
        update_address(actor=current_actor(), address_id=AddressId(address_id), parts=body)
        return show(address_id)

    @blueprint.delete("/users/me/addresses/<int:address_id>/")
    @signed_in()
    @blueprint.response(204)
    def delete_address(address_id: int) -> None:
        """Forget an address; orders keep the copy they were placed with."""
        remove_address(actor=current_actor(), address_id=AddressId(address_id))
