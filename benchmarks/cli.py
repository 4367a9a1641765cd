"""The command line: `python -m benchmarks`."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import environments, figures, machine, report
from benchmarks.catalogue import SHAPES, Shape
from benchmarks.contender import Contender
from benchmarks.figures import Line
from benchmarks.runner import Runner, Settings, ShapeResult
from benchmarks.session import WorkerError
from benchmarks.targets import Targets

#: Load before we start above which figures are not worth recording.
QUIET_LOAD = 0.3

FULL = {"rounds": 5, "seconds": 0.3}
QUICK = {"rounds": 2, "seconds": 0.03}


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure every shape beside a hand-written floor, and peers if asked.",
        epilog="shapes: " + ", ".join(f"{shape.key}" for shape in SHAPES.values()),
    )
    add = parser.add_argument
    add("shapes", nargs="*", metavar="SHAPE", help="which shapes (default: all)")
    add("--rounds", type=int, help=f"interleaved rounds (default {FULL['rounds']})")
    add(
        "--seconds",
        type=float,
        help=f"how long to repeat a short run within one round (default {FULL['seconds']})",
    )
    add("--quick", action="store_true", help="few short rounds, no heavy cases: is it correct?")
    add(
        "--peers",
        nargs="?",
        const=",".join(environments.PEERS),
        default="",
        metavar="A,B",
        help="measure peers too, all or these: " + ", ".join(environments.PEERS),
    )
    add("--native", action="store_true", help="measure the native engine too")
    add("--without-ours", action="store_true", help="measure the floor and the peers only")
    add("--python", help="interpreter for our engine (default: an environment made for it)")
    add("--timeout", type=float, default=600, help="seconds we may take for one request")
    add("--peer-timeout", type=float, default=90, help="seconds a peer may take for one request")
    add("--json", type=Path, metavar="FILE", help="write the record, raw samples included")
    add("--against", type=Path, metavar="FILE", help="name what got worse than in that record")
    add("--check", action="store_true", help="exit with 1 if a target is missed")
    return parser  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, record. Returns the exit code."""
    options = parser().parse_args(arguments)
    unknown = [name for name in options.shapes if name not in SHAPES]
    if unknown:
        parser().error(f"no such shape: {', '.join(unknown)}; there are {', '.join(SHAPES)}")
    shapes = [SHAPES[name] for name in options.shapes] or _default_shapes(quick=options.quick)
    try:
        contenders = [
            environments.with_environment(contender, _announce, python)
            for contender, python in _contenders(options)
        ]
        return _measure(shapes, contenders, options)
    except (environments.InstallError, WorkerError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _default_shapes(*, quick: bool) -> list[Shape]:
    return [shape for shape in SHAPES.values() if shape.in_quick or not quick]


def _contenders(options: argparse.Namespace) -> list[tuple[Contender, str | None]]:
    """Return who is measured, each with the interpreter it was given, if any."""
    ours = [environments.OURS, *([environments.NATIVE] if options.native else [])]
    peers = [environments.peer(key) for key in options.peers.split(",") if key]
    return [
        (environments.FLOOR, None),
        *((contender, options.python) for contender in ours if not options.without_ours),
        *((contender, None) for contender in peers),
    ]


def _settings(options: argparse.Namespace) -> Settings:
    defaults = QUICK if options.quick else FULL
    return Settings(
        rounds=int(options.rounds or defaults["rounds"]),
        seconds=options.seconds or defaults["seconds"],
        timeout=options.timeout,
        peer_timeout=options.peer_timeout,
        heavy=not options.quick,
    )


def _measure(
    shapes: Sequence[Shape], contenders: Sequence[Contender], options: argparse.Namespace
) -> int:
    described = machine.describe()
    titles = {contender.key: contender.key for contender in contenders}
    targets = Targets.load()
    results: list[ShapeResult] = []
    lines: list[Line] = []
    with Runner(contenders, _settings(options), _announce) as runner:
        versions = runner.versions()
        print(_heading(described, versions))
        for shape in shapes:
            results.append(runner.measure(shape))
            shape_lines = figures.lines(results[-1], targets)
            _announce("")
            print(report.shape_text(results[-1], shape_lines, titles), end="\n\n", flush=True)
            lines += shape_lines
    print(report.summary(lines))
    if options.json:
        _write(options.json, described, versions, results, lines)
    if options.against:
        _compare(lines, json.loads(options.against.read_text()))
    missed = any(
        f.verdict and not f.verdict.passed for line in lines for f in line.figures.values()
    )
    broken = any(line.problems.get(environments.OURS.key) for line in lines)
    return int(broken or (missed and options.check))


def _heading(described: dict[str, Any], versions: dict[str, Any]) -> str:
    load = described["load"][0]
    text = [
        (
            f"# {described['cores']} cores of {described['processor']}, {described['system']}, "
            f"load {load:.2f}"
        ),
        "CPU unless said; medians (lowest - highest) of interleaved rounds; ratios within rounds",
    ]
    text += [
        f"- {key}: Python {answer['python']} {answer['versions'] or ''}".rstrip()
        for key, answer in versions.items()
    ]
    if load > QUIET_LOAD:
        text.append(f"WARNING: the machine is busy (load {load:.2f}): do not record these figures")
    return "\n".join([*text, ""])


def _write(
    path: Path,
    described: dict[str, Any],
    versions: dict[str, Any],
    results: Sequence[ShapeResult],
    lines: Sequence[Line],
) -> None:
    record = {
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": described,
        "contenders": versions,
        "lines": {line.key: figures.record_of(line) for line in lines},
        "samples": {
            result.shape.key: {
                "load": result.load,
                "busy_cores": result.busy_cores,
                "rounds": [
                    {key: {str(case): s for case, s in taken.items()} for key, taken in r.items()}
                    for r in result.rounds
                ],
            }
            for result in results
        },
    }
    path.write_text(json.dumps(record, indent=1) + "\n")


def _compare(lines: Sequence[Line], previous: dict[str, Any]) -> None:
    print(f"\n## Worse than on {previous['when']} by more than 10 %")
    for line in lines:
        worse = figures.regression(line, previous["lines"])
        if worse:
            print(f"- {line.key}: {worse:.2f} x")


def _announce(text: str) -> None:
    """Show what is going on, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
