"""Types as JSON: what their writer and their reader share."""

from __future__ import annotations

from types import NoneType
from typing import Any, Final, cast

from operonx.core.spec.arrays import Array

__all__ = ["LIMITS", "MAX_TYPE_DEPTH", "NAMES", "TYPES", "UnknownClass", "depth_of"]

MAX_TYPE_DEPTH: Final = 32
"""How deep a type may nest: every runtime reads it recursively."""
NAMES: Final[dict[Any, str]] = {
    Any: "any",
    object: "any",
    NoneType: "none",
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
    bytes: "bytes",
    Array: "array",
    list: "list",
    dict: "dict",
    tuple: "tuple",
}
TYPES: Final[dict[str, Any]] = {name: kind for kind, name in NAMES.items() if kind is not object}
LIMITS: Final = ("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "pattern")
"""What `pydantic.Field` limits values by, of which every runtime knows the meaning."""


class UnknownClass:
    """Stands as a type for a class that a spec names and that was not imported; any value fits."""

    def __init__(self, path: str, arguments: tuple[Any, ...] = ()) -> None:
        self.path = path
        self.arguments = arguments
        self.__name__: str = path.partition(":")[2]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UnknownClass):
            return NotImplemented
        return (self.path, self.arguments) == (other.path, other.arguments)

    def __hash__(self) -> int:
        return hash((self.path, self.arguments))


def depth_of(data: Any) -> int:
    """Return how deep a type nests: a dict with a kind in another."""
    deepest = 0
    left = [(data, 1)]
    while left:
        part, depth = left.pop()
        deepest = max(deepest, depth)
        if isinstance(part, list):
            left += [(one, depth) for one in cast("list[object]", part)]
        elif isinstance(part, dict):
            fields = cast("dict[str, Any]", part)
            kind = fields.get("kind")
            parts = () if kind == "literal" else fields.values()
            left += [(one, depth + (kind is not None)) for one in parts]
    return deepest
