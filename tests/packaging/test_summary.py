"""`.ci/summary.py`: nothing that failed, or that left no result, is summed up as passed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SUMMARY = Path(__file__).parents[2] / ".ci" / "summary.py"

TESTS = """
def test_passes(): pass
def test_passes_too(): pass
"""
MIXED = """
import pytest
@pytest.fixture
def breaks_after():
    yield
    raise ValueError
def test_passes(): pass
def test_fails(): assert False
def test_errs(missing): pass
def test_passes_but_its_fixture_does_not(breaks_after): pass
@pytest.mark.skip
def test_is_skipped(): pass
@pytest.mark.xfail
def test_is_known_to_fail(): assert False
"""


def summary_of(folder: Path, status: int, environments: dict[str, Any] | None) -> tuple[int, str]:
    """Return the exit code and the last line for a report of these environments."""
    report = folder / "tox.json"
    if environments is not None:
        report.write_text(json.dumps({"testenvs": environments}))
    done = subprocess.run(
        [sys.executable, SUMMARY, str(status), report],
        check=False,
        capture_output=True,
        text=True,
    )
    assert "" == done.stderr
    return done.returncode, done.stdout.splitlines()[-1]


def environment(*commands: tuple[list[str], int], success: bool = True) -> dict[str, Any]:
    """Return tox's report of an environment that ran `commands`."""
    setup = {"command": ["uv"], "retcode": 0, "run_id": "commands_pre[0]"}
    ran = [
        {"command": command, "retcode": code, "run_id": f"commands[{number}]"}
        for number, (command, code) in enumerate(commands)
    ]
    return {"result": {"success": success, "skipped": False}, "test": [setup, *ran]}


def pytest_run(folder: Path, source: str) -> tuple[list[str], int]:
    """Run a real pytest over `source`, and return its command and exit code."""
    (folder / "test_it.py").write_text(source)
    junit = f"--junitxml={folder / 'it.xml'}"
    command = [sys.executable, "-m", "pytest", "--rootdir", str(folder), junit, str(folder)]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True)
    return command, done.returncode


def test_a_test_counts_as_its_run_says(tmp_path: Path) -> None:
    report = {"core": environment(pytest_run(tmp_path, MIXED), success=False)}
    assert (1, "1 passed, 3 failed, 2 skipped") == summary_of(tmp_path, 1, report)


def test_environments_are_added_up(tmp_path: Path) -> None:
    report = {
        "lint": environment((["ruff", "check"], 0), (["codespell"], 0)),
        "core": environment(pytest_run(tmp_path, TESTS)),
        "core-py314": {"result": {"success": True, "skipped": True}, "setup": [{"retcode": 2}]},
        ".pkg": {"result": {"success": True}},
        "not asked for": {},
    }
    assert (0, "4 passed, 0 failed, 1 skipped") == summary_of(tmp_path, 0, report)


def test_a_check_that_failed_is_one_failure(tmp_path: Path) -> None:
    report = {"lint": environment((["ruff"], 1), (["codespell"], 0), success=False)}
    assert (1, "1 passed, 1 failed, 0 skipped") == summary_of(tmp_path, 1, report)


def test_a_run_without_tests_has_failed(tmp_path: Path) -> None:
    report = {"core": environment(pytest_run(tmp_path, "x = 1"), success=False)}
    assert (1, "0 passed, 1 failed, 0 skipped") == summary_of(tmp_path, 1, report)


def test_a_run_that_was_killed_has_failed(tmp_path: Path) -> None:
    command, _ = pytest_run(tmp_path, TESTS)
    report = {"core": environment((command, 139), success=False)}
    assert (1, "2 passed, 1 failed, 0 skipped") == summary_of(tmp_path, 1, report)


def test_a_run_that_left_no_results_has_failed(tmp_path: Path) -> None:
    report = {"core": environment((["pytest", f"--junitxml={tmp_path}/none.xml"], 0))}
    assert (1, "0 passed, 1 failed, 0 skipped") == summary_of(tmp_path, 0, report)


def test_an_environment_whose_setup_failed_has_failed(tmp_path: Path) -> None:
    report = {"core": environment(success=False), "all": environment((["x"], 0))}
    assert (1, "1 passed, 1 failed, 0 skipped") == summary_of(tmp_path, 1, report)


@pytest.mark.parametrize("report", [None, {}])
@pytest.mark.parametrize("status", [0, 1])
def test_no_report_is_a_failure(tmp_path: Path, status: int, report: dict[str, Any] | None) -> None:
    assert (1, "0 passed, 1 failed, 0 skipped") == summary_of(tmp_path, status, report)


def test_tox_failing_without_a_word_is_a_failure(tmp_path: Path) -> None:
    report = {"lint": environment((["ruff"], 0))}
    assert (1, "1 passed, 1 failed, 0 skipped") == summary_of(tmp_path, 7, report)
