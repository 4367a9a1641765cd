"""What a module says it offers is what it has; what the package offers is sorted."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

import operonx.core

MODULES = [
    info.name
    for info in pkgutil.walk_packages(operonx.core.__path__, "operonx.core.")
    if not info.ispkg
]


@pytest.mark.parametrize("name", MODULES)
def test_all_names_what_is_there(name: str) -> None:
    module = importlib.import_module(name)
    exported: list[str] = module.__all__
    assert [] == [one for one in exported if not hasattr(module, one)]
    assert len(set(exported)) == len(exported)


def test_the_package_offers_what_it_imports_in_order() -> None:
    exported = operonx.core.__all__
    assert sorted(exported, key=lambda name: (not name.isupper(), not name[0].isupper(), name)) == (
        exported
    )
    public = {
        name
        for name, value in vars(operonx.core).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert public == set(exported)


def test_every_public_name_has_a_docstring() -> None:
    bare: list[str] = []
    for name in operonx.core.__all__:
        value: Any = getattr(operonx.core, name)
        if not value.__doc__:
            bare.append(name)
    assert [] == bare


def test_what_few_programs_need_is_imported_by_those_that_do() -> None:
    rare = {"anyio.to_process", "dotenv", "pydantic", "trio"}
    program = f"import operonx.core, sys; print(*{rare} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert b"" == shown.stdout.strip()
