"""What every test relies on."""

import sys
from collections.abc import Iterator

import hypothesis
import pytest

# The shared suites are imported, not collected, so that pytest would not explain their assertions.
pytest.register_assert_rewrite("tests.contracts")

# No test asserts a time: a shared machine may be slow at any moment.
hypothesis.settings.register_profile("marketplace", deadline=None)
hypothesis.settings.load_profile("marketplace")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Run what is marked `volume` without measuring coverage, which takes longer than the test does.

    Its lines are those of smaller tests; what is run here is how many times.
    """
    tracer = sys.gettrace()
    if item.get_closest_marker("volume") is None or tracer is None:
        return (yield)
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)
