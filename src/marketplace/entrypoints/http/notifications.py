"""What one is told in the application, and what one chooses to be told at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marshmallow import fields, validate

from marketplace.application.notifications.reading import (
    Choice,
    ChoosePreferences,
    MarkAllRead,
    MarkRead,
    ReadPreferences,
)
from marketplace.application.ports.notifications import NotificationQueries, NotificationView
from marketplace.application.ports.pages import COUNT_CAP
from marketplace.domain.notifications import RULES, Channel, Kind, Preference
from marketplace.domain.shared.ids import NotificationId
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import PREFIX, Blueprint
from marketplace.entrypoints.http.fields import FieldNames
from marketplace.entrypoints.http.pages import PageArgs, page_body, page_of, page_request
from marketplace.entrypoints.http.schemas import Flag, Schema

_SHOWN = [kind.value for kind in Kind if RULES[kind][Channel.IN_APP] != "never"]
_KINDS = [kind.value for kind in Kind]
_CHANNELS = [channel.value for channel in Channel]
_MOST_CHOICES = 200


class NotificationSchema(Schema):
    id = fields.Integer(required=True)
    kind = fields.String(
        required=True,
        metadata={
            "description": f"A stable code; others may be added. Now: {', '.join(_SHOWN)}.",
            "example": "sale_made",
        },
    )
    title = fields.String(required=True, metadata={"description": "In the recipient's language of that time."})
    body = fields.String(required=True, metadata={"description": "A sentence or two, plain text."})
    link = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "What it is about: an address in this API.", "example": "/api/v1/orders/7/"},
    )
    created_at = fields.DateTime(required=True)
    read_at = fields.DateTime(required=True, allow_none=True)


NotificationsSchema = page_of(NotificationSchema).from_dict(
    {
        "unread_count": fields.Integer(
            required=True, metadata={"description": f"Of all that one was told; counted up to {COUNT_CAP}."}
        )
    },
    name="NotificationsPageSchema",
)


class NotificationsArgs(PageArgs):
    unread = Flag(in_query=True, metadata={"description": "Only those not read yet, or only those that were."})
    wanted = FieldNames(NotificationSchema)


class AllReadSchema(Schema):
    marked = fields.Integer(required=True, metadata={"description": "How many were not read yet."})


class ChoiceSchema(Schema):
    kind = fields.String(required=True, validate=validate.OneOf(_KINDS), metadata={"example": "sale_made"})
    channel = fields.String(required=True, validate=validate.OneOf(_CHANNELS))
    wanted = Flag(required=True)


class PreferenceSchema(Schema):
    kind = fields.String(required=True, metadata={"example": "sale_made"})
    channel = fields.String(required=True, metadata={"enum": _CHANNELS})
    wanted = fields.Boolean(required=True)
    necessary = fields.Boolean(required=True, metadata={"description": "Cannot be switched off."})


class ChoicesSchema(Schema):
    preferences = fields.List(
        fields.Nested(ChoiceSchema), required=True, validate=validate.Length(min=1, max=_MOST_CHOICES)
    )


class PreferencesSchema(Schema):
    preferences = fields.List(fields.Nested(PreferenceSchema), required=True)


def notifications_blueprint(
    *,
    queries: NotificationQueries,
    mark_read: MarkRead,
    mark_all_read: MarkAllRead,
    read_preferences: ReadPreferences,
    choose_preferences: ChoosePreferences,
) -> Blueprint:
    blueprint = Blueprint("notifications", __name__, description="What one is told, and chooses to be told")

    @blueprint.get("/users/me/notifications/")
    @signed_in()
    @blueprint.arguments(NotificationsArgs, location="query")
    @blueprint.response(200, NotificationsSchema)
    def notifications(args: dict[str, Any]) -> dict[str, Any]:
        """What one was told, the latest first."""
        account_id, asked = current_actor().account_id, page_request(args)
        page = queries.notifications(account_id, asked, unread=args.get("unread"))
        return page_body(page, asked, args, show=_shown) | {"unread_count": queries.unread_count(account_id)}

    @blueprint.post("/users/me/notifications/<int:notification_id>/read/")
    @signed_in()
    @blueprint.response(200, NotificationSchema)
    def read(notification_id: int) -> dict[str, Any]:
        """Note that one has read it; again changes nothing."""
        actor, id = current_actor(), NotificationId(notification_id)
        mark_read(actor=actor, id=id)
        return _shown(queries.notification(actor.account_id, id))

    @blueprint.post("/users/me/notifications/read-all/")
    @signed_in()
    @blueprint.response(200, AllReadSchema)
    def read_all() -> dict[str, Any]:
        """Note that one has read everything."""
        return {"marked": mark_all_read(actor=current_actor())}

    @blueprint.get("/users/me/notification-preferences/")
    @signed_in()
    @blueprint.response(200, PreferencesSchema)
    def preferences() -> dict[str, Any]:
        """Every kind of message by every channel that it has: whether it comes, and whether one can choose."""
        return _switches(read_preferences(actor=current_actor()))

    @blueprint.patch("/users/me/notification-preferences/")
    @signed_in()
    @blueprint.arguments(ChoicesSchema)
    @blueprint.response(200, PreferencesSchema)
    def choose(body: dict[str, Any]) -> dict[str, Any]:
        """Switch kinds of messages on and off, all or none; what is necessary stays on."""
        choices = [
            Choice(kind=Kind(choice["kind"]), channel=Channel(choice["channel"]), wanted=choice["wanted"])
            for choice in body["preferences"]
        ]
        return _switches(choose_preferences(actor=current_actor(), choices=choices))

    return blueprint


def _shown(told: NotificationView) -> dict[str, Any]:
    return {
        "id": told.id,
        "kind": told.kind,
        "title": told.title,
        "body": told.body,
        "link": f"{PREFIX}{told.link}" if told.link else None,
        "created_at": told.created_at,
        "read_at": told.read_at,
    }


def _switches(preferences: Iterable[Preference]) -> dict[str, Any]:
    return {
        "preferences": [
            {
                "kind": switch.kind.value,
                "channel": switch.channel.value,
                "wanted": switch.wanted,
                "necessary": switch.necessary,
            }
            for switch in preferences
        ]
    }
