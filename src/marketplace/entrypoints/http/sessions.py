"""The devices on which one is signed in."""

from __future__ import annotations

from functools import partial
from typing import Any

from marshmallow import fields

from marketplace.application.identity.sessions import EndSession, EndSessions
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.identity import IdentityQueries, SessionView
from marketplace.domain.shared.ids import SessionId
from marketplace.entrypoints.http.auth import current_actor, current_session, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint
from marketplace.entrypoints.http.fields import FieldNames
from marketplace.entrypoints.http.pages import PageArgs, page_body, page_of, page_request
from marketplace.entrypoints.http.schemas import Flag, Schema


class SessionSchema(Schema):
    id = fields.Integer(required=True)
    device = fields.String(
        required=True, metadata={"description": "What it says of itself, shortened.", "example": "Firefox on Windows"}
    )
    ip = fields.String(required=True, metadata={"description": "Where it last got tokens.", "example": "192.0.2.1"})
    started_at = fields.DateTime(required=True)
    last_used_at = fields.DateTime(
        required=True, metadata={"description": "When it last got tokens: to within the life of an access token."}
    )
    expires_at = fields.DateTime(required=True, metadata={"description": "Unless it is used before then."})
    current = fields.Boolean(required=True, metadata={"description": "Whether it is the one that asks."})


class SessionsArgs(PageArgs):
    wanted = FieldNames(SessionSchema)


class EndSessionsArgs(Schema):
    keep_current = Flag(
        in_query=True, load_default=False, metadata={"description": "Stay signed in on the device that asks."}
    )


def session_json(view: SessionView, *, current: SessionId) -> dict[str, Any]:
    return {
        "id": view.id,
        "device": view.device.name,
        "ip": view.device.address,
        "started_at": view.started_at,
        "last_used_at": view.last_used_at,
        "expires_at": view.expires_at,
        "current": view.id == current,
    }


def sessions_blueprint(
    *, end_session: EndSession, end_sessions: EndSessions, queries: IdentityQueries, clock: Clock
) -> Blueprint:
    blueprint = Blueprint("sessions", __name__, description="The devices on which one is signed in")

    @blueprint.get("/auth/sessions/")
    @signed_in()
    @blueprint.arguments(SessionsArgs, location="query")
    @blueprint.response(200, page_of(SessionSchema))
    def sessions(args: dict[str, Any]) -> dict[str, Any]:
        """One's own open sessions, the newest first; fifty at most."""
        asked = page_request(args)
        page = queries.sessions(current_actor().account_id, now=clock.now(), page=asked)
        return page_body(page, asked, args, show=partial(session_json, current=current_session()))

    @blueprint.delete("/auth/sessions/")
    @signed_in()
    @blueprint.arguments(EndSessionsArgs, location="query")
    @blueprint.response(204)
    def sign_out_everywhere(args: dict[str, Any]) -> None:
        """Sign out on every device, the one that asks too unless it is to be kept."""
        end_sessions(actor=current_actor(), but=current_session() if args["keep_current"] else None)

    @blueprint.delete("/auth/sessions/<int:session_id>/")
    @signed_in()
    @blueprint.response(204)
    def sign_out(session_id: int) -> None:
        """Sign one of one's own devices out."""
        end_session(actor=current_actor(), session_id=SessionId(session_id))

    return blueprint
