"""The fenced blocks of the documents and docstrings."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import operonx

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *ROOT.glob("packages/*/README.md"), *ROOT.glob("docs/**/*.md")]
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

    @property
    def is_program(self) -> bool:
        """Whether it imports what it uses; in docstrings most blocks are fragments."""
        return bool(re.search(r"^(from|import) operonx", self.body, re.MULTILINE))


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
