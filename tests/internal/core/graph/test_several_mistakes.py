"""All mistakes of a graph are in one error, and none that only follows from another."""

# ruff: noqa: PT012 - leaving the block of a graph is what raises

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import operonx.core as core
from operonx.core import END, PARENT, BuildError, GraphOp, if_

# An op stands for its result in typed code; here it is looked at as an op.
op: Callable[..., Any] = core.op


@op
def give(x: int) -> int:
    return x


@op
def upper(text: str) -> str:
    return text.upper()


@op
def pair(x: int):  # type: ignore[no-untyped-def]  # its literal tells the ports
    return {"a": x, "b": x}


@op
def count(n: int) -> Iterator[int]:
    yield from range(n)


@op
def total(xs: list[int]) -> int:
    return sum(xs)


def reported(caught: pytest.ExceptionInfo[BuildError]) -> list[tuple[str, str | None, str | None]]:
    return [(one.op, one.ref, one.hint) for one in caught.value.issues]


def test_one_error_lists_mistakes_of_every_kind() -> None:
    with pytest.raises(BuildError) as caught, GraphOp("g", inputs=["name"]):
        a = give(x=PARENT["nmae"])
        b = pair(x=a)
        c = give(x=b["aa"])
        d = give(y=c)
        e = count(n=1)
        f = count(n=1)
        h = give(x=e + f)
        k = give(x=h)  # in the streams of `h`, of which nothing is known
        upper(text=k) >> END
        forgotten = give(x=1)
        total(xs=a.collect())["result"] >> PARENT["t"]
        d["result"] >> PARENT["d"]
    assert [
        ("g.a", 'PARENT["nmae"]', "did you mean `name`?"),
        ("g.c", 'b["aa"]', "did you mean `a`?"),
        (
            "g.total",
            None,
            "a generator op or `each(list)` opens one; a nested graph's inputs are single values",
        ),
        ("g.h", None, "`.collect()` one of them, or pair them with `zip_streams(...)`"),
        ("g.d", "y", "leave it out, or give the op such a parameter"),
        ("g.d", "x", "pass it: `x=...` a ref or a constant"),
        ("g.upper", 'k["result"]', "put an op between them that converts, or mend an annotation"),
        ("g.forgotten", "forgotten", "`forgotten >> END`, or leave it out"),
    ] == reported(caught)
    assert "the graph has 8 mistakes:" in str(caught.value)
    # The block has run to its end: leaving it is what raises.
    assert forgotten.path == "g.forgotten"  # pyright: ignore[reportPossiblyUnboundVariable]


def test_a_cycle_does_not_hide_other_mistakes() -> None:
    with pytest.raises(BuildError) as caught, GraphOp("g"):
        a = give(x=PARENT["x"])
        b = give(x=a)
        b >> a
        total(xs=b.collect()) >> END  # it waits for the cycle: nothing is known of its streams
        upper(text=3)["result"] >> PARENT["u"]
    assert [("g.b", "b >> a >> b"), ("g.upper", "text=3")] == [
        (one.op, one.ref) for one in caught.value.issues
    ]


def test_a_broken_nested_graph_is_not_blamed_again_outside() -> None:
    with pytest.raises(BuildError) as caught, GraphOp("g"):
        outer = give(x=1)
        with GraphOp("inner", x=1) as inner:
            give(x=outer)["result"] >> PARENT["n"]
            deep = give(x=PARENT["y"])
        total(xs=inner["m"].collect()) >> END
        give(x=deep)["result"] >> PARENT["d"]
    assert [
        ("g.inner.give", 'outer["result"]'),
        ("g.inner.deep", 'PARENT["y"]'),
        ("g.inner.deep", "deep"),
        ("g.give", 'deep["result"]'),
    ] == [(one.op, one.ref) for one in caught.value.issues]


def test_refs_across_graphs_say_which_way_to_pass_them() -> None:
    with GraphOp("elsewhere"):
        far = give(x=1)
        far >> END
    with pytest.raises(BuildError) as caught, GraphOp("g"):
        outer = give(x=1)
        with GraphOp("inner", x=1) as inner:
            kept = give(x=outer)
            kept >> END
            give(x=inner["result"])["result"] >> PARENT["again"]
        give(x=kept)["result"] >> PARENT["a"]
        give(x=far)["result"] >> PARENT["b"]
        outer["result"] >> PARENT["c"]
        inner["result"] >> PARENT["d"]
    assert [
        'pass it in: `GraphOp(..., outer=outer["result"])` and read `PARENT["outer"]`',
        "read the op that writes it",
        'hand it out: `kept >> END` in `inner`, and read `inner["..."]`',
        "graphs share no ops: hand it out of one by `>> END` and pass it into the other",
    ] == [one.hint for one in caught.value.issues]


def test_exclusive_arms_in_a_stream_do_not_hide_a_wrong_type() -> None:
    with pytest.raises(BuildError) as caught, GraphOp("g"):
        item = count(n=3)
        a = give(x=item)
        b = give(x=item)
        if_(item > 1, a).else_(b)
        upper(text=a["result"] + b["result"]) >> END
    assert [
        ("g.upper", "put an op between them that converts, or mend an annotation"),
        ("g.upper", "take whichever fired with `first_of(a, b)`, or order softly with `>> ~op`"),
    ] == [(one.op, one.hint) for one in caught.value.issues]


def test_every_issue_has_a_hint_and_one_line() -> None:
    with pytest.raises(BuildError) as caught, GraphOp("g", inputs=[]):
        give(x=PARENT["x"], y=1)
        give() >> END
        upper(text=give(x="a")) >> END
    assert all(one.hint and "\n" not in one.message for one in caught.value.issues)
