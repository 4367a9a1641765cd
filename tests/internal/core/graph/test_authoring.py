"""How graphs are written: names, edges, outputs, `@graph`, and how a graph shows itself."""

# mypy: disable-error-code="untyped-decorator"
# pyright: reportUnusedExpression=false

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib import import_module
from typing import Any

import pytest

import operonx.core as core
from operonx.core import (
    END,
    PARENT,
    START,
    BuildError,
    GraphOp,
    Operon,
    Static,
    Stream,
    each,
    if_,
    switch,
    zip_streams,
)
from operonx.core.expressions.refs import PortRef
from operonx.core.graph.inference import is_stream_type
from operonx.core.graph.validation.interface import find_inputs

# An op stands for its result in typed code; here it is indexed and joined.
op: Callable[..., Any] = core.op
graph: Any = core.graph


@op
def one(x: int) -> int:
    return x


@op
def pair(x: int) -> dict[str, int]:
    return {"low": x, "high": x + 1}


@op
def add(a: int, b: int) -> int:
    return a + b


@op
def numbers(n: int) -> Iterator[int]:
    yield from range(n)


def nameless(*xs: int) -> Any:
    return xs


@graph
def twice(x: int, times: Static[int] = 2) -> Any:
    value: Any = x
    for _ in range(times):
        value = add(a=value, b=value)
    return {"value": value["result"]}


def run(g: GraphOp, **inputs: Any) -> dict[str, Any]:
    return dict(Operon(g).run_sync(inputs))


def names(g: GraphOp) -> list[str]:
    return [each_op.name for each_op in g.ops]


# -- names


def test_an_op_is_named_by_its_variable_else_by_its_function() -> None:
    with GraphOp(name="g") as g:
        first = one(x=1)
        first >> PARENT["a"]
        one(x=2) >> PARENT["b"]
    assert ["first", "one"] == names(g)
    assert "g.first" == first.path


def test_inferred_names_are_numbered() -> None:
    with GraphOp(name="g") as g:
        for key in "abc":
            one(x=1) >> PARENT[key]
    assert ["one", "one_2", "one_3"] == names(g)


def test_a_given_name_takes_precedence_over_an_inferred_one() -> None:
    with GraphOp(name="g") as g:
        one(x=1) >> PARENT["a"]
        one(x=2, name="one") >> PARENT["b"]
        one.with_(name="other")(x=3) >> PARENT["c"]
    assert ["one_2", "one", "other"] == names(g)


def test_blocks_take_names_both_ways() -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"], name="item")
        z = zip_streams.with_(name="zipped")(a=item["item"], b=item["index"])
        t = twice(x=1, name="twice_one")
        a, b = one(x=1), one(x=2)
        if_(t["value"] > 0, a, name="decide")
        switch.with_(name="route")(t["value"], {1: b})
        z >> END
        a >> PARENT["ra"]
        b >> PARENT["rb"]
    assert {"item", "zipped", "twice_one", "decide", "route"} <= set(names(g))


def test_a_graph_is_named_by_its_variable() -> None:
    with GraphOp(name="g") as g:
        with GraphOp() as inner:
            one(x=1) >> END
        inner >> END
        again = twice(x=1)
        again >> END
    assert ["inner", "again"] == names(g)


# -- edges


def test_lists_fan_out_and_in() -> None:
    with GraphOp(name="g") as g:
        a, b, c, d = one(x=1), one(x=2), one(x=3), one(x=4)
        START >> a >> [b, c] >> ~d
        b >> PARENT["b"]
        c >> PARENT["c"]
        d >> PARENT["d"]
    edges = {(edge.source.name, edge.target.name, edge.soft) for edge in g.edges}
    one_, two, three, four = names(g)
    assert {
        (one_, two, False),
        (one_, three, False),
        (two, four, True),
        (three, four, True),
    } == edges
    assert {"b": 2, "c": 3, "d": 4} == run(g)


def test_an_edge_into_another_graph_is_refused() -> None:
    def author() -> None:
        a = one(x=1)
        with GraphOp(name="sub"):
            a >> one(x=2)

    with pytest.raises(TypeError, match="joins two ops of one graph"):
        _in_block(author)


def test_a_built_graph_cannot_change() -> None:
    with GraphOp(name="g") as g:
        a = one(x=1)
        a >> END
    with pytest.raises(TypeError, match="is built and can no longer change"):
        a >> END
    with pytest.raises(TypeError, match="entered once"), g:
        pass


# -- outputs


def test_end_forwards_all_ports() -> None:
    with GraphOp(name="g") as g:
        pair(x=1) >> END
    assert {"low": 1, "high": 2} == run(g)


def test_a_mapping_of_outputs_replaces_end() -> None:
    with GraphOp(name="g") as g:
        p = pair(x=1, outputs={"low": PARENT["least"]})
        p >> END
    assert {"least": 1} == run(g)


def test_a_star_adds_the_ports_not_named() -> None:
    with GraphOp(name="g") as g:
        pair(x=1, outputs={"low": PARENT["least"], "*": PARENT})
    assert {"least": 1, "high": 2} == run(g)


def test_an_output_may_be_any_expression() -> None:
    with GraphOp(name="g") as g:
        p = pair(x=1)
        (p["low"] + p["high"] * 10) >> PARENT["sum"]
    assert {"sum": 21} == run(g)


def test_an_input_stays_the_input_where_an_output_has_its_name() -> None:
    with GraphOp(name="g", inputs=["n"]) as g:
        add(a=PARENT["n"], b=1) >> PARENT["n"]
        add(a=PARENT["n"], b=10) >> PARENT["more"]
    assert {"n": 2, "more": 11} == run(g, n=1)


# -- `@graph`


def test_a_graph_function_returns_outputs_by_name() -> None:
    with GraphOp(name="g") as g:
        t = twice(x=PARENT["x"])
        t["value"] >> PARENT["four"]
        u = twice(x=PARENT["x"], times=3)
        u["value"] >> PARENT["eight"]
    assert {"four": 4, "eight": 8} == run(g, x=1)


def test_a_graph_function_returns_an_op_or_a_ref() -> None:
    @graph
    def whole(x: int) -> Any:
        return pair(x=x)

    @graph
    def part(x: int) -> Any:
        return pair(x=x)["high"] + 1

    assert {"low": 1, "high": 2} == run(whole.build(), x=1)
    assert {"result": 3} == run(part.build(), x=1)


def test_a_graph_function_builds_alone_with_static_values() -> None:
    assert {"value": 8} == run(twice.build(times=3), x=1)
    assert {"value": 4} == dict(Operon(twice).run_sync({"x": 1}))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: twice(1), "call it in a graph block"),
        (lambda: twice.build(tmies=3), "no parameter `tmies`; it has `x`, `times`"),
        (lambda: twice.with_(retry=1), "a graph has no policy `retry`"),
        (lambda: _in_block(lambda: twice(1, 2, 3)), "takes `x`, `times` by position, got 3"),
        (lambda: _in_block(lambda: twice(1, x=2)), "argument `x` is given twice"),
        (lambda: _in_block(lambda: twice(x=1, times=PARENT["n"])), "`times` is static"),
        (lambda: _in_block(graph(lambda: 3)), "returned 3; a graph function returns"),
        (lambda: _in_block(graph(nameless)), "has no name to bind"),
    ],
)
def test_a_wrong_call_of_a_graph_function_is_explained(call: Any, message: str) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        call()


def _in_block(author: Any) -> None:
    with GraphOp(name="g"):
        author()


def test_a_loop_function_names_what_is_no_state() -> None:
    @graph.loop(until="n >= 3")
    def count(n: int = 0) -> Any:
        return {"n": add(a=n, b=1)["result"]}

    def author() -> None:
        c = count(m=1)
        c >> END

    with pytest.raises(BuildError, match=r"g\.c: no input `m`; it takes `n`"):
        _in_block(author)


# -- blocks


def test_a_switch_reads_the_arm_that_was_chosen() -> None:
    with GraphOp(name="g") as g:
        a, b, c = one(x=1), one(x=2), one(x=3)
        chosen = switch(PARENT["which"], {"a": a, "b": b}, default=c)
        chosen["result"] >> PARENT["n"]
    assert [{"n": 1}, {"n": 2}, {"n": 3}] == [run(g, which=which) for which in ("a", "b", "z")]


def test_a_zip_reads_each_side_by_itself() -> None:
    with GraphOp(name="g") as g:
        n = numbers(n=PARENT["n"])
        odd = one(x=n)
        if_(n["result"] % 2 == 1, odd)
        z = zip_streams(odd=odd, all=n)
        add(a=z["odd"].or_else(0), b=z["all"]) >> PARENT["sum"]
    assert {"sum": [0, 2, 2, 6]} == run(g, n=4)


def test_outputs_of_a_graph_are_read_each_by_itself() -> None:
    with GraphOp(name="g") as g:
        with GraphOp(name="sub", x=PARENT["x"]) as sub:
            a, b = one(x=PARENT["x"]), one(x=PARENT["x"])
            if_(PARENT["x"] > 5, a)
            a >> PARENT["a"]
            b >> PARENT["b"]
        add(a=sub["a"].or_else(0), b=sub["b"]) >> PARENT["sum"]
    assert [{"sum": 4}, {"sum": 12}] == [run(g, x=4), run(g, x=6)]


@op
async def total(items: Stream[int]) -> int:
    return sum([item async for item in items])


@graph
def typed_total(items: Stream[int]) -> Any:
    return total(items=items)


@graph
def untyped_total(items: Any) -> Any:
    return {"result": typed_total(items=items)["result"]}


@pytest.mark.parametrize("inner", [typed_total, untyped_total])
def test_a_stream_is_handed_into_nested_graphs(inner: Any) -> None:
    with GraphOp(name="g") as g:
        n = numbers(n=PARENT["n"])
        s = inner(items=n["result"].stream())
        s["result"] >> PARENT["sum"]
    assert {"sum": 6} == run(g, n=4)


# -- showing

EXPECTED_TEXT = """\
graph g(n: int)
  n(n=PARENT["n"]) -> result: int[n]
  graph sub(x: int) for each [n]
    kept(x=PARENT["x"]) -> result: int
    kept["result"] >> result
    x = n["result"]
  branch for each [n]: if sub["result"] < 2: small
  small(x=sub["result"]) -> result: int[n]
  n >> ~small
  small["result"].collect() >> all"""
EXPECTED_MERMAID = """\
flowchart TB
  subgraph g["g"]
    direction TB
    g_start(["START"])
    n0[/"n"/]
    subgraph n1["sub"]
      direction TB
      n1_start(["START<br/>for each [n]"])
      n2["kept"]
      n1_end(["END"])
      n1_start -->|"x"| n2
      n2 -->|"result"| n1_end
    end
    n3["small<br/>for each [n]"]
    n4{"branch<br/>for each [n]"}
    g_end(["END"])
    g_start -->|"n"| n0
    n0 --> n1
    n1 --> n3
    n1 --> n4
    n0 -.-> n3
    n3 -->|"all from collect()"| g_end
    n4 -->|"if sub[#34;result#34;] #60; 2"| n3
  end"""


def _shown() -> GraphOp:
    with GraphOp(name="g", inputs={"n": int}) as g:
        n = numbers(n=PARENT["n"])
        with GraphOp(name="sub", x=n) as sub:
            kept = one(x=PARENT["x"])
            kept >> END
        small = one(x=sub)
        if_(sub["result"] < 2, small)
        n >> ~small
        small["result"].collect() >> PARENT["all"]
    return g


def test_a_graph_prints_its_ops_in_order() -> None:
    assert EXPECTED_TEXT == str(_shown())


def test_a_graph_is_drawn_as_mermaid() -> None:
    assert EXPECTED_MERMAID == _shown().to_mermaid()


def test_a_graph_nested_deeper_than_python_recurses_is_shown() -> None:
    depth = 500
    with ExitStack() as blocks:
        root = inner = blocks.enter_context(GraphOp(name="g"))
        for _ in range(depth):
            inner = blocks.enter_context(GraphOp(name="s", x=PARENT["x"]))
        one(x=PARENT["x"]) >> PARENT["y"]
        level = inner
        while level.graph is not None:
            level.graph.add_output("y", PortRef(level, "y"))
            level = level.graph
    assert depth + 1 == root.to_mermaid().count("subgraph")
    assert depth == str(root).count("graph s(")


def test_each_graph_asks_once_whether_it_is_handed_a_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = 0

    def counted(annotation: object) -> bool:
        nonlocal asked
        asked += 1
        return is_stream_type(annotation)

    monkeypatch.setattr(import_module(find_inputs.__module__), "is_stream_type", counted)
    with ExitStack() as blocks:
        inner = blocks.enter_context(GraphOp(name="g"))
        for _ in range(100):
            inner = blocks.enter_context(GraphOp(name="s", inputs={"x": Any}, x=PARENT["x"]))
        one(x=PARENT["x"]) >> PARENT["y"]
        while inner.graph is not None:
            inner.graph.add_output("y", PortRef(inner, "y"))
            inner = inner.graph
    assert asked < 1000  # not 100 times 100
