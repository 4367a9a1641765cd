"""`State(...)` as users write it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from operonx.core import END, BuildError, GraphOp, State, graph, op
from operonx.core.graph import loops
from operonx.core.ops.policies import UNSET


def test_it_makes_the_state_that_loops_know() -> None:
    made: Any = State([1], "append")
    assert loops.State([1], "append") == made


def test_without_a_first_value_the_caller_gives_it() -> None:
    made = State(reducer="sum")
    assert loops.State(UNSET, "sum") == made


@op
def chat(messages: list[str]) -> str:
    return messages[0]


@op
def anything(x: object) -> str:
    return str(x)


@op
def by_default(messages: list[str] = State([])) -> str:  # noqa: B008 - it cannot be changed
    return messages[0]


@graph
def talk(messages: list[str]) -> str:
    return chat(messages)


@graph
def talk_by_default(messages: list[str] = State([])) -> str:  # noqa: B008 - it cannot be changed
    return chat(messages)


@graph.loop(until="done")
def again(messages: list[str] = State([], "append")) -> dict[str, Any]:  # noqa: B008 - as above
    return {"messages": chat(messages), "done": True}


ELSEWHERE = (
    "declare it where a loop is made: `GraphOp.loop(xs=State(...), ...)`, or as the default of a "
    '`@graph.loop` parameter; what is in the loop reads `PARENT["xs"]` or that parameter'
)
FIRST = "pass its first value; how writes combine is said where the loop is made"


@pytest.mark.parametrize(
    ("make", "op", "what", "hint"),
    [
        (lambda: chat(State([], "append")), "g.chat", "input `messages`", ELSEWHERE),
        (lambda: anything(State([])), "g.anything", "input `x`", ELSEWHERE),
        (lambda: talk(State([])), "g.talk", "input `messages`", ELSEWHERE),
        (by_default, "g.by_default", "the default of input `messages`", ELSEWHERE),
        (
            talk_by_default,
            "g.talk_by_default",
            "the default of input `messages`",
            ELSEWHERE,
        ),
        (lambda: again(State(["a"], "append")), "g.again", "input `messages`", FIRST),
    ],
)
def test_a_state_that_no_loop_is_made_with_is_refused(
    make: Callable[[], Any], op: str, what: str, hint: str
) -> None:
    with pytest.raises(BuildError) as caught, GraphOp("g"):
        make() >> END
    (issue,) = caught.value.issues
    said = f"{what} is `State(...)`, which declares a loop's state and is no value"
    assert (op, said, hint) == (issue.op, issue.message, issue.hint)


def test_the_root_graph_of_a_function_refuses_one_too() -> None:
    with pytest.raises(BuildError, match="the default of input `messages` is `State"):
        talk_by_default.build()
