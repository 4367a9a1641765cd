"""`@op`: a function becomes a factory of ops, and stays a function outside a graph block."""

from __future__ import annotations

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from functools import update_wrapper
from typing import (
    Any,
    Concatenate,
    Generic,
    ParamSpec,
    Protocol,
    TypeVar,
    Unpack,
    cast,
    overload,
)

from operonx.core.errors import listed
from operonx.core.expressions.building import building_graph
from operonx.core.expressions.naming import assigned_name, calling_frame
from operonx.core.expressions.refs import Operators, lift
from operonx.core.ops.context import RunContext
from operonx.core.ops.function import FuncOp, OpDefinition
from operonx.core.ops.policies import (
    NO_POLICIES,
    OnError,
    Policies,
    PolicyOptions,
    Rate,
    Retry,
    RunIn,
)

__all__ = ["OpDecorator", "OpFactory", "op"]

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=RunContext)
"""The first parameter, if it takes a run context: nothing is passed for it in a graph."""
F = TypeVar("F", bound="OpFactory[..., Any]")


class _Other:
    """No run context: a first parameter that takes one of these takes anything."""


class OpFactory(Generic[P, R]):
    """What `@op` makes of a function.

    Called inside a graph block it adds an op to the graph, whose arguments are refs or constants;
    outside it calls the function.
    """

    def __init__(
        self, definition: OpDefinition, policies: Policies, name: str | None = None
    ) -> None:
        self.definition = definition
        self.policies = policies
        self.name = name
        update_wrapper(self, definition.function, updated=())

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Add an op to the open graph; outside a graph block, call the function."""
        graph = building_graph()
        if graph is None:
            _refuse_refs(self.definition.name, (*args, *kwargs.values()))
            return cast("R", self.definition.function(*args, **kwargs))
        return cast("R", self._add_to(graph, args, dict(kwargs), calling_frame(1)))

    def with_(self, **policies: Unpack[PolicyOptions]) -> OpFactory[P, R]:
        """Set the name and policies of one use.

        Args:
            **policies: `name=`, and any of `retry`, `timeout`, `fallback`, `concurrency`,
                `rate`, `on_error`, `max_open`, `run_in`.

        Returns:
            A factory to call with the op's arguments.

        Raises:
            TypeError: If a policy is unknown or of the wrong type.
            ValueError: If a policy's value is out of its range.

        Example:
            ```python
            translate.with_(name="de", timeout=10.0)(text=PARENT["text"])
            ```
        """
        changes: dict[str, Any] = {**policies}
        name = changes.pop("name", self.name)
        return OpFactory(self.definition, self.policies.but(**changes), name)

    def _add_to(
        self, graph: Any, args: tuple[Any, ...], kwargs: dict[str, Any], frame: Any
    ) -> FuncOp:
        parameters = self.definition.inputs
        name, outputs = self.name, None
        if "name" in kwargs and "name" not in parameters:
            name = kwargs.pop("name")
        if "outputs" in kwargs and "outputs" not in parameters:
            outputs = kwargs.pop("outputs")
        named = name is not None
        if name is None:
            name = assigned_name(frame) or self.definition.name
        node = FuncOp(self.definition, name, {}, self.policies, named=named)
        graph.add_op(node)
        _bind(graph, node, args, kwargs)
        if outputs is not None:
            graph.add_outputs(node, outputs)
        return node

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        if instance is None:
            return self
        # A method's op: the instance is bound, as it would be for the function itself.
        bound = self.definition.function.__get__(instance, owner)
        definition = OpDefinition(
            bound,
            self.definition.name,
            self.definition.policies,
            self.definition.outputs,
            self.definition.final,
            self.definition.returns,
        )
        made: OpFactory[..., Any] = OpFactory(definition, self.policies, self.name)
        return made

    def __repr__(self) -> str:
        return f"<op {self.definition.name}>"


def _refuse_refs(name: str, arguments: Iterable[object]) -> None:
    for value in arguments:
        if isinstance(value, Operators):
            raise TypeError(
                f"op `{name}` was called outside a graph block, where it is a plain function, "
                f"with the ref {value!r}; call it inside the block"
            )


def _bind(graph: Any, node: FuncOp, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Set an op's inputs; what Python would refuse in a call is reported with everything else."""
    if args:
        parameters = node.definition.inputs.values()
        positional = [one.name for one in parameters if not one.keyword_only]
        if len(args) > len(positional):
            takes = f"takes {listed(positional, 'nothing')} by position"
            graph.report(node, f"it {takes}, got {len(args)} arguments", hint="pass it by name")
        for key, value in zip(positional, args, strict=False):
            node.inputs[key] = lift(value)
    for key, value in kwargs.items():
        if key in node.inputs:
            graph.report(node, f"input `{key}` is given twice, by position and by name", ref=key)
        node.inputs[key] = lift(value)


class OpDecorator(Protocol):
    """What `@op(...)` with arguments returns."""

    @overload
    def __call__(
        self, function: Callable[Concatenate[_Other, ...], Any], /
    ) -> OpFactory[..., Any]: ...
    @overload
    def __call__(
        self, function: Callable[Concatenate[C, P], AsyncIterator[R]], /
    ) -> OpFactory[P, R]: ...
    @overload
    def __call__(
        self, function: Callable[Concatenate[C, P], Iterator[R]], /
    ) -> OpFactory[P, R]: ...
    @overload
    def __call__(
        self, function: Callable[Concatenate[C, P], Awaitable[R]], /
    ) -> OpFactory[P, R]: ...
    @overload
    def __call__(self, function: Callable[Concatenate[C, P], R], /) -> OpFactory[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, AsyncIterator[R]], /) -> OpFactory[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, Iterator[R]], /) -> OpFactory[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, Awaitable[R]], /) -> OpFactory[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> OpFactory[P, R]: ...
    def __call__(self, function: Callable[..., Any], /) -> OpFactory[..., Any]:
        """Make an op factory of a function."""
        ...


@overload
def op(function: Callable[Concatenate[_Other, ...], Any], /) -> OpFactory[..., Any]: ...
@overload
def op(function: Callable[Concatenate[C, P], AsyncIterator[R]], /) -> OpFactory[P, R]: ...
@overload
def op(function: Callable[Concatenate[C, P], Iterator[R]], /) -> OpFactory[P, R]: ...
@overload
def op(function: Callable[Concatenate[C, P], Awaitable[R]], /) -> OpFactory[P, R]: ...
@overload
def op(function: Callable[Concatenate[C, P], R], /) -> OpFactory[P, R]: ...
@overload
def op(function: Callable[P, AsyncIterator[R]], /) -> OpFactory[P, R]: ...
@overload
def op(function: Callable[P, Iterator[R]], /) -> OpFactory[P, R]: ...
@overload
def op(function: Callable[P, Awaitable[R]], /) -> OpFactory[P, R]: ...
@overload
def op(function: Callable[P, R], /) -> OpFactory[P, R]: ...
@overload
def op(
    *,
    name: str | None = ...,
    outputs: Sequence[str] | Mapping[str, Any] | None = ...,
    final: Sequence[str] | Mapping[str, Any] | None = ...,
    returns: str | None = ...,
    rust: str | None = ...,
    warm_up: Callable[[object], None] | None = ...,
    run_in: RunIn = ...,
    retry: Retry | None = ...,
    timeout: float | None = ...,
    fallback: Any = ...,
    concurrency: int | None = ...,
    rate: Rate | None = ...,
    on_error: OnError = ...,
    max_open: int | None = ...,
    cache: Any = ...,
) -> OpDecorator: ...
def op(  # noqa: PLR0913 - what `@op(...)` takes
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    outputs: Sequence[str] | Mapping[str, Any] | None = None,
    final: Sequence[str] | Mapping[str, Any] | None = None,
    returns: str | None = None,
    rust: str | None = None,
    warm_up: Callable[[object], None] | None = None,
    **policies: Any,
) -> Any:
    """Turn a function into an op factory.

    A parameter annotated `RunContext` is filled by the engine. Let it be the first one, or give it
    a default: only then type checkers know that a call leaves it out. They check no arguments
    of an op whose first parameter takes anything (`Any`, `object`, a type variable); nor does mypy
    if a parameter beside a `RunContext` is `Any`: there write `object`.

    Args:
        function: `def`, `async def`, or a generator of either kind.
        name: The op's name where a graph gives it none; the function's own by default.
        outputs: Names of the output ports, or their types by name, where the function does not
            tell them itself.
        final: The same for the ports of `yield final(...)`.
        returns: Make the whole result one port of this name.
        rust: Name of the native op that does the same.
        warm_up: Called with the resource hub when an engine is made; raises if the op could
            never run.
        **policies: `run_in`, `retry`, `timeout` (seconds), `fallback`, `concurrency`, `rate`,
            `on_error`, `max_open`; see `Policies`.

    Returns:
        An `OpFactory`, or with arguments only, a decorator that makes one.

    Raises:
        TypeError: If the function cannot be an op, or a policy is unknown.
        ValueError: If a policy's value is out of its range.

    Example:
        ```python
        @op(retry=Retry(attempts=3), timeout=10.0)
        async def fetch(url: str) -> str: ...
        ```
    """

    def decorate(function: Callable[..., Any]) -> OpFactory[..., Any]:
        if not callable(function):
            raise TypeError(f"`@op` takes a function, got {function!r}")
        own_name = name or str(getattr(function, "__name__", type(function).__name__))
        settings = NO_POLICIES.but(**policies)
        return OpFactory(
            OpDefinition(
                function, own_name.strip("<>"), settings, outputs, final, returns, rust, warm_up
            ),
            settings,
        )

    return decorate if function is None else decorate(function)
