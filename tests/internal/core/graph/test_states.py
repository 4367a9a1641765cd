"""`State(...)` as users write it."""

from __future__ import annotations

from typing import Any

from operonx.core import State
from operonx.core.graph import loops
from operonx.core.ops.policies import UNSET


def test_it_makes_the_state_that_loops_know() -> None:
    made: Any = State([1], "append")
    assert loops.State([1], "append") == made


def test_without_a_first_value_the_caller_gives_it() -> None:
    made = State(reducer="sum")
    assert loops.State(UNSET, "sum") == made
