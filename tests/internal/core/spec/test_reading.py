"""What is no spec is refused with its place, whatever it is; nothing else than our errors comes."""

from __future__ import annotations

import copy
import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operonx.core import (
    PARENT,
    BuildError,
    GraphOp,
    Operon,
    Retry,
    SpecError,
    State,
    collect,
    each,
    first_of,
    if_,
    switch,
    template,
)
from tests.internal.core.oracle.library import inc
from tests.internal.core.test_property import examples


def rich() -> dict[str, Any]:
    """Return the spec of a graph that has something of almost everything."""
    with GraphOp(name="rich", inputs={"n": int, "words": list[str]}) as g:
        one = inc.with_(retry=Retry(attempts=2, on=(ValueError,)), fallback=3, name="one")(
            x=PARENT["n"] + 1
        )
        two = inc(x=template("{a}", a=one["result"]), name="two")
        high, low = inc(x=1, name="high"), inc(x=2, name="low")
        if_(one["result"] > 2, high).else_(low)
        (
            switch(two["result"], {1: inc(x=3, name="three")}, default=inc(x=4, name="four"))[
                "result"
            ]
            >> PARENT["chosen"]
        )
        first_of(high["result"], low["result"]) >> PARENT["first"]
        items = each(PARENT["words"])
        collect(items["item"].batch(2)) >> PARENT["batches"]
        with GraphOp.loop(
            until=PARENT["count"] >= 3, count=0, seen=State([], reducer="append")
        ) as r:
            step = inc(x=PARENT["count"], name="step")
            step["result"] >> PARENT["count"]
            step["result"] >> PARENT["seen"]
        r["count"] >> PARENT["count"]
        two["result"] >> PARENT["two"]
    return g.serialize()


SPEC = rich()


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return every place in JSON."""
    keys: list[Any] = []
    if isinstance(data, dict):
        keys = [*cast("dict[str, object]", data)]
    elif isinstance(data, list):
        keys = [*range(len(cast("list[object]", data)))]
    return [path, *(place for key in keys for place in places(data[key], (*path, key)))]


PLACES = [place for place in places(SPEC) if place]
WRONG = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 5),
    st.just(10**30),
    st.floats(),
    st.sampled_from(
        ["", "x", "one", "any", "pkg:name", "\ud800", "$int", "a.b:c", "record", "loop"]
    ),
    st.sampled_from([[], {}, [[]], [None], {"kind": "x"}, {"$int": "x"}, {"$bytes": "?"}]),
    st.sampled_from(PLACES).map(lambda place: at(SPEC, place)),
)


def at(data: Any, place: tuple[Any, ...]) -> Any:
    """Return what stands at a place."""
    for step in place:
        data = data[step]
    return data


@examples(ci=1_500, deep=60_000)
@given(data=st.data())
def test_a_spec_changed_anywhere_is_read_or_refused(data: st.DataObject) -> None:
    spec = copy.deepcopy(SPEC)
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from([place for place in places(spec) if place]))
        holder, key = at(spec, place[:-1]), place[-1]
        how = data.draw(st.sampled_from(["set", "drop", "add"]))
        if how == "set":
            holder[key] = copy.deepcopy(data.draw(WRONG))
        elif how == "drop":
            del holder[key]
        elif isinstance(holder, dict):
            others = [one[-1] for one in PLACES if isinstance(one[-1], str)]
            holder[data.draw(st.sampled_from(others))] = copy.deepcopy(data.draw(WRONG))
        else:
            holder.append(copy.deepcopy(data.draw(WRONG)))
    try:
        read = GraphOp.deserialize(spec, allow=["tests.internal.core.oracle.library"])
        again = read.serialize()
    except (SpecError, BuildError):
        return
    assert GraphOp.deserialize(json.loads(json.dumps(again))).serialize() == again


def nested_expression(depth: int, kind: str) -> dict[str, Any]:
    """Return the spec of a graph that writes an expression nested so deep."""
    spec = copy.deepcopy(SPEC)
    deep: dict[str, Any] = {"kind": "input", "key": "n"}
    for _ in range(depth):
        if kind == "unary":
            deep = {"kind": "unary", "symbol": "-", "of": deep}
        elif kind == "list":
            deep = {"kind": "list", "items": [deep]}
        else:
            deep = {"kind": "dict", "items": [["k", deep]]}
    spec["graphs"][0]["writes"].append({"to": "deep", "value": deep})
    return spec


@pytest.mark.parametrize("kind", ["unary", "list", "dict"])
def test_expressions_nest_a_hundred_deep_and_no_deeper(kind: str) -> None:
    GraphOp.deserialize(nested_expression(99, kind))
    for depth in (101, 200, 300, 3_000):
        with pytest.raises((SpecError, BuildError), match="deep"):
            GraphOp.deserialize(nested_expression(depth, kind))


def test_types_nest_thirty_two_deep_and_no_deeper() -> None:
    for depth, fits in ((32, True), (33, False), (200, False), (3_000, False)):
        kind: Any = "int"
        for _ in range(depth - 1):
            kind = {"kind": "list", "items": kind}
        spec = copy.deepcopy(SPEC)
        spec["graphs"][0]["inputs"].append({"name": "deep", "type": kind})
        if fits:
            Operon(GraphOp.deserialize(spec, allow=["tests"]))
            continue
        with pytest.raises(SpecError, match="deep"):
            GraphOp.deserialize(spec)


def nested_graphs(depth: int) -> GraphOp:
    root = current = GraphOp(name="root", inputs={"n": int})
    opened = [root.__enter__()]
    for _ in range(depth):
        current = GraphOp(name="inner", inputs={"n": int}, n=PARENT["n"])
        opened.append(current.__enter__())
    inc(x=PARENT["n"], name="leaf")["result"] >> PARENT["n"]
    for inner in reversed(opened):
        inner.__exit__(None, None, None)
        if inner is not root:
            inner["n"] >> PARENT["n"]
    return root


def test_a_thousand_nested_graphs_are_read() -> None:
    spec = GraphOp.deserialize(nested_graphs(1_000).serialize()).serialize()
    assert 1_001 == len(spec["graphs"])


def changed(*steps: Any, to: Any) -> dict[str, Any]:
    """Return the rich spec with another value at a place."""
    spec = copy.deepcopy(SPEC)
    at(spec, steps[:-1])[steps[-1]] = to
    return spec


LOOP = next(
    ("graphs", i, "ops", j)
    for i, body in enumerate(SPEC["graphs"])
    for j, one in enumerate(body["ops"])
    if one["kind"] == "loop"
)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ([], "a spec is a dict, got `list`"),
        ({}, "it has no `schema_version`"),
        (changed("schema_version", to=2), "schema_version 2: this operonx reads version 1"),
        (changed("schema_version", to=1.0), "schema_version 1.0"),
        (changed("schema_version", to=True), "schema_version True"),
        (changed("graphs", to=[]), "graphs: List should have at least 1"),
        (changed("root", "inputs", to={}), "root.inputs: Extra inputs are not permitted"),
        (changed("root", "kind", to="loop"), "root.kind: Extra inputs are not permitted"),
        (changed("graphs", 0, "ops", 0, "function", to=-1), "greater than or equal to 0"),
        (changed("graphs", 0, "ops", 0, "function", to=10**30), "there is no function"),
        (changed("graphs", 0, "ends", to=["nobody"]), "graph `rich` has no op `nobody`"),
        (changed("graphs", 0, "batches", 0, "of", to={"kind": "batch", "name": "batch"}), "itself"),
        (changed("graphs", 0, "choices", to=[]), "has no choice 0"),
        (changed(*LOOP, "graph", to=9), "there is no graph 9"),
        (changed(*LOOP, "kind", to="graph"), "has states, as a loop has"),
        (changed("graphs", to=[*SPEC["graphs"], SPEC["graphs"][0]]), "nothing is made of graph 2"),
        (changed("graphs", 0, "inputs", to=SPEC["graphs"][0]["inputs"] * 2), "twice"),
    ],
)
def test_what_is_wrong_is_named(spec: Any, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        GraphOp.deserialize(spec)
    assert says in str(caught.value)


def test_a_misspelt_field_is_refused_with_what_it_may_have_been() -> None:
    with pytest.raises(SpecError, match="Extra inputs") as caught:
        GraphOp.deserialize(changed("graphs", 0, "ops", 0, "input", to={}))
    assert "did you mean `inputs`?" == caught.value.hint


def test_a_graph_stands_in_one_place() -> None:
    spec = copy.deepcopy(SPEC)
    loop = next(op for op in spec["graphs"][0]["ops"] if op["kind"] == "loop")
    spec["graphs"][0]["ops"].append({**loop, "name": "again"})
    with pytest.raises(SpecError, match="stands in two places"):
        GraphOp.deserialize(spec)


def test_a_graph_that_holds_itself_is_refused() -> None:
    spec = copy.deepcopy(SPEC)
    own: dict[str, Any] = {"kind": "graph", "name": "own", "graph": 0, "inputs": {}}
    spec["graphs"][0]["ops"].append(own)
    with pytest.raises(SpecError, match="stands in two places"):
        GraphOp.deserialize(spec)
