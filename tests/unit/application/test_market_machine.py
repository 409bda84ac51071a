"""Random lives of a market in memory."""

from hypothesis import settings

from tests.market_machine import MarketMachine
from tests.till import Till


class InMemoryMarketMachine(MarketMachine):
    def open_till(self) -> Till:
        return Till.in_memory()


TestMarketInMemory = InMemoryMarketMachine.TestCase
TestMarketInMemory.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
