"""Every Python block of the documents is a program that runs, and prints what they say.

A ```` ```python ```` block is a whole program. A ```` ```text ```` block right after it is exactly
what it prints. What is no program is marked as something else.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import Block, of_docstrings, of_documents

# Any other label is a mistake, such as `py`, whose blocks nobody would run.
LABELS = {"json", "mermaid", "python", "sh", "text", "toml", "yaml"}


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
    if block.is_program:
        run_program(program)
