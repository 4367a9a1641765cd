"""One namespace, several distributions: who owns what in it, in every order and mixture."""

from __future__ import annotations

import ast
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.packaging.conftest import Environment

PACKAGES = Path(__file__).parents[2] / "packages"
NAMES = ("core", "providers", "telemetry")

pytestmark = pytest.mark.timeout(120)

IMPORTABLE = """
import importlib.util
root = importlib.util.find_spec("operonx")
found = [n for n in {names} if root and importlib.util.find_spec(f"operonx.{{n}}")]
print(*found, "bootstrap" if root and hasattr(__import__("operonx"), "bootstrap") else "")
"""


def exported(file: Path) -> list[str]:
    """The `__all__` that a module writes down."""
    for statement in ast.parse(file.read_text()).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                names: list[str] = ast.literal_eval(value)
                return names
            case _:
                pass
    pytest.fail(f"{file} has no `__all__`")


def test_only_core_has_a_module_at_the_root() -> None:
    modules = {str(file.relative_to(PACKAGES)) for file in PACKAGES.glob("*/src/operonx/*.py")}
    assert {"operonx-core/src/operonx/__init__.py"} == modules


@pytest.mark.parametrize("name", ["providers", "telemetry"])
def test_a_development_stub_exports_what_the_root_does(name: str) -> None:
    root = exported(PACKAGES / "operonx-core/src/operonx/__init__.py")
    assert root == exported(PACKAGES / f"operonx-{name}/src/operonx/__init__.pyi")


def test_a_module_is_the_same_however_it_is_reached(
    wheels: dict[str, Path], empty_environment: Environment
) -> None:
    empty_environment.install(*wheels.values())
    program = """
import operonx.providers, operonx.telemetry, operonx.core, operonx
from operonx.core import bootstrap, errors
print(operonx.bootstrap is bootstrap, operonx.core.errors is errors, len(operonx.__path__))
"""
    assert "True True 1\n" == empty_environment.run(program)


def test_every_order_of_installing_and_uninstalling_leaves_the_others_whole(
    wheels: dict[str, Path], empty_environment: Environment
) -> None:
    empty_environment.install(wheels["core"])  # its dependencies stay
    empty_environment.uninstall("operonx-core")
    program = IMPORTABLE.format(names=NAMES)
    for order in permutations(NAMES):
        for name in order:
            empty_environment.install("--no-deps", wheels[name])
        there = set(NAMES)
        for name in order:
            empty_environment.uninstall(f"operonx-{name}")
            there.remove(name)
            found = set(empty_environment.run(program).split())
            assert found - {"bootstrap"} == there, (order, name)
            assert ("bootstrap" in found) == ("core" in there), (order, name)
        assert not (empty_environment.site_packages / "operonx").exists(), order
