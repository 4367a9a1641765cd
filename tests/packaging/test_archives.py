"""What is in every wheel and sdist: the sources, the licence, and no other distribution's files."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = ("core", "providers", "telemetry")

pytestmark = pytest.mark.timeout(120)


def sources(name: str) -> set[str]:
    """The files that a distribution ships, below its `src`."""
    src = ROOT / "packages" / f"operonx-{name}" / "src"
    files = (file for file in src.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return {str(file.relative_to(src)) for file in files} - {"operonx/__init__.pyi"}


def files_in_wheel(wheel: Path) -> set[str]:
    return {file for file in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in file}


def files_in_sdist(sdist: Path) -> set[str]:
    with tarfile.open(sdist) as archive:
        return {file.name.partition("/")[2] for file in archive if file.isfile()}


@pytest.mark.parametrize("name", NAMES)
def test_a_wheel_has_the_sources_and_nothing_else(name: str, wheels: dict[str, Path]) -> None:
    assert sources(name) == files_in_wheel(wheels[name])


@pytest.mark.parametrize("name", NAMES)
def test_an_sdist_has_the_sources_and_what_builds_them(name: str, sdists: dict[str, Path]) -> None:
    building = {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
    # Hatchling adds the `.gitignore` in force, in a checkout.
    found = files_in_sdist(sdists[name]) - {".gitignore"}
    assert {f"src/{file}" for file in sources(name)} | building == found


def test_no_distribution_but_core_owns_a_file_at_the_root(wheels: dict[str, Path]) -> None:
    at_root = {
        name: {file for file in files_in_wheel(wheel) if file.count("/") == 1}
        for name, wheel in wheels.items()
    }
    core = {"operonx/__init__.py", "operonx/py.typed"}
    assert {"core": core, "providers": set(), "telemetry": set()} == at_root


@pytest.mark.parametrize("name", NAMES)
def test_a_wheel_is_typed_and_licensed(name: str, wheels: dict[str, Path]) -> None:
    files = zipfile.ZipFile(wheels[name]).namelist()
    assert f"operonx/{name}/py.typed" in files
    assert any(file.endswith(".dist-info/licenses/LICENSE") for file in files)
