"""Which graph is being built now: the one piece of ambient state while authoring."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

__all__ = ["building_graph", "pop_graph", "push_graph"]

# A tuple, not a list: a task that starts inside a graph block gets its own view.
_stack: ContextVar[tuple[Any, ...]] = ContextVar("operonx_building", default=())


def building_graph() -> Any | None:
    """Return the innermost graph whose block is open, or None."""
    stack = _stack.get()
    return stack[-1] if stack else None


def push_graph(graph: Any) -> None:
    """Open `graph`: ops made from now on belong to it."""
    _stack.set((*_stack.get(), graph))


def pop_graph() -> None:
    """Close the innermost graph."""
    _stack.set(_stack.get()[:-1])
