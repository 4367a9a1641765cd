"""Each distribution in an empty environment: it brings what it needs, and little of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.packaging.conftest import Environment

pytestmark = pytest.mark.timeout(120)

IMPORTED_BY_CORE = """
import sys
before = set(sys.modules)
import operonx.core
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(new - sys.stdlib_module_names))
"""


@pytest.mark.parametrize("name", ["core", "providers", "telemetry"])
def test_a_distribution_runs_beside_nothing_but_core(
    name: str, wheels: dict[str, Path], empty_environment: Environment
) -> None:
    empty_environment.install(*{wheels["core"], wheels[name]})
    empty_environment.check()
    program = f"import operonx.{name}, operonx; operonx.bootstrap(); print(operonx.{name}.__name__)"
    assert f"operonx.{name}\n" == empty_environment.run(program)


def test_core_installs_small(wheels: dict[str, Path], empty_environment: Environment) -> None:
    empty_environment.install(wheels["core"])
    files = [file for file in empty_environment.site_packages.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= 15_000_000
    assert len(list(empty_environment.site_packages.glob("*.dist-info"))) <= 15


def test_importing_the_root_imports_nothing_else_of_ours(
    wheels: dict[str, Path], empty_environment: Environment
) -> None:
    empty_environment.install(wheels["core"])
    program = "import operonx, sys; print(*[name for name in sys.modules if 'operonx' in name])"
    assert "operonx\n" == empty_environment.run(program)


def test_importing_core_imports_only_what_it_declares(
    wheels: dict[str, Path], empty_environment: Environment
) -> None:
    # With what it must not import at hand, so that this does not pass for want of it.
    empty_environment.install(wheels["core"], "trio", "python-dotenv", "pytest", "hypothesis")
    declared = {"anyio", "operonx", "pydantic"}
    pydantics = {"annotated_types", "pydantic_core", "typing_extensions", "typing_inspection"}
    anyios = {"idna", "sniffio"}  # sniffio only where it is
    imported = set(empty_environment.run(IMPORTED_BY_CORE).split())
    assert imported <= declared | pydantics | anyios
