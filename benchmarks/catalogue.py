"""Which shapes there are, what is measured for each, and which figures come of it.

A *case* is one thing to measure (a workload at a size), a *row* one figure of the table, computed
from the cases of one round. Rows never know who was measured.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.statistics import growth_exponent, slope

Measure = Literal["run", "build", "stall", "memory", "import", "cold", "installed"]
Clock = Literal["cpu", "wall"]

MICRO, MILLI, MEGA = 1e-6, 1e-3, 1e6


@dataclass(frozen=True)
class Case:
    """One thing to measure."""

    workload: str
    """Name of the workload in `work.EXPECTED` (empty where a process is measured)."""
    size: int = 0
    """Its size: ops, items, iterations or runs."""
    measure: Measure = "run"
    """How it is measured."""
    heavy: bool = False
    """Left out by `--quick` and for peers."""

    def __str__(self) -> str:
        """The case's name in the record."""
        return ".".join(str(part) for part in (self.measure, self.workload, self.size) if part)


#: What a measure gave: seconds (`wall`, `cpu`, `stall`, `first_stall`), `bytes`, `dists`.
Sample = Mapping[str, float]
Samples = Mapping[Case, Sample]


@dataclass(frozen=True)
class Row:
    """One figure of the table."""

    key: str
    """Its name within the shape; `targets.toml` uses the same."""
    title: str
    """What the table says."""
    unit: str
    """Unit of the value."""
    needs: tuple[Case, ...]
    """The cases it is computed from."""
    compute: Callable[[Samples], float]
    """The value of one round."""
    has_floor_ratio: bool = True
    """Whether a ratio to the floor means anything."""
    more_is_better: bool = False
    """Whether it is a rate; ratios are of costs all the same, 2 being twice as dear."""


@dataclass(frozen=True)
class Shape:
    """A group of cases measured together, interleaved."""

    key: str
    """Its name on the command line."""
    title: str
    """One line on what it is."""
    rows: tuple[Row, ...]
    """Its figures."""
    max_rounds: int | None = None
    """At most so many rounds, where one takes long."""
    in_quick: bool = True
    """Whether `--quick` measures it unless told which shapes."""

    def cases(self, *, heavy: bool) -> list[Case]:
        """Return the cases that its rows need, each once, in order."""
        needed = dict.fromkeys(case for row in self.rows for case in row.needs)
        return [case for case in needed if heavy or not case.heavy]


# --- kinds of row ----------------------------------------------------------------------------


def _per_run(case: Case, title: str, unit: str, scale: float, clock: Clock = "cpu") -> Row:
    """Seconds of one run."""
    return Row(f"run_{case.size}", title, unit, (case,), lambda s: s[case][clock] / scale)


def _per_op(key: str, title: str, cases: Sequence[Case]) -> Row:
    """Microseconds that one more op costs: the slope over the sizes."""

    def compute(samples: Samples) -> float:
        sizes = [case.size for case in cases]
        return slope(sizes, [samples[case]["cpu"] for case in cases]) / MICRO

    return Row(key, title, "µs", tuple(cases), compute)


def _per_item(case: Case) -> Row:
    """Microseconds of one item."""
    return Row(
        f"item_{case.size}",
        f"per item, of {case.size:,}",
        "µs",
        (case,),
        lambda s: s[case]["cpu"] / case.size / MICRO,
    )


def _flat(small: Case, large: Case) -> Row:
    """How much more an item costs in a long stream than in a short one."""
    return Row(
        "flat",
        f"per item at {large.size:,} / at {small.size:,}",
        "x",
        (small, large),
        lambda s: (s[large]["cpu"] / large.size) / (s[small]["cpu"] / small.size),
        has_floor_ratio=False,
    )


def _growth(workload: str, sizes: Sequence[int], measure: Measure = "run") -> Row:
    """The exponent of CPU time over size, fitted over the sizes."""
    cases = tuple(Case(workload, size, measure, heavy=True) for size in sizes)
    name = measure if measure != "run" else workload

    def compute(samples: Samples) -> float:
        return growth_exponent(sizes, [samples[case]["cpu"] for case in cases])

    title = f"{name}, {sizes[0]:,} to {sizes[-1]:,}"
    return Row(name, title, "exponent", cases, compute, has_floor_ratio=False)


def _field(key: str, title: str, unit: str, case: Case, field: str, scale: float) -> Row:
    """One field of one sample."""
    ratio = field in {"wall", "cpu"}
    return Row(key, title, unit, (case,), lambda s: s[case][field] / scale, has_floor_ratio=ratio)


# --- the shapes ------------------------------------------------------------------------------

_SIZES = (10, 100, 500)
_STREAM_SIZES = (1_000, 10_000, 100_000, 1_000_000)
_LOOP_SIZES = (10, 100, 1_000)
_DECADES = (10, 100, 1_000, 10_000)


def _ops(key: str, title: str) -> Shape:
    """A shape over numbers of ops: each size, and one more op as the slope."""
    cases = [Case(key, size) for size in _SIZES]
    runs = [_per_run(case, f"{case.size} ops", "µs", MICRO) for case in cases]
    return Shape(key, title, (_per_op("op", "one more op", cases), *runs))


def _nested() -> Shape:
    nested, flat = Case("nested", 10), Case("chain", 10)
    return Shape(
        "nested",
        "10 graphs, each within the one before, an op in each",
        (
            _per_run(nested, "10 deep", "µs", MICRO),
            Row(
                "flat",
                "10 deep / a flat chain of 10",
                "x",
                (nested, flat),
                lambda s: s[nested]["cpu"] / s[flat]["cpu"],
                has_floor_ratio=False,
            ),
        ),
    )


def _streamed(key: str, title: str) -> Shape:
    cases = [Case(key, size, heavy=size > 100_000) for size in _STREAM_SIZES]
    return Shape(key, title, (*map(_per_item, cases), _flat(cases[1], cases[-1])), max_rounds=3)


def _memory() -> Shape:
    return Shape(
        "memory",
        "how far the resident set grows while a stream passes, fresh process each",
        tuple(
            _field(
                f"{workload}_{size}",
                f"{workload}, {size:,} items",
                "MB",
                Case(workload, size, "memory", heavy=size > 100_000),
                "bytes",
                MEGA,
            )
            for workload in ("stream", "drain")
            for size in _STREAM_SIZES[2:]
        ),
        max_rounds=3,
    )


def _loop() -> Shape:
    cases = [Case("loop", size) for size in _LOOP_SIZES]
    return Shape(
        "loop",
        "one op in a loop",
        (
            _per_op("iteration", "one more iteration", cases),
            _per_run(cases[-1], "1,000 iterations", "µs", MICRO),
        ),
    )


def _waiting(key: str, title: str) -> Shape:
    case = Case(key, 200)
    return Shape(key, title, (_per_run(case, "200 ops", "ms", MILLI, "wall"),))


def _concurrent() -> Shape:
    case = Case("concurrent", 200)
    runs = Row(
        "per_cpu_second",
        "runs in a CPU second",
        "runs/s",
        (case,),
        lambda s: case.size / s[case]["cpu"],
        more_is_better=True,
    )
    return Shape("concurrent", "200 runs of a chain of 10 at once on one engine", (runs,))


def _blocking() -> Shape:
    case = Case("blocking", 8, "stall")
    return Shape(
        "blocking",
        "eight `def` ops that sleep 50 ms at the same time",
        (
            _field("stall", "the event loop's worst stall", "ms", case, "stall", MILLI),
            _field("first_stall", "the same, a new graph's first run", "ms", case, "first_stall",
                   MILLI),
            _field("wall", "wall", "ms", case, "wall", MILLI),
        ),
    )  # fmt: skip


def _processes() -> tuple[Shape, ...]:
    build = Case("chain", 500, "build")
    imported, cold = Case("", 0, "import"), Case("chain", 10, "cold")
    installed = Case("", 0, "installed")
    return (
        Shape("build", "build a chain of 500 ops and its engine",
              (_field("wall", "500 ops", "ms", build, "wall", MILLI),)),
        Shape("import", "a fresh interpreter that imports the engine and ends",
              (_field("wall", "import", "ms", imported, "wall", MILLI),)),
        Shape("cold", "a fresh interpreter: import, build, first run of a chain of 10",
              (_field("wall", "cold start", "ms", cold, "wall", MILLI),)),
        Shape("installed", "what an installation brings",
              (_field("megabytes", "size", "MB", installed, "bytes", MEGA),
               _field("dists", "distributions, itself counted", "dists", installed, "dists", 1)),
              max_rounds=1, in_quick=False),
    )  # fmt: skip


def _growths() -> Shape:
    return Shape(
        "growth",
        "work grows linearly: 1 is linear, above is worse",
        (
            *(_growth(name, _DECADES) for name in ("chain", "fan_def", "fan_async")),
            _growth("stream", _STREAM_SIZES),
            _growth("loop", _DECADES),
            _growth("concurrent", _DECADES),
            _growth("chain", _DECADES, "build"),
        ),
        max_rounds=3,
        in_quick=False,
    )


SHAPES: dict[str, Shape] = {
    shape.key: shape
    for shape in (
        _ops("chain", "a chain of `def` ops"),
        _ops("fan_def", "a fan-out of `def` ops, joined"),
        _ops("fan_async", "a fan-out of `async def` ops that suspend once, joined"),
        _nested(),
        Shape("branches", "10 times: an op, a branch, an arm, a merge",
              (_per_run(Case("branches", 10), "10 branches", "µs", MICRO),)),
        Shape("mix", "a production mix of 20 ops and 37 firings",
              (_per_run(Case("mix", 1), "one run", "µs", MICRO),)),
        _streamed("stream", "a stream through two ops, its frames counted as they come"),
        _streamed("drain", "a stream through two ops, the last of which keeps nothing"),
        _memory(),
        _loop(),
        _waiting("wait_async", "200 `async def` ops that wait 50 ms at the same time"),
        _waiting("wait_def", "200 `def` ops that sleep 50 ms at the same time"),
        _concurrent(),
        _blocking(),
        *_processes(),
        _growths(),
    )
}  # fmt: skip
