"""`State(...)` as users write it, and what may be written to one."""

# ruff: noqa: PT012 - leaving the block of a graph is what raises

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

import pytest

from operonx.core import END, PARENT, BuildError, GraphOp, State, each, graph, op
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


@op(returns="word")
def word(x: Any) -> str:
    return str(x)


@op(returns="number")
def number(x: Any) -> int:
    return int(x)


@op(returns="words")
def words(x: Any) -> list[str]:
    return [str(x)]


@op(returns="numbers")
def numbers(x: Any) -> dict[str, int]:
    return {"n": int(x)}


def written(annotation: Any, initial: Any, reducer: Any, value: Callable[[], Any]) -> None:
    """Write `value` to a state `s` of a loop."""

    def body(s: Any = State(initial, reducer)) -> dict[str, Any]:  # noqa: ARG001, B008 - its name
        return {"s": value()}

    body.__annotations__["s"] = annotation
    with GraphOp("g"):
        graph.loop(until="iteration == 0")(body)() >> END


APPEND = 'declare the state as `State([], reducer="append")`'
EXTEND = 'declare the state as `State([], reducer="extend")`'
OTHERWISE = "write what the state holds, or name the output otherwise"


@pytest.mark.parametrize(
    ("annotation", "initial", "reducer", "value", "what", "hint"),
    [
        (
            int,
            0,
            None,
            lambda: word(1),
            '`int` cannot take word["word"], which is `str`',
            OTHERWISE,
        ),
        (list[str], [], None, lambda: word(1), "`list[str]` cannot take word", APPEND),
        (list[str], [], "append", lambda: number(1), '"append" cannot take number', OTHERWISE),
        (list[str], [], "append", lambda: words(1), '"append" cannot take words', EXTEND),
        (list[str], [], "extend", lambda: word(1), '"extend" cannot take word', APPEND),
        (list[int], [], "extend", lambda: words(1), '"extend" cannot take words', OTHERWISE),
        (Any, [], "extend", lambda: number(1), "`s` with reducer", OTHERWISE),
        (dict[str, str], {}, "merge", lambda: numbers(1), '"merge" cannot take numbers', OTHERWISE),
        (Any, {}, "merge", lambda: number(1), '"merge" cannot take number', OTHERWISE),
        (int, 0, "sum", lambda: word(1), '"sum" cannot take word', OTHERWISE),
        (Any, 0, "sum", lambda: word(1), '"sum" cannot take word', OTHERWISE),
    ],
)
def test_what_is_written_fits_the_state(
    annotation: Any, initial: Any, reducer: Any, value: Callable[[], Any], what: str, hint: str
) -> None:
    with pytest.raises(BuildError) as caught:
        written(annotation, initial, reducer, value)
    (issue,) = caught.value.issues
    assert "g.body" == issue.op
    assert issue.message.startswith("state `s`")
    assert what in issue.message
    assert hint in (issue.hint or "")


class Known(TypedDict):
    name: str
    age: int


class Found(TypedDict):
    age: int


@op(returns="found")
def find(x: Any) -> Found:
    return {"age": int(x)}


@pytest.mark.parametrize(
    ("annotation", "initial", "reducer", "value"),
    [
        (float, 0, None, lambda: number(1)),
        (Any, 0, None, lambda: word(1)),
        (str | None, None, None, lambda: word(1)),
        (list[str], [], "append", lambda: word(1)),
        (list, [], "append", lambda: number(1)),
        (list[str], [], "extend", lambda: words(1)),
        (dict[str, int], {}, "merge", lambda: numbers(1)),
        (Known, {"name": "a", "age": 1}, "merge", lambda: find(2)),
        (float, 0, "sum", lambda: number(1)),
        (list[int], [], "append", lambda: each([1, 2])["item"]),
    ],
)
def test_what_may_fit_the_state_is_built(
    annotation: Any, initial: Any, reducer: Any, value: Callable[[], Any]
) -> None:
    written(annotation, initial, reducer, value)


def test_a_constant_that_is_written_fits_the_state() -> None:
    @graph.loop(until="iteration == 0")
    def body(n: int) -> dict[str, Any]:
        return {"n": "a", "word": word(n)}

    with pytest.raises(BuildError) as caught, GraphOp("g"):
        body(n=1) >> END
    (issue,) = caught.value.issues
    said = "state `n` of `int` cannot take 'a': expected `int`, got `str` 'a'"
    assert ("g.body", said) == (issue.op, issue.message)


def test_an_unannotated_state_has_the_type_of_what_reads_it() -> None:
    with pytest.raises(BuildError) as caught, GraphOp("g"):
        with GraphOp.loop(until="iteration == 3", s=[]) as loop:
            word(chat(messages=PARENT["s"]))["word"] >> PARENT["s"]
        loop["s"] >> PARENT["s"]
    (issue,) = caught.value.issues
    said = 'state `s` of `list[str]` cannot take word["word"], which is `str`'
    assert ("g.loop", said) == (issue.op, issue.message)
