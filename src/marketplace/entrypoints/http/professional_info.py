"""The company behind a professional account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields

from marketplace.application.identity.profile import KeepCompany
from marketplace.application.ports.identity import CompanyView, IdentityQueries
from marketplace.domain.identity.companies import MAX_COMPANY_ADDRESS, MAX_COMPANY_NAME
from marketplace.entrypoints.http.auth import current_actor, signed_in
from marketplace.entrypoints.http.blueprints import Blueprint, problems
from marketplace.entrypoints.http.etags import etagged
from marketplace.entrypoints.http.identity_schemas import AddressChangesSchema
from marketplace.entrypoints.http.schemas import Schema, Text

_LONGEST_NUMBER = 40


class _WrittenAddressSchema(AddressChangesSchema):
    class Meta(AddressChangesSchema.Meta):
        exclude = ("address_type",)

    street = Text(required=True, shortest=1, longest=200)
    city = Text(required=True, shortest=1, longest=120)
    country = Text(required=True, shortest=2, longest=2)


_PARTS: tuple[str, ...] = tuple(_WrittenAddressSchema().fields)
_IN_PARTS = {
    "type": "object",
    "required": ["street", "city", "country"],
    "additionalProperties": False,
    "properties": {part: {"type": "string"} for part in _PARTS},
}


class CompanyAddressField(fields.Field[str | Mapping[str, Any]]):
    """A text as it stands on letters, or an address in parts; given back as it was taken."""

    def __init__(self, **kwargs: Any) -> None:
        self._text = Text(longest=MAX_COMPANY_ADDRESS)
        choices: list[dict[str, Any]] = [{"type": "string", "maxLength": MAX_COMPANY_ADDRESS}, _IN_PARTS]
        if kwargs.get("allow_none"):
            choices.append({"type": "null"})
        kwargs["metadata"] = {
            "description": "A text as it stands on letters, or the parts of an address.",
            "oneOf": choices,
        }
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | Mapping[str, Any]:
        if isinstance(value, dict):
            written: dict[str, Any] = _WrittenAddressSchema().load(value)
            return written
        if isinstance(value, str):
            return str(self._text.deserialize(value))
        raise ValidationError("Neither a text nor an address.")


class ProfessionalInfoChangesSchema(Schema):
    company_name = Text(required=True, shortest=1, longest=MAX_COMPANY_NAME, metadata={"example": "Cartes & Cie"})
    siret_number = Text(
        load_default="",
        allow_none=True,
        longest=_LONGEST_NUMBER,
        metadata={
            "example": "73282932000074",
            "description": "Fourteen digits of which the last checks the others. It, or the VAT number, is needed.",
        },
    )
    vat_number = Text(
        load_default="",
        allow_none=True,
        longest=_LONGEST_NUMBER,
        metadata={"example": "FR44732829320", "description": "With the two letters of its country in front."},
    )
    company_address = CompanyAddressField(load_default="", allow_none=True)


class ProfessionalInfoSchema(Schema):
    company_name = fields.String(required=True)
    siret_number = fields.String(required=True)
    vat_number = fields.String(required=True)
    company_address = CompanyAddressField(required=True)


def professional_info_blueprint(*, keep_company: KeepCompany, queries: IdentityQueries) -> Blueprint:
    blueprint = Blueprint("professional_info", __name__, description="The company behind a professional account")

    @blueprint.get("/users/me/professional-info/")
    @signed_in()
    @etagged
    @blueprint.response(200, ProfessionalInfoSchema)
    def professional_info() -> dict[str, Any]:
        """The company behind one's own account; empty until it was told."""
        return professional_info_json(queries.company(current_actor().account_id))

    @blueprint.put("/users/me/professional-info/")
    @signed_in()
    @problems(409)
    @blueprint.arguments(ProfessionalInfoChangesSchema)
    @blueprint.response(200, ProfessionalInfoSchema)
    def tell_professional_info(body: dict[str, Any]) -> dict[str, Any]:
        """Tell the company behind one's own professional account, in place of what was told before."""
        keep_company(
            actor=current_actor(),
            company_name=body["company_name"],
            siret_number=body["siret_number"] or "",
            vat_number=body["vat_number"] or "",
            company_address=body["company_address"] or "",
        )
        return professional_info_json(queries.company(current_actor().account_id))

    return blueprint


def professional_info_json(company: CompanyView) -> dict[str, Any]:
    address = company.company_address
    return {
        "company_name": company.company_name,
        "siret_number": company.siret_number,
        "vat_number": company.vat_number,
        "company_address": address if isinstance(address, str) else dict(address),
    }
