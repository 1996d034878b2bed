"""The market strategy that docs/economics.md shows is one, and a node can be told to trade by it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from golem.interfaces import IMarketStrategy
from golem.model.money import Wei
from golem.model.trade import Terms
from golem.node import plugins
from golem.testing.contract_strategy import MarketStrategyContract, demand

PAGE = Path(__file__).parents[2] / "docs" / "economics.md"
BLOCK = re.compile(r"^```python\n# (\w+)\.py\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SET = re.compile(r'^strategy = "(\w+:\w+)"$', re.MULTILINE)


class TestPatient(MarketStrategyContract):
    @pytest.fixture
    def strategy(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> IMarketStrategy:
        page = PAGE.read_text()
        ((name, text),) = BLOCK.findall(page)
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        (target,) = SET.findall(page)
        return plugins.strategy(target)

    def test_it_asks_more_for_many_cores(self, strategy: IMarketStrategy) -> None:
        terms = Terms(Wei(100), Wei(100), 4, 0)
        assert [strategy.price(demand(1, cores), terms) for cores in (1, 4)] == [100, 500]
