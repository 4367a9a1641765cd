"""Distributions as they would be published, and empty environments to put them into."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = ("core", "providers", "telemetry")

# In place of tox's settings where there is no tox: real wheels, of the versions that CI has.
SETTINGS = {"UV_NO_SOURCES": "1", "UV_CONSTRAINT": str(ROOT / "constraints.txt")}


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a program that must succeed, and return what it printed."""
    environment = {**os.environ, **SETTINGS}
    # Each program finds its own environment, and never the one that the tests run in.
    for name in ("VIRTUAL_ENV", "PYTHONPATH"):
        environment.pop(name, None)
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd or ROOT,
        env=environment,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}"
    return done.stdout


def uv(*arguments: str | Path) -> str:
    """Run uv."""
    program = shutil.which("uv")
    assert program, "uv belongs to the dependency group `test`"
    return run(program, "--quiet", "--no-progress", *arguments)


@dataclass(frozen=True)
class Environment:
    """A virtual environment of a test's own."""

    folder: Path
    """Where it is."""

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """Where it keeps what is installed."""
        return next(self.folder.glob("lib/python*/site-packages"))

    def install(self, *arguments: str | Path) -> None:
        """Install with one command, as local distributions that need each other must be."""
        uv("pip", "install", "--python", self.python, *arguments)

    def uninstall(self, name: str) -> None:
        """Uninstall one distribution."""
        uv("pip", "uninstall", "--python", self.python, name)

    def check(self) -> None:
        """Fail if an installed distribution misses one that it needs."""
        uv("pip", "check", "--python", self.python)

    def run(self, program: str) -> str:
        """Run a program in it, away from the checkout."""
        return run(self.python, "-c", program, cwd=self.folder)


@pytest.fixture
def empty_environment(tmp_path: Path) -> Environment:
    folder = tmp_path / "environment"
    uv("venv", "--python", sys.executable, folder)
    return Environment(folder)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every sdist, and every wheel, each made from its sdist alone."""
    folder = tmp_path_factory.mktemp("built")
    for name in NAMES:
        uv("build", "--out-dir", folder, ROOT / "packages" / f"operonx-{name}")
    return folder


@pytest.fixture(scope="session")
def wheels(built: Path) -> dict[str, Path]:
    """The wheel of each distribution."""
    return {name: next(built.glob(f"operonx_{name}-*.whl")) for name in NAMES}


@pytest.fixture(scope="session")
def sdists(built: Path) -> dict[str, Path]:
    """The sdist of each distribution."""
    return {name: next(built.glob(f"operonx_{name}-*.tar.gz")) for name in NAMES}
