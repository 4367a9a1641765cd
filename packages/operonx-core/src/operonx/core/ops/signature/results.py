"""What the return annotation of a function tells of its ports."""

from __future__ import annotations

import collections.abc
from collections.abc import Mapping
from types import NoneType
from typing import Any, Final, Never, NoReturn, TypeAlias, TypeVar, Union, get_args, get_origin

from operonx.core.schema import field_annotations, is_one_of, is_typed_dict, plain, union_members

from .ending import Final as FinalPorts
from .model import Port, Shape

__all__ = ["UNKNOWN", "Told", "awaited_type", "item_type", "told_by", "value_type"]

Told: TypeAlias = tuple[tuple[Port, ...], Shape]
"""Ports, and how a result becomes them."""


class _Unknown:
    """Stands for an annotation that is not there or cannot be resolved."""


UNKNOWN: Final = _Unknown()
"""No annotation. Unlike `Any`, which a user writes, it is never an annotation itself."""

_STREAMS: Final = frozenset(
    {
        collections.abc.AsyncGenerator,
        collections.abc.AsyncIterable,
        collections.abc.AsyncIterator,
        collections.abc.Generator,
        collections.abc.Iterable,
        collections.abc.Iterator,
    }
)
_AWAITABLES: Final = frozenset({collections.abc.Awaitable, collections.abc.Coroutine})


def told_by(annotation: Any, names: Mapping[str, Any]) -> Told | None:
    """Give the ports that an annotation tells, or None where it tells nothing.

    Args:
        annotation: The type of a result or of a yielded item.
        names: More names that the annotations of its fields may use.

    Returns:
        Fields of a TypedDict, NamedTuple, dataclass or pydantic model; no ports for None; one
        port `result` for what is no mapping; None for mappings and what may be one.

    Example:
        ```python
        told_by(int, {})  # ((Port("result", int),), "value")
        ```
    """
    if annotation is UNKNOWN:
        return None
    bare = plain(annotation)
    if is_one_of(bare, NoneType, Never, NoReturn):
        return (), "none"
    fields = field_annotations(bare, names)
    if fields is not None:
        ports = tuple(Port(name, hint) for name, hint in fields.items())
        return ports, "mapping" if is_typed_dict(get_origin(bare) or bare) else "fields"
    return None if _may_be_mapping(annotation) else ((Port("result", annotation),), "value")


def _may_be_mapping(annotation: Any) -> bool:
    bare = plain(annotation)
    if isinstance(annotation, TypeVar) and bare is Any:
        return False  # whatever it is, it is one value: `def first(items: list[T]) -> T`
    members = union_members(bare)
    if members is not None:
        return any(map(_may_be_mapping, members))
    return is_one_of(bare, Any, object) or _is_mapping(bare)


def _is_mapping(bare: Any) -> bool:
    cls = get_origin(bare) or bare
    return isinstance(cls, type) and issubclass(cls, Mapping)


def item_type(annotation: Any) -> Any:
    """Give what a generator yields, by its annotation, without what `final(...)` adds.

    Example:
        ```python
        item_type(Iterator[int | Final])  # int
        ```
    """
    bare = plain(annotation) if annotation is not UNKNOWN else UNKNOWN
    args = get_args(bare)
    if get_origin(bare) not in _STREAMS or not args:
        return UNKNOWN
    members = union_members(plain(args[0])) or (args[0],)
    others = tuple(one for one in members if plain(one) is not FinalPorts)
    if len(others) == len(members):
        return args[0]
    return Union[others] if others else NoneType  # noqa: UP007 - a tuple of members


def awaited_type(annotation: Any) -> Any:
    """Give what awaiting gives where a plain function is annotated with an awaitable.

    Example:
        ```python
        awaited_type(Awaitable[int])  # int
        ```
    """
    args = get_args(annotation)
    return args[-1] if get_origin(annotation) in _AWAITABLES and args else annotation


def value_type(annotation: Any) -> Any:
    """Give the type of the values of a `dict[str, X]`, `Any` of anything else.

    Example:
        ```python
        value_type(dict[str, int])  # int
        ```
    """
    bare = plain(annotation) if annotation is not UNKNOWN else Any
    args = get_args(bare)
    return args[1] if _is_mapping(bare) and len(args) == 2 else Any
