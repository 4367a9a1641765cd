"""mypy and pyright, both strict, report what the files of `cases/` say, and nothing else.

A line that a checker must report on says so at its end, one word for each report:

    operonx.bootstrapp()  # E: mypy=attr-defined pyright=reportAttributeAccessIssue

A case without such a line is code that both must accept.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.typing.checkers import Report, reports

CASES = sorted((Path(__file__).parent / "cases").glob("*.py"))
MARK = re.compile(r"# E: (?P<reports>.+)$")

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Counter[Report]:
    """All that the checkers report; each runs once, for starting them is what takes long."""
    folder = tmp_path_factory.mktemp("typing")
    # Away from the checkout, whose settings leave the cases out.
    for case in CASES:
        shutil.copy(case, folder)
    return Counter(reports(folder))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_the_checkers_report_what_the_case_says(case: Path, reported: Counter[Report]) -> None:
    expected = Counter(
        (case.name, number, report)
        for number, line in enumerate(case.read_text(encoding="utf-8").splitlines(), 1)
        if (mark := MARK.search(line))
        for report in mark["reports"].split()
    )
    assert expected == Counter({r: n for r, n in reported.items() if r[0] == case.name})
