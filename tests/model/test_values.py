"""Money and ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golem.model.ids import check_id, derive, merge_id, stage_id, subtask_id, task_id
from golem.model.money import WEI_PER_ETHER, Wei, cost, ether, show_ether
from golem.testing.keys import FixedKeyring
from golem.testing.samples import TASK

amounts = st.integers(0, 2**96 - 1)


@pytest.mark.parametrize("wrong", (-1, 2**96))
def test_an_amount_out_of_range_can_not_be_held(wrong: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        Wei(wrong)


@pytest.mark.parametrize("wrong", (True, 1.0, "1"))
def test_what_is_no_whole_number_is_no_amount(wrong: object) -> None:
    with pytest.raises(TypeError):
        Wei(wrong)  # type: ignore[arg-type]  # what is tried


@given(amounts)
def test_an_amount_of_ether_is_read_as_it_is_written(amount: int) -> None:
    assert ether(show_ether(amount).removesuffix(" ETH")) == amount


@pytest.mark.parametrize("text", ("", ".", "-1", "1e3", "0.0000000000000000001", "1.2.3", "ten", "٣.x"))
def test_what_is_no_amount_of_ether_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount of ether"):
        ether(text)


def test_ether_is_written_without_what_says_nothing() -> None:
    assert [show_ether(n) for n in (WEI_PER_ETHER, WEI_PER_ETHER // 4, 1)] == [
        "1 ETH",
        "0.25 ETH",
        "0.000000000000000001 ETH",
    ]
    assert ether(" .5 ") == WEI_PER_ETHER // 2


@given(st.integers(0, 2**60), st.integers(0, 2**30))
def test_a_cost_is_rounded_once_and_for_the_payee(price: int, used_ms: int) -> None:
    amount = cost(Wei(price), used_ms)
    assert 0 <= amount * 3_600_000 - price * used_ms < 3_600_000


def test_ids_depend_on_every_part_and_on_where_parts_end() -> None:
    node = FixedKeyring("alice").node_id
    ids = [
        task_id(node, "1"),
        task_id(node, "2"),
        subtask_id(TASK, 1, 2),
        subtask_id(TASK, 12, 0),
        subtask_id(TASK, 1, 20),
        check_id(subtask_id(TASK, 1, 2), 0),
        merge_id(TASK, "all", 1),
        merge_id(TASK, "all", 2),
        stage_id(TASK, "prepare"),
        derive("a", "bc"),
        derive("ab", "c"),
    ]
    assert len(set(ids)) == len(ids)
    assert all(len(text) == 32 and set(text) <= set("0123456789abcdef") for text in ids)
