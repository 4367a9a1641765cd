"""Every file of examples/ runs, and prints what stands in the comment at its end.

That comment begins with a line `# Output:`, and has a `# ` before each line printed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
MARK = "\n# Output:\n"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_prints_what_it_says(example: Path, run_program: Callable[[Path], str]) -> None:
    _, marked, output = example.read_text(encoding="utf-8").partition(MARK)
    assert marked, f"{example.name} does not end with `# Output:` and what it prints"
    lines = [line.removeprefix("#").removeprefix(" ") for line in output.splitlines()]
    assert lines == run_program(example).splitlines()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_is_short(example: Path) -> None:
    assert len(example.read_text(encoding="utf-8").splitlines()) < 60
