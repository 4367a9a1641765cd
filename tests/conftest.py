"""What every test is held to, and how hard the generated ones try."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# `default` is for tox; `nox -s deep` asks for the other. Nothing goes by time: CI's two cores are
# shared, and a slow machine is no fault of an example.
AT_ANY_SPEED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("default", AT_ANY_SPEED)
settings.register_profile("deep", AT_ANY_SPEED, max_examples=5_000)
settings.load_profile(os.environ.get("OPERONX_HYPOTHESIS_PROFILE", "default"))

PYTESTS_OWN = {"PYTEST_CURRENT_TEST", "PYTEST_VERSION"}


def process_state() -> dict[str, str]:
    """The environment variables and the working directory: what a test must leave as it was."""
    variables = {name: os.environ[name] for name in os.environ.keys() - PYTESTS_OWN}
    return {**variables, "<working directory>": str(Path.cwd())}


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    """Fail a test that leaves the process's environment changed: the next one would see it."""
    before = process_state()
    yield
    after = process_state()
    changed = {
        name: (before.get(name), after.get(name))
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name)
    }
    if changed:
        pytest.fail(f"the test left these changed (before, after): {changed}; use `monkeypatch`")
