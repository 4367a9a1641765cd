"""Which arms exclude each other."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operonx.core.graph import exclusion
from operonx.core.graph.exclusion import all_exclusive

needs = st.dictionaries(
    st.sampled_from("abc"), st.frozensets(st.integers(0, 3), min_size=1), max_size=3
)


@given(st.lists(needs, max_size=6))
def test_needs_exclude_each_other_if_every_two_do(options: list[dict[str, frozenset[int]]]) -> None:
    expected = all(
        any(key in other and not arms & other[key] for key, arms in one.items())
        for one, other in combinations(options, 2)
    )
    assert expected == all_exclusive(options)


def test_arms_of_branches_in_arms_are_not_compared_each_with_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def compared(one: Any, other: Any) -> bool:
        raise AssertionError(f"{one} with {other}")

    monkeypatch.setattr(exclusion, "_exclusive", compared)
    arms = range(300)
    options = [{"outer": frozenset([i]), f"inner{i}": frozenset([j])} for i in arms for j in (0, 1)]
    assert all_exclusive(options)
