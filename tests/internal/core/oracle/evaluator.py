"""The oracle: a recursive evaluator of built graphs, written from the contract and nothing else.

It fires the ops of a graph one after the other, each at all its contexts, and keeps everything by
op and context. There is no scheduling: a stream is the list of its items. A failure that ends the
run does not end the evaluation; what depends on it is *dead*, neither fired nor skipped, so that
every failure that the engine may raise is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from operonx.core import (
    BranchOp,
    ExpressionError,
    FuncOp,
    GraphOp,
    LoopOp,
    Op,
    StreamError,
    ZipOp,
)
from operonx.core.expressions.refs import (
    Batch,
    Chosen,
    ErrorRef,
    Expression,
    OrElse,
    PortRef,
    StreamOf,
)
from operonx.core.expressions.walking import walk

from .axes import Places, axis_name, branches_to, errors_read, reads, writers, written
from .calling import call
from .ordering import holds_op, in_order, place_added, related, shared_length
from .outcome import Ctx, Failure, Outcome, Slot, Undetermined
from .values import DEAD, SKIPPED, State, Stream, StreamEnd, Values, outermost

__all__ = ["evaluate"]


def evaluate(graph: GraphOp, inputs: Mapping[str, Any]) -> Outcome:
    """Tell what one run of a built root graph gives.

    Raises:
        Undetermined: Where the contract leaves it to which op is faster.
    """
    return _Evaluator(graph).run(inputs)


class _Evaluator:
    def __init__(self, root: GraphOp) -> None:
        self.root = root
        self.places = Places()
        self.state = State()
        self.values = Values(self.state, self.places)
        self.outcome = Outcome()
        self.failures: list[Failure] = []
        self.unsure_items: set[Ctx] = set()
        """Items that may be missing, as a failure beside them may have come first."""
        self.routed: dict[GraphOp, set[Op]] = {}

    def run(self, inputs: Mapping[str, Any]) -> Outcome:
        self.state.parents[self.root, ()] = inputs
        self.inside(self.root, ())
        for key in writers(self.root):
            self.write_result(key)
        self.outcome.failures = frozenset(self.failures)
        for op, contexts in self.state.skips.items():
            listed = {ctx for ctx in contexts if (op, ctx) not in self.state.unlisted}
            if listed:
                self.outcome.skipped[op.path] = (len(listed), min(listed))
        for op, contexts in self.state.dead.items():
            if contexts:
                self.outcome.unsure.add(op.path)
        return self.outcome

    def write_result(self, key: str) -> None:
        if not self.try_write(self.root, key, ()):
            return
        value = self.collected(self.root, key, ())
        if value is not SKIPPED and value is not DEAD:
            self.outcome.result[key] = value
        if self.places.of_expression(written(self.root, key), self.root):
            self.outcome.streamed.add(key)

    def collected(self, graph: GraphOp, key: str, ctx: Ctx) -> Any:
        """Return an output of a graph with the axes of its inside collected."""
        return self.values.gather(written(graph, key), ctx, graph)

    # -- ops at all their contexts

    def inside(self, graph: GraphOp, ctx: Ctx) -> None:
        """Fire the ops of a graph in one firing of it."""
        for op in in_order(graph):
            self.walk(op, ctx)

    def walk(self, op: Op, place: Ctx) -> None:
        """Decide about an op at a place and all below it."""
        if self._is_unsure(place):
            self._be_unsure(op)
        if self.skip_of(op, place) is not None:
            self.skip(op, place)
            return
        axes = self.places.of_op(op)
        if len(place) == len(axes):
            if self.waits_for_ever(op, place):
                self.state.dead[op].add(place)
            else:
                self.fire(op, place)
            return
        stream = self.values.stream_at(axes[len(place)], place)
        if stream is None:
            self.state.dead[op].add(place)
            return
        if stream.unsure:
            self._be_unsure(op)
        for index in range(stream.count):
            self.walk(op, (*place, (axis_name(axes[len(place)]), index)))

    def _is_unsure(self, place: Ctx) -> bool:
        return any(place[:depth] in self.unsure_items for depth in range(1, len(place) + 1))

    def _be_unsure(self, op: Op) -> None:
        parts = [part for one in reads(op) for part in walk(one)]
        if any(isinstance(part, (Batch, Chosen, ErrorRef, OrElse, StreamOf)) for part in parts):
            raise Undetermined(f"`{op.path}` looks at items that may be missing")
        if isinstance(op, ZipOp) or any(e.soft and e.target is op for e in op.graph.edges):
            raise Undetermined(f"`{op.path}` looks at items that may be missing")
        self.outcome.unsure.add(op.path)
        if isinstance(op, GraphOp):
            self.outcome.unsure.update(inner.path for inner in op.walk())

    def skip_of(self, op: Op, place: Ctx) -> Ctx | None:
        """Return where an op is skipped for all below `place`, or None."""
        graph, values = op.graph, self.values
        hard = [values.skip_of(part, place, graph) for part in reads(op)]
        hard += [self.edge_skip(source, op, place) for source in self.sources(op, soft=False)]
        hard += [self.branch_skip(branch, op, place) for branch in branches_to(op)]
        hard.append(values.closed(self.places.of_op(op), place, graph))
        soft = [self.edge_skip(source, op, place) for source in self.sources(op, soft=True)]
        if soft and all(skip is not None for skip in soft):
            hard.append(max((skip for skip in soft if skip is not None), key=len))
        return outermost(hard)

    def waits_for_ever(self, op: Op, ctx: Ctx) -> bool:
        edges = [*self.sources(op, soft=False), *self.sources(op, soft=True)]
        if any(self.edge_dead(source, op, ctx) for source in edges):
            return True
        for branch in branches_to(op):
            if (branch, ctx[: len(self.places.of_op(branch))]) not in self.state.fired:
                return True
        if isinstance(op, ZipOp):
            sides = [self.places.of_expression(side, op.graph) for side in op.inputs.values()]
            return any(self.values.stream_at(axes[len(ctx)], ctx) is None for axes in sides)
        return any(self.values.dead_of(part, ctx, op.graph) for part in reads(op))

    def sources(self, op: Op, *, soft: bool) -> Iterator[Op]:
        """Yield where the edges into an op come from."""
        read = {part.op for one in reads(op) for part in walk(one) if isinstance(part, PortRef)}
        for edge in op.graph.edges:
            if edge.target is not op or edge.soft is not soft:
                continue
            # What a reader of a nested graph waits for is what it reads.
            if not (isinstance(edge.source, GraphOp) and edge.source in read):
                yield edge.source

    def edge_skip(self, source: Op, op: Op, place: Ctx) -> Ctx | None:
        theirs, own = self.places.of_op(source), self.places.of_op(op)
        shared = shared_length(theirs, own)
        at = self.values.skipped_at(source, place[:shared])
        if at is not None:
            per_item = holds_op(own, source) and (source, at) in self.state.standing
            return None if per_item else at
        if len(place) < shared or len(theirs) == shared:
            return None
        stream = self.values.stream_at(theirs[shared], place[:shared])
        return place[:shared] if stream is not None and stream.end == "failed" else None

    def edge_dead(self, source: Op, op: Op, ctx: Ctx) -> bool:
        theirs, own = self.places.of_op(source), self.places.of_op(op)
        if self.edge_skip(source, op, ctx) is not None:
            return False
        shared = ctx[: shared_length(theirs, own)]
        if holds_op(own, source):
            return False
        return any(related(one, shared) for one in self.state.dead[source])

    def branch_skip(self, branch: BranchOp, op: Op, place: Ctx) -> Ctx | None:
        own = len(self.places.of_op(branch))
        at = self.values.skipped_at(branch, place[:own])
        outputs = self.state.fired.get((branch, place[:own]))
        if at is not None or outputs is None:
            return at
        return None if op.name in outputs["chosen"] else place[:own]

    # -- firing

    def fire(self, op: Op, ctx: Ctx) -> None:
        """Fire an op at one context of its own."""
        match op:
            case FuncOp():
                self.fire_function(op, ctx)
            case BranchOp():
                self.fire_branch(op, ctx)
            case ZipOp():
                self.fire_zip(op, ctx)
            case LoopOp():
                self.fire_loop(op, ctx)
            case GraphOp():
                self.fire_graph(op, ctx)
            case _:
                raise AssertionError(f"the oracle knows no {op!r}")

    def inputs(self, op: Op, ctx: Ctx) -> dict[str, Any] | None:
        """Return an op's inputs; None where one could not be computed, which is its failure."""
        try:
            return {
                name: self.values.value_of(part, ctx, op.graph) for name, part in op.inputs.items()
            }
        except Undetermined:
            raise
        except Exception as error:  # noqa: BLE001 - whatever an expression raises
            if op.opens_axis:
                self.state.streams[op, ctx] = Stream(0, "dead")
                self.state.standing.add((op, ctx))
            if isinstance(op, GraphOp) and self.contains(op):
                self.skip(op, ctx)
            self.fail(op, ctx, [_failure(op.path, ctx, error)], str(error))
            return None

    def fire_function(self, op: FuncOp, ctx: Ctx) -> None:
        inputs = self.inputs(op, ctx)
        if inputs is None:
            return
        called = call(op, ctx, inputs)
        if op.opens_axis:
            for index, item in enumerate(called.items):
                self.emit(op, (*ctx, (op.path, index)), item)
            end = "dead" if called.error is not None or called.dead else "ended"
            self.state.streams[op, ctx] = Stream(len(called.items), end)  # type: ignore[arg-type]  # an end
        if called.dead:
            self.state.dead[op].add(ctx)
        elif called.error is not None:
            if op.opens_axis:
                self.state.standing.add((op, ctx))
            self.fail(op, ctx, [_failure(op.path, ctx, called.error)], str(called.error))
        elif not op.opens_axis or op.final:
            self.emit(op, ctx, called.outputs or {})

    def emit(self, op: Op, ctx: Ctx, outputs: Mapping[str, Any]) -> None:
        """Record a frame."""
        self.state.fired[op, ctx] = outputs
        self.outcome.frames[op.path, ctx] = outputs
        if self._is_unsure(ctx):
            self.outcome.optional.add((op.path, ctx))

    def fire_branch(self, branch: BranchOp, ctx: Ctx) -> None:
        chosen: list[str] = []
        try:
            for arm in branch.arms:
                if arm.condition is None or self._holds(arm.condition, ctx, branch.graph):
                    chosen = [target.name for target in arm.resolved()]
                    break
        except Undetermined:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a condition raises
            self.fail(branch, ctx, [_failure(branch.path, ctx, error)], str(error))
            return
        self.emit(branch, ctx, {"chosen": chosen})

    def _holds(self, condition: Expression, ctx: Ctx, graph: GraphOp) -> bool:
        value = self.values.value_of(condition, ctx, graph)
        if not isinstance(value, bool):
            raise ExpressionError("a condition that gives no boolean")
        return value

    def fire_zip(self, op: ZipOp, ctx: Ctx) -> None:
        streams: list[Stream] = []
        for side in op.inputs.values():
            axis = self.places.of_expression(side, op.graph)[len(ctx)]
            stream = self.values.stream_at(axis, ctx)
            assert stream is not None
            streams.append(stream)
        count = min(stream.count for stream in streams)
        ends = {stream.end for stream in streams}
        longest = max(stream.count for stream in streams)
        lengths = {stream.count for stream in streams if stream.end == "ended"}
        unequal = any(length < longest for length in lengths)
        unsure = any(stream.unsure for stream in streams)
        if unsure and (unequal or any(s.maybe or (s.unsure and s.end == "ended") for s in streams)):
            raise Undetermined("how far a stream came when a failure beside it cut it")
        if ends == {"ended"} and not unequal:
            self.state.streams[op, ctx] = Stream(count)
        elif unequal:
            if "dead" in ends:
                raise Undetermined("a zip of unequal streams of which one ends the run")
            self.state.streams[op, ctx] = Stream(count, "dead")
            self.state.standing.add((op, ctx))
            self.fail(op, ctx, [Failure("OpError", op.path, ctx, StreamError.__name__)], "")
        else:
            end: StreamEnd = "dead" if "dead" in ends else "failed"
            self.state.streams[op, ctx] = Stream(count, end, unsure)
            (self.state.dead if end == "dead" else self.state.skips)[op].add(ctx)
            self.state.unlisted.add((op, ctx))
            self.state.standing.add((op, ctx))
            if unsure:
                self.unsure_items.update((*ctx, (op.path, index)) for index in range(count))

    # -- graphs and loops

    def fire_graph(self, op: GraphOp, ctx: Ctx) -> None:
        inputs = self.inputs(op, ctx)
        if inputs is None:
            return
        marks = self._marks()
        self.state.parents[op, ctx] = inputs | self._defaults(op, inputs)
        self.inside(op, ctx)
        for key in writers(op):
            self.try_write(op, key, ctx)
        failed = self.failures[marks[0] :]
        if failed:
            self.fail_inside(op, ctx, failed, marks)

    @staticmethod
    def _defaults(op: GraphOp, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: given.default
            for name, given in (op.parameters or {}).items()
            if name not in inputs and not given.required
        }

    def try_write(self, graph: GraphOp, key: str, ctx: Ctx) -> bool:
        """Compute an output at all its contexts: what it raises is the graph's failure."""
        expression, whole = written(graph, key), True
        for at in self.contexts(expression, ctx, graph):
            try:
                self.values.value_of(expression, at, graph)
            except Undetermined:
                raise
            except Exception as error:  # noqa: BLE001 - whatever an expression raises
                self.failures.append(_failure(graph.path, ctx, error))
                self.state.broken.add((graph, key, at))
                whole = False
        return whole

    def _marks(self) -> tuple[int, int, int, int]:
        frames, streams = len(self.outcome.frames), len(self.state.streams)
        return len(self.failures), frames, streams, len(self.outcome.errors)

    def fail_inside(
        self, op: GraphOp, ctx: Ctx, failed: list[Failure], marks: tuple[int, int, int, int]
    ) -> None:
        """Fail a graph for failures in it; if it contains them, all in it becomes unsure."""
        if not self.contains(op):
            self.state.dead[op].add(ctx)
            return
        del self.failures[marks[0] :]
        self.outcome.optional.update(list(self.outcome.frames)[marks[1] :])
        for inner in op.walk():
            self.outcome.unsure.add(inner.path)
            # What waits for what failed, or is that itself, is skipped as the graph is closed.
            closed = {one for one in self.state.dead[inner] if related(one, ctx)}
            self.state.dead[inner] -= closed
            self.state.skips[inner] |= closed
            self.state.standing |= {(inner, one) for one in closed}
        self.outcome.errors[marks[3] :] = [
            slot._replace(optional=True) for slot in self.outcome.errors[marks[3] :]
        ]
        for (owner, at), stream in list(self.state.streams.items())[marks[2] :]:
            stream.unsure = True
            if len(failed) > 1 or not _failed_in(failed[0], owner, at):
                stream.maybe = True
            if at == ctx or stream.end == "dead":
                stream.end = "failed"
            self.unsure_items.update(
                (*at, (axis_name(owner), index)) for index in range(stream.count)
            )
        self.skip_inside(op, ctx)
        self.state.standing.add((op, ctx))
        self.fail(op, ctx, failed, None)

    def skip_inside(self, graph: GraphOp, ctx: Ctx) -> None:
        """Skip what a skip, or the failed end of a stream, reaches in a graph that failed."""
        for op in in_order(graph):
            if self.skip_of(op, ctx) is not None and not self._began(op, ctx):
                self.skip(op, ctx)
            elif isinstance(op, GraphOp) and not isinstance(op, LoopOp):
                self.skip_inside(op, ctx)

    def _began(self, op: Op, ctx: Ctx) -> bool:
        """Return whether an op fired at a context or below, before its graph failed."""
        firings = (*self.state.fired, *self.state.streams, *self.state.parents)
        return any(one is op and related(at, ctx) for one, at in firings)

    def fire_loop(self, op: LoopOp, ctx: Ctx) -> None:
        inputs = self.inputs(op, ctx)
        if inputs is None:
            return
        state = dict(inputs)
        stream = self.state.streams[op, ctx] = Stream(0, "dead")
        for index in range(op.max_iterations):
            at = (*ctx, (op.path, index))
            marks = self._marks()
            stream.count = index + 1
            self.state.parents[op, at] = state
            done = self.iterate(op, at)
            failed = self.failures[marks[0] :]
            if failed:
                if self.contains(op):
                    self.unsure_items.add(at)
                stream.end = "failed" if self.contains(op) else "dead"
                self.fail_iteration(op, ctx, failed, marks)
                return
            if done is None:
                self.state.dead[op].add(ctx)
                return
            state = dict(self.state.after[op, at])
            if done:
                stream.end = "ended"
                self.finish(op, ctx, at, state)
                return
        self.state.standing.add((op, ctx))
        self.fail(op, ctx, [Failure("LoopLimitError", op.path, ctx, "")], None)

    def fail_iteration(
        self, op: LoopOp, ctx: Ctx, failed: list[Failure], marks: tuple[int, int, int, int]
    ) -> None:
        before: dict[tuple[Any, Ctx], tuple[bool, StreamEnd]] = {
            key: (stream.unsure, stream.end) for key, stream in self.state.streams.items()
        }
        self.fail_inside(op, ctx, failed, marks)
        stream = self.state.streams[op, ctx]
        stream.unsure, stream.end = before[op, ctx]
        stream.unsure = self.contains(op)

    def iterate(self, op: LoopOp, at: Ctx) -> bool | None:
        """Run one iteration: its body, its writes, its `until`; None if it waits for ever."""
        before = len(self.failures)
        self.inside(op, at)
        dead = any(related(one, at) for inner in op.walk() for one in self.state.dead[inner])
        if dead or len(self.failures) > before:
            return None
        graph_ctx = at[:-1]
        try:
            after = self.apply_writes(op, at)
            self.state.after[op, at] = after
            scope = dict(after)
            for key in writers(op):
                if key not in op.states:
                    value = self.collected(op, key, at)
                    if value is not SKIPPED:
                        scope[key] = value
            return self.test(op, at, scope)
        except Undetermined:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a write or `until` raises
            self.failures.append(_failure(op.path, graph_ctx, error))
            return None

    def test(self, op: LoopOp, at: Ctx, scope: Mapping[str, Any]) -> bool:
        assert op.until is not None
        kept = self.state.parents[op, at]
        self.state.parents[op, at] = scope
        try:
            return self._holds(op.until, at, op)
        finally:
            self.state.parents[op, at] = kept

    def apply_writes(self, op: LoopOp, at: Ctx) -> dict[str, Any]:
        """Return the state after an iteration: writers in the order of their ops, then contexts."""
        state = dict(self.state.parents[op, at])
        for key, expressions in writers(op).items():
            if key not in op.states:
                continue
            reducer = op.states[key].reducer
            for expression in sorted(expressions, key=lambda one: place_added(op, one)):
                for value in self.written_values(expression, at, op):
                    state[key] = _reduced(reducer, state[key], value)
        return state

    def written_values(self, expression: Expression, at: Ctx, op: LoopOp) -> list[Any]:
        """Return what a write writes: all of a stream or, where it was cut short, nothing."""
        gathered = self.values.gather(expression, at, op, flat=True)
        if gathered is SKIPPED or gathered is DEAD:
            return []
        return gathered if len(self.places.of_expression(expression, op)) > len(at) else [gathered]

    def contexts(self, expression: Expression, ctx: Ctx, graph: GraphOp) -> Iterator[Ctx]:
        """Yield where below a context an expression has a value."""
        if self.values.skip_of(expression, ctx, graph) is not None:
            return
        axes = self.places.of_expression(expression, graph)
        if len(ctx) == len(axes):
            if not self.values.dead_of(expression, ctx, graph):
                yield ctx
            return
        stream = self.values.stream_at(axes[len(ctx)], ctx)
        for index in range(stream.count if stream is not None else 0):
            item = (*ctx, (axis_name(axes[len(ctx)]), index))
            yield from self.contexts(expression, item, graph)

    def finish(self, op: LoopOp, ctx: Ctx, last: Ctx, state: Mapping[str, Any]) -> None:
        outputs = dict(state)
        for key in writers(op):
            if key not in op.states:
                value = self.collected(op, key, last)
                if value is not SKIPPED:
                    outputs[key] = value
        self.state.fired[op, ctx] = outputs

    # -- skipping and failing

    def skip(self, op: Op, ctx: Ctx) -> None:
        """Record a skip, of a graph with all in it."""
        self.state.skips[op].add(ctx)
        if isinstance(op, GraphOp):
            for inner in op.walk():
                self.state.skips[inner].add(ctx)

    def contains(self, op: Op) -> bool:
        """Return whether a failure of an op does not end the run."""
        return op.policies.on_error == "skip" or self.is_routed(op)

    def is_routed(self, op: Op) -> bool:
        if op.graph not in self.routed:
            self.routed[op.graph] = errors_read(op.graph)
        return op in self.routed[op.graph]

    def fail(self, op: Op, ctx: Ctx, failures: list[Failure], message: str | None) -> None:
        """Handle a failure of an op as its policies say; any one of several may be the one."""
        if not self.contains(op):
            if self._is_unsure(ctx):
                raise Undetermined("whether a failing op had its turn")
            self.failures.extend(failures)
            self.state.dead[op].add(ctx)
            return
        self.state.skips[op].add(ctx)
        for (owner, at), stream in self.state.streams.items():
            if owner is op and at == ctx:
                stream.end = "failed"
        if self.is_routed(op):
            self.state.errors[op, ctx] = _told(failures, message)
        else:
            slot = Slot(frozenset(failures), optional=self._is_unsure(ctx))
            self.outcome.errors.append(slot)


def _told(failures: list[Failure], message: str | None) -> dict[str, Any]:
    if len(failures) > 1:
        raise Undetermined("which of several failures `.error` tells")
    one = failures[0]
    return {"type": one.cause or one.kind, "message": message, "op": one.op, "ctx": one.ctx}


def _failed_in(failure: Failure, owner: Any, at: Ctx) -> bool:
    """Return whether a stream had opened for sure where something failed: it did, or an item."""
    name = axis_name(owner)
    in_item = failure.ctx[: len(at)] == at and [s for s, _ in failure.ctx[len(at) :]][:1] == [name]
    return in_item or (failure.op, failure.ctx) == (name, at)


def _failure(path: str, ctx: Ctx, error: Exception) -> Failure:
    return Failure("OpError", path, ctx, type(error).__name__)


def _reduced(reducer: str | None, state: Any, written: Any) -> Any:
    match reducer:
        case "append":
            return [*state, written]
        case "extend":
            return [*state, *written]
        case "merge":
            return {**state, **written}
        case "sum":
            return state + written
        case _:
            return written
