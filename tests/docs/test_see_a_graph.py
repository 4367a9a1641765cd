"""The drawing in `see-a-graph.md` is that of the program above it."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/how-to/see-a-graph.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


def test_the_drawing_is_that_of_the_program(tmp_path: Path) -> None:
    fences = dict(FENCE.findall(PAGE.read_text(encoding="utf-8")))
    program = tmp_path / "program.py"
    program.write_text(fences["python"], encoding="utf-8")
    assert fences["mermaid"] == runpy.run_path(str(program))["g"].to_mermaid()
