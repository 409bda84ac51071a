"""What every test relies on."""

import gc
from collections.abc import Iterator

import hypothesis
import pytest

from tests.tracing import untraced

# Thousands of tests make an application each, a heap of objects that refer to each other; with the usual thresholds
# a third of the time goes into looking through those that are still in use.
gc.set_threshold(100_000, 50, 100)

# The shared suites are imported, not collected, so that pytest would not explain their assertions.
pytest.register_assert_rewrite("tests.contracts")

# No test asserts a time: a shared machine may be slow at any moment.
hypothesis.settings.register_profile("marketplace", deadline=None)
hypothesis.settings.load_profile("marketplace")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Run what is marked `volume` without measuring coverage: smaller tests do the same once."""
    if item.get_closest_marker("volume") is None:
        return (yield)
    with untraced():
        return (yield)
