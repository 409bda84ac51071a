"""Says in the API document that an operation which takes ``fields`` may leave out any field, the required ones too."""

from __future__ import annotations

from typing import Any

_SCHEMAS = "#/components/schemas/"


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """Give each answer of such an operation a schema of its own (``Product`` -> ``ProductPartial``), in place."""
    schemas = document["components"]["schemas"]
    for item in document["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict) and _takes_fields(operation):
                content = operation["responses"]["200"]["content"]["application/json"]
                if "$ref" in content["schema"]:
                    content["schema"] = _partial(content["schema"], schemas)
    return document


def _takes_fields(operation: dict[str, Any]) -> bool:
    return any(p.get("name") == "fields" and p.get("in") == "query" for p in operation.get("parameters", ()))


def _partial(reference: dict[str, str], schemas: dict[str, Any]) -> dict[str, str]:
    name = reference["$ref"].removeprefix(_SCHEMAS)
    partial = f"{name}Partial"
    if partial not in schemas:
        whole = schemas[name]
        if "results" in whole["properties"]:
            items = _partial(whole["properties"]["results"]["items"], schemas)
            properties = {**whole["properties"], "results": {**whole["properties"]["results"], "items": items}}
            schemas[partial] = {**whole, "properties": properties}
        else:
            schemas[partial] = {key: value for key, value in whole.items() if key != "required"}
    return {"$ref": _SCHEMAS + partial}
