"""Edges: what `>>` joins, and what it says of all else."""

# ruff: noqa: ARG005 - every author is given the same

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import operonx.core as core
from operonx.core import END, PARENT, START, GraphOp, edge, soft

# An op stands for its result in typed code; here it is looked at as an op.
op: Callable[..., Any] = core.op


@op
def give(x: int = 1) -> int:
    return x


def edges(g: GraphOp) -> list[tuple[str, str]]:
    return [(one.source.name, ("~" if one.soft else "") + one.target.name) for one in g.edges]


def test_chains_lists_and_soft_targets() -> None:
    with GraphOp("g") as g:
        a = give()
        b = give()
        c = give()
        d = give()
        START >> [a, b] >> c >> ~d >> END
        [a, b] >> ~d
        (a, b) >> d
        a >> [~c, b]
        for one in (a, b, c):
            one["result"] >> PARENT[one.name]
    assert [
        *[("a", "c"), ("b", "c"), ("c", "~d"), ("a", "~d"), ("b", "~d")],
        *[("a", "d"), ("b", "d"), ("a", "~c"), ("a", "b")],
    ] == edges(g)


def test_functions_make_the_same_edges() -> None:
    with GraphOp("g") as g:
        a = give()
        b = give()
        edge(a, b)
        edge([a], [soft(b)])
        edge(b, END)
        a["result"] >> PARENT["a"]
    assert [("a", "b"), ("a", "~b")] == edges(g)


NO_EDGES: list[tuple[Callable[[Any, Any], object], str]] = [
    (lambda a, b: a >> b["result"], "pass refs as arguments"),
    (lambda a, b: a["result"] >> b, r"a ref is written to `PARENT\[\.\.\.\]`"),
    (lambda a, b: PARENT["x"] >> b, r"a ref is written to `PARENT\[\.\.\.\]`"),
    (lambda a, b: a >> 3, "takes ops, got 3"),
    (lambda a, b: 3 >> a, "takes ops, got 3"),
    (lambda a, b: a >> START, "takes ops, got START"),
    (lambda a, b: END >> a, "takes ops, got END"),
    (lambda a, b: START >> END, "takes ops, got END"),
    (lambda a, b: START >> a["result"], "pass refs as arguments"),
    (lambda a, b: ~a >> b, "`~a` can only be a target: write `x >> ~a`"),
    (lambda a, b: a >> give, "takes ops, got <op give>"),
    (lambda a, b: soft(3), r"`soft\(\.\.\.\)` takes ops, got 3"),
    (lambda a, b: edge(3, a), "takes ops, got 3"),
    (lambda a, b: core.error_of(3), "`error_of` takes an op, got 3"),
    (lambda a, b: a[0], r"takes the name of a port; index its value with `a\[\"port\"\]\[0\]`"),
    (lambda a, b: PARENT[0], "takes the name of an input, got 0"),  # type: ignore[index]  # that is the mistake
]


@pytest.mark.parametrize(("author", "message"), NO_EDGES)
def test_what_is_no_edge_says_what_to_write(author: Any, message: str) -> None:
    with GraphOp("g"):
        a = give()
        b = give()
        with pytest.raises(TypeError, match=message):
            author(a, b)
        a["result"] >> PARENT["a"]
        b["result"] >> PARENT["b"]


def test_an_op_without_exactly_one_port_is_no_value() -> None:
    @op
    def two(x: int):  # type: ignore[no-untyped-def]  # its literal tells the ports
        return {"a": x, "b": x}

    @op
    def none(x: int) -> None: ...

    with GraphOp("g") as g:
        pair = two(x=1)
        empty = none(x=1)
        for value, message in [
            (pair, r'read one: `pair\["a"\]`, `pair\["b"\]`'),
            (empty, "op `empty` has no ports"),
        ]:
            with pytest.raises(TypeError, match=message):
                value.collect()
        pair["a"] >> PARENT["a"]
    assert ["pair", "empty"] == [one.name for one in g.ops]


def test_nodes_show_themselves() -> None:
    with GraphOp("g"):
        a = give()
        a >> END
        assert ["START", "END", "PARENT", "~a", "[a]", "<FuncOp g.a>", "<op give>"] == [
            repr(one) for one in (START, END, PARENT, ~a, START >> [a], a, give)
        ]
