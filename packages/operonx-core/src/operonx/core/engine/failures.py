"""Failures put into words: the error a caller gets, the reason of a skip, `op.error`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operonx.core import redaction
from operonx.core.engine.state import MemoryState, context_of
from operonx.core.errors import LoopLimitError, OpError
from operonx.core.expressions.printing import show_value
from operonx.core.plan.nodes import CallNode

if TYPE_CHECKING:
    from operonx.core.plan.nodes import Node

__all__ = ["error_value", "op_error", "reason_of", "show_input"]


def op_error(inst: MemoryState, node: Node, error: BaseException) -> OpError:
    """Return what a firing raised as the error that its caller gets."""
    return OpError(node.path, context_of(inst), error, _shown_inputs(inst, node))


def _shown_inputs(inst: MemoryState, node: Node) -> dict[str, str]:
    if not isinstance(node, CallNode):
        return {}
    shown: dict[str, str] = {}
    for argument in node.arguments:
        try:
            shown[argument.name] = show_input(argument.name, argument.evaluate(inst))
        except Exception as error:  # noqa: BLE001 - the input itself is what failed
            shown[argument.name] = f"<{type(error).__name__}>"
    return shown


def show_input(name: str, value: object) -> str:
    """Return a value as shortened text, without what is secret by its name or look."""
    return redaction.REDACTED if redaction.is_secret(name, value) else show_value(value)


def reason_of(failure: OpError) -> str:
    """Return a failure as the reason of a skip."""
    if isinstance(failure, LoopLimitError):
        return f"loop `{failure.op}` failed: {failure.cause_message}"
    return f"op `{failure.op}` failed: {type(failure.__cause__).__name__}: {failure.cause_message}"


def error_value(failure: OpError) -> dict[str, Any]:
    """Return an error as `op.error` gives it."""
    kind = type(failure if isinstance(failure, LoopLimitError) else failure.__cause__)
    return {
        "type": kind.__name__,
        "message": failure.cause_message,
        "op": failure.op,
        "ctx": [list(step) for step in failure.ctx],
    }
