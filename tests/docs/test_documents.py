"""Every Python block of the documents is a program that runs, and prints what they say.

A ```` ```python ```` block is a whole program. A ```` ```text ```` block right after it is exactly
what it prints. What is no program is marked as something else.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import operonx

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *ROOT.glob("packages/*/README.md"), *ROOT.glob("docs/**/*.md")]
# Any other label is a mistake, such as `py`, whose blocks nobody would run.
LABELS = {"json", "mermaid", "python", "sh", "text", "toml", "yaml"}
FENCE = re.compile(
    r"^(?P<dent> *)```(?P<label>\S*)\n(?P<body>.*?)^(?P=dent)```$", re.MULTILINE | re.DOTALL
)


class Block(NamedTuple):
    """A fenced block."""

    where: str
    """File and line."""
    label: str
    """What it says it is."""
    body: str
    """What stands in it."""
    output: str | None
    """What it says it prints, if a block says so."""


def blocks(text: str, where: str) -> Iterator[Block]:
    for fence in FENCE.finditer(text):
        rest = text[fence.end() :].lstrip("\n")
        after = FENCE.match(rest)
        output = textwrap.dedent(after["body"]) if after and after["label"] == "text" else None
        line = text.count("\n", 0, fence.start()) + 1
        yield Block(f"{where}:{line}", fence["label"], textwrap.dedent(fence["body"]), output)


def of_documents() -> Iterator[Block]:
    for file in sorted(DOCUMENTS):
        yield from blocks(file.read_text(encoding="utf-8"), str(file.relative_to(ROOT)))


def of_docstrings() -> Iterator[Block]:
    """The blocks in all docstrings of what is installed of ours."""
    for folder in map(Path, operonx.__path__):
        for file in sorted(folder.rglob("*.py")):
            where = str(file.relative_to(folder.parent))
            yield from blocks(file.read_text(encoding="utf-8"), where)


def parametrized(found: Iterator[Block]) -> pytest.MarkDecorator:
    python = [block for block in found if block.label == "python"]
    return pytest.mark.parametrize("block", python, ids=[block.where for block in python])


@pytest.mark.parametrize("block", list(of_documents()), ids=lambda block: block.where)
def test_a_block_says_what_it_is(block: Block) -> None:
    assert block.label in LABELS


@parametrized(of_documents())
def test_a_program_prints_what_the_document_says(
    block: Block, tmp_path: Path, run_program: Callable[[Path], str]
) -> None:
    program = tmp_path / "program.py"
    program.write_text(block.body, encoding="utf-8")
    printed = run_program(program)
    assert printed == (printed if block.output is None else block.output)


@parametrized(of_docstrings())
def test_a_docstring_example_compiles_and_runs_if_it_is_a_program(
    block: Block, tmp_path: Path, run_program: Callable[[Path], str]
) -> None:
    # Most are fragments that show a call; one that imports what it uses is meant to be run.
    program = tmp_path / "program.py"
    program.write_text(block.body, encoding="utf-8")
    # A fragment may await, as in the `async def` that it is taken from.
    compile(block.body, block.where, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if re.search(r"^(from|import) operonx", block.body, re.MULTILINE):
        run_program(program)
