"""A graph as a spec: where its functions are found, its policies, and what has no place there."""

from __future__ import annotations

import json
from functools import partial
from importlib.metadata import version
from typing import Any

import pytest

from operonx.core import PARENT, GraphOp, Operon, Rate, Retry, SpecError, op
from operonx.core.spec.schema import SCHEMA_FILE, json_schema

OLD_PYDANTIC = tuple(int(part) for part in version("pydantic").split(".")[:2]) < (2, 12)

HERE = __name__


class GoneError(Exception):
    pass


@op(rust="add_one")
def inc(x: int) -> int:
    return x + 1


def bare(x: int) -> int:
    if x < 0:
        raise GoneError
    return x + 2


inner_inc: Any = inc
again = op(timeout=5.0)(bare)
half: Any = op(name="half")(partial(bare, x=1))


class Counter:
    def count(self, x: int) -> int:
        return x + 3


count = op(Counter().count)


def graph_of(factory: Any, *, name: str = "g", **policies: Any) -> GraphOp:
    """Return a graph of one op."""
    with GraphOp(name=name, inputs={"x": int}) as g:
        a = factory.with_(name="a", **policies)(x=PARENT["x"])
        a["result"] >> PARENT["y"]
    return g


@pytest.mark.parametrize(
    ("factory", "path", "gives"),
    [
        (inc, "inc", 4),
        (half, "half", 5),
        (again, "again", 5),
        (count, "count", 6),
        (op(bare), "bare", 5),
    ],
)
def test_a_function_is_found_by_the_name_that_made_it_an_op(
    factory: Any, path: str, gives: int
) -> None:
    spec = graph_of(factory).serialize()
    assert f"{HERE}:{path}" == spec["functions"][0]["import"]
    read = GraphOp.deserialize(json.loads(json.dumps(spec)), allow=[HERE])
    assert gives == Operon(read).run_sync({"x": 3})["y"]
    assert spec == read.serialize()
    assert spec == GraphOp.deserialize(spec).serialize()


def test_a_native_name_is_written() -> None:
    assert "add_one" == graph_of(inc).serialize()["functions"][0]["native"]


def test_a_function_whose_ports_changed_is_refused() -> None:
    spec = graph_of(inc).serialize()
    spec["functions"][0]["outputs"] = [{"name": "other", "type": "int"}]
    with pytest.raises(SpecError, match=r"inc` changed: .* has the ports `other`"):
        GraphOp.deserialize(spec, allow=[HERE])


def test_a_function_that_became_async_is_refused() -> None:
    spec = graph_of(inc).serialize()
    spec["functions"][0]["async"] = True
    with pytest.raises(SpecError, match="the spec says that it is async"):
        GraphOp.deserialize(spec, allow=[HERE])


@pytest.mark.parametrize(
    ("policies", "written"),
    [
        ({"timeout": 2.5}, {"timeout": 2.5}),
        ({"concurrency": 3}, {"concurrency": 3}),
        ({"on_error": "skip"}, {"on_error": "skip"}),
        ({"run_in": "thread"}, {"run_in": "thread"}),
        ({"rate": Rate(2, per=3.0)}, {"rate": {"count": 2, "per": 3.0}}),
        ({"retry": Retry(2)}, {"retry": {"attempts": 2}}),
        (
            {"retry": Retry(2, backoff=0.5, jitter=0.1, on=(GoneError, ValueError))},
            {
                "retry": {
                    "attempts": 2,
                    "backoff": 0.5,
                    "jitter": 0.1,
                    "on": [f"{HERE}:GoneError", "builtins:ValueError"],
                }
            },
        ),
        ({"fallback": {"result": b"x"}}, {"fallback": {"value": {"result": {"$bytes": "eA=="}}}}),
        ({"fallback": None}, {"fallback": {"value": None}}),
        ({"fallback": inc}, {"fallback": {"function": 1}}),
    ],
)
def test_policies_come_back(policies: dict[str, Any], written: dict[str, Any]) -> None:
    spec = graph_of(op(bare), **policies).serialize()
    assert written == spec["graphs"][0]["ops"][0]["policies"]
    for allow in ([], [HERE]):
        assert spec == GraphOp.deserialize(spec, allow=allow).serialize()


def test_a_fallback_and_a_class_to_retry_on_work_after_reading() -> None:
    spec = graph_of(op(bare), retry=Retry(2, on=(GoneError,)), fallback=inc).serialize()
    engine = Operon(GraphOp.deserialize(spec, allow=[HERE]))
    assert -4 == engine.run_sync({"x": -5})["y"]


@pytest.mark.parametrize(
    ("policies", "says"),
    [
        ({"retry": {"attempts": 0}}, "retry.attempts"),
        ({"retry": {"attempts": 1, "backoff": -1}}, "retry.backoff"),
        ({"retry": {"attempts": 1, "on": ["builtins:int"]}}, "no class of `Exception`"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": float("inf")}, "timeout"),
        ({"timeout": None}, "timeout"),
        ({"fallback": {"function": 7}}, "op `a`: fallback: there is no function 7"),
        ({"fallback": {"value": {"$set": []}}}, "op `a`: fallback: `$set`"),
        ({"run_in": "moon"}, "run_in"),
    ],
)
def test_policies_out_of_range_are_refused(policies: dict[str, Any], says: str) -> None:
    spec = graph_of(op(bare)).serialize()
    spec["graphs"][0]["ops"][0]["policies"] = policies
    with pytest.raises(SpecError) as caught:
        GraphOp.deserialize(spec)
    assert says in str(caught.value)


def test_all_that_has_no_place_is_named_at_once() -> None:
    class LocalError(Exception):
        pass

    @op
    def local(x: int) -> int:
        return x

    with GraphOp(name="g", inputs={"x": int, "y": LocalError}) as g:
        a: Any = local(x=PARENT["x"])
        (
            inc.with_(name="b", retry=Retry(2, on=(LocalError,)))(x=PARENT["x"] + a["result"])
            >> PARENT["z"]
        )
        with GraphOp(name="inner", inputs={"x": Any}, x={1, 2}) as inner:
            unnamed: Any = op(lambda x: x)
            unnamed(x=PARENT["x"])["result"] >> PARENT["y"]
        inner["y"] >> PARENT["v"]
    with pytest.raises(SpecError) as caught:
        g.serialize()
    assert WANTED == [(issue.op, issue.message[:20]) for issue in caught.value.issues]


WANTED = [
    ("g", "input `y`: the type "),
    ("g.a", "the function `local`"),
    ("g.b", "retry on `test_all_t"),
    ("g.inner", "input `x`: a value o"),
    ("g.inner.lambda", "the function `lambda"),
]


def test_a_graph_in_another_and_an_open_one_are_refused() -> None:
    with GraphOp(name="g", inputs={"x": int}) as g:
        with GraphOp(name="inner", inputs={"x": int}, x=PARENT["x"]) as inner:
            inner_inc(x=PARENT["x"])["result"] >> PARENT["y"]
        inner["y"] >> PARENT["y"]
        with pytest.raises(TypeError, match="is not built"):
            g.serialize()
    with pytest.raises(TypeError, match="is part of another"):
        inner.serialize()


def test_an_op_that_nobody_imported_refuses_to_be_called() -> None:
    graph = GraphOp.deserialize(graph_of(op(bare), fallback=inc).serialize())
    with pytest.raises(SpecError) as caught:
        Operon(graph)
    assert ["g.a"] == [issue.op for issue in caught.value.issues]


@pytest.mark.skipif(OLD_PYDANTIC, reason="older pydantic describes the same models otherwise")
def test_the_schema_file_is_that_of_the_models() -> None:
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == json_schema(), (
        "run `python -m operonx.core.spec.schema`"
    )
