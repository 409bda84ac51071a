"""Which function answers which request, and what all answers share: expanding, listing, paging."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.stripe_stub.errors import Refusal, invalid
from tests.stripe_stub.world import Object, World

MOST = 100


@dataclass(frozen=True, slots=True)
class Call:
    """``names``: what the path says; ``given``: the parameters."""

    world: World
    names: dict[str, str]
    given: dict[str, Any]
    path: str


Handler = Callable[[Call], Object]
HANDLERS: dict[tuple[str, str], Handler] = {}


def answers(verb: str, template: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        HANDLERS[verb, template] = handler
        return handler

    return register


def reader(template: str, kind: str, name: str) -> None:
    """Let ``GET template`` answer the object of ``kind`` that its path calls ``name``."""
    HANDLERS["GET", template] = lambda call: call.world.get(kind, call.names[name])


def lister(template: str, kind: str, *filters: str) -> None:
    """Let ``GET template`` list the objects of ``kind``, by ``filters`` that are also fields of them."""

    def handle(call: Call) -> Object:
        wanted = {name: call.given[name] for name in filters if name in call.given}
        return listed(call, call.world.find(kind, **wanted))

    HANDLERS["GET", template] = handle


def listed(call: Call, things: Iterable[Object]) -> Object:
    """A page of ``things``, which come the oldest first, as Stripe gives it: the newest first."""
    given = call.given
    found = [thing for thing in things if _is_within(thing["created"], given.get("created"))][::-1]
    size = given.get("limit", 10)
    if not 1 <= size <= MOST:
        raise invalid(f"Invalid limit: between 1 and {MOST}", "limit")
    places = {thing["id"]: place for place, thing in enumerate(found)}
    if "ending_before" in given:
        before = found[: _place(call, places, "ending_before")]
        page, has_more = before[-size:], len(before) > size
    else:
        after = found[_place(call, places, "starting_after") + 1 :] if "starting_after" in given else found
        page, has_more = after[:size], len(after) > size
    return {"object": "list", "url": call.path, "has_more": has_more, "data": page}


def _place(call: Call, places: dict[str, int], param: str) -> int:
    id = call.given[param]
    if id not in places:
        raise Refusal(400, f"No such object: '{id}'", code="resource_missing", param=param)
    return places[id]


def _is_within(created: int, wanted: Any) -> bool:
    if wanted is None:
        return True
    if isinstance(wanted, int):
        return created == wanted
    bounds = {"gt": created.__gt__, "gte": created.__ge__, "lt": created.__lt__, "lte": created.__le__}
    return all(bounds[name](value) for name, value in wanted.items())


def shown(world: World, thing: Any, expand: list[str]) -> Any:
    """An answer with what was asked to be expanded in it. Raises Refusal for what cannot be."""
    if thing.get("object") == "list":
        inside = [path.removeprefix("data.") for path in expand if path.startswith("data.")]
        _refuse([path for path in expand if not path.startswith("data.")])
        return {**thing, "data": [shown(world, item, inside) for item in thing["data"]]}
    answer = dict(world.shown(thing))
    for path in expand:
        head, _, rest = path.partition(".")
        if head not in world.spec.expandable(answer["object"]):
            _refuse([path])
        value = answer.get(head)
        if isinstance(value, str):
            value = world.objects[value]
        if isinstance(value, dict):
            answer[head] = shown(world, value, [rest] if rest else [])
    return answer


def _refuse(paths: list[str]) -> None:
    if paths:
        raise invalid(f"This property cannot be expanded ({paths[0]}).", "expand[0]")
