"""The published JSON Schema takes every spec of the examples."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from operonx.core import GraphOp
from operonx.core.graph.factory import GraphFactory
from operonx.core.spec.schema import SCHEMA_FILE

EXAMPLES = sorted((Path(__file__).parents[4] / "examples").glob("*.py"))
SCHEMA: Any = jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))


def graphs_of(example: Path, monkeypatch: pytest.MonkeyPatch) -> list[GraphOp]:
    """Return the graphs of an example that stand alone."""
    found = importlib.util.spec_from_file_location(f"spec_of_{example.stem}", example)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    monkeypatch.setitem(sys.modules, module.__name__, module)  # where its functions are found
    found.loader.exec_module(module)
    made = [one.build() if isinstance(one, GraphFactory) else one for one in vars(module).values()]
    return [one for one in made if isinstance(one, GraphOp) and one.graph is None]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_every_graph_of_the_examples_is_valid_and_read_back(
    example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graphs = graphs_of(example, monkeypatch)
    assert graphs
    for graph in graphs:
        spec = graph.serialize()
        SCHEMA.validate(spec)
        assert spec == GraphOp.deserialize(spec).serialize()
