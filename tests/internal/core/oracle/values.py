"""What an expression gives at a context: skipped, dead, or a value.

Contexts are absolute. A *place* is a context that may be shorter than the axes of what is asked
about; then only what is decided for all below it is told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from operonx.core import GraphOp, LoopOp, Op, ZipOp
from operonx.core.expressions.operators import (
    BINARY,
    METHODS,
    get_item,
    invert,
    negate,
    require_bool,
)
from operonx.core.expressions.refs import (
    Batch,
    Binary,
    Chosen,
    Collect,
    Constant,
    DictOf,
    ErrorRef,
    Expression,
    Item,
    IterationRef,
    IterationsRef,
    ListOf,
    Method,
    OrElse,
    ParentRef,
    PortRef,
    StreamOf,
    Template,
    Unary,
)
from operonx.core.expressions.walking import children

from .axes import Axes, Places, axis_name, written
from .calling import OracleStream
from .outcome import Ctx, Undetermined

__all__ = ["DEAD", "SKIPPED", "State", "Stream", "StreamEnd", "Values"]


class _Gone:
    """Marks what `gather` cannot give."""


SKIPPED = _Gone()
DEAD = _Gone()

StreamEnd: TypeAlias = Literal["ended", "failed", "dead"]
"""`failed`: it was cut short and contained; `dead`: its failure ends the run."""


@dataclass(slots=True)
class Stream:
    """One opening of an axis."""

    count: int
    end: StreamEnd = "ended"
    unsure: bool = False
    """Whether a failure beside it may have cut it anywhere."""
    maybe: bool = False
    """Whether a failure beside it may have come before it opened."""


@dataclass(slots=True)
class State:
    """All that was found out so far, by op and absolute context."""

    fired: dict[tuple[Op, Ctx], Mapping[str, Any]] = field(
        default_factory=dict[tuple[Op, Ctx], Mapping[str, Any]]
    )
    """Values by port; of a generator one for every item, and one for its final ports."""
    skips: dict[Op, set[Ctx]] = field(default_factory=lambda: defaultdict(set))
    dead: dict[Op, set[Ctx]] = field(default_factory=lambda: defaultdict(set))
    streams: dict[tuple[Any, Ctx], Stream] = field(default_factory=dict[tuple[Any, Ctx], Stream])
    batches: dict[tuple[Batch, Ctx], list[list[Any]]] = field(
        default_factory=dict[tuple[Batch, Ctx], list[list[Any]]]
    )
    errors: dict[tuple[Op, Ctx], dict[str, Any]] = field(
        default_factory=dict[tuple[Op, Ctx], dict[str, Any]]
    )
    """Failures that something reads as `op.error`."""
    broken: set[tuple[GraphOp, str, Ctx]] = field(default_factory=set[tuple[GraphOp, str, Ctx]])
    """Outputs whose expression raised."""
    unlisted: set[tuple[Op, Ctx]] = field(default_factory=set[tuple[Op, Ctx]])
    """Those in `skips` that did fire: zips of streams that failed."""
    standing: set[tuple[Op, Ctx]] = field(default_factory=set[tuple[Op, Ctx]])
    """Firings that failed after their streams had opened: the items stand."""
    parents: dict[tuple[GraphOp, Ctx], Mapping[str, Any]] = field(
        default_factory=dict[tuple[GraphOp, Ctx], Mapping[str, Any]]
    )
    """Values of `PARENT` inside each firing of a graph, each iteration of a loop."""
    after: dict[tuple[LoopOp, Ctx], Mapping[str, Any]] = field(
        default_factory=dict[tuple[LoopOp, Ctx], Mapping[str, Any]]
    )
    """A loop's state after each iteration."""


class Values:
    """Reads expressions from what is known."""

    def __init__(self, state: State, places: Places) -> None:
        self.state = state
        self.places = places

    # -- skipped

    def skip_of(self, expression: Expression, place: Ctx, graph: GraphOp) -> Ctx | None:
        """Return where the expression was skipped for all below `place`, or None."""
        match expression:
            case PortRef(op=op, port=port):
                return self._port_skip(op, port, place)
            case ErrorRef(op=op):
                return self._error_skip(op, place)
            case IterationsRef(loop=loop, port=port):
                return self._iterations_skip(loop, port, place)
            case Collect(base=base) | StreamOf(base=base) | Batch(base=base):
                return self._stream_skip(expression, base, place, graph)
            case OrElse(base=base) if self._whole_skip(base, place, graph) is not None:
                return self._whole_skip(base, place, graph)
            case OrElse() | Chosen():
                found = [self.skip_of(part, place, graph) for part in children(expression)]
                if all(skip is not None for skip in found):
                    return max(found, key=_depth)
                return self.closed(self.places.of_expression(expression, graph), place, graph)
            case _:
                return outermost(self.skip_of(part, place, graph) for part in children(expression))

    def _whole_skip(self, base: Expression, place: Ctx, graph: GraphOp) -> Ctx | None:
        # "Where the whole stream was skipped there are no items, so no `v`."
        at = self.skip_of(base, place, graph)
        is_whole = at is not None and len(at) < len(self.places.of_expression(base, graph))
        return at if is_whole else None

    def skipped_at(self, op: Op, place: Ctx) -> Ctx | None:
        """Return the prefix of `place` at which an op was skipped, or None."""
        found = (place[:depth] for depth in range(len(place) + 1))
        return next((ctx for ctx in found if ctx in self.state.skips[op]), None)

    def closed(self, axes: Axes, place: Ctx, graph: GraphOp) -> Ctx | None:
        """Return where the owner of one of the axes was skipped, so that it has no items."""
        start = len(self.places.of_graph(graph))
        for depth in range(start, len(axes)):
            owner, ctx = axes[depth], place[:depth]
            if len(ctx) == depth and self.stream_at(owner, ctx) is not None:
                continue
            if isinstance(owner, Batch):
                at = self.skip_of(owner.base, ctx, owner.graph)
            else:
                at = self.skipped_at(owner, ctx)
            if at is not None or len(ctx) == depth:
                return at
        return None

    def _port_skip(self, op: Op, port: str, place: Ctx) -> Ctx | None:
        axes, own = self.places.of_port(op, port), self.places.of_op(op)
        at = self.skipped_at(op, place[: len(own)])
        if at is not None and not self._stands(op, at, axes, own):
            return at
        if len(place) < len(own):
            return None
        if isinstance(op, LoopOp):
            outputs = self.state.fired.get((op, place[: len(own)]))
            return place[: len(own)] if outputs is not None and port not in outputs else None
        if isinstance(op, GraphOp):
            item = place[: len(axes)]
            if at is not None and (op, port, item) in self.state.broken:
                return item  # an item that raised is none, as its graph has failed of it
            return self.skip_of(written(op, port), place, op)
        if isinstance(op, ZipOp) and len(place) > len(own):
            return self.skip_of(op.inputs[port], self._side(op, port, place), op.graph)
        return None

    def _stands(self, op: Op, at: Ctx, axes: Axes, own: Axes) -> bool:
        opened = len(axes) > len(own) and (op, at) in self.state.standing
        return opened and self.stream_at(axes[len(own)], at) is not None

    def _error_skip(self, op: Op, place: Ctx) -> Ctx | None:
        ctx = place[: len(self.places.of_op(op))]
        if (op, ctx) in self.state.errors:
            return None
        at = self.skipped_at(op, ctx)
        if at is None and len(ctx) == len(self.places.of_op(op)) and not self._is_dead(op, ctx):
            return ctx
        return at

    def _iterations_skip(self, loop: LoopOp, port: str, place: Ctx) -> Ctx | None:
        own = len(self.places.of_op(loop))
        at = self.skipped_at(loop, place[:own])
        if at is not None and (loop, at) not in self.state.standing:
            return at
        if len(place) <= own or port in loop.states:
            return None
        return self.skip_of(written(loop, port), place, loop)

    def _stream_skip(
        self, expression: Expression, base: Expression, place: Ctx, graph: GraphOp
    ) -> Ctx | None:
        axes = self.places.of_expression(base, graph)
        left = len(axes) - 1
        if isinstance(expression, Collect):
            left = len(self.places.of_expression(expression, graph))
        ctx = place[:left]
        at = outermost((self.skip_of(base, ctx, graph), self.closed(axes, ctx, graph)))
        if at is not None or len(ctx) < left or not isinstance(expression, Collect):
            return at
        stream = self.stream_at(axes[left], ctx)
        return ctx if stream is not None and stream.end == "failed" else None

    # -- dead

    def dead_of(self, expression: Expression, ctx: Ctx, graph: GraphOp) -> bool:
        """Return whether the expression waits for ever; it is not skipped at `ctx`."""
        match expression:
            case PortRef(op=op, port=port):
                return self._port_dead(op, port, ctx)
            case ErrorRef(op=op):
                return (op, ctx[: len(self.places.of_op(op))]) not in self.state.errors
            case IterationsRef(loop=loop, port=port):
                return self._iterations_dead(loop, port, ctx)
            case Collect(base=base):
                left = len(self.places.of_expression(expression, graph))
                return self.gather(base, ctx[:left], graph) is DEAD
            case StreamOf(base=base):
                axes = self.places.of_expression(base, graph)
                return self.stream_at(axes[-1], ctx[: len(axes) - 1]) is None
            case Batch():
                return False
            case OrElse() | Chosen():
                for option in children(expression):
                    if self.skip_of(option, ctx, graph) is None:
                        return self.dead_of(option, ctx, graph)
                return True
            case _:
                return any(self.dead_of(part, ctx, graph) for part in children(expression))

    def _is_dead(self, op: Op, place: Ctx) -> bool:
        return any(place[:depth] in self.state.dead[op] for depth in range(len(place) + 1))

    def _port_dead(self, op: Op, port: str, ctx: Ctx) -> bool:
        own, axes = self.places.of_op(op), self.places.of_port(op, port)
        if isinstance(op, ZipOp):
            if (op, ctx[: len(own)]) not in self.state.streams:
                return True
            return self.dead_of(op.inputs[port], self._side(op, port, ctx), op.graph)
        if isinstance(op, GraphOp) and not isinstance(op, LoopOp):
            if (op, ctx[: len(own)]) not in self.state.parents:
                return True
            if (op, port, ctx[: len(axes)]) in self.state.broken:
                return True
            return self.dead_of(written(op, port), ctx, op)
        return (op, ctx[: len(axes)]) not in self.state.fired

    def _iterations_dead(self, loop: LoopOp, port: str, ctx: Ctx) -> bool:
        if port in loop.states:
            return (loop, ctx[: len(self.places.of_graph(loop))]) not in self.state.after
        if self.dead_of(written(loop, port), ctx, loop):
            return True
        try:
            self.value_of(written(loop, port), ctx, loop)
        except Undetermined:
            raise
        except Exception:  # noqa: BLE001 - what a write raises is the loop's failure
            return True
        return False

    # -- values

    def value_of(self, expression: Expression, ctx: Ctx, graph: GraphOp) -> Any:
        """Return the value of an expression that is neither skipped nor dead at `ctx`."""
        match expression:
            case PortRef(op=op, port=port):
                return self._port_value(op, port, ctx)
            case ErrorRef(op=op):
                return self.state.errors[op, ctx[: len(self.places.of_op(op))]]
            case IterationsRef(loop=loop, port=port):
                if port in loop.states:
                    return self.state.after[loop, ctx[: len(self.places.of_graph(loop))]][port]
                return self.value_of(written(loop, port), ctx, loop)
            case ParentRef(key=key):
                return self.state.parents[graph, ctx[: len(self.places.of_graph(graph))]][key]
            case IterationRef():
                return ctx[len(self.places.of_graph(graph)) - 1][1]
            case Collect(base=base, per=per):
                left = len(self.places.of_expression(expression, graph))
                return self.gather(base, ctx[:left], graph, flat=per is not None)
            case StreamOf(base=base):
                return self._open(base, ctx, graph)
            case Batch():
                return self._batch_value(expression, ctx, graph)
            case OrElse() | Chosen():
                options = children(expression)
                taken = (o for o in options if self.skip_of(o, ctx, graph) is None)
                return self.value_of(next(taken), ctx, graph)
            case _:
                return self._computed(expression, ctx, graph)

    def _computed(self, expression: Expression, ctx: Ctx, graph: GraphOp) -> Any:
        def value(part: Expression) -> Any:
            return self.value_of(part, ctx, graph)

        match expression:
            case Constant(value=constant):
                return constant
            case Binary(symbol="&" | "|" as symbol, left=left, right=right):
                decides = symbol == "|"
                if require_bool(value(left), symbol) is decides:
                    return decides
                return require_bool(value(right), symbol)
            case Binary(symbol=symbol, left=left, right=right):
                return BINARY[symbol](value(left), value(right))
            case Unary(symbol=symbol, operand=operand):
                return (negate if symbol == "-" else invert)(value(operand))
            case Item(base=base, key=key):
                return get_item(value(base), value(key))
            case Method(name=name, base=base, arguments=arguments):
                return METHODS[name](value(base), *map(value, arguments))
            case ListOf(items=items, as_tuple=as_tuple):
                return tuple(map(value, items)) if as_tuple else list(map(value, items))
            case DictOf(items=items):
                return {key: value(part) for key, part in items.items()}
            case Template(text=text, fields=fields):
                return text.format(**{key: value(part) for key, part in fields.items()})
            case _:
                raise AssertionError(f"the oracle has no rule for {expression!r}")

    def _port_value(self, op: Op, port: str, ctx: Ctx) -> Any:
        if isinstance(op, ZipOp):
            return self.value_of(op.inputs[port], self._side(op, port, ctx), op.graph)
        if isinstance(op, GraphOp) and not isinstance(op, LoopOp):
            return self.value_of(written(op, port), ctx, op)
        return self.state.fired[op, ctx[: len(self.places.of_port(op, port))]][port]

    def _side(self, op: ZipOp, side: str, ctx: Ctx) -> Ctx:
        own = len(self.places.of_op(op))
        axis = self.places.of_expression(op.inputs[side], op.graph)[own]
        return (*ctx[:own], (axis_name(axis), ctx[own][1]))

    # -- streams

    def stream_at(self, owner: Any, ctx: Ctx) -> Stream | None:
        """Return the stream that an axis opened at a context, or None where it did not open."""
        if isinstance(owner, Batch) and (owner, ctx) not in self.state.streams:
            self._fill(owner, ctx)
        return self.state.streams.get((owner, ctx))

    def items(self, base: Expression, ctx: Ctx, graph: GraphOp) -> tuple[list[Any], str] | None:
        """Return the items of a stream in index order, skipped ones left out, and its end.

        It ends with the first item that is dead. None: it did not open at `ctx`. Of a stream that
        was `cut`, which failed as something beside it did, any of the items may be missing.
        """
        axes = self.places.of_expression(base, graph)
        if self.skip_of(base, ctx, graph) is not None:
            return None
        stream = self.stream_at(axes[len(ctx)], ctx)
        if stream is None:
            return None
        if stream.maybe or (stream.unsure and stream.end != "failed"):
            raise Undetermined("whether a stream opened or ended before a failure beside it")
        found: list[Any] = []
        for index in range(stream.count):
            item = (*ctx, (axis_name(axes[len(ctx)]), index))
            if self.skip_of(base, item, graph) is None:
                if not self.dead_of(base, item, graph):
                    found.append(self.value_of(base, item, graph))
                elif not stream.unsure:
                    return found, "dead"
        return found, "cut" if stream.unsure else stream.end

    def _fill(self, batch: Batch, ctx: Ctx) -> None:
        given = self.items(batch.base, ctx, batch.graph)
        if given is None:
            return
        items, end = given
        if end == "cut":
            if len(items) >= batch.size:
                raise Undetermined("how many lists of a stream that was cut are complete")
            items, end = [], "failed"
        lists = [items[at : at + batch.size] for at in range(0, len(items), batch.size)]
        if end != "ended" and lists and len(lists[-1]) < batch.size:
            lists.pop()
        self.state.batches[batch, ctx] = lists
        self.state.streams[batch, ctx] = Stream(len(lists), end)  # type: ignore[arg-type]  # an end

    def _batch_value(self, batch: Batch, ctx: Ctx, graph: GraphOp) -> list[Any]:
        depth = len(self.places.of_expression(batch, graph)) - 1
        return self.state.batches[batch, ctx[:depth]][ctx[depth][1]]

    def _open(self, base: Expression, ctx: Ctx, graph: GraphOp) -> OracleStream:
        depth = len(self.places.of_expression(base, graph)) - 1
        given = self.items(base, ctx[:depth], graph)
        assert given is not None
        return OracleStream(*given)

    def gather(self, base: Expression, ctx: Ctx, graph: GraphOp, *, flat: bool = False) -> Any:
        """Return the items below a context as nested lists (or a flat one), SKIPPED or DEAD."""
        if self.skip_of(base, ctx, graph) is not None:
            return SKIPPED
        axes = self.places.of_expression(base, graph)
        if len(ctx) == len(axes):
            dead = self.dead_of(base, ctx, graph)
            return DEAD if dead else self.value_of(base, ctx, graph)
        stream = self.stream_at(axes[len(ctx)], ctx)
        if stream is None:
            return DEAD
        if stream.end != "ended":
            return SKIPPED if stream.end == "failed" else DEAD
        items = [
            self.gather(base, (*ctx, (axis_name(axes[len(ctx)]), index)), graph, flat=flat)
            for index in range(stream.count)
        ]
        if any(item is DEAD for item in items):
            return DEAD
        kept = [item for item in items if item is not SKIPPED]
        if flat and len(axes) > len(ctx) + 1:
            return [one for item in kept for one in item]
        return kept


def _depth(ctx: Ctx | None) -> int:
    return len(ctx or ())


def outermost(skips: Iterable[Ctx | None]) -> Ctx | None:
    """Return the shortest of the contexts given, None where none is."""
    return min((skip for skip in skips if skip is not None), key=len, default=None)
