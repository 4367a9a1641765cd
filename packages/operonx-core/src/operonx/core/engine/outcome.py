"""How a run ended: its result, or what it fails with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operonx.core.engine.result import RunResult
from operonx.core.engine.state import COUNT, FIRED, SKIPPED
from operonx.core.errors import EngineError

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run
    from operonx.core.plan.nodes import OutputNode

__all__ = ["result_of"]


def result_of(run: Run) -> RunResult:
    """Return the result of a run that is over.

    Raises:
        BaseException: What the run failed with.
        EngineError: If it came to rest before all was decided: a mistake of the engine.
    """
    if run.failure is not None:
        raise run.failure
    if run.root.open:
        raise EngineError(_stuck(run))
    missing = {
        key: _why_missing(run, node)
        for key, node in run.linked.plan.outputs.items()
        if key not in run.outputs
    }
    linked = run.linked  # the result must not keep the run
    run.errors.sort(key=lambda error: (error.ctx, error.op))
    return RunResult(
        run_id=run.run_id,
        outputs={key: run.outputs[key] for key in run.linked.plan.outputs if key in run.outputs},
        missing=missing,
        errors=run.errors,
        skipped=run.skips,
        paths=lambda: linked.paths,
        engine="python",
    )


def _why_missing(run: Run, node: OutputNode) -> str:
    if run.linked.streamed_outputs.get(node.key) and run.streamed:
        return "it left as frames; a streamed run keeps no outputs that carry axes"
    return (run.root.reasons or {}).get(node.index, "its op was skipped")


def _stuck(run: Run) -> str:
    waiting = [
        node.path
        for node, count in zip(run.root.region.nodes, run.root.pending, strict=True)
        if 0 < count & COUNT < COUNT and not count & (FIRED | SKIPPED)
    ]
    return f"the run came to rest with nodes waiting: {', '.join(waiting[:10])}"
