"""How every part of the simulated provider works: in transactions of its own, once for a key, with refusals kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import orjson

from marketplace.adapters.simulated_gateway.provider import Provider
from marketplace.application.ports.clock import Clock
from marketplace.application.ports.payment_gateway import (
    AlreadyInState,
    InvalidRequest,
    KeyReused,
    PaymentDeclined,
    RefundNotPossible,
)
from marketplace.application.ports.provider_state import ProviderState, RememberedAnswer
from marketplace.application.ports.transfers import InsufficientBalance, SellerNotPayable
from marketplace.application.ports.unit_of_work import open_units

Answer = dict[str, Any]

_REFUSALS = {
    "balance": InsufficientBalance,
    "declined": PaymentDeclined,
    "in_state": AlreadyInState,
    "invalid": InvalidRequest,
    "refund": RefundNotPossible,
    "seller": SellerNotPayable,
}


def refusal(kind: str, message: str, **facts: str) -> Answer:
    """An answer that is an error, and is remembered as one."""
    return {"error": kind, "message": message, "facts": facts}


class Sessions:
    """``secrets``: the first signs, all verify. ``token()`` gives the random part of a new name."""

    def __init__(
        self,
        state: ProviderState,
        *,
        clock: Clock,
        secrets: Sequence[str],
        public_url: str,
        token: Callable[[], str],
    ) -> None:
        self._state = state
        self._clock = clock
        self._secrets = tuple(secrets)
        self._public_url = public_url.rstrip("/")
        self._token = token

    @contextmanager
    def _provider(self, key: str | None = None) -> Iterator[Provider]:
        if open_units.get():
            raise RuntimeError("The payment provider was called while a unit of work is open.")
        with self._state.begin() as state:
            yield Provider(state=state, token=self._token, now=self._clock.now(), key=key)

    def _once(self, operation: str, key: str, parameters: Answer, work: Callable[[Provider], Answer]) -> Answer:
        """Do it, unless the key has been answered: then answer the same, as it was then, refusals included."""
        fingerprint = orjson.dumps([operation, parameters], option=orjson.OPT_SORT_KEYS).decode()
        with self._provider(key) as provider:
            before = provider.state.answered(key)
            if before is None:
                answer = work(provider)
                remembered = RememberedAnswer(fingerprint=fingerprint, answer=answer)
                provider.state.remember(key, remembered, at=provider.now)
            elif before.fingerprint != fingerprint:
                raise KeyReused(f"The key {key} was used with other parameters.")
            else:
                answer = dict(before.answer)
        if "error" in answer:
            _refuse(answer)
        return answer


def _refuse(answer: Answer) -> NoReturn:
    raise _REFUSALS[answer["error"]](answer["message"], **answer["facts"])
