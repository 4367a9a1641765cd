"""`@op`: a function becomes a factory of ops, and stays a function outside a graph block."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

from operonx.core.expressions.naming import calling_frame
from operonx.core.ops.context import RunContext
from operonx.core.ops.factory import OpFactory
from operonx.core.ops.function import OpDefinition
from operonx.core.ops.policies import NO_POLICIES, OnError, Rate, Retry, RunIn

__all__ = ["OpDecorator", "op"]

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=RunContext)
"""The first parameter, if it takes a run context: nothing is passed for it in a graph."""
F = TypeVar("F", bound="OpFactory[..., Any]")


class _Other:
    """No run context: a first parameter that takes one of these takes anything."""


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
    module = calling_frame(1).f_globals.get("__name__")

    def decorate(function: Callable[..., Any]) -> OpFactory[..., Any]:
        if not callable(function):
            raise TypeError(f"`@op` takes a function, got {function!r}")
        own_name = name or str(getattr(function, "__name__", type(function).__name__))
        settings = NO_POLICIES.but(**policies)
        return OpFactory(
            OpDefinition(
                function,
                own_name.strip("<>"),
                settings,
                outputs,
                final,
                returns,
                rust,
                warm_up,
                module,
            ),
            settings,
        )

    return decorate if function is None else decorate(function)
