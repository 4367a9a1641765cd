"""mypy and pyright, both strict, accept every program of the documents and every example.

Who copies a program into typed code must not have to mend it. Not so the mistakes that a document
shows on purpose: `ALLOWED` has their lines, each with its reason.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, Block, of_docstrings, of_documents
from tests.typing.checkers import reports

SHOWN = "the mistake that the page shows"
LAMBDA = "the parameters of a lambda cannot be annotated"
ALLOWED = {
    (
        "docs/tutorial/getting-started.md",
        'return {"minutes": minutes(words=words, per_minut=100), "wrong": minutes(words=text)}',
    ): SHOWN,
    ("docs/errors/BuildError.md", "letters = count(txt=text)"): SHOWN,
    ("docs/errors/BuildError.md", 'return {"half": half(n=text), "letters": letters}'): SHOWN,
    (
        "docs/errors/OutputError.md",
        'return {"words": len(text.split()), "leters": len(text)}',
    ): SHOWN,
    (
        "docs/explanation/execution-flow.md",
        'engine = Operon(index, replace={"index.embed": lambda text: [0.0]})',
    ): LAMBDA,
    (
        "docs/how-to/testing-your-graphs.md",
        'engine = Operon(answer, replace={"answer.felt": lambda text: "angry"})',
    ): LAMBDA,
}
"""Document and line, to why the checkers may report on it."""


def programs() -> list[Block]:
    examples = [
        Block(f"{file.relative_to(ROOT)}:0", "python", file.read_text(encoding="utf-8"), None)
        for file in sorted((ROOT / "examples").glob("*.py"))
    ]
    docstrings = [block for block in of_docstrings() if block.is_program]
    return [*of_documents(), *docstrings, *examples]


@pytest.mark.timeout(120)
def test_the_checkers_accept_every_program(tmp_path: Path) -> None:
    files: dict[str, Block] = {}
    for block in programs():
        if block.label == "python":
            name = re.sub(r"\W", "_", block.where) + ".py"
            files[name] = block
            (tmp_path / name).write_text(block.body, encoding="utf-8")

    reported: list[str] = []
    met: set[tuple[str, str]] = set()
    for name, line, report in reports(tmp_path):
        document, _, start = files[name].where.rpartition(":")
        text = files[name].body.splitlines()[line - 1].strip()
        met.add((document, text))
        if (document, text) not in ALLOWED:
            reported.append(f"{document}:{int(start) + line}: {report}: {text}")
    assert not reported, "\n" + "\n".join(reported)
    assert not ALLOWED.keys() - met, "these are accepted now; leave them out"
