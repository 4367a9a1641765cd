"""How a function is called: its arguments from slots, its result into ports."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, cast

from operonx.core.errors import OutputError, did_you_mean, listed
from operonx.core.ops.policies import UNSET
from operonx.core.plan.nodes import Argument, CallNode, GeneratorNode

if TYPE_CHECKING:
    from operonx.core.ops.function import OpDefinition
    from operonx.core.ops.signature import Signature

__all__ = ["SHORT", "Caller", "clock", "ports_of"]

clock: Callable[[], float] = time.perf_counter

SHORT: Final = 50e-6
"""Seconds within which a call counts as short enough for the event loop."""

_LONG: Final = 1e-3
"""Seconds that one call is enough of to send the next to a thread."""

_FEW: Final = 8
"""Short calls in threads, in a row, that make good the first long one on the event loop."""

_MANY: Final = 256
"""The most that are asked for, however often it happened."""

Outputs = dict[str, Any]


class Caller:
    """One node's function, and what was learnt of how long it takes."""

    __slots__ = (
        "_needed",
        "_relapsed",
        "_row",
        "arguments",
        "context_parameter",
        "doubted",
        "function",
        "in_process",
        "measures",
        "open_ports",
        "ports",
        "short",
        "signature",
        "simple",
        "take",
        "value_slot",
    )

    def __init__(self, node: CallNode, definition: OpDefinition, *, replaces: bool = False) -> None:
        self.function: Callable[..., Any] = definition.function
        self.signature: Signature = definition.signature
        self.arguments: list[Argument] = node.arguments
        self.context_parameter: str | None = next(
            (p.name for p in self.signature.parameters if p.role == "context"), None
        )
        ports = node.op.ports
        self.open_ports: bool = ports is None
        self.ports: tuple[str, ...] = tuple(port.name for port in ports or ())
        self.measures: bool = node.op.policies.run_in == "auto"
        """Whether how long calls take decides where they run."""
        self.in_process: bool = node.op.policies.run_in == "process" and not replaces
        """Whether another process calls it; what replaces an op may live in this one alone."""
        self.value_slot: int | None = None
        """Where the result goes if it is the value of the one port."""
        if self.signature.shape == "value" and not isinstance(node, GeneratorNode):
            self.value_slot = node.outputs[self.ports[0]]
        self.short: bool | None = None
        """Whether calls were short so far; None before the first."""
        self.doubted: bool = False
        """Whether the last call of a short one was slow."""
        self._row = 0
        """Short calls in threads since the last that was not."""
        self._needed = 1
        """How many of them bring it back to the event loop."""
        self._relapsed = 0
        """How often a call on the event loop was long."""
        positional = _positional(self.signature, node.arguments)
        self.simple: bool = positional is not None and self.context_parameter is None
        """Whether all arguments can be taken from slots, by position."""
        self.take: Callable[[list[Any]], tuple[Any, ...]] = _taker(positional or [])

    def gather(self, inst: Any) -> dict[str, Any]:
        """Return the arguments by name; raises what their expressions raise."""
        return {argument.name: argument.evaluate(inst) for argument in self.arguments}

    def measured(self, seconds: float) -> None:
        """Note how long a call in a thread took."""
        self.judge(short=seconds < SHORT)

    def judge(self, *, short: bool) -> None:
        """Note whether a call in a thread was short; enough in a row let the next run inline."""
        self._row = self._row + 1 if short else 0
        self.short = self._row >= self._needed

    def relapse(self) -> None:
        """Note that a call held up the event loop: it takes longer each time to come back."""
        self._send_off(min(_FEW << self._relapsed, _MANY))
        self._relapsed += self._needed < _MANY

    def _send_off(self, needed: int) -> None:
        self.short = False
        self._row = 0
        self._needed = needed

    def doubt(self, seconds: float) -> None:
        """Note how long a call on the event loop took, if it or the one before was slow.

        One slow call may be the machine's doing, or the garbage collector's; two in a row are not.
        """
        slow = seconds > SHORT
        if seconds > _LONG:
            self.relapse()
        elif slow and self.doubted:
            self._send_off(1)
        self.doubted = slow and bool(self.short)


def _positional(signature: Signature, arguments: list[Argument]) -> list[int] | None:
    """Return the slots of the arguments in order of the parameters, if it is as simple as that."""
    slots = {argument.name: argument.slot for argument in arguments}
    order: list[int] = []
    for parameter in signature.parameters:
        slot = slots.pop(parameter.name, None)
        if slot is None:
            break
        if parameter.keyword_only:
            return None
        order.append(slot)
    return order if len(order) == len(arguments) else None


def _taker(slots: list[int]) -> Callable[[list[Any]], tuple[Any, ...]]:
    if not slots:
        return lambda _values: ()
    if len(slots) == 1:
        only = slots[0]
        return lambda values: (values[only],)
    return itemgetter(*slots)


def ports_of(caller: Caller, value: Any, ports: tuple[str, ...], shape: str) -> Outputs:
    """Return a result as values by port.

    Raises:
        OutputError: If the result has a key too few or too many, or is of another shape.
    """
    if shape == "value":
        return {ports[0]: value}
    if shape == "none":
        if value is not None and not _is_empty(value):
            raise OutputError(
                f"returned `{type(value).__name__}`, but it has no ports",
                hint="annotate the return type, or `@op(outputs=[...])`",
            )
        return {}
    if shape == "fields" and not isinstance(value, Mapping):
        return _fields(value, ports)
    if not isinstance(value, Mapping):
        raise OutputError(
            f"returned `{type(value).__name__}`, expected a dict with {_wanted(caller, ports)}",
            hint='one port that is the whole value: `@op(returns="name")` or a return annotation',
        )
    mapping = cast("Mapping[str, Any]", value)
    return dict(mapping) if caller.open_ports else _checked(mapping, ports)


def _is_empty(value: object) -> bool:
    return isinstance(value, dict) and value == {}


def _wanted(caller: Caller, ports: tuple[str, ...]) -> str:
    return "its ports" if caller.open_ports else listed(ports, "no keys")


def _checked(value: Mapping[str, Any], ports: tuple[str, ...]) -> Outputs:
    if len(value) == len(ports):
        try:
            return {port: value[port] for port in ports}
        except KeyError:
            pass
    missing = [port for port in ports if port not in value]
    surplus = [str(key) for key in value if key not in ports]
    parts: list[str] = []
    if missing:
        parts.append(f"lacks {listed(missing)}")
    if surplus:
        parts.append(f"has {listed(surplus)} too many")
    hint = did_you_mean(surplus[0], missing) if missing and surplus else None
    raise OutputError(
        f"the result {' and '.join(parts)}; its ports are {listed(ports, 'none')}", hint=hint
    )


def _fields(value: Any, ports: tuple[str, ...]) -> Outputs:
    outputs = {port: getattr(value, port, UNSET) for port in ports}
    missing = [port for port, given in outputs.items() if given is UNSET]
    if missing:
        raise OutputError(f"returned `{type(value).__name__}`, which lacks {listed(missing)}")
    return outputs


def final_ports(node: GeneratorNode) -> tuple[str, ...]:
    """Return the names of a generator's final ports."""
    return tuple(node.final)
