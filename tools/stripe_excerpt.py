"""Cut the data that the tests' stub of Stripe is made of out of a description of Stripe's API.

    python tools/stripe_excerpt.py FOLDER

FOLDER holds ``spec3.min.json``, ``fixtures3.min.json`` and ``events.min.json``. What the stub answers, and the schemas
that this needs, go to ``tests/data/stripe/*.json.gz``, the same bytes each time, with the licence in each of them.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "tests" / "data" / "stripe"
OPERATIONS = """
POST /v1/account_links
POST /v1/accounts
GET /v1/accounts/{account}
GET /v1/balance
GET /v1/balance_transactions
GET /v1/balance_transactions/{id}
GET /v1/charges
GET /v1/charges/{charge}
POST /v1/customers
GET /v1/customers/{customer}
DELETE /v1/customers/{customer}
GET /v1/customers/{customer}/payment_methods
GET /v1/disputes
GET /v1/disputes/{dispute}
POST /v1/disputes/{dispute}
POST /v1/disputes/{dispute}/close
GET /v1/events
GET /v1/events/{id}
POST /v1/payment_intents
GET /v1/payment_intents
GET /v1/payment_intents/{intent}
POST /v1/payment_intents/{intent}
POST /v1/payment_intents/{intent}/cancel
POST /v1/payment_intents/{intent}/confirm
GET /v1/payment_methods/{payment_method}
POST /v1/payment_methods/{payment_method}/detach
GET /v1/payouts
GET /v1/payouts/{payout}
POST /v1/refunds
GET /v1/refunds
GET /v1/refunds/{refund}
POST /v1/setup_intents
GET /v1/setup_intents/{intent}
POST /v1/transfers
GET /v1/transfers
GET /v1/transfers/{transfer}
POST /v1/transfers/{id}/reversals
GET /v1/transfers/{id}/reversals
GET /v1/transfers/{transfer}/reversals/{id}
POST /v2/core/account_links
POST /v2/core/accounts
GET /v2/core/accounts/{id}
"""


def references(node: Any) -> Iterator[str]:
    """The names of the schemas that ``node`` refers to."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"].rpartition("/")[2]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def excerpt(spec: dict[str, Any]) -> dict[str, Any]:
    """The operations that the stub answers, and every schema that they reach."""
    paths: dict[str, Any] = {}
    for line in OPERATIONS.split("\n"):
        verb, _, path = line.partition(" ")
        if path:
            paths.setdefault(path, {})[verb.lower()] = spec["paths"][path][verb.lower()]
    schemas: dict[str, Any] = {}
    wanted = list(references(paths))
    while wanted:
        name = wanted.pop()
        if name not in schemas:
            schemas[name] = spec["components"]["schemas"][name]
            wanted += references(schemas[name])
    info = {name: spec["info"][name] for name in ("title", "version", "license", "x-license-notice", "x-provenance")}
    return {"openapi": spec["openapi"], "info": info, "paths": paths, "components": {"schemas": schemas}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    spec = excerpt(json.loads((folder / "spec3.min.json").read_text()))
    fixtures = json.loads((folder / "fixtures3.min.json").read_text())
    kept = {name: value for name, value in fixtures["resources"].items() if name in spec["components"]["schemas"]}
    events = json.loads((folder / "events.min.json").read_text())
    for name, document in (("spec", spec), ("fixtures", {**fixtures, "resources": kept}), ("all_events", events)):
        text = json.dumps(document, separators=(",", ":"), sort_keys=True, ensure_ascii=True)
        target = TARGET / f"{name}.json.gz"
        target.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
        print(f"{target.name}: {target.stat().st_size} bytes, {len(text)} unpacked")


if __name__ == "__main__":
    main()
