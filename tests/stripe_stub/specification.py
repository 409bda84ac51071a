"""What Stripe's description of its API says of requests and of answers."""

from __future__ import annotations

import copy
import gzip
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.stripe_stub.errors import Refusal, invalid

_FOLDER = Path(__file__).parents[1] / "data" / "stripe"
_KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")

Schema = dict[str, Any]


def document(name: str) -> Any:
    """One of the files under tests/data/stripe: ``spec``, ``fixtures`` or ``all_events``."""
    return json.loads(gzip.decompress((_FOLDER / f"{name}.json.gz").read_bytes()))


@dataclass(frozen=True, slots=True)
class Operation:
    """``names``: what the path says. ``takes`` describes the parameters, ``gives`` the answer."""

    verb: str
    template: str
    names: dict[str, str]
    takes: Schema
    gives: Schema


class Specification:
    def __init__(self) -> None:
        self._document = document("spec")
        self._fixtures = document("fixtures")["resources"]
        self.version: str = self._document["info"]["version"]
        # The fewest placeholders first: /search before /{id}.
        self._paths = [
            (re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template) + "$"), template)
            for template in sorted(self._document["paths"], key=lambda path: path.count("{"))
        ]

    @property
    def operations(self) -> list[tuple[str, str]]:
        return [(verb.upper(), path) for path, verbs in self._document["paths"].items() for verb in verbs]

    def fixture(self, kind: str) -> dict[str, Any]:
        """A new copy of the sample object of a kind."""
        found: dict[str, Any] = copy.deepcopy(self._fixtures[kind])
        return found

    def expandable(self, kind: str) -> list[str]:
        found: list[str] = self.schema(kind).get("x-expandableFields") or []
        return found

    def schema(self, kind: str) -> Schema:
        found: Schema = self._document["components"]["schemas"][kind]
        return found

    def operation(self, verb: str, path: str) -> Operation | None:
        for pattern, template in self._paths:
            found = pattern.match(path)
            described = self._document["paths"][template].get(verb.lower())
            if found and described:
                return Operation(
                    verb=verb,
                    template=template,
                    names={name: unquote(value) for name, value in found.groupdict().items()},
                    takes=_body(described) if verb == "POST" else _query(described),
                    gives=described["responses"]["200"]["content"]["application/json"]["schema"],
                )
        return None

    # --- requests

    def read(self, operation: Operation, text: str) -> dict[str, Any]:
        """The parameters of a request, each of its type. Raises Refusal, naming the parameter."""
        is_json = operation.verb == "POST" and operation.template.startswith("/v2/")
        try:
            given = json.loads(text or "{}") if is_json else nested(text)
        except ValueError as error:
            raise Refusal(400, f"The request cannot be read: {error}", kept=False) from error
        read: dict[str, Any] = self._read(operation.takes, given, "", typed=is_json)
        return read

    def _read(self, schema: Schema, value: Any, param: str, *, typed: bool) -> Any:
        schema = self._resolved(schema)
        if "anyOf" in schema:
            return self._read_any(schema["anyOf"], value, param, typed=typed)
        kind = schema.get("type")
        if kind == "object":
            return self._read_object(schema, value, param, typed=typed)
        if kind == "array":
            items = list(value.values()) if isinstance(value, dict) and not typed else value
            if not isinstance(items, list):
                raise invalid(f"Invalid array: {param}", param)
            return [
                self._read(schema["items"], item, f"{param}[{place}]", typed=typed) for place, item in enumerate(items)
            ]
        return _scalar(schema, value, param, typed=typed)

    def _read_any(self, choices: list[Schema], value: Any, param: str, *, typed: bool) -> Any:
        refusals = []
        for choice in choices:
            try:
                return self._read(choice, value, param, typed=typed)
            except Refusal as refusal:
                refusals.append(refusal)
        # The one that got furthest names the deepest parameter.
        raise max(refusals, key=lambda refusal: len(str(refusal.body["error"].get("param") or "")))

    def _read_object(self, schema: Schema, value: Any, param: str, *, typed: bool) -> Any:
        if not isinstance(value, dict):
            raise invalid(f"Invalid object: {param}", param)
        known, others = schema.get("properties", {}), schema.get("additionalProperties", False)
        inside = {name: f"{param}[{name}]" if param else name for name in [*value, *schema.get("required", [])]}
        read = {}
        for name, item in value.items():
            if name not in known and not others:
                raise invalid(f"Received unknown parameter: {inside[name]}", inside[name], "parameter_unknown")
            if item == "" and name in known and not _may_be_empty(known[name]):
                raise invalid(f"You passed an empty string for '{name}'.", inside[name], "parameter_invalid_empty")
            read[name] = self._read(known.get(name, others), item, inside[name], typed=typed)
        for name in schema.get("required", []):
            if name not in read:
                raise invalid(f"Missing required param: {inside[name]}.", inside[name], "parameter_missing")
        return read

    # --- answers

    def faults(self, schema: Schema, value: Any, place: str = "answer") -> list[str]:
        """What of an answer does not fit. Enumerations are open: Stripe adds to them."""
        schema = self._resolved(schema)
        if value is None:
            return [] if schema.get("nullable") else [f"{place} is null"]
        if "anyOf" in schema:
            tried = [self.faults(choice, value, place) for choice in schema["anyOf"]]
            return min(tried, key=len)
        kind = schema.get("type")
        if kind == "object":
            return self._object_faults(schema, value, place)
        if kind == "array":
            if not isinstance(value, list):
                return [f"{place} is no list: {value!r}"]
            return [f for n, item in enumerate(value) for f in self.faults(schema["items"], item, f"{place}[{n}]")]
        fits = {"string": str, "integer": int, "number": (int, float), "boolean": bool}.get(str(kind), object)
        is_flag = isinstance(value, bool) and kind != "boolean"
        return [] if isinstance(value, fits) and not is_flag else [f"{place} is no {kind}: {value!r}"]

    def _object_faults(self, schema: Schema, value: Any, place: str) -> list[str]:
        if not isinstance(value, dict):
            return [f"{place} is no object: {value!r}"]
        found = [f"{place}.{name} is missing" for name in schema.get("required", []) if name not in value]
        for name, item in value.items():
            described = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            # Only what is described is checked: the samples hold more than the description.
            if isinstance(described, dict):
                found += self.faults(described, item, f"{place}.{name}")
        return found

    def _resolved(self, schema: Schema) -> Schema:
        reference = schema.get("$ref")
        return schema if reference is None else self.schema(reference.rpartition("/")[2])


@cache
def specification() -> Specification:
    """The one that is read once."""
    return Specification()


def nested(text: str) -> dict[str, Any]:
    """A form: ``a[b]=c`` and ``a[0]=c``, taken apart. Raises ValueError."""
    root: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text)):
        found = _KEY.match(name)
        if found is None:
            raise ValueError(f"{name!r} is no name of a parameter")
        path = [found[1], *re.findall(r"\[([^\[\]]*)\]", found[2])]
        node = root
        for step in path[:-1]:
            node = node.setdefault(step or str(len(node)), {})
            if not isinstance(node, dict):
                raise ValueError(f"{name!r} is both a value and an object")
        last = path[-1] or str(len(node))
        if last in node:
            raise ValueError(f"{name!r} is given twice")
        node[last] = value
    return root


def _body(described: Schema) -> Schema:
    (content,) = described["requestBody"]["content"].values()
    found: Schema = content["schema"]
    return found


def _query(described: Schema) -> Schema:
    taken = [one for one in described["parameters"] if one["in"] == "query"]
    return {
        "type": "object",
        "properties": {one["name"]: one["schema"] for one in taken},
        "required": [one["name"] for one in taken if one.get("required")],
        "additionalProperties": False,
    }


def _may_be_empty(schema: Schema) -> bool:
    choices = schema.get("anyOf", [schema])
    return any("" in choice.get("enum", []) for choice in choices)


def _scalar(schema: Schema, value: Any, param: str, *, typed: bool) -> Any:
    kind = schema.get("type")
    if isinstance(value, dict | list):
        raise invalid(f"Invalid {kind}: {param}", param)
    if kind in ("integer", "number", "boolean"):
        return _number(str(kind), value, param, typed=typed)
    if not isinstance(value, str):
        raise invalid(f"Invalid string: {param}", param)
    if len(value) > schema.get("maxLength", 1_000_000):
        raise invalid(f"Invalid string: {param} has at most {schema['maxLength']} characters", param)
    if "enum" in schema and value not in schema["enum"]:
        raise invalid(f"Invalid {param}: must be one of {', '.join(schema['enum'])}", param)
    return value


def _number(kind: str, value: Any, param: str, *, typed: bool) -> Any:
    if typed:
        fits = {"integer": int, "number": (int, float), "boolean": bool}[kind]
        if isinstance(value, fits) and (kind == "boolean" or not isinstance(value, bool)):
            return value
    elif kind == "boolean" and value in ("true", "false"):
        return value == "true"
    elif kind != "boolean" and re.fullmatch(r"-?\d{1,18}" if kind == "integer" else r"-?\d{1,18}(\.\d+)?", value):
        return int(value) if kind == "integer" else float(value)
    raise invalid(f"Invalid {kind}: {value}", param, f"parameter_invalid_{kind}")
