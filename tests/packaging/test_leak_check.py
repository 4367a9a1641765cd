"""`tests/conftest.py` fails a test that leaves the process's environment changed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).parents[1] / "conftest.py"
TESTS = """
import os
def test_sets(): os.environ["OPERONX_LEAK"] = "1"
def test_unsets(): del os.environ["OPERONX_LEAK"]
def test_moves(tmp_path): os.chdir(tmp_path)
def test_cleans_up(monkeypatch, tmp_path):
    monkeypatch.setenv("OPERONX_LEAK", "2")
    monkeypatch.chdir(tmp_path)
"""


def test_each_leak_is_an_error_of_the_test_that_leaks(tmp_path: Path) -> None:
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "test_leaks.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-rE", "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert "4 passed, 3 errors" in done.stdout
    assert "test_cleans_up" not in done.stdout.partition("short test summary")[2]
