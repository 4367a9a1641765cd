"""Functions called in worker processes, by name: what `@op` decorates cannot be pickled itself."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from operonx.core.ops.factory import OpFactory

__all__ = ["call_by_name", "name_of"]


def name_of(function: Callable[..., Any]) -> tuple[str, str]:
    """Return the module and qualified name that a worker finds a function by."""
    return function.__module__, function.__qualname__


def call_by_name(module: str, name: str, arguments: dict[str, Any]) -> Any:
    """Call a function of a module; runs in the worker process.

    Raises:
        AttributeError: If the module has no such function.
    """
    found: Any = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    function = found.definition.function if isinstance(found, OpFactory) else found
    return function(**arguments)
