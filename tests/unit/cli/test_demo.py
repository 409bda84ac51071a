"""The demo market on the memory backend: the same use cases, without a database."""

from marketplace.entrypoints.cli.demo import is_loaded, load_demo
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend
from marketplace.entrypoints.settings import Settings


def test_the_market_is_whole_and_its_books_are_right():
    container = Container(settings=Settings.from_env({}), backend=MemoryBackend())
    assert load_demo(container)
    assert is_loaded(container)
    assert container.verify_ledger()().ok
    assert not load_demo(container)
