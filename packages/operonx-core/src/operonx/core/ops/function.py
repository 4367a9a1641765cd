"""`FuncOp`: an op that calls a Python function."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn, get_origin

from operonx.core.ops.base import Op
from operonx.core.ops.context import RunContext
from operonx.core.ops.signature import Parameter, Port, Signature, read_signature
from operonx.core.schema import plain, type_name
from operonx.core.streaming import Stream

if TYPE_CHECKING:
    from operonx.core.expressions.refs import Expression
    from operonx.core.ops.policies import Policies

__all__ = ["FuncOp", "OpDefinition"]


@dataclass(slots=True)
class OpDefinition:
    """A function as an op: what `@op` keeps of it. One definition serves many nodes."""

    function: Callable[..., Any]
    name: str
    policies: Policies
    outputs: Any = None
    final: Any = None
    returns: str | None = None
    native: str | None = None
    """Name of the native op that does the same."""
    warm_up: Callable[[object], None] | None = None
    _signature: Signature | None = field(default=None, repr=False)
    _inputs: dict[str, Parameter] | None = field(default=None, repr=False)

    @property
    def signature(self) -> Signature:
        """What the graph knows of the function; read once, when a graph first uses it."""
        if self._signature is None:
            self._signature = read_signature(
                self.function,
                outputs=self.outputs,
                final=self.final,
                returns=self.returns,
                context_type=RunContext,
                stream_type=Stream,
            )
        return self._signature

    @property
    def inputs(self) -> dict[str, Parameter]:
        """The parameters that a graph gives, by name."""
        if self._inputs is None:
            parameters = self.signature.parameters
            self._inputs = {one.name: one for one in parameters if one.role != "context"}
        return self._inputs

    def with_ports_of(self, other: Signature) -> OpDefinition:
        """Return this definition with the ports of another function's signature."""
        own = self.signature
        signature = replace(own, ports=other.ports, final=other.final, shape=other.shape)
        return replace(self, _signature=signature)


_STREAMS: Final = (AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterable, Iterator)


class FuncOp(Op):
    """A node that calls a function: its parameters are the inputs, its result the ports."""

    kind: ClassVar[str] = "func"
    calls: ClassVar[bool] = True

    def __init__(
        self,
        definition: OpDefinition,
        name: str,
        inputs: dict[str, Expression],
        policies: Policies,
        *,
        named: bool,
    ) -> None:
        super().__init__(name, inputs, policies, named=named)
        self.definition = definition
        self.signature: Signature = definition.signature

    @property
    def ports(self) -> tuple[Port, ...] | None:
        """The ports that the function's signature tells."""
        return self.signature.ports

    @property
    def final(self) -> tuple[Port, ...]:
        """The ports that a generator fills at its end, with `final`."""
        return self.signature.final

    @property
    def opens_axis(self) -> bool:
        """True of a generator."""
        return self.signature.is_generator

    def ports_hint(self) -> str:
        """Say how an op with open ports comes by known ones."""
        whole = 'make the whole {} one port with `@op(returns="name")`'
        if plain(self.signature.whole) in (Any, object):
            told = "annotate what it returns (`-> int`)"
            if self.signature.is_generator:
                iterator = "AsyncIterator" if self.signature.is_async else "Iterator"
                told = f"it yields, so annotate what iterating it gives (`-> {iterator}[int]`)"
            return f"{told}, or {whole.format('value')}"
        keys = "name its keys by a TypedDict or `@op(outputs=[...])`"
        return f"{whole.format('dict')}, or {keys}"

    def stream_hint(self) -> str | None:
        """Say how an op that opens no stream does, where its annotation promises one."""
        if self.opens_axis or len(self.all_ports()) != 1:
            return None
        kind = get_origin(plain(self.signature.whole)) or plain(self.signature.whole)
        if kind in _STREAMS:
            return (
                f"`{self.definition.name}` has no `yield`, so it is no generator: "
                "write `yield from ...` in place of `return ...`"
            )
        if kind is list:
            return f"`{self.name}` gives a list: read it as it is, or fan it out with `each(...)`"
        return None

    def whole_hint(self) -> str | None:
        """Say how an op whose result is taken apart hands it on whole; None where it cannot."""
        if self.definition.outputs is not None or self.signature.shape not in ("mapping", "fields"):
            return None
        whole = self.signature.whole
        what, name = "value", "value"
        if whole is not Any:
            what = f"`{type_name(whole)}`"
            name = str(getattr(get_origin(whole) or whole, "__name__", name)).lower()
        return f'to hand on the whole {what} as one port write `@op(returns="{name}")`'

    def _again(self) -> str:
        function = self.definition.name
        return (
            f"op `{self.name}` is made already, and cannot be called; call the function "
            f"`{function}` again, and give the variable another name if it hides that"
        )

    def with_(self, **policies: Any) -> NoReturn:
        """Refuse: the op is made already.

        Raises:
            TypeError: Always; says where policies are set.
        """
        first = next(iter(policies), "name")
        raise TypeError(
            f"op `{self.name}` is made already, and policies are set before the call: "
            f"write `{self.definition.name}.with_({first}=...)(...)`"
        )

    def warm_up(self, hub: object) -> None:
        """Call the hook that the function was given, if any."""
        if self.definition.warm_up is not None:
            self.definition.warm_up(hub)
