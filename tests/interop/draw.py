"""Write the Mermaid text of every example's graphs and of the odd ones: `python draw.py FOLDER`."""

from __future__ import annotations

import contextlib
import io
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from operonx.core import GraphOp
from operonx.core.graph.factory import GraphFactory

ROOT = Path(__file__).parents[2]
ODD = ROOT / "tests/internal/core/graph/test_mermaid.py"


def graphs() -> Iterator[tuple[str, GraphOp]]:
    """Yield the graphs by name: what the tests pin, then those of the examples."""
    for make in runpy.run_path(str(ODD))["GRAPHS"]:
        yield make.__name__, make()
    for example in sorted((ROOT / "examples").glob("*.py")):
        with contextlib.redirect_stdout(io.StringIO()):
            made = runpy.run_path(str(example))
        for name, value in made.items():
            if isinstance(value, GraphFactory):
                factory = cast("GraphFactory[..., Any]", value)
                yield f"{example.stem}-{name}", factory.build()
            elif isinstance(value, GraphOp):
                yield f"{example.stem}-{name}", value


def main(folder: str) -> None:
    """Write a file for each graph."""
    for name, graph in graphs():
        Path(folder, f"{name}.mmd").write_text(graph.to_mermaid(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
