"""Prints figures as tables that are also Markdown."""

from collections.abc import Iterable, Sequence

from benchmarks.environments import FLOOR, NATIVE, OURS
from benchmarks.figures import Figure, Line
from benchmarks.runner import ShapeResult
from benchmarks.statistics import Spread

#: Longest reason that a footnote quotes.
REASON_WIDTH = 160


def number(value: float) -> str:
    """Print three significant digits, never an exponent."""
    magnitude = abs(value)
    if magnitude >= 100:
        return f"{value:,.0f}"
    if magnitude >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if magnitude >= 1 else f"{value:.3f}"


def spread_text(value: Spread) -> str:
    """Print a median with its range."""
    if value.low == value.high:
        return number(value.median)
    return f"{number(value.median)} ({number(value.low)} - {number(value.high)})"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a Markdown table."""
    everything = [list(header), *map(list, rows)]
    widths = [max(len(row[i]) for row in everything) for i in range(len(header))]
    ruled = [everything[0], ["-" * width for width in widths], *everything[1:]]
    cells = ([cell.ljust(w) for cell, w in zip(row, widths, strict=True)] for row in ruled)
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def shape_text(result: ShapeResult, lines: Sequence[Line], titles: dict[str, str]) -> str:
    """Print one shape: a heading, its table, and why what is missing is missing."""
    others = [key for key in titles if key not in {FLOOR.key, OURS.key}]
    header = ["figure", "unit", "floor", "operonx", "x floor", "target", "verdict"]
    header += [titles[key] for key in others]
    heading = (
        f"## {result.shape.key}: {result.shape.title}\n"
        f"{len(result.rounds)} rounds; load before {result.load:.2f}, "
        f"{result.busy_cores:.2f} cores busy meanwhile\n"
    )
    body = table(header, [_row(line, others) for line in lines])
    return "\n".join([heading, body, *_footnotes(lines, titles)])


def _row(line: Line, others: Sequence[str]) -> list[str]:
    floor, ours = line.figures.get(FLOOR.key), line.figures.get(OURS.key)
    ratio = ours.floor_ratio if ours else None
    return [
        line.row.title,
        line.row.unit,
        _cell(line, FLOOR.key, floor),
        _cell(line, OURS.key, ours),
        spread_text(ratio) if ratio else "",
        ours.verdict.target if ours and ours.verdict else "",
        _verdict(ours) or ("MISS, no figure" if line.is_broken else ""),
        *(_other(line, key) for key in others),
    ]


def _cell(line: Line, key: str, figure: Figure | None) -> str:
    if figure:
        return spread_text(figure.value)
    return "n/a" if key in line.problems else ""


def _other(line: Line, key: str) -> str:
    figure = line.figures.get(key)
    verdict = f" {_verdict(figure)}" if key == NATIVE.key and figure else ""
    return _cell(line, key, figure) + verdict


def _verdict(figure: Figure | None) -> str:
    if figure is None or figure.verdict is None:
        return ""
    word = "pass" if figure.verdict.passed else "MISS"
    return f"{word}, {number(figure.verdict.used)} of it"


def _footnotes(lines: Sequence[Line], titles: dict[str, str]) -> list[str]:
    """Say why figures are missing, each reason once."""
    notes: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        for key, reason in line.problems.items():
            notes.setdefault((key, reason), []).append(line.row.key)
    return [
        f"- {titles[key]}, {', '.join(rows)}: {_short(reason)}"
        for (key, reason), rows in notes.items()
    ]


def _short(reason: str) -> str:
    line = " ".join(reason.split())
    return line if len(line) <= REASON_WIDTH else f"{line[: REASON_WIDTH - 1]}…"


def summary(lines: Sequence[Line]) -> str:
    """Count passes and name the misses; a figure that should be there and is not is one."""
    judged = [
        (line, key, figure.verdict)
        for line in lines
        for key, figure in line.figures.items()
        if figure.verdict
    ]
    misses = [
        f"- {line.key} of {key}: {verdict.target}, used {number(verdict.used)} of it"
        for line, key, verdict in judged
        if not verdict.passed
    ]
    broken = [
        f"- {line.key} of {OURS.key}: no figure: {_short(line.problems[OURS.key])}"
        for line in lines
        if line.is_broken
    ]
    kept, asked = len(judged) - len(misses), len(judged) + len(broken)
    return "\n".join([f"## {kept} of {asked} targets kept", *misses, *broken])
