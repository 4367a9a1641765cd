"""Every file of examples/ runs, and prints what stands in the comment at its end.

That comment begins with a line `# Output:`, and has a `# ` before each line printed; `...` in it
stands for what differs from run to run.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
SHOW_PIECE = "rank_documents.py"  # the one that shows everything together


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_prints_what_it_says(
    example: Path, run_program: Callable[[Path], str], says: Callable[[Path, str], bool]
) -> None:
    printed = run_program(example)
    assert says(example, printed), printed


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_is_short(example: Path) -> None:
    limit = 150 if example.name == SHOW_PIECE else 60
    assert len(example.read_text(encoding="utf-8").splitlines()) < limit
