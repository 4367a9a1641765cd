"""Reading a spec imports what was allowed, and nothing else."""

from __future__ import annotations

import sys
from importlib import invalidate_caches
from pathlib import Path
from typing import Any

import pytest

from operonx.core import GraphOp, Operon, SpecError
from operonx.core.spec.resolving import Resolver

MODULE = """
import os
from os import system
from operonx.core import op
from operonx.core.ops import decorator

seen = 1

@op
def inc(x: int) -> int:
    return x + 1

def plain(x: int) -> int:
    return x + 2

class Holder:
    @staticmethod
    @op
    def inner(x: int) -> int:
        return x + 3
"""


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("spec_pkg", "spec_pkgother"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
        (tmp_path / name / "ops.py").write_text(MODULE)
    (tmp_path / "spec_pkg" / "broken.py").write_text("raise RuntimeError('broken')")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    invalidate_caches()
    for name in [name for name in sys.modules if name.startswith("spec_pkg")]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path


def _ten_times(x: int) -> int:
    return x * 10


def spec_of(path: str) -> dict[str, Any]:
    """Return the spec of a graph of one op."""
    value = {"kind": "input", "key": "x"}
    result = {"kind": "port", "op": "a", "port": "result"}
    return {
        "schema_version": 1,
        "root": {"name": "g"},
        "graphs": [
            {
                "ops": [{"kind": "func", "name": "a", "function": 0, "inputs": {"x": value}}],
                "edges": [],
                "ends": [],
                "writes": [{"to": "y", "value": result}],
                "batches": [],
                "choices": [],
            }
        ],
        "functions": [
            {
                "import": path,
                "parameters": [{"name": "x", "type": "int"}],
                "outputs": [{"name": "result", "type": "int"}],
                "shape": "value",
            }
        ],
    }


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize("allow", [(), ["spec_pkgother"], ["spec_pk"], ["spec_pkg.op"]])
def test_what_nobody_allowed_is_not_imported(allow: list[str]) -> None:
    graph = GraphOp.deserialize(spec_of("spec_pkg.ops:inc"), allow=allow)
    assert "spec_pkg" not in sys.modules
    with pytest.raises(SpecError, match=r"`spec_pkg.ops:inc` was not imported"):
        Operon(graph)
    engine = Operon(graph, replace={"g.a": _ten_times})
    assert 30 == engine.run_sync({"x": 3})["y"]


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize("allow", [["spec_pkg"], ["spec_pkg.ops"], ("x", "spec_pkg")])
def test_what_was_allowed_is_imported(allow: list[str]) -> None:
    graph = GraphOp.deserialize(spec_of("spec_pkg.ops:inc"), allow=allow)
    assert 4 == Operon(graph).run_sync({"x": 3})["y"]
    assert "spec_pkgother" not in sys.modules


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize(("name", "gives"), [("plain", 5), ("Holder.inner", 6)])
def test_functions_and_ops_in_classes_are_found(name: str, gives: int) -> None:
    graph = GraphOp.deserialize(spec_of(f"spec_pkg.ops:{name}"), allow=["spec_pkg"])
    assert gives == Operon(graph).run_sync({"x": 3})["y"]


@pytest.mark.usefixtures("modules")
@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("spec_pkg.nowhere:inc", "cannot be imported: ModuleNotFoundError"),
        ("spec_pkg.broken:inc", "cannot be imported: RuntimeError: broken"),
        ("spec_pkg.ops:nothing", "module `spec_pkg.ops` has no `nothing`"),
        ("spec_pkg.ops:nothing.__class__", "has no `nothing.__class__`"),
        ("spec_pkg.ops:seen", "neither an op nor a function of that module"),
        ("spec_pkg.ops:os", "module `spec_pkg.ops` has no `os`"),
        ("spec_pkg.ops:os.system", "has no `os.system`"),
        ("spec_pkg.ops:system", "neither an op nor a function of that module"),
        ("spec_pkg.ops:inc.__wrapped__", "has no `inc.__wrapped__`"),
        ("operonx.core.spec.schema:json.dumps", "has no `json.dumps`"),
        ("spec_pkg:ops.inc", "has no `ops.inc`"),
    ],
)
def test_no_name_leads_out_of_a_module(path: str, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        GraphOp.deserialize(spec_of(path), allow=["spec_pkg"])
    assert says in str(caught.value)


@pytest.mark.parametrize("allow", ["spec_pkg", [1], [None]])
def test_allow_takes_names(allow: Any) -> None:
    with pytest.raises(TypeError, match="takes a list of module names"):
        Resolver(allow)
