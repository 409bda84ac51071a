"""What every test relies on."""

import gc
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest
from werkzeug.routing import Rule

from tests.tracing import untraced

# Thousands of tests make an application each, a heap of objects that refer to each other; with the usual thresholds
# a third of the time goes into looking through those that are still in use.
gc.set_threshold(100_000, 50, 100)

# Half of making an application is compiling the same hundred rules into the same functions. A rule's function depends
# on its text alone: all applications have the same converters.
_compile_builder = Rule._compile_builder
_builders: dict[tuple[str, bool], Callable[..., Any]] = {}


def _compiled_once(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
    key = rule.rule, append_unknown
    if key not in _builders:
        _builders[key] = _compile_builder(rule, append_unknown)
    return _builders[key]


Rule._compile_builder = _compiled_once

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
