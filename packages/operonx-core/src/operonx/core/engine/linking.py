"""A plan made ready to run: what each node does when it fires, is skipped, or hears of another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from operonx.core.engine.attempts import release_streams
from operonx.core.engine.calling import Caller
from operonx.core.engine.calls import choose_fire
from operonx.core.engine.choices import fire_all, fire_branch, hear_any, hear_choice
from operonx.core.engine.collecting import fire_collect
from operonx.core.engine.endings import fire_exit, hold_end, skip_exit
from operonx.core.engine.generators import choose_generator_fire, skip_generator
from operonx.core.engine.graphs import end_root, fire_done, fire_enter, start_guard
from operonx.core.engine.guarding import guarded, limited, places_of, settle, skip_limited
from operonx.core.engine.loops import advance, fire_loop
from operonx.core.engine.outputs import fire_output, skip_output
from operonx.core.engine.streams import (
    CONSUMERS,
    fire_cell,
    fire_derived,
    fire_stream,
    skip_cell,
    skip_derived,
    skip_waiters,
)
from operonx.core.engine.threads import current_waker
from operonx.core.ops.function import FuncOp, OpDefinition
from operonx.core.ops.policies import UNSET
from operonx.core.plan.nodes import (
    Action,
    AllNode,
    AnyNode,
    ArmNode,
    BatchNode,
    BranchNode,
    CallNode,
    CellNode,
    ChoiceNode,
    CollectNode,
    DoneNode,
    EndNode,
    EnterNode,
    ExitNode,
    FailedNode,
    GeneratorNode,
    LoopNode,
    Node,
    OutputNode,
    Plan,
    StreamNode,
    WaitNode,
    ZipNode,
    ZipPortNode,
)

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run

__all__ = ["LinkedPlan"]

_FIRE: dict[type[Node], Callable[..., Any]] = {
    AllNode: fire_all,
    AnyNode: fire_all,
    ArmNode: fire_all,
    ChoiceNode: fire_all,
    EndNode: fire_all,
    FailedNode: fire_all,
    WaitNode: fire_all,
    ZipPortNode: fire_all,
    BranchNode: fire_branch,
    EnterNode: fire_enter,
    DoneNode: fire_done,
    CellNode: fire_cell,
    CollectNode: fire_collect,
    ExitNode: fire_exit,
    StreamNode: fire_stream,
    BatchNode: fire_derived,
    ZipNode: fire_derived,
    LoopNode: fire_loop,
    OutputNode: fire_output,
}

_SKIP: dict[type[Node], Callable[..., None]] = {
    CellNode: skip_cell,
    GeneratorNode: skip_generator,
    LoopNode: skip_waiters,
    ExitNode: skip_exit,
    BatchNode: skip_derived,
    ZipNode: skip_derived,
    OutputNode: skip_output,
}


class LinkedPlan:
    """A plan with its behaviour, shared by all runs of one engine.

    What is learnt here of how long functions take is all that changes once it is made.
    """

    def __init__(
        self, plan: Plan, *, hub: Any, max_open: int, replaced: Mapping[str, OpDefinition]
    ) -> None:
        self.plan = plan
        self.hub = hub
        self.max_open = max_open
        self._paths: frozenset[str] | None = None
        self.streamed_outputs: dict[str, bool] = {
            key: bool(plan.graph.analysis and plan.graph.analysis.output_axes.get(key))
            for key in plan.outputs
        }
        for node in plan.nodes:
            self._link(node, replaced)
        self.in_order: list[Node] = [node for node in plan.nodes if node.in_order]

    @property
    def paths(self) -> frozenset[str]:
        """The paths of all ops; put together when a result is first asked why."""
        if self._paths is None:
            self._paths = frozenset(op.path for op in self.plan.graph.walk())
        return self._paths

    def set_up(self, run: Run) -> None:
        """Prepare a run for what goes in context order."""
        for node in self.in_order:
            places_of(run, node)

    def enter(self, run: Run) -> None:
        """Set up what a run needs of the event loop it is on."""
        run.waker = current_waker()
        guard = self.plan.root_guard
        if guard is not None:
            start_guard(run, run.root, guard)
            run.on_decided = partial(end_root, guard=guard)

    def _link(self, node: Node, replaced: Mapping[str, OpDefinition]) -> None:
        node.on_skip = _SKIP.get(type(node))
        if isinstance(node, CallNode) and node.streams:
            node.on_skip = _after(node.on_skip, release_streams)
        if type(node) in CONSUMERS:
            node.take, node.stream_ended = CONSUMERS[type(node)]
        elif isinstance(node, ExitNode):
            node.stream_ended = hold_end
        if isinstance(node, AnyNode):
            node.hear = hear_any
        elif isinstance(node, ChoiceNode):
            node.hear = hear_choice
        _wrap(node)
        if isinstance(node, CallNode):
            _link_call(node, replaced)
        else:
            settle(node, _action_of(node))


def _link_call(node: CallNode, replaced: Mapping[str, OpDefinition]) -> None:
    op: FuncOp = node.op
    fake = replaced.get(node.path)
    node.caller = Caller(node, fake or op.definition, replaces=fake is not None)
    if node.caller.in_process:
        import_module("operonx.core.engine.processes")  # slow, so before the runs that need it
    fallback = op.policies.fallback
    if fallback is not UNSET and isinstance(getattr(fallback, "definition", None), OpDefinition):
        node.fallback = Caller(node, fallback.definition)
    if isinstance(node, GeneratorNode):
        node.choose = choose_generator_fire
        choose_generator_fire(node)
    else:
        node.choose = choose_fire
        choose_fire(node)


def _action_of(node: Node) -> Action:
    if isinstance(node, DoneNode):
        return False, _FIRE[type(node)] if node.loop is None else advance
    own_guard = getattr(node, "own_guard", None)
    timed = own_guard is not None and own_guard.graph.policies.timeout is not None
    return timed, _FIRE[type(node)]


def _is_limited(node: Node) -> bool:
    own = node.op is not None and node.op.policies.concurrency is not None
    return own and isinstance(node, CallNode | EnterNode | LoopNode)


def _wrap(node: Node) -> None:
    """Put places and guards around what a node does."""
    # Of a graph that failed no choice may give what it would do without the failed op.
    decides = node.op is not None or isinstance(node, ChoiceNode)
    asks = decides and (node.guard is not None or node.may_lose)
    if _is_limited(node):
        assert node.op is not None  # only ops have policies
        node.in_order = node.op.policies.concurrency == 1 or type(node) is not CallNode
        line_up: Action = (False, guarded(limited) if asks else limited)
        node.around = lambda _action: line_up
        node.on_skip = _after(node.on_skip, skip_limited)
    elif asks:
        node.around = lambda action: (action[0], guarded(action[1]))


def _after(first: Callable[..., None] | None, then: Callable[..., None]) -> Callable[..., None]:
    def on_skip(run: Run, inst: Any, node: Node, heard: int, reason: str | None) -> None:
        if first is not None:
            first(run, inst, node, heard, reason)
        then(run, inst, node)

    return on_skip
