"""Checkouts: Python, mypy and pyright see one namespace, editable, from wheels, and mixed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.packaging.conftest import Environment

PACKAGES = Path(__file__).parents[2] / "packages"
NAMES = ("core", "providers", "telemetry")
RIGHT = """
import operonx
import operonx.providers as providers
from operonx.core import bootstrap
from operonx.telemetry import __version__

operonx.bootstrap(env=False)
bootstrap(env=False)
version: str = providers.__version__ + __version__
"""
# The root finds `bootstrap` by `__getattr__`, which must not make checkers believe any other name.
WRONG = """
import operonx

operonx.bootstrapp()
"""

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def mixed_environment(
    editable: tuple[str, ...], wheels: dict[str, Path], empty_environment: Environment
) -> Environment:
    for name in NAMES:
        source = ["-e", PACKAGES / f"operonx-{name}"] if name in editable else [wheels[name]]
        empty_environment.install(*source)
    return empty_environment


def checked(environment: Environment, source: str, *checker: str) -> tuple[int, str]:
    """Check a program in an environment, away from the checkout's settings."""
    file = environment.folder / "program.py"
    file.write_text(source)
    command = [sys.executable, "-m", *checker, file.name]
    done = subprocess.run(
        command, cwd=environment.folder, check=False, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def assert_believes_what_is_right_only(environment: Environment, *checker: str) -> None:
    code, said = checked(environment, RIGHT, *checker)
    assert code == 0, said
    code, said = checked(environment, WRONG, *checker)
    assert code == 1, said
    assert "bootstrapp" in said


EVERYWHERE = [(), ("core",), ("providers", "telemetry"), NAMES]
# pyright does not look for wheels of siblings behind an editable core; a stub in them could help
# it, but then two distributions would own one file. In a checkout all three are editable.
WHERE_PYRIGHT_MERGES = [editable for editable in EVERYWHERE if editable != ("core",)]


@pytest.mark.parametrize("editable", EVERYWHERE, ids="+".join)
def test_python_and_mypy_merge(mixed_environment: Environment, tmp_path: Path) -> None:
    mixed_environment.run(RIGHT)
    python = f"--python-executable={mixed_environment.python}"
    cache = f"--cache-dir={tmp_path / 'cache'}"
    assert_believes_what_is_right_only(mixed_environment, "mypy", "--strict", cache, python)


@pytest.mark.parametrize("editable", WHERE_PYRIGHT_MERGES, ids="+".join)
def test_pyright_merges(mixed_environment: Environment) -> None:
    python = f"--pythonpath={mixed_environment.python}"
    assert_believes_what_is_right_only(mixed_environment, "pyright", python)
