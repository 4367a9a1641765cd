"""`Op`: a node of a graph, with named inputs, named output ports and policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, cast

from operonx.core.expressions.refs import ErrorRef, Expression, Operators, PortRef
from operonx.core.ops.edges import SoftEdge, connect
from operonx.core.ops.policies import NO_POLICIES, Policies

if TYPE_CHECKING:
    from operonx.core.ops.signature import Port

__all__ = ["Op", "error_of"]


class Op(Operators):
    """A node of a graph. Made by calling an `@op` function inside a graph block.

    `op["k"]` reads an output; an op with one port may stand for it wherever a ref may.
    """

    kind: ClassVar[str] = "op"
    calls: ClassVar[bool] = False
    """Whether a firing calls something, and so emits a frame."""
    analysis: Any = None
    """What building found out of a graph; None for all else, and before it is built."""

    def __init__(
        self,
        name: str,
        inputs: dict[str, Expression] | None = None,
        policies: Policies | None = None,
        *,
        named: bool = False,
    ) -> None:
        if not isinstance(cast("object", name), str):
            raise TypeError(f"name={name!r}: an op's name is a string")
        self.name: str = name
        """Its name in its graph."""
        self.named = named
        """Whether the author gave the name, so that a second one of it is a mistake."""
        self.inputs: dict[str, Expression] = inputs or {}
        """What it is given, by parameter."""
        self.policies: Policies = policies or NO_POLICIES
        """What is done around its firings."""
        self.graph: Any = None
        """The graph it belongs to; None for a root graph."""

    @property
    def path(self) -> str:
        """Names from the root graph's down, joined by dots."""
        names = [self.name]
        graph = self.graph
        while graph is not None:
            names.append(graph.name)
            graph = graph.graph
        return ".".join(reversed(names))

    @property
    def ports(self) -> tuple[Port, ...] | None:
        """The output ports; None where they are open: known only when it runs."""
        return ()

    @property
    def final(self) -> tuple[Port, ...]:
        """The ports of a generator that keep the op's own axes."""
        return ()

    @property
    def opens_axis(self) -> bool:
        """Whether its ports (but for the final ones) gain an axis of its own."""
        return False

    def all_ports(self) -> tuple[Port, ...]:
        """Return all known ports, final ones last."""
        return (*(self.ports or ()), *self.final)

    def warm_up(self, hub: object) -> None:
        """Get ready to run; `Operon(graph)` calls this once for every op.

        Args:
            hub: The resource hub of the engine, or None.

        Raises:
            Exception: Whatever keeps the op from ever running, so that it is known at once.
        """

    @property
    def error(self) -> Any:
        """A ref to `{type, message, op, ctx}`; what reads it fires only if this op failed."""
        return ErrorRef(self)

    def __getitem__(self, port: str) -> Any:
        if not isinstance(cast("object", port), str):
            raise TypeError(
                f"`{self.name}[{port!r}]`: takes the name of a port; "
                f'index its value with `{self.name}["port"][{port!r}]`'
            )
        return PortRef(self, port)

    def _ref(self) -> Expression:
        ports = self.all_ports()
        if self.ports is not None and len(ports) == 1:
            return PortRef(self, ports[0].name)
        names = ", ".join(f'`{self.name}["{port.name}"]`' for port in ports)
        if self.ports is None:
            read = f"; of those it has, read one: {names}" if names else ""
            raise TypeError(
                f"op `{self.name}` has open ports, only known when it runs, so it cannot stand "
                f"for a value: {self.ports_hint()}{read}"
            )
        reason = f"has {len(ports)} ports, so it cannot stand for a value; read one: {names}"
        whole = self.whole_hint()
        if whole is not None:
            reason += f"; {whole}"
        if not ports:
            reason = "has no ports, so it gives nothing that could be read"
        raise TypeError(f"op `{self.name}` {reason}")

    def ports_hint(self) -> str:
        """Say how an op with open ports comes by known ones."""
        return "name them: `@op(outputs=[...])`"

    def stream_hint(self) -> str | None:
        """Say how an op that opens no stream does, where its annotation promises one."""
        return None

    def whole_hint(self) -> str | None:
        """Say how an op whose result is taken apart hands it on whole; None where it cannot."""
        return None

    def _instead_of(self, name: str) -> str:
        return f'an output is read as `{self.name}["{name}"]`'

    if not TYPE_CHECKING:  # checkers shall see that it cannot be called

        def __call__(self, *_: object, **__: object) -> NoReturn:
            """Refuse: an op is made by calling a function, and not called itself."""
            raise TypeError(self._again())

    def _again(self) -> str:
        return f"op `{self.name}` is made already, and cannot be called"

    def __invert__(self) -> SoftEdge:
        return SoftEdge(self)

    def __rshift__(self, targets: object) -> Any:
        return connect(self, targets)

    def __rrshift__(self, sources: object) -> Any:
        return connect(sources, self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}>"


def error_of(op: object) -> Any:
    """Give `op.error`, for typed code, where an op types as its result.

    Raises:
        TypeError: If `op` is no op.
    """
    if not isinstance(op, Op):
        raise TypeError(f"`error_of` takes an op, got {op!r}")
    return op.error
