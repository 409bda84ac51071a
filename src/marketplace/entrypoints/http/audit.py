"""The audit trail, for administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marshmallow import fields, validate

from marketplace.application.access import require_role
from marketplace.application.ports.audit import AuditFilter, AuditQueries
from marketplace.domain.audit import AuditEntry
from marketplace.domain.identity import Role
from marketplace.domain.shared.ids import AccountId
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.fields import FieldNames
from marketplace.entrypoints.http.pages import PageArgs, page_body, page_of, page_request
from marketplace.entrypoints.http.schemas import Id, Instant, Pattern, Schema, Text

_CHANGED = {"description": "Of the fields that changed only; secrets are hidden, long values cut."}


class AuditSubjectSchema(Schema):
    type = fields.String(required=True, metadata={"example": "seller"})
    id = fields.String(required=True, metadata={"description": "A number for most types.", "example": "42"})


class AuditEntrySchema(Schema):
    id = fields.Integer(required=True)
    occurred_at = fields.DateTime(required=True)
    actor = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "The account that did it; null for the operator of the server and for the program."},
    )
    roles = fields.List(fields.String(), required=True, metadata={"description": "As what: the actor's roles then."})
    action = fields.String(required=True, metadata={"example": "seller.approved"})
    subject = fields.Nested(AuditSubjectSchema, required=True)
    origin = fields.String(
        required=True, metadata={"description": "A client's address, `command line`, or `worker` for the program."}
    )
    reason = fields.String(required=True)
    before = fields.Dict(keys=fields.String(), required=True, metadata=_CHANGED)
    after = fields.Dict(keys=fields.String(), required=True, metadata=_CHANGED)


class Moment(Instant):
    """One in a query."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        # In a query a plus that was not escaped arrives as a blank.
        return super()._deserialize(value.replace(" ", "+") if isinstance(value, str) else value, attr, data, **kwargs)


class AuditArgs(PageArgs):
    actor = Id(in_query=True)
    subject_type = Text(shortest=1, longest=50)
    subject_id = Text(shortest=1, longest=100, metadata={"description": "Needs its `subject_type`."})
    action = fields.String(
        validate=[
            validate.Length(max=100),
            Pattern(r"^[a-z0-9_]+(\.[a-z0-9_]+)+$", error="A code like seller.approved."),
        ]
    )
    since = Moment(data_key="from", metadata={"description": "The first instant that counts."})
    until = Moment(data_key="to", metadata={"description": "The first instant that does not."})
    wanted = FieldNames(AuditEntrySchema)


def audit_blueprint(*, queries: AuditQueries) -> Blueprint:
    blueprint = Blueprint("audit", __name__, description="Who did what to whom, when")

    @blueprint.get("/admin/audit/")
    @signed_in()
    @problems(403)
    @blueprint.arguments(AuditArgs, location="query")
    @blueprint.response(200, page_of(AuditEntrySchema))
    def entries(args: dict[str, Any]) -> dict[str, Any]:
        """What was done with a privilege, the newest first."""
        require_role(current_actor(), Role.ADMIN)
        asked = page_request(args)
        wanted = AuditFilter(
            actor_id=AccountId(args["actor"]) if "actor" in args else None,
            **{name: args.get(name) for name in ("subject_type", "subject_id", "action", "since", "until")},
        )
        return page_body(queries.entries(asked, wanted=wanted), asked, args, show=entry_json)

    return blueprint


def entry_json(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "occurred_at": entry.occurred_at,
        "actor": entry.actor_id,
        "roles": list(entry.roles),
        "action": entry.action,
        "subject": {"type": entry.subject_type, "id": entry.subject_id},
        "origin": entry.origin,
        "reason": entry.reason,
        "before": dict(entry.before),
        "after": dict(entry.after),
    }
