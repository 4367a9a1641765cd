"""`GraphOp`: ops and edges as they were authored, and itself an op, so that graphs nest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from operonx.core.errors import BuildError, BuildIssue
from operonx.core.expressions.building import building_graph, pop_graph, push_graph
from operonx.core.expressions.naming import assigned_name, calling_frame
from operonx.core.expressions.refs import Expression, lift
from operonx.core.graph.forwarding import Forward, targets_of
from operonx.core.graph.names import Names
from operonx.core.graph.parts import Edge, GraphInput, Write, declared_inputs
from operonx.core.ops.base import Op
from operonx.core.ops.policies import NO_POLICIES, OnError

if TYPE_CHECKING:
    from operonx.core.graph.analysis import Analysis
    from operonx.core.graph.loops import LoopOp
    from operonx.core.ops.signature import Port

__all__ = ["GraphOp"]

_LOOP_SETTINGS: Final = ("name", "timeout", "concurrency", "on_error")


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
        policies = NO_POLICIES.but(timeout=timeout, concurrency=concurrency, on_error=on_error)
        lifted = {key: lift(value) for key, value in bindings.items()}
        own_name = self.kind if name is None else name
        super().__init__(own_name, lifted, policies, named=name is not None)
        self.parameters: dict[str, GraphInput] | None = declared_inputs(inputs)
        """The inputs by name; None until built where a root graph's reads tell them."""
        self.ops: list[Op] = []
        """The ops, in the order in which they were made."""
        self.edges: list[Edge] = []
        """What `>>` ordered."""
        self.ends: list[Op] = []
        """The ops that `>> END` forwards."""
        self.writes: list[Write] = []
        """What was written to outputs."""
        self.forwards: list[Forward] = []
        """The `outputs=` of ops."""
        self.issues: list[BuildIssue] = []
        """The mistakes found, with those of inner graphs."""
        self.misread: set[Op] = set()
        """Ops that another graph reads by mistake, which says so itself."""
        self.given_streams: dict[str, bool] = {}
        """Which inputs are handed a stream, as far as it was asked: graphs nest to any depth."""
        self.analysis: Analysis | None = None
        """What building found out; None until the block is left."""
        self.factory: object = None
        """The function that authored it, if one did."""
        self.returned: tuple[Any, Any] | None = None
        """What that function says that it returns, and what it returned."""
        self._entered = False
        self._names = Names()

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

        settings = {key: state.pop(key) for key in _LOOP_SETTINGS if key in state}
        return LoopOp(state, until=until, max_iterations=max_iterations, **settings)

    # -- authoring

    def __enter__(self) -> Self:
        if self._entered:
            raise TypeError(f"graph `{self.name}`: the block of a graph is entered once")
        self._entered = True
        if not self.named:
            self.name: str = assigned_name(calling_frame(1)) or self.name
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
        self.require_open(f"op `{op.name}`")
        op.graph = self
        if not self._names.claim(op):
            self.report(
                op,
                f"two ops are named `{op.name}`",
                hint=f'give one another name: `.with_(name="{op.name}_2")`',
                ref=op.name,
            )
        self.ops.append(op)

    def rename(self, op: Op, name: str) -> None:
        """Give an op the name of a variable that it was assigned to after it was made."""
        if not op.named and op.name != name:
            self._names.rename(op, name)

    def add_edge(self, source: Op, target: Op, *, soft: bool) -> None:
        """Order two ops of this graph."""
        self.require_open(f"edge `{source.name} >> {target.name}`")
        self.edges.append(Edge(source, target, soft))

    def add_end(self, op: Op) -> None:
        """Forward an op's outputs as the graph's."""
        self.require_open(f"edge `{op.name} >> END`")
        self.ends.append(op)

    def add_output(self, key: str, expression: Expression) -> None:
        """Write an expression to an output."""
        self.require_open(f"output `{key}`")
        self.writes.append(Write(key, expression))

    def add_outputs(self, op: Op, mapping: object) -> None:
        """Write ports of an op to outputs: `outputs={"a": PARENT["b"]}`, `"*"` for the rest.

        Raises:
            TypeError: If `mapping` is no mapping of ports to `PARENT` keys.
        """
        self.forwards.append(Forward(op, targets_of(mapping)))

    def report(
        self, op: Op, message: str, *, hint: str | None = None, ref: str | None = None
    ) -> None:
        """Note a mistake; building raises them all together.

        Args:
            op: Where it is.
            message: What is wrong.
            hint: How to mend it.
            ref: The ref, port or keyword concerned.
        """
        issue = BuildIssue(op.path, message, hint, ref)
        if issue not in self.issues:
            self.issues.append(issue)

    def require_open(self, what: str) -> None:
        """Refuse a change of a built graph.

        Raises:
            TypeError: If this graph is built.
        """
        if self.analysis is not None:
            raise TypeError(f"{what}: graph `{self.name}` is built and can no longer change")

    # -- as an op

    @property
    def ports(self) -> tuple[Port, ...] | None:
        """The outputs; none are known before the graph is built."""
        return self.analysis.outputs if self.analysis is not None else ()

    def _again(self) -> str:
        return (
            f"graph `{self.name}` is made already, and stands where its block is: to use it more "
            "than once write it as a `@graph` function and call that; to use it once inside "
            "another graph, open its block in the block of that"
        )

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
        """Turn the `outputs=` of ops into writes, once all ports are known."""
        for forward in self.forwards:
            self.writes += forward.writes()

    # -- as data

    def serialize(self) -> dict[str, Any]:
        """Return the graph as data: a spec, of JSON values only.

        Returns:
            What `GraphOp.deserialize` reads back, in this runtime or in another.

        Raises:
            SpecError: If something in it has no place in a spec; all such things are named.
            TypeError: If the graph is part of another, or not built.

        Example:
            ```python
            Path("graph.json").write_text(json.dumps(graph.serialize()))
            ```
        """
        from operonx.core.spec.writing import serialize  # it knows all kinds of ops

        return serialize(self)

    @classmethod
    def deserialize(cls, spec: Mapping[str, Any], *, allow: Iterable[str] = ()) -> GraphOp:
        """Return the graph that a spec describes, built.

        Nothing is imported but what `allow` names. An op whose function is in another module can be
        looked at and replaced, but an engine refuses to be made of it.

        Args:
            spec: What `serialize` gave.
            allow: Modules that may be imported for its ops; of a package, all modules in it.

        Raises:
            SpecError: If it is no spec, or names what is not there.
            BuildError: If the graph is wrong.

        Example:
            ```python
            graph = GraphOp.deserialize(json.loads(text), allow=["mypackage.ops"])
            ```
        """
        from operonx.core.spec.reading import deserialize  # it knows all kinds of ops

        return deserialize(spec, allow)

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
        from operonx.core.graph.mermaid import is_drawable  # drawing is rare

        # JupyterLab and Notebook from 7.1 draw this type; others show the text.
        drawing = self.to_mermaid()
        shown = {"text/vnd.mermaid": drawing} if is_drawable(drawing) else {}
        return {**shown, "text/plain": str(self)}
