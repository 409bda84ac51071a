"""What answers have to look like."""

from __future__ import annotations

from typing import Any


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The problem document, after a look at what clients switch on."""
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.content_type == "application/problem+json"
    return answer.json
