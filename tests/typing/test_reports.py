"""mypy and pyright, both strict, report what the files of `cases/` say, and nothing else.

A line that a checker must report on says so at its end, one word for each report:

    operonx.bootstrapp()  # E: mypy=attr-defined pyright=reportAttributeAccessIssue

A case without such a line is code that both must accept.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

CASES = sorted((Path(__file__).parent / "cases").glob("*.py"))
MARK = re.compile(r"# E: (?P<reports>.+)$")
MYPY = re.compile(r"^(?P<file>.+?):(?P<line>\d+): error: .+\[(?P<code>[\w-]+)\]$", re.MULTILINE)

Report = tuple[str, int, str]
"""File, line, and `checker=code`."""

pytestmark = pytest.mark.timeout(120)


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True)
    assert done.returncode in {0, 1}, done.stdout + done.stderr  # 2 and more: it could not check
    return done.stdout


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Counter[Report]:
    """All that the checkers report; each runs once, for starting them is what takes long."""
    folder = tmp_path_factory.mktemp("typing")
    # Away from the checkout, whose settings leave the cases out.
    for case in CASES:
        shutil.copy(case, folder)
    mypy = run(
        *(sys.executable, "-m", "mypy", "--strict", "--no-pretty", "--scripts-are-modules"),
        *(f"--cache-dir={folder / 'cache'}", *(case.name for case in CASES)),
        cwd=folder,
    )
    # A statement that is `a >> END` uses its value, which pyright cannot know.
    settings = {"typeCheckingMode": "strict", "reportUnusedExpression": "none"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    pyright = json.loads(
        run(
            *(sys.executable, "-m", "pyright", "--outputjson", f"--pythonpath={sys.executable}"),
            cwd=folder,
        )
    )
    assert pyright["summary"]["filesAnalyzed"] == len(CASES)
    found = [(m["file"], int(m["line"]), f"mypy={m['code']}") for m in MYPY.finditer(mypy)]
    for said in pyright["generalDiagnostics"]:
        line = said["range"]["start"]["line"] + 1
        found.append((Path(said["file"]).name, line, f"pyright={said.get('rule', 'syntax')}"))
    return Counter(found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_the_checkers_report_what_the_case_says(case: Path, reported: Counter[Report]) -> None:
    expected = Counter(
        (case.name, number, report)
        for number, line in enumerate(case.read_text(encoding="utf-8").splitlines(), 1)
        if (mark := MARK.search(line))
        for report in mark["reports"].split()
    )
    assert expected == Counter({r: n for r, n in reported.items() if r[0] == case.name})
