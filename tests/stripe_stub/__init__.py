"""A Stripe for tests, on loopback: built from an excerpt of Stripe's own description and samples (tests/data/stripe).

It refuses every parameter that Stripe would refuse, repeats what a key was answered with, keeps what it was told, and
does on demand what buyers, banks, sellers and bad networks do: see ``StripeStub``.
"""

from tests.stripe_stub.faults import When
from tests.stripe_stub.stub import SECRETS, StripeStub, signed

__all__ = ["SECRETS", "StripeStub", "When", "signed"]
