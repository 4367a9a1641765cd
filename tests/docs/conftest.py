"""What runs the programs of documents and examples."""

from __future__ import annotations

import doctest
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def run_program(tmp_path: Path) -> Callable[[Path], str]:
    """Return a function that runs a program in an empty folder and returns what it printed."""

    def run(program: Path) -> str:
        # Warnings are errors, as in the tests: a document must not teach what warns.
        command = [sys.executable, "-I", "-W", "error", str(program)]
        done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def says() -> Callable[[Path, str], bool]:
    """Return a function that looks whether an example printed what stands at its end."""

    def look(example: Path, printed: str) -> bool:
        _, marked, output = example.read_text(encoding="utf-8").partition("\n# Output:\n")
        assert marked, f"{example.name} does not end with `# Output:` and what it prints"
        lines = [line.removeprefix("#").removeprefix(" ") for line in output.splitlines()]
        # As in a doctest, `...` stands for what differs from run to run.
        wanted = "".join(f"{line}\n" for line in lines)
        return doctest.OutputChecker().check_output(wanted, printed, doctest.ELLIPSIS)

    return look
