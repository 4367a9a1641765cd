"""That an environment has the distributions it says, from wheels, and no others.

Every layering claim of tox rests on this: `core` proves something only where nothing else is.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

EXPECTED = os.environ.get("OPERONX_DISTS")
OURS = ("core", "providers", "telemetry")

pytestmark = pytest.mark.skipif(EXPECTED is None, reason="only tox says what must be installed")


def expected() -> set[str]:
    return set((EXPECTED or "").split())


def test_the_environment_has_exactly_these_distributions() -> None:
    names = {dist.name.lower().replace("_", "-") for dist in distributions()}
    assert {f"operonx-{name}" for name in expected()} == {
        name for name in names if name.startswith("operonx")
    }


@pytest.mark.parametrize("name", OURS)
def test_a_package_imports_where_it_is_installed_and_only_there(name: str) -> None:
    assert (name in expected()) == (importlib.util.find_spec(f"operonx.{name}") is not None)


@pytest.mark.parametrize("name", OURS)
def test_the_code_under_test_is_that_of_the_wheel(name: str) -> None:
    if name not in expected():
        pytest.skip(f"operonx-{name} is not in this environment")
    spec = importlib.util.find_spec(f"operonx.{name}")
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).is_relative_to(sys.prefix)
