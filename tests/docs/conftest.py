"""What runs the programs of documents and examples."""

from __future__ import annotations

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
