"""The README's commands do what it says, in a copy of the checkout without an environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = re.findall(
    r"^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL
)


@pytest.mark.timeout(120)
def test_the_first_command_makes_an_environment_and_runs_an_example(
    tmp_path: Path, says: Callable[[Path, str], bool]
) -> None:
    for folder in ("packages", "examples"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "constraints.txt", tmp_path)
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(
        ["bash", "-euc", COMMANDS[0]],
        cwd=tmp_path,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    example = ROOT / "examples" / COMMANDS[0].rpartition("examples/")[2].strip()
    assert says(example, done.stdout), done.stdout


def test_ci_runs_the_second_command() -> None:
    assert COMMANDS[1].strip() in (ROOT / ".ci" / "run").read_text().splitlines()
