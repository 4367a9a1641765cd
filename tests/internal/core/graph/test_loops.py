"""Loops as they are authored: their test, their state, their iterations."""

# ruff: noqa: PT012, SIM117 - leaving the block of a graph is what raises

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import operonx.core as core
from operonx.core import END, PARENT, BuildError, GraphOp, Operon, State, first_of

# An op stands for its result in typed code; here it is looked at as an op.
op: Callable[..., Any] = core.op


@op
def give(x: int) -> int:
    return x


@op
def count(n: int) -> Iterator[int]:
    yield from range(n)


def deep() -> Any:
    ref = PARENT["n"]
    for _ in range(5_000):
        ref = ref + 1
    return ref > 3


@pytest.mark.parametrize(
    ("until", "message", "hint"),
    [
        (PARENT["m"] > 3, "until: no state or output `m`; there are `n`", "make it a state"),
        ("nn > 3", "until: no state or output `nn`; there are `n`", "did you mean `n`?"),
        ("n >", "until: 'n >' is no expression: invalid syntax", "for instance"),
        ("exit()", "until: `exit()` has no place in an expression", "for instance"),
        (True, "until=True: takes a ref expression or a string", "for instance"),
        (None, "until=None: takes a ref expression or a string", "for instance"),
        (
            PARENT["n"].collect() == [],
            'until: PARENT["n"].collect(): after an iteration there are values only',
            "let an op of the body do it",
        ),
        (
            first_of(PARENT["n"], PARENT["n"]) > 1,
            'until: first_of(PARENT["n"], PARENT["n"]): after an iteration there are values only',
            "let an op of the body do it",
        ),
        (deep(), "until: the expression is too large: it nests more than 100 deep", "let an op"),
    ],
)
def test_a_wrong_until_is_reported(until: Any, message: str, hint: str) -> None:
    with pytest.raises(BuildError) as caught, GraphOp("g"):
        with GraphOp.loop(until=until, n=0) as loop:
            give(x=PARENT["n"] + 1) >> PARENT["n"]
        loop >> END
    (issue,) = caught.value.issues
    assert ("g.loop", message) == (issue.op, issue.message)
    assert issue.hint is not None
    assert issue.hint.startswith(hint)


@pytest.mark.parametrize(
    ("until", "what"),
    [
        ("n > 5", "until: nothing in the body writes `n`, so `n > 5` never changes"),
        ("n > m", "until: nothing in the body writes `n`, `m`, so `n > m` never changes"),
        (
            PARENT["n"] > 5,
            'until: nothing in the body writes `n`, so `PARENT["n"] > 5` never changes',
        ),
    ],
)
def test_an_until_over_what_nothing_writes_is_reported(until: Any, what: str) -> None:
    with pytest.raises(BuildError) as caught, GraphOp("g"):
        with GraphOp.loop(until=until, n=0, m=1) as loop:
            give(x=PARENT["n"] + PARENT["m"]) >> END
        loop >> END
    (issue,) = caught.value.issues
    hint = (
        "give an output that name; the outputs are `result`. "
        'For a number of rounds write `until="iteration == 4"`'
    )
    assert ("g.loop", what, hint) == (issue.op, issue.message, issue.hint)


@pytest.mark.parametrize("until", ["n > 5 or iteration == 2", "n > 5 or m > 2", "iteration == 2"])
def test_an_until_of_which_one_part_changes_is_built(until: str) -> None:
    with GraphOp("g") as g:
        with GraphOp.loop(until=until, n=0, m=1) as loop:
            give(x=PARENT["n"] + PARENT["m"] + 1) >> PARENT["m"]
        loop["m"] >> PARENT["m"]
    g.build()


def test_until_reads_no_op() -> None:
    with pytest.raises(BuildError) as caught, GraphOp("g"):
        done = give(x=1)
        with GraphOp.loop(until=done["result"] > 0, n=0) as loop:
            give(x=PARENT["n"]) >> PARENT["n"]
        loop >> END
        done["result"] >> PARENT["done"]
    (issue,) = caught.value.issues
    assert 'until: done["result"] is neither state nor output of the loop' == issue.message


def test_until_may_read_state_outputs_and_the_number_of_the_iteration() -> None:
    with GraphOp("g") as g:
        with GraphOp.loop(until="done or iteration >= 9", n=0, xs=[3]) as loop:
            step = give(x=PARENT["n"] + 1)
            step >> PARENT["n"]
            PARENT["xs"].contains(step["result"]) >> PARENT["done"]
        loop >> END
    assert {"n": 3, "xs": [3], "done": True} == dict(Operon(g).run_sync())


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (State(3, "append"), 'state `n` with reducer "append": expected `list`, got `int` 3'),
        (State("a", "extend"), 'state `n` with reducer "extend": expected `list`'),
        (State([], "merge"), 'state `n` with reducer "merge": expected `dict`'),
        (State("a", "sum"), 'state `n` with reducer "sum": expected `float`'),
    ],
)
def test_a_state_begins_as_its_reducer_wants(state: Any, message: str) -> None:
    with pytest.raises(BuildError) as caught, GraphOp("g"):
        with GraphOp.loop(until="true", true=True, n=state) as loop:
            give(x=1) >> PARENT["n"]
        loop >> END
    assert message in caught.value.message


def test_several_writers_of_a_state_say_how_they_combine() -> None:
    def author(n: Any) -> None:
        with GraphOp("g"):
            with GraphOp.loop(until="n != 0", n=n) as loop:
                give(x=1) >> PARENT["n"]
                give(x=2) >> PARENT["n"]
            loop >> END

    with pytest.raises(BuildError, match=r"hint: say how they combine: `n=State\(\.\.\., reducer"):
        author(0)
    author(State(0, "sum"))


@pytest.mark.parametrize("value", [0, -1, True, "3", 1.5])
def test_max_iterations_is_a_whole_number_from_one(value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="takes a whole number"):
        GraphOp.loop(until="n", max_iterations=value)


def test_a_reducer_is_one_of_four() -> None:
    wrong: Any = "mean"
    with pytest.raises(ValueError, match="there are `append`, `extend`, `merge`, `sum`"):
        State(0, wrong)


def test_a_loop_is_part_of_a_graph() -> None:
    with pytest.raises(TypeError, match="open its block inside a graph block"):
        with GraphOp.loop(until="n", n=0):
            pass


def test_iterations_are_read_by_the_name_of_an_output() -> None:
    with pytest.raises(BuildError) as caught, GraphOp("g"):
        with GraphOp.loop(until="n >= 3", n=0) as loop:
            give(x=PARENT["n"] + 1) >> PARENT["n"]
        loop.iterations["m"].collect() >> PARENT["all"]
        with pytest.raises(TypeError, match=r"`loop.iterations` is no value"):
            give(x=loop.iterations)
        with pytest.raises(TypeError, match="takes the name of an output, got 0"):
            _ = loop.iterations[0]  # type: ignore[index]  # that is the mistake
    assert any(
        "op `loop` has no port `m`; it has `n`" in one.message for one in caught.value.issues
    )
