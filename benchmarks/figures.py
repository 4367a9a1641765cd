"""From samples to figures: medians with spread, ratios, verdicts. No formatting."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.catalogue import Row
from benchmarks.environments import FLOOR, NATIVE, OURS
from benchmarks.runner import ShapeResult
from benchmarks.statistics import Spread, spread
from benchmarks.targets import Targets, Verdict

#: How much worse than the last record is a bug.
REGRESSION = 1.1


@dataclass(frozen=True)
class Figure:
    """One row of one contender."""

    value: Spread
    """Over the rounds."""
    floor_ratio: Spread | None
    """Its cost / the floor's in the same round, over the rounds."""
    verdict: Verdict | None
    """Of our engines only."""


@dataclass(frozen=True)
class Line:
    """One row of all contenders."""

    shape: str
    """The shape's key."""
    row: Row
    """Which row."""
    figures: Mapping[str, Figure]
    """By contender; absent where there is none."""
    problems: Mapping[str, str]
    """By contender, why there is none."""

    @property
    def key(self) -> str:
        """The line's name in the record."""
        return f"{self.shape}.{self.row.key}"

    @property
    def is_broken(self) -> bool:
        """Whether our engine should have given this figure and did not."""
        return OURS.key in self.problems and OURS.key not in self.figures


def cost_ratios(row: Row, costs: list[float], of: list[float]) -> Spread | None:
    """Return how many times dearer `costs` are than `of`, round by round."""
    if not costs or not of or not row.has_floor_ratio or not all(of) or not all(costs):
        return None
    pairs = zip(costs, of, strict=False)
    return spread([b / a if row.more_is_better else a / b for a, b in pairs])


def lines(result: ShapeResult, targets: Targets) -> list[Line]:
    """Compute all lines of a shape for which anything was asked of anybody."""
    computed = [_line(result, row, targets) for row in result.shape.rows]
    return [line for line in computed if line.figures or line.problems]


def _line(result: ShapeResult, row: Row, targets: Targets) -> Line:
    values = {key: result.values(key, row) for key in result.problems}
    floor = values.get(FLOOR.key, [])
    figures = {}
    for key, own in values.items():
        if not own:
            continue
        ratio = cost_ratios(row, own, floor) if key != FLOOR.key else None
        verdict = None
        if key == OURS.key:
            middle = ratio.median if ratio else None
            verdict = targets.judge(result.shape.key, row.key, spread(own).median, middle)
        elif key == NATIVE.key:
            speedup = cost_ratios(row, values.get(OURS.key, []), own)
            if speedup:
                verdict = targets.judge_native(result.shape.key, row.key, speedup.median)
        figures[key] = Figure(spread(own), ratio, verdict)
    return Line(result.shape.key, row, figures, _problems(result, row))


def _problems(result: ShapeResult, row: Row) -> dict[str, str]:
    found = {}
    for key, problems in result.problems.items():
        reasons = [problems[case] for case in row.needs if case in problems]
        if reasons:
            found[key] = reasons[0]
    return found


def record_of(line: Line) -> dict[str, Any]:
    """Return what the record keeps of a line."""
    return {
        "unit": line.row.unit,
        "figures": {
            key: {
                "value": asdict(figure.value),
                "floor_ratio": asdict(figure.floor_ratio) if figure.floor_ratio else None,
                "target": figure.verdict.target if figure.verdict else None,
                "passed": figure.verdict.passed if figure.verdict else None,
            }
            for key, figure in line.figures.items()
        },
        "problems": dict(line.problems),
    }


def regression(line: Line, previous: Mapping[str, Any]) -> float | None:
    """Return how many times worse our figure is than the recorded one, if that is a bug.

    Ratios to the floor are compared where both have one, as they are the same on any machine.
    """
    now = line.figures.get(OURS.key)
    then = previous.get(line.key, {}).get("figures", {}).get(OURS.key)
    if now is None or then is None:
        return None
    if now.floor_ratio and then["floor_ratio"]:
        worse = now.floor_ratio.median / then["floor_ratio"]["median"]
    elif not then["value"]["median"] or not now.value.median:
        return None
    else:
        worse = now.value.median / then["value"]["median"]
        worse = 1 / worse if line.row.more_is_better else worse
    return worse if worse > REGRESSION else None
