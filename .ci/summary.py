"""Sum up a tox run: `python .ci/summary.py STATUS TOX_RESULT_JSON`.

A pytest command counts with its own results, read from the `--junitxml` file it was told to write;
any other command is one check; an environment without its interpreter is one skip. Whatever has
left no result has failed. The last line is `N passed, N failed, N skipped`; the exit code is not 0
if anything failed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

# Our own pytest wrote these files a moment ago: nothing from outside is parsed.
from xml.etree import ElementTree as ET


class Counts(NamedTuple):
    """How many checks ended which way."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def total(parts: list[Counts]) -> Counts:
    """Add up."""
    return Counts(*(sum(column) for column in zip(Counts(), *parts, strict=True)))


def of_command(command: dict[str, Any]) -> Counts:
    """Count one command of tox's report."""
    code = command["retcode"]
    files = [a.partition("=")[2] for a in command["command"] if a.startswith("--junitxml=")]
    if not files:
        return Counts(passed=int(code == 0), failed=int(code != 0))
    if not Path(files[0]).is_file():
        return Counts(failed=1)
    counts = of_junit(Path(files[0]))
    # 1 says no more than that tests failed; 2 to 5 are an interruption, a usage error, no tests.
    return counts if code == int(counts.failed > 0) else total([counts, Counts(failed=1)])


def of_junit(file: Path) -> Counts:
    """Count the test cases in pytest's report."""
    cases = ET.parse(file).getroot().iter("testcase")  # noqa: S314
    kinds = [{part.tag for part in case} for case in cases]
    failed = sum(not tags.isdisjoint({"failure", "error"}) for tags in kinds)
    skipped = sum("skipped" in tags and tags.isdisjoint({"failure", "error"}) for tags in kinds)
    return Counts(len(kinds) - failed - skipped, failed, skipped)


def of_environment(report: dict[str, Any]) -> Counts:
    """Count one environment of tox's report."""
    result = report.get("result", {"success": False})
    if result.get("skipped"):
        return Counts(skipped=1)
    ran = [command for command in report.get("test", []) if command["run_id"][:9] == "commands["]
    counts = total([of_command(command) for command in ran])
    if not result["success"] and not counts.failed:  # its set-up failed
        return total([counts, Counts(failed=1)])
    return counts


def by_environment(report: Path) -> Iterator[tuple[str, Counts]]:
    """Count each environment; none if tox left no report."""
    if report.is_file():
        environments = json.loads(report.read_text(encoding="utf-8")).get("testenvs", {})
        for name, environment in environments.items():
            if environment and not name.startswith("."):  # run at all, and not tox's own
                yield name, of_environment(environment)


def main(status: int, report: Path) -> int:
    """Print every environment's counts and their sum, and return the exit code."""
    counted = dict(by_environment(report))
    for name, counts in counted.items():
        print(f"  {name}: {counts}")
    summed = total(list(counted.values()))
    if (status and not summed.failed) or not counted:
        print(f"  tox itself: exit code {status}, and no result that says why")
        summed = total([summed, Counts(failed=1)])
    print(summed)
    return int(summed.failed > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2])))
