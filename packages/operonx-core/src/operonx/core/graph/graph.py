"""`GraphOp`: ops and edges as they were authored, and itself an op, so that graphs nest."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from operonx.core.errors import BuildError, BuildIssue
from operonx.core.expressions.building import building_graph, pop_graph, push_graph
from operonx.core.expressions.refs import Expression, ParentRef, PortRef, lift
from operonx.core.ops.base import Op
from operonx.core.ops.naming import assigned_name
from operonx.core.ops.policies import OnError, Policies

if TYPE_CHECKING:
    from operonx.core.graph.analysis import Analysis
    from operonx.core.graph.loops import LoopOp
    from operonx.core.ops.signature import Port

__all__ = ["Edge", "GraphInput", "GraphOp", "Write"]


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """`source >> target`, or `source >> ~target`."""

    source: Op
    target: Op
    soft: bool


@dataclass(frozen=True, slots=True, eq=False)
class Write:
    """An output of a graph, or a write of a loop's state: `expression >> PARENT[key]`."""

    key: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class GraphInput:
    """An input of a graph."""

    name: str
    annotation: Any = Any
    """Its type, `Any` where unknown; of a stream the type of its items."""
    required: bool = True
    default: Any = None
    streams: bool = False
    """Whether a stream itself is handed in; known once the graph is built."""


class GraphOp(Op):
    """A graph of ops. The ops made in its `with` block belong to it; leaving the block builds it.

    Args:
        name: Its name; otherwise that of the variable after `as`.
        inputs: Its inputs, as names or as a mapping of names to types. Where None, a root graph
            takes every `PARENT["k"]` it reads as an input.
        timeout: Seconds that one firing of the whole graph may take.
        concurrency: Firings of the whole graph at one time.
        on_error: `"skip"` turns a failure inside into a skip of the graph.
        **bindings: For a graph inside another: its inputs, as refs or constants of the outer one.

    Raises:
        BuildError: On leaving the block, with every mistake found.

    Example:
        ```python
        with GraphOp(name="greet") as g:
            text = shout(text=PARENT["name"])
            text >> END
        ```
    """

    kind: ClassVar[str] = "graph"

    def __init__(
        self,
        name: str | None = None,
        *,
        inputs: Iterable[str] | Mapping[str, Any] | None = None,
        timeout: float | None = None,
        concurrency: int | None = None,
        on_error: OnError = "raise",
        **bindings: Any,
    ) -> None:
        policies = Policies(timeout=timeout, concurrency=concurrency, on_error=on_error)
        lifted = {key: lift(value) for key, value in bindings.items()}
        super().__init__(name or self.kind, lifted, policies, named=name is not None)
        self.parameters: dict[str, GraphInput] | None = _declared(inputs)
        """The inputs by name; None until built where a root graph's reads tell them."""
        self.ops: list[Op] = []
        self.edges: list[Edge] = []
        self.ends: list[Op] = []
        self.writes: list[Write] = []
        self.forwards: list[tuple[Op, dict[str, ParentRef]]] = []
        self.issues: list[BuildIssue] = []
        self.analysis: Analysis | None = None
        """What building found out; None until the block is left."""
        self._names: dict[str, Op] = {}
        self._counts: Counter[str] = Counter()

    @classmethod
    def loop(cls, *, until: Any, max_iterations: int = 1000, **state: Any) -> LoopOp:
        """Make a loop: its body is the `with` block, its state the keywords.

        Args:
            until: A ref expression over the state and the body's outputs, or the same as a
                string; tested after each iteration. True ends the loop.
            max_iterations: After this many with `until` still false, `LoopLimitError` is raised.
            **state: The state by name, set first to these values or refs; `State(...)` gives it
                a reducer. `name`, `timeout`, `concurrency` and `on_error` are policies.

        Returns:
            The loop, to be used as `with GraphOp.loop(...) as loop:`.

        Example:
            ```python
            with GraphOp.loop(until=PARENT["count"] >= 3, count=0) as loop:
                step = inc(x=PARENT["count"])
                step["result"] >> PARENT["count"]
            ```
        """
        from operonx.core.graph.loops import LoopOp  # a loop is a graph, so its module comes after

        return LoopOp(until=until, max_iterations=max_iterations, **state)

    # -- authoring

    def __enter__(self) -> Self:
        if self.analysis is not None:
            raise TypeError(f"graph `{self.name}` is built; a graph block is entered once")
        if not self.named:
            self.name = assigned_name(sys._getframe(1)) or self.name  # pyright: ignore[reportPrivateUsage]  # who calls
        outer = building_graph()
        if outer is not None:
            outer.add_op(self)
        push_graph(self)
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        pop_graph()
        if error is None:
            self.build()

    def add_op(self, op: Op) -> None:
        """Take an op in; inferred names that are taken get a number.

        Raises:
            TypeError: If this graph is built already.
        """
        self._require_open(f"op `{op.name}`")
        op.graph = self
        if not op.name or "." in op.name:
            self.report(
                op,
                f"{op.name!r} is no name: names have no dots and are not empty",
                hint="the dots of a path stand between the names of graphs",
            )
        self._claim_name(op)
        self.ops.append(op)

    def _claim_name(self, op: Op) -> None:
        holder = self._names.get(op.name)
        if holder is None:
            self._names[op.name] = op
        elif not op.named:
            self._number(op)
        elif holder.named:
            self.report(
                op,
                f"two ops are named `{op.name}`",
                hint=f'give one another name: `.with_(name="{op.name}_2")`',
            )
        else:
            self._names[op.name] = op
            self._number(holder)

    def _number(self, op: Op) -> None:
        base = op.name
        while op.name in self._names:
            self._counts[base] += 1
            op.name = f"{base}_{self._counts[base] + 1}"
        self._names[op.name] = op

    def rename(self, op: Op, name: str) -> None:
        """Give an op the name of a variable that it was assigned to after it was made."""
        if not op.named and op.name != name:
            del self._names[op.name]
            op.name = name
            self._claim_name(op)

    def add_edge(self, source: Op, target: Op, *, soft: bool) -> None:
        """Order two ops of this graph."""
        self._require_open(f"edge `{source.name} >> {target.name}`")
        self.edges.append(Edge(source, target, soft))

    def add_end(self, op: Op) -> None:
        """Forward an op's outputs as the graph's."""
        self._require_open(f"edge `{op.name} >> END`")
        self.ends.append(op)

    def add_output(self, key: str, expression: Expression) -> None:
        """Write an expression to an output."""
        self._require_open(f"output `{key}`")
        self.writes.append(Write(key, expression))

    def add_outputs(self, op: Op, mapping: Mapping[str, Any]) -> None:
        """Write ports of an op to outputs: `outputs={"a": PARENT["b"]}`, `"*"` for the rest."""
        targets: dict[str, ParentRef] = {}
        for port, target in mapping.items():
            if port == "*":
                targets[port] = ParentRef(self, "*")
            elif isinstance(target, ParentRef):
                targets[port] = target
            else:
                raise TypeError(f'outputs={{"{port}": {target!r}}}: takes `PARENT["name"]`')
        self.forwards.append((op, targets))

    def report(self, op: Op, message: str, *, hint: str | None = None) -> None:
        """Note a mistake; building raises them all together."""
        self.issues.append(BuildIssue(op.path, message, hint))

    def _require_open(self, what: str) -> None:
        if self.analysis is not None:
            raise TypeError(f"{what}: graph `{self.name}` is built and can no longer change")

    # -- as an op

    @property
    def ports(self) -> tuple[Port, ...] | None:
        """The outputs; none are known before the graph is built."""
        return self.analysis.outputs if self.analysis is not None else ()

    def op(self, name: str) -> Op | None:
        """Return the op of a name in this graph, or None."""
        return self._names.get(name)

    def walk(self) -> Iterable[Op]:
        """Yield every op below this graph, each before those inside it."""
        open_ends: list[Op] = list(reversed(self.ops))
        while open_ends:
            op = open_ends.pop()
            yield op
            if isinstance(op, GraphOp):
                open_ends.extend(reversed(op.ops))

    # -- building

    def build(self) -> None:
        """Check the graph; leaving its block calls this.

        Raises:
            BuildError: If anything in it, or in the graphs inside, is wrong.
        """
        from operonx.core.graph.validation import check  # it knows all kinds of ops

        self.analysis = check(self)
        if self.graph is not None:
            # The outermost graph raises, so that an author sees all mistakes at once.
            self.graph.issues.extend(self.issues)
        elif self.issues:
            raise BuildError(self.issues)

    def add_forwarded(self) -> None:
        """Turn `x >> END` and `outputs=` into writes, once all ports are known."""
        for op, targets in self.forwards:
            named = {port: target for port, target in targets.items() if port != "*"}
            if "*" in targets:
                named |= {
                    port.name: ParentRef(self, port.name)
                    for port in op.all_ports()
                    if port.name not in named
                }
            self.writes.extend(
                Write(target.key, PortRef(op, port)) for port, target in named.items()
            )

    # -- showing

    def __str__(self) -> str:
        self._refuse_text()
        from operonx.core.graph.show import show_graph  # printing is rare

        return show_graph(self)

    def to_mermaid(self) -> str:
        """Return the graph as a Mermaid flowchart."""
        from operonx.core.graph.mermaid import to_mermaid  # drawing is rare

        return to_mermaid(self)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        # JupyterLab and Notebook 7.1+ draw this type; others show the text.
        return {"text/vnd.mermaid": self.to_mermaid(), "text/plain": str(self)}


def _declared(inputs: Iterable[str] | Mapping[str, Any] | None) -> dict[str, GraphInput] | None:
    if inputs is None:
        return None
    if isinstance(inputs, str):
        raise TypeError(f"inputs={inputs!r}: takes a list of names")
    if isinstance(inputs, Mapping):
        return {
            name: given if isinstance(given, GraphInput) else GraphInput(name, given)
            for name, given in cast("Mapping[str, Any]", inputs).items()
        }
    return {name: GraphInput(name) for name in inputs}
