"""What every test relies on."""

import hypothesis
import pytest

# The shared suites are imported, not collected, so that pytest would not explain their assertions.
pytest.register_assert_rewrite("tests.contracts")

# No test asserts a time: a shared machine may be slow at any moment.
hypothesis.settings.register_profile("marketplace", deadline=None)
hypothesis.settings.load_profile("marketplace")
