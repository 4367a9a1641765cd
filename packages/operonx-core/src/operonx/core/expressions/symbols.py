"""What may stand in for a value while a graph is built, and where it may hide."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, ClassVar, Final, cast

__all__ = ["PLAIN", "NoValue", "Symbol", "holds_refs"]


class Symbol:
    """What stands for a value that will be there when the graph runs."""

    __slots__ = ()


class NoValue:
    """Base of what is written in a graph block and has no value: `PARENT`, `END`, `~op`."""

    __slots__ = ()
    instead: ClassVar[str] = ""
    """What to write where a value is wanted."""


PLAIN: Final = frozenset({int, str, float, bool, bytes, type(None)})
# Typed so that a value which is one of them stays `Any`.
_LISTS: Final = cast("tuple[type[Any], ...]", (list, tuple))
_SETS: Final = cast("tuple[type[Any], ...]", (set, frozenset))
_DICT: Final = cast("type[Any]", dict)


def holds_refs(value: Any) -> bool:
    """Tell whether a container holds refs; refuse them where they would not be seen."""
    open_ends: list[Any] = [value]
    seen: set[int] = set()
    found = False
    while open_ends:
        current = open_ends.pop()
        if type(current) in PLAIN or id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, Symbol):
            found = True
        elif isinstance(current, NoValue):
            raise TypeError(f"`{current!r}` is no value; {current.instead}")
        else:
            open_ends.extend(_contents(current))
    return found


def _contents(value: Any) -> Iterable[Any]:
    """Give what in a value may be, or hold, a ref."""
    if isinstance(value, _DICT):
        _refuse_hidden(value, value.keys(), "a key")
        return cast("Iterable[Any]", value.values())
    if isinstance(value, _SETS):
        _refuse_hidden(value, value, "an item")
    elif isinstance(value, _LISTS) and hasattr(value, "_fields"):
        _refuse_hidden(value, value, "a field")
    elif isinstance(value, _LISTS):
        return cast("Iterable[Any]", value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = (getattr(value, field.name, None) for field in dataclasses.fields(value))
        _refuse_hidden(value, fields, "a field")
    return ()


def _refuse_hidden(value: object, parts: Iterable[Any], what: str) -> None:
    for part in parts:
        if isinstance(part, Symbol):
            raise TypeError(
                f"{part!r} is {what} of a `{type(value).__name__}`, where no graph can follow it; "
                "only lists, tuples and the values of dicts may hold refs: let an op build it"
            )
