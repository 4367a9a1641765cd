"""Random graphs through JSON and back: the same spec, and the same run."""

from __future__ import annotations

import json
from typing import Any

import anyio
import jsonschema
import pytest
from hypothesis import given

from operonx.core import GraphOp
from operonx.core.spec.schema import json_schema
from tests.internal.core.oracle.comparison import differences
from tests.internal.core.oracle.programs import Features, Program, programs
from tests.internal.core.test_property import DEEP, built, determined, examples, named, runs

OPS = "tests.internal.core.oracle.library"
SCHEMA: Any = jsonschema.Draft202012Validator(json_schema())


@pytest.mark.timeout(0 if DEEP else 600)
@examples(ci=150, deep=3_000)
@given(program=programs(Features(containing=True)))
def test_a_graph_that_went_through_json_is_the_same_graph(program: Program) -> None:
    graph = built(program)
    if graph is None:
        return
    spec = graph.serialize()
    SCHEMA.validate(spec)
    again = GraphOp.deserialize(json.loads(json.dumps(spec)), allow=[OPS])
    assert spec == again.serialize()
    assert json.dumps(spec) == json.dumps(again.serialize())
    assert spec == GraphOp.deserialize(spec).serialize()  # nothing imported
    assert str(graph) == str(again)
    expected = determined(graph, program)
    if expected is None:
        return
    with named(program):
        seen = anyio.run(runs, again, program, (256,))
    found = [difference for one in seen.values() for difference in differences(expected, one)]
    assert not found, "\n".join([*found, repr(program)])
