"""Calling an op's function without an engine: attempts, fallback, and results as ports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import compress, product
from typing import Any

from operonx.core import FuncOp, OutputError, RunContext, StreamError
from operonx.core.ops.function import OpDefinition
from operonx.core.ops.policies import UNSET
from operonx.core.ops.signature.ending import Final

from .outcome import Ctx, Undetermined

__all__ = ["Called", "DeadStream", "OracleStream", "call"]


_MOST_CUT = 8
"""Items of cut streams of which every choice is tried."""


class _NoRun:
    """What `RunContext` asks of a run: here nobody watches."""

    run_id: str = "oracle"
    hub: object = None

    def emit(self, context: RunContext, channel: str, payload: object) -> None:
        """Say it to nobody."""

    async def ask(self, context: RunContext, payload: object) -> Any:
        """Refuse: nobody answers."""
        raise NotImplementedError


class DeadStream(BaseException):
    """Past the last item of a stream whose failure ends the run: nobody sees that end."""


class OracleStream:
    """A `Stream` whose items are all there."""

    def __init__(self, items: list[Any], end: str) -> None:
        self.items = items
        self.end = end
        self.taken = False
        """Whether an item or the end was read, which no other attempt will see."""

    def __iter__(self) -> Iterator[Any]:
        self.taken = True
        yield from self.items
        if self.end == "dead":
            raise DeadStream
        if self.end == "failed":
            raise StreamError("the stream failed")

    async def __aiter__(self) -> AsyncIterator[Any]:
        for item in self:
            yield item


@dataclass(slots=True)
class Called:
    """What became of one firing of a function."""

    outputs: Mapping[str, Any] | None = None
    """Of a plain function, or the final ports of a generator."""
    items: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    error: Exception | None = None
    dead: bool = False
    """Whether it waits for ever on a stream whose failure ended the run."""


def call(op: FuncOp, ctx: Ctx, inputs: Mapping[str, Any]) -> Called:
    """Fire a function; what it reads of a stream that was cut must not make a difference.

    Raises:
        Undetermined: If it does.
    """
    cut = [name for name, value in inputs.items() if getattr(value, "end", None) == "cut"]
    if not cut:
        return _call(op, ctx, inputs)
    streams = [inputs[name] for name in cut]
    if sum(len(stream.items) for stream in streams) > _MOST_CUT:
        raise Undetermined("a stream that was cut, of too many items to try them all")
    calls = [
        _call(op, ctx, {**inputs, **dict(zip(cut, parts, strict=True))})
        for parts in product(*map(_parts, streams))
    ]
    if any(_told(one) != _told(calls[0]) for one in calls):
        raise Undetermined(f"`{op.path}` tells how far a stream came that was cut")
    return calls[0]


def _parts(stream: OracleStream) -> list[OracleStream]:
    """Return every stream that may be left of one that was cut."""
    kept = product((False, True), repeat=len(stream.items))
    return [OracleStream(list(compress(stream.items, one)), "failed") for one in kept]


def _told(called: Called) -> tuple[Any, ...]:
    return called.outputs, called.items, type(called.error), str(called.error), called.dead


def _call(op: FuncOp, ctx: Ctx, inputs: Mapping[str, Any]) -> Called:
    # `retry` makes the attempts, then comes `fallback`.
    retry = op.policies.retry
    attempts = retry.attempts if retry is not None else 1
    inputs = {
        name: OracleStream(value.items, value.end) if isinstance(value, OracleStream) else value
        for name, value in inputs.items()
    }
    called = Called()
    for attempt in range(1, attempts + 1):
        called = _attempt(op.definition, RunContext(_NoRun(), op.path, ctx, attempt), inputs)
        if called.error is None or called.items or called.dead:
            return called
        if retry is not None and not isinstance(called.error, retry.on):
            break
        if any(_is_taken(value) for value in inputs.values()):
            break
    return _fall_back(op, ctx, inputs, called)


def _fall_back(op: FuncOp, ctx: Ctx, inputs: Mapping[str, Any], called: Called) -> Called:
    fallback = op.policies.fallback
    if fallback is UNSET:
        return called
    definition = getattr(fallback, "definition", None)
    if definition is not None:
        given = {name: value for name, value in inputs.items() if name in definition.inputs}
        if any(_is_taken(value) for value in given.values()):
            return called
        return _attempt(definition, RunContext(_NoRun(), op.path, ctx), given)
    return Called(outputs=_as_ports(op.definition, fallback))


def _is_taken(value: Any) -> bool:
    return isinstance(value, OracleStream) and value.taken


def _attempt(definition: OpDefinition, run: RunContext, inputs: Mapping[str, Any]) -> Called:
    arguments = dict(inputs)
    for parameter in definition.signature.parameters:
        if parameter.role == "context":
            arguments[parameter.name] = run
    called = Called()
    try:
        _run(definition, arguments, called)
    except DeadStream:
        called.dead = True
    except Exception as error:  # noqa: BLE001 - whatever an op raises is its failure
        called.error = error
    return called


def _run(definition: OpDefinition, arguments: Mapping[str, Any], called: Called) -> None:
    signature = definition.signature
    function: Callable[..., Any] = definition.function
    if not signature.is_generator:
        value = function(**arguments)
        called.outputs = _as_ports(definition, _awaited(value) if signature.is_async else value)
        return
    yielded = function(**arguments)
    for value in _drained(yielded) if signature.is_async else yielded:
        if isinstance(value, Final):
            called.outputs = dict(value)
        else:
            called.items.append(_as_ports(definition, value))


def _awaited(coroutine: Any) -> Any:
    # The functions of the library wait for nothing outside an event loop.
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("an op of the library waited for something")


def _drained(generator: Any) -> Iterator[Any]:
    while True:
        try:
            yield _awaited(generator.__anext__())
        except StopAsyncIteration:
            return


def _as_ports(definition: OpDefinition, value: Any) -> dict[str, Any]:
    signature = definition.signature
    if signature.shape == "none":
        return {}
    assert signature.ports is not None
    names = [port.name for port in signature.ports]
    if signature.shape == "value":
        return {names[0]: value}
    if sorted(value) != sorted(names):
        raise OutputError("a key too few or too many")
    return dict(value)
