"""Random graphs: the engine against the oracle, which knows nothing but the contract."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import HealthCheck, event, given, settings

from operonx.core import BuildError, GraphOp, Operon
from tests.internal.core.oracle.comparison import Observed, differences, observe
from tests.internal.core.oracle.evaluator import evaluate
from tests.internal.core.oracle.outcome import Outcome, Undetermined
from tests.internal.core.oracle.programs import Features, Program, programs

CI = settings.get_profile("default").max_examples == settings().max_examples


def examples(ci: int, deep: int) -> settings:
    deep_run = settings().max_examples > 1_000
    return settings(
        max_examples=deep if deep_run else ci,
        derandomize=not deep_run,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )


def built(program: Program) -> GraphOp | None:
    """Build a program's graph; None where the contract refuses it."""
    try:
        return program.build()
    except BuildError as error:
        event("refused")
        event(f"refused: {error.issues[0].message[:60]}")
        return None


def oracle(graph: GraphOp, program: Program) -> Outcome | None:
    try:
        return evaluate(graph, program.inputs)
    except Undetermined as reason:
        event(f"undetermined: {reason}")
        return None


async def observed(engines: list[Operon], program: Program) -> list[Observed]:
    return [
        await observe(engine, program.inputs, streamed=streamed)
        for engine in engines
        for streamed in (False, True)
    ]


def check(program: Program, windows: tuple[int, ...], backend: str) -> None:
    graph = built(program)
    if graph is None:
        return
    expected = oracle(graph, program)
    engines = [Operon(graph, max_open=window) for window in windows]
    runs = anyio.run(observed, engines, program, backend=backend)
    if expected is None:
        return
    event("fails" if expected.failures else "ends well")
    found = [
        f"max_open={window}, {how}: {difference}"
        for (window, how), run in zip(
            [(w, how) for w in windows for how in ("plain", "streamed")], runs, strict=True
        )
        for difference in differences(expected, run)
    ]
    assert not found, "\n".join([*found, repr(program)])


@pytest.mark.timeout(0)
@examples(ci=300, deep=5_000)
@given(programs(Features()))
def test_the_engine_gives_what_the_oracle_gives(program: Program) -> None:
    check(program, (1, 2, 256), "asyncio")
