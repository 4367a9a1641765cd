"""Random graphs: the engine against an oracle that knows nothing but the contract.

A failing example is an authoring program, to be run as it stands. `nox -s deep` tries 5,000.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

import anyio
import pytest
from hypothesis import HealthCheck, event, given, settings

from operonx.core import BuildError, GraphOp, Operon
from tests.internal.core.oracle.comparison import PATIENCE, Observed, Way, differences, observe
from tests.internal.core.oracle.evaluator import evaluate
from tests.internal.core.oracle.outcome import Failure, Outcome, Undetermined
from tests.internal.core.oracle.programs import Features, Program, programs

WINDOWS = (1, 2, 256)
WAYS: tuple[Way, ...] = ("plain", "arrival", "index")
DEEP = settings().max_examples >= 5_000
"""Whether the profile asks for many examples; else every run tries the same ones."""


def examples(ci: int, deep: int) -> settings:
    """Say how many examples a test has in CI and in `nox -s deep`."""
    return settings(
        max_examples=deep if DEEP else ci,
        derandomize=not DEEP,
        deadline=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.large_base_example,
            HealthCheck.function_scoped_fixture,
        ],
    )


@contextmanager
def named(program: Program) -> Generator[None]:
    """Name the program that blocks the whole process, which no timeout in the loop can do."""
    patience = threading.Timer(10 * PATIENCE[0], print, [program], {"file": sys.__stderr__})
    patience.start()
    try:
        yield
    finally:
        patience.cancel()


def built(program: Program) -> GraphOp | None:
    """Return a program's graph, None where it is refused; nothing but a `BuildError` may refuse."""
    try:
        return program.build()
    except BuildError:
        event("refused")
        return None


def determined(graph: GraphOp, program: Program) -> Outcome | None:
    """Return what a run must give, None where the contract leaves it open."""
    try:
        return evaluate(graph, program.inputs)
    except Undetermined:
        event("undetermined")
        return None


async def runs(
    graph: GraphOp, program: Program, windows: tuple[int, ...]
) -> dict[tuple[int, Way], Observed]:
    """Run a graph with every window, in every way."""
    seen: dict[tuple[int, Way], Observed] = {}
    for window in windows:
        engine = Operon(graph, max_open=window)
        for way in WAYS:
            seen[window, way] = await observe(engine, program.inputs, way)
    return seen


def check(program: Program, windows: tuple[int, ...], backend: str = "asyncio") -> None:
    """Hold the engine against the oracle, if the program builds."""
    graph = built(program)
    if graph is None:
        return
    expected = determined(graph, program)
    try:
        with named(program):
            seen = anyio.run(runs, graph, program, windows, backend=backend)
    except Exception as error:
        msg = f"{type(error).__name__}: {error}\n{program!r}"
        raise AssertionError(msg) from error
    if expected is None:
        return
    event("fails" if expected.failures else "ends well")
    found = [
        f"max_open={window}, {way}: {difference}"
        for (window, way), one in seen.items()
        for difference in differences(expected, one)
    ]
    assert not found, "\n".join([*found, repr(program)])


@pytest.mark.timeout(0 if DEEP else 600)
@examples(ci=300, deep=5_000)
@given(program=programs(Features()))
def test_engine_gives_what_the_oracle_gives(program: Program) -> None:
    check(program, WINDOWS)


@pytest.mark.timeout(0 if DEEP else 600)
@examples(ci=60, deep=1_000)
@given(program=programs(Features(steps=6)))
def test_engine_gives_what_the_oracle_gives_on_trio(program: Program) -> None:
    check(program, (2,), backend="trio")


@pytest.mark.timeout(0 if DEEP else 600)
@examples(ci=100, deep=1_000)
@given(program=programs(Features(streams_only=True)))
def test_narrowest_window_never_deadlocks(program: Program) -> None:
    check(program, (1,))


@pytest.mark.timeout(0 if DEEP else 600)
@examples(ci=150, deep=3_000)
@given(program=programs(Features(containing=True, steps=10)))
def test_graphs_that_contain_failures_give_what_the_oracle_gives(program: Program) -> None:
    check(program, (1, 256))


# -- the oracle itself, held against answers worked out by hand


def told(body: str, **inputs: object) -> Outcome:
    """Return what the oracle says of a program given as the lines of its block."""
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    program = Program(f'with GraphOp(name="g", inputs={list(inputs)}) as g:\n{lines}\n', inputs)
    return evaluate(program.build(), program.inputs)


def test_oracle_collects_in_index_order_and_leaves_skipped_items_out() -> None:
    outcome = told(
        """
e = each(PARENT["l"])
a = inc(x=e["item"])
if_(e["item"] > 1, a)
a["result"] >> PARENT["kept"]
a["result"].or_else(0) >> PARENT["aligned"]
""",
        l=[3, 1, 2],
    )
    assert outcome.result == {"kept": [4, 3], "aligned": [4, 0, 3]}
    assert outcome.skipped == {"g.a": (1, (("g.e", 1),))}
    assert outcome.frames["g.a", (("g.e", 2),)] == {"result": 3}
    assert ("g.a", (("g.e", 1),)) not in outcome.frames


def test_oracle_skips_what_collects_a_stream_that_failed() -> None:
    outcome = told(
        """
b = breaks.with_(on_error="skip")(n=3, after=1)
a = inc(x=b["result"])
c = inc(x=a["result"].collect())
c["result"] >> PARENT["c"]
""",
        p=0,
    )
    assert outcome.result == {}
    assert outcome.frames.keys() == {("g.b", (("g.b", 0),)), ("g.a", (("g.b", 0),))}
    assert outcome.skipped["g.c"] == (1, ())
    failure = Failure("OpError", "g.b", (), "ValueError")
    assert [slot.any_of for slot in outcome.errors] == [{failure}]


def test_oracle_finds_every_independent_failure() -> None:
    outcome = told(
        """
a = fails(x=2)
b = afails(x=4)
c = inc(x=a["result"])
c["result"] >> PARENT["c"]
b["result"] >> PARENT["b"]
""",
        p=0,
    )
    causes = {(failure.op, failure.cause) for failure in outcome.failures}
    assert causes == {("g.a", "ValueError"), ("g.b", "LookupError")}


def test_oracle_runs_loops_with_streams_inside_and_reducers() -> None:
    outcome = told(
        """
with GraphOp.loop(until="iteration == 1", name="l", p=PARENT["p"], r=State(0, reducer="sum")) as l:
    c = count(n=PARENT["p"])
    n = inc(x=PARENT["p"])
    c["result"] >> PARENT["r"]
    n["result"] >> PARENT["p"]
i = inc(x=l.iterations["p"])
l >> END
i["result"] >> PARENT["i"]
""",
        p=2,
    )
    assert outcome.result == {"p": 4, "r": 0 + 1 + 0 + 1 + 2, "i": [4, 5]}
    assert ("g.l.c", (("g.l", 1), ("g.l.c", 2))) in outcome.frames


def test_oracle_leaves_open_what_depends_on_time() -> None:
    with pytest.raises(Undetermined):
        told(
            """
with GraphOp(name="s", p=PARENT["p"], on_error="skip") as s:
    c = count(n=3)
    f = fails(x=2)
    c["result"] >> PARENT["o"]
    f["result"] >> PARENT["f"]
t = total(items=s["o"].stream())
t["result"] >> PARENT["t"]
""",
            p=0,
        )


def test_oracle_fails_what_reads_the_stream_of_a_graph_that_failed() -> None:
    outcome = told(
        """
with GraphOp(name="s", p=PARENT["p"], on_error="skip") as s:
    b = breaks(n=3, after=2)
    b["result"] >> PARENT["o"]
t = total.with_(on_error="skip")(items=s["o"].stream())
l = s["o"].batch(3)
m = inc(x=l)
t["result"] >> PARENT["t"]
m["result"] >> PARENT["m"]
""",
        p=0,
    )
    assert outcome.result == {}
    assert ("g.m", (("g.l", 0),)) not in outcome.frames
    causes = {failure.op: failure.cause for slot in outcome.errors for failure in slot.any_of}
    assert causes == {"g.s.b": "ValueError", "g.t": "StreamError"}
