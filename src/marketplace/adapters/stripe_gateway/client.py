"""Speaking to Stripe: one client a process, made when it is first needed; pauses and repetitions; readable answers.

The SDK is imported by the first call, so that a process that never speaks to Stripe does not carry it.
"""

from __future__ import annotations

import logging
import os
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from marketplace.adapters.stripe_gateway.errors import Subject, is_from_stripe, port_error
from marketplace.application.ports.payment_gateway import InvalidRequest, OutcomeUnknown, ProviderObjectUnknown
from marketplace.application.ports.unit_of_work import open_units
from marketplace.domain.shared.errors import MarketplaceError

if TYPE_CHECKING:
    from stripe import RequestOptions, StripeClient, StripeObject

API_VERSION = "2026-10-28.endive"
"""The version that the objects are read in, whatever the account's own is."""
TIMEOUT = (3.05, 20.0)
"""Seconds to connect, and to wait for an answer."""
RETRIES = 3
BUDGET_SECONDS = 15.0
"""No repetition begins later than this after the first attempt. With the time that one takes, a call is over well
within the minute for which what it is about is leased; a longer silence is for the next worker, with the same key."""
FIRST_PAUSE_SECONDS = 0.5
PAGE = 100
MOST_PAGES = 100

Object = dict[str, Any]

_NAME = re.compile(r"[A-Za-z0-9_]{1,255}")
_LONGEST_KEY = 255


class StripeApi:
    """``secret_key`` decides which environment it is; ``base`` is another address to speak to, in tests."""

    def __init__(
        self,
        secret_key: str,
        *,
        base: str = "",
        timeout: tuple[float, float] = TIMEOUT,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._secret_key = secret_key
        self._base = base
        self._timeout = timeout
        self._sleep = sleep
        self._monotonic = monotonic
        self._client: tuple[int, StripeClient] | None = None

    @property
    def livemode(self) -> bool:
        return "_live_" in self._secret_key

    def send(
        self,
        what: str,
        call: Callable[[StripeClient, RequestOptions], StripeObject],
        *,
        key: str | None = None,
        subject: Subject = Subject.OURS,
    ) -> Object:
        """Change something, once for a key; a call without one (of its own accord) is another one each time.

        ``call`` does nothing but send, with its parameters ready. Raises what ``port_error`` makes of an error.
        """
        if key is not None and not 0 < len(key) <= _LONGEST_KEY:
            raise InvalidRequest(f"{key!r} is no idempotency key: it has from 1 to {_LONGEST_KEY} characters.")
        return self._answer(what, call, {"idempotency_key": key or uuid4().hex}, subject)

    def read(
        self,
        what: str,
        call: Callable[[StripeClient], StripeObject],
        *,
        subject: Subject = Subject.OURS,
    ) -> Object:
        """Raises what ``port_error`` makes of an error."""
        return self._answer(what, lambda client, _: call(client), {}, subject)

    def pages(
        self, what: str, page: Callable[[StripeClient, str | None], StripeObject], *, subject: Subject = Subject.OURS
    ) -> Iterator[Object]:
        """Everything on a list, the newest first; ``page`` asks for ``PAGE`` of it that come after the one named.

        Raises OutcomeUnknown when there is more than can be looked through: an answer would be a guess.
        """
        after: str | None = None
        for _ in range(MOST_PAGES):
            found = self.read(what, lambda client, last=after: page(client, last), subject=subject)  # type: ignore[misc]
            rows = rows_of(found)
            yield from rows
            if not rows or not found.get("has_more"):
                return
            after = str(rows[-1]["id"])
        raise OutcomeUnknown(f"There is more than {MOST_PAGES * PAGE} of it to look through: {what}.")

    def _answer(
        self,
        what: str,
        call: Callable[[StripeClient, RequestOptions], StripeObject],
        options: RequestOptions,
        subject: Subject,
    ) -> Object:
        if open_units.get():
            raise RuntimeError("The payment provider was called while a unit of work is open.")
        client = self._connected()
        began, attempt = self._monotonic(), 0
        while True:
            try:
                return call(client, options).to_dict()
            except Exception as raised:
                error = raised
            attempt += 1
            pause = FIRST_PAUSE_SECONDS * 2 ** (attempt - 1) * (0.5 + random.random() / 2)
            is_late = self._monotonic() - began + pause > BUDGET_SECONDS
            if is_late or attempt > RETRIES or not _may_be_repeated(error):
                # The SDK's error quotes the answer, and so it is no part of what is raised. Others are faults to mend.
                raise port_error(error, what=what, subject=subject) from (None if is_from_stripe(error) else error)
            self._sleep(pause)

    def _connected(self) -> StripeClient:
        """A client of this process: connections that were open before a fork belong to the parent."""
        if self._client is None or self._client[0] != os.getpid():
            self._client = os.getpid(), self._connect()
        return self._client[1]

    def _connect(self) -> StripeClient:
        import stripe

        stripe.enable_telemetry = False
        # It logs what it sends: names, addresses, whole answers.
        logging.getLogger("stripe").setLevel(logging.WARNING)
        return stripe.StripeClient(
            self._secret_key,
            stripe_version=API_VERSION,
            # Repetitions are ours: the SDK's know no budget, and do not repeat what was too much.
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=self._timeout),
            base_addresses={"api": self._base} if self._base else None,
        )


def _may_be_repeated(error: Exception) -> bool:
    """With the same key, at once: Stripe's advice if it gives any, else what may pass by itself."""
    from stripe import APIConnectionError, StripeError

    if not isinstance(error, StripeError):
        return False
    advice = (error.headers or {}).get("stripe-should-retry")
    if advice in ("true", "false"):
        return advice == "true"
    if isinstance(error, APIConnectionError):
        return error.should_retry
    status = error.http_status or 0
    return status in (409, 429) or status >= 500


def named(id: str) -> str:
    """An id that stands in an address. Raises ProviderObjectUnknown for what cannot be one: an empty one would ask
    for a list."""
    if not _NAME.fullmatch(id):
        raise ProviderObjectUnknown(f"The payment provider has nothing that is called {id!r}.")
    return id


def rows_of(found: Mapping[str, Any]) -> Sequence[Object]:
    rows = found.get("data")
    if not isinstance(rows, list):
        raise OutcomeUnknown("The payment provider answered with something else than a list.")
    return rows


@contextmanager
def reading(what: str) -> Iterator[None]:
    """An answer whose parts are not where they belong is no usable answer."""
    try:
        yield
    except MarketplaceError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
        raise OutcomeUnknown(
            f"The payment provider's answer could not be read ({type(error).__name__}): {what}."
        ) from None
