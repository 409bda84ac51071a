"""One's own data: all of it as a file, and all of it gone."""

from __future__ import annotations

from itertools import chain
from typing import Any

from flask import Response
from marshmallow import fields

from marketplace.application.identity.erasure import EraseMe
from marketplace.application.identity.personal_data import ExportMe
from marketplace.application.ports.clock import Clock
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.identity_schemas import Password
from marketplace.entrypoints.http.personal_data_json import FORMAT, document
from marketplace.entrypoints.http.schemas import Schema

_LIST = {"description": "The objects that the API shows elsewhere, all of them."}


class ErasureSchema(Schema):
    password = Password(required=True)


def _list() -> fields.Field[Any]:
    return fields.List(fields.Dict(keys=fields.String()), required=True, metadata=_LIST)


class ExportSchema(Schema):
    format = fields.String(required=True, metadata={"enum": [FORMAT]})
    exported_at = fields.DateTime(required=True)
    account = fields.Dict(keys=fields.String(), required=True)
    professional_info = fields.Dict(keys=fields.String(), required=True)
    second_factor = fields.Dict(keys=fields.String(), required=True)
    addresses = _list()
    sessions = _list()
    requested_codes = _list()
    cart = _list()
    orders = _list()
    order_history = _list()
    refunds = _list()
    payment_customer = fields.Dict(
        keys=fields.String(),
        required=True,
        allow_none=True,
        metadata={"description": "The name under which the payment provider keeps saved cards; null without any."},
    )
    seller = fields.Dict(keys=fields.String(), required=True)
    listings = _list()
    sales = _list()
    payouts = _list()
    recoveries = _list()
    disputes = _list()
    documents = _list()
    notifications = _list()
    notification_preferences = _list()
    audit = _list()


def personal_data_blueprint(*, export_me: ExportMe, erase_me: EraseMe, clock: Clock) -> Blueprint:
    blueprint = Blueprint("personal_data", __name__, description="What is held on oneself: to have, or to be gone")

    @blueprint.get("/users/me/export/")
    @signed_in()
    @blueprint.response(200, ExportSchema)
    def export() -> Response:
        """Everything that is held on one's own account, as one file."""
        now, account_id = clock.now(), current_actor().account_id
        pieces = document(export_me(actor=current_actor()), now=now)
        # Two pieces now: what fails at the first read is answered as a problem, not as half a file.
        begun = [next(pieces), next(pieces)]
        return Response(
            chain(begun, pieces),
            mimetype="application/json",
            headers={
                "Content-Disposition": f'attachment; filename="export-{account_id}-{now:%Y-%m-%d}.json"',
                "Cache-Control": "no-store",
            },
        )

    @blueprint.delete("/users/me/")
    @signed_in()
    @problems(409, 429)
    @blueprint.arguments(ErasureSchema)
    @blueprint.response(204)
    def erase(body: dict[str, Any]) -> None:
        """Leave for good: personal data goes; orders and books stay, as nobody's. Refused while any are open."""
        erase_me(actor=current_actor(), password=body["password"])

    return blueprint
