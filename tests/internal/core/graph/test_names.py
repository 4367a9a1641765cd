"""The names of ops: given, inferred, numbered, and never two of one."""

# ruff: noqa: PT012, SIM117 - leaving the block of a graph is what raises

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import operonx.core as core
from operonx.core import END, PARENT, BuildError, GraphOp, graph, if_, switch

# An op stands for its result in typed code; here it is looked at as an op.
op: Callable[..., Any] = core.op


@op
def give(x: int = 1) -> int:
    return x


@op
def count(n: int) -> Iterator[int]:
    yield from range(n)


@op
def total(xs: list[int]) -> int:
    return sum(xs)


@op
def called(name: str) -> str:
    return name


def names(g: GraphOp) -> list[str]:
    return [one.name for one in g.ops]


def test_inferred_duplicates_are_numbered_around_given_names() -> None:
    with GraphOp("g") as g:
        a = give()
        a = give(x=a)
        a = give(x=a)
        given = give.with_(name="a_2")(x=a)
        given >> END
    assert ["a", "a_4", "a_3", "a_2"] == names(g)


def test_name_is_an_argument_where_the_function_has_one() -> None:
    with GraphOp("g") as g:
        called(name="x") >> END
    assert ["called"] == names(g)


def test_a_branch_is_named_by_the_last_call_of_its_chain_unless_it_has_a_name() -> None:
    with GraphOp("g") as g:
        a, b, c = give(), give(), give()
        first = if_(a > 1, b)
        second = first.else_(c)
        chained = if_(a > 1, b).else_(c)
        given = if_(a > 1, b, name="mine").else_(c)
        route = switch(a, {1: b}, default=c)
        core.first_of(b, c)["result"] >> PARENT["o"]
    assert first is second
    assert ["first", "chained", "mine", "route"] == names(g)[3:]
    assert [chained.name, given.name, route.name] == names(g)[4:]


@pytest.mark.parametrize("name", ["a.b", "", "."])
def test_a_name_is_not_empty_and_has_no_dot(name: str) -> None:
    with pytest.raises(BuildError, match="is no name: names have no dots and are not empty"):
        with GraphOp("g"):
            give.with_(name=name)() >> END
    with pytest.raises(BuildError, match="is no name"):
        with GraphOp(name):
            give() >> END


def test_a_name_is_a_string() -> None:
    wrong: Any = 3
    with pytest.raises(TypeError, match="name=3: an op's name is a string"):
        with GraphOp("g"):
            give.with_(name=wrong)()
    with pytest.raises(TypeError, match="name=3"):
        GraphOp(wrong)


def test_a_batch_has_the_name_of_its_variable_else_of_its_reader() -> None:
    with GraphOp("g") as g:
        a = count(n=9)
        pairs = a.batch(2)
        first = total(xs=pairs)
        first.collect() >> PARENT["first"]
        second = total(xs=a.batch(3))
        second.collect() >> PARENT["second"]
        total_2 = core.batch(a["result"], 3)  # an axis is not taken for an op of its name
        total(xs=total_2)["result"].collect() >> PARENT["third"]
    assert 'first(xs=a["result"].batch(2)) -> result: int[pairs]' in str(g)
    assert "-> result: int[second_xs]" in str(g)
    assert "[total_2]" in str(g)


def test_two_of_one_batch_are_one_axis() -> None:
    @op
    def both(x: list[int], y: list[int]) -> int:
        return len(x) + len(y)

    with GraphOp("g") as g:
        a = count(n=9)
        pairs = a.batch(2)
        both(x=pairs, y=pairs).collect() >> PARENT["n"]
    assert "[pairs]" in str(g)
    with pytest.raises(BuildError, match="independent streams"):
        with GraphOp("g"):
            a = count(n=9)
            both(x=a.batch(2), y=a.batch(2)).collect() >> PARENT["n"]


def test_a_graph_function_takes_names_both_ways_and_from_its_variable() -> None:
    @graph
    def sub(x: Any) -> Any:
        return give(x=x)

    with GraphOp("g") as g:
        s = sub(x=1)
        t = sub.with_(name="tt")(x=s)
        more: Any = sub
        u = more(x=t, name="uu")
        more(x=u, outputs={"*": PARENT})
    assert ["s", "tt", "uu", "sub"] == names(g)
    assert ["g.s", "g.s.give", "g.tt", "g.tt.give"] == [one.path for one in g.walk()][:4]
