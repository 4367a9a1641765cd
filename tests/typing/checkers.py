"""mypy and pyright, both strict, on a folder of files."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

MYPY = re.compile(r"^(?P<file>.+?):(?P<line>\d+): error: .+\[(?P<code>[\w-]+)\]$", re.MULTILINE)
# A statement that is `a >> END` uses its value, which pyright cannot know.
PYRIGHT = {"typeCheckingMode": "strict", "reportUnusedExpression": "none"}

Report = tuple[str, int, str]
"""File, line, and `checker=code`."""


def reports(folder: Path) -> Iterator[Report]:
    """Yield what the checkers report on the files of a folder away from our settings."""
    files = sorted(file.name for file in folder.glob("*.py"))
    yield from _of_mypy(folder, files)
    yield from _of_pyright(folder, files)


def _of_mypy(folder: Path, files: list[str]) -> Iterator[Report]:
    printed = _run(
        *(sys.executable, "-m", "mypy", "--strict", "--no-pretty", "--scripts-are-modules"),
        *(f"--cache-dir={folder / 'cache'}", *files),
        cwd=folder,
    )
    for match in MYPY.finditer(printed):
        yield match["file"], int(match["line"]), f"mypy={match['code']}"


def _of_pyright(folder: Path, files: list[str]) -> Iterator[Report]:
    (folder / "pyrightconfig.json").write_text(json.dumps(PYRIGHT))
    said = json.loads(
        _run(
            *(sys.executable, "-m", "pyright", "--outputjson", f"--pythonpath={sys.executable}"),
            cwd=folder,
        )
    )
    assert said["summary"]["filesAnalyzed"] == len(files)
    for one in said["generalDiagnostics"]:
        line = one["range"]["start"]["line"] + 1
        yield Path(one["file"]).name, line, f"pyright={one.get('rule', 'syntax')}"


def _run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True)
    assert done.returncode in {0, 1}, done.stdout + done.stderr  # 2 and more: it could not check
    return done.stdout
