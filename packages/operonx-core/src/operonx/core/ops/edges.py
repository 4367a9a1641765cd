"""Edges: `a >> b`, `a >> ~b`, `START >> [a, b] >> c`, `a >> END`, and `PARENT`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn, TypeVar, cast

from operonx.core.errors import listed
from operonx.core.expressions.building import building_graph
from operonx.core.expressions.refs import Expression, IterationRef, ParentRef, lift
from operonx.core.expressions.symbols import NoValue

if TYPE_CHECKING:
    from operonx.core.ops.base import Op

__all__ = [
    "END",
    "PARENT",
    "START",
    "End",
    "OpGroup",
    "Parent",
    "SoftEdge",
    "Start",
    "edge",
    "soft",
]

T = TypeVar("T")


def _is_op(value: object) -> bool:
    from operonx.core.ops.base import Op  # base imports this module

    return isinstance(value, Op)


class SoftEdge(NoValue):
    """`~b` as a target: the edge into `b` is soft."""

    __slots__ = ("op",)
    instead: ClassVar[str] = (
        'it marks a soft edge (`a >> ~b`); for "not" write `~op["port"]`, the ref and not the op'
    )

    def __init__(self, op: Op) -> None:
        self.op: Op = op

    def __rrshift__(self, sources: object) -> object:
        return connect(sources, self)

    def __rshift__(self, targets: object) -> object:
        raise TypeError(f"`~{self.op.name}` can only be a target: write `x >> ~{self.op.name}`")

    def __repr__(self) -> str:
        return f"~{self.op.name}"


class OpGroup(NoValue):
    """Several ops of one `>>` chain: `a >> [b, c] >> d`."""

    __slots__ = ("ops",)
    instead: ClassVar[str] = "it is what a chain of `>>` goes on from; name the op that is meant"

    def __init__(self, ops: list[Op]) -> None:
        self.ops: list[Op] = ops

    def __rshift__(self, targets: object) -> object:
        return connect(self.ops, targets)

    def __repr__(self) -> str:
        return f"[{', '.join(op.name for op in self.ops)}]"


class Start(NoValue):
    """Where a graph begins: `START >> a` says what is so anyway, that `a` waits for no op."""

    __slots__ = ()
    instead: ClassVar[str] = "it only stands on the left of `>>`"

    def __rshift__(self, targets: object) -> Any:
        ops = [_plain_op(target, "START >> ...") for target in _as_list(targets)]
        return ops[0] if _is_op(targets) else OpGroup(ops)

    def __repr__(self) -> str:
        return "START"


class End(NoValue):
    """Where a graph's outputs leave: `a >> END` forwards all outputs of `a`."""

    __slots__ = ()
    instead: ClassVar[str] = "it only stands on the right of `>>`"

    def __rrshift__(self, sources: object) -> End:
        connect(sources, self)
        return self

    def __invert__(self) -> End:
        # END takes what fired anyway, so `a >> ~END` says the same.
        return self

    def __repr__(self) -> str:
        return "END"


class Parent(NoValue):
    """The enclosing graph, seen from inside: `PARENT["k"]` reads its input (a loop's state).

    `op["n"] >> PARENT["k"]` writes its output, `PARENT.iteration` is a loop's iteration.
    """

    __slots__ = ()
    instead: ClassVar[str] = 'name the input that is meant: `PARENT["k"]`'

    def __getitem__(self, key: str) -> Any:
        if not isinstance(cast("object", key), str):
            raise TypeError(f"PARENT[...] takes the name of an input, got {key!r}")
        return ParentRef(building_graph(), key)

    @property
    def iteration(self) -> Any:
        """The number of the loop's current iteration, from 0."""
        return IterationRef(building_graph())

    if not TYPE_CHECKING:  # checkers shall see that it has no such attribute

        def __getattr__(self, name: str) -> NoReturn:
            if name.startswith("_"):
                raise AttributeError(name)
            raise AttributeError(
                f'`PARENT` has no `{name}`: an input is read as `PARENT["{name}"]`'
            )

    def __repr__(self) -> str:
        return "PARENT"


START: Final = Start()
END: Final = End()
PARENT: Final = Parent()


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, OpGroup):
        return list(value.ops)
    return list(cast("list[Any]", value)) if isinstance(value, (list, tuple)) else [value]


def _plain_op(value: object, where: str) -> Op:
    if _is_op(value):
        return value  # type: ignore[return-value]  # _is_op says so; the class is imported late
    if isinstance(value, Expression):
        raise TypeError(f"{where} takes ops, got the ref {value!r}; pass refs as arguments")
    raise TypeError(f"{where} takes ops, got {value!r}")


def connect(sources: object, targets: object) -> Any:
    """Make the edges of `sources >> targets`; return what the next `>>` continues from."""
    froms = [_plain_op(source, "`a >> b`") for source in _as_list(sources)]
    if targets is END:
        for source in froms:
            _require_innermost(source)
            source.graph.add_end(source)
        return END
    if isinstance(targets, ParentRef):
        for source in froms:
            _ = lift(source) >> targets
        return targets
    ends: list[Op] = []
    for target in _as_list(targets):
        is_soft = isinstance(target, SoftEdge)
        to = target.op if is_soft else _plain_op(target, "`a >> b`")
        for source in froms:
            _require_siblings(source, to)
            source.graph.add_edge(source, to, soft=is_soft)
        ends.append(to)
    single = not isinstance(targets, (list, tuple, OpGroup))
    return ends[0] if single else OpGroup(ends)


def _require_innermost(source: Op) -> None:
    inside = building_graph()
    if inside is not None and source.graph is not inside:
        raise TypeError(
            f"`{source.name} >> END`: END is that of graph `{inside.name}`, whose block this is, "
            f"and `{source.path}` is an op of another"
        )


def _require_siblings(source: Op, target: Op) -> None:
    if source.graph is None or source.graph is not target.graph:
        names = listed([source.path, target.path])
        raise TypeError(
            f"an edge joins two ops of one graph; {names} are not; "
            "order an op and the graph that holds the other"
        )


def edge(source: object, target: object) -> None:
    """Order two ops: `source >> target`, for typed code, where an op types as its result.

    Args:
        source: An op, or a list of ops.
        target: An op, `soft(op)`, a list of these, or `END`.

    Raises:
        TypeError: If one is no op, or they are in different graphs.
    """
    connect(source, target)


def soft(target: T) -> T:
    """Mark the target of an edge, which then does not bind.

    Example:
        ```python
        edge(a, soft(b))  # a >> ~b
        ```
    """
    op: Any = _plain_op(target, "`soft(...)`")
    return SoftEdge(op)  # type: ignore[return-value]  # stands for the op it marks
