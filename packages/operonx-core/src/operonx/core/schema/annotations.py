"""What an annotation means once its wrappers are off, and the fields it declares."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, ForwardRef, NewType, TypeVar, get_args

__all__ = [
    "holds_items",
    "is_alias",
    "is_one_of",
    "is_qualifier",
    "is_typed_dict",
    "peeled",
    "plain",
    "resolved",
    "union_members",
]

_MAX_WRAPPERS: Final = 32
"""Aliases that name each other would otherwise be followed for ever."""


def plain(annotation: object) -> Any:
    """Take off what does not change which values fit.

    `Annotated`, `NewType`, `Required`, `Final`, type aliases and type variables give what they
    stand for; what cannot be known (forward references, unresolved names) gives `Any`.

    Example:
        ```python
        plain(Annotated[int, "seconds"])  # int
        ```
    """
    for _ in range(_MAX_WRAPPERS):
        inner = peeled(annotation)
        if inner is annotation:
            return annotation
        annotation = inner
    return Any


def peeled(annotation: Any) -> Any:
    """Take off the outermost of what `plain` takes off, or give the annotation as it is.

    Example:
        ```python
        peeled(Required[Annotated[int, "seconds"]])  # Annotated[int, "seconds"]
        ```
    """
    if isinstance(annotation, type):
        return annotation
    if isinstance(annotation, NewType):
        return annotation.__supertype__
    if isinstance(annotation, TypeVar):
        return _type_variable(annotation)
    origin = typing.get_origin(annotation)
    if origin is Annotated or is_qualifier(origin):
        return get_args(annotation)[0]
    alias = annotation if origin is None else origin
    if is_alias(alias):
        return _aliased(alias, get_args(annotation))
    return _spelled_out(annotation)


def _spelled_out(annotation: Any) -> Any:
    if annotation is None:
        return types.NoneType
    if annotation is typing.LiteralString:
        return str
    # Text that nobody resolved, or a bare `Final`.
    return (
        Any if isinstance(annotation, str | ForwardRef) or is_qualifier(annotation) else annotation
    )


def is_qualifier(origin: Any) -> bool:
    """Tell whether an origin says something of a field, such as `Required`, not of its values.

    Example:
        ```python
        is_qualifier(typing.ClassVar)  # True
        ```
    """
    # By name too: typing_extensions has its own of those that are newer than this Python.
    known = is_one_of(origin, typing.Required, typing.NotRequired, typing.Final, ClassVar)
    return known or getattr(origin, "_name", None) == "ReadOnly"


def _type_variable(variable: TypeVar) -> Any:
    try:
        members, bound = variable.__constraints__, variable.__bound__
    except NameError:  # evaluated only now (PEP 695)
        return Any
    if members:
        return typing.Union[members]  # noqa: UP007 - a tuple of members
    return Any if bound is None else bound


def is_alias(annotation: object) -> bool:
    """Tell whether an annotation was made by the `type` statement, and so may name itself.

    Example:
        ```python
        is_alias(typing_extensions.TypeAliasType("Names", list[str]))  # True
        ```
    """
    alias = typing.get_origin(annotation) or annotation
    return type(alias).__name__ == "TypeAliasType"


def holds_items(cls: type) -> bool:
    """Tell whether what stands in the brackets of a class is known to be its items.

    Example:
        ```python
        holds_items(collections.deque)  # True
        ```
    """
    return cls.__module__ in ("builtins", "collections", "collections.abc")


def _aliased(alias: Any, args: tuple[Any, ...]) -> Any:
    """Give the value of a `type` alias, with its parameters replaced."""
    try:
        value = alias.__value__
        chosen = dict(zip(alias.__type_params__, args, strict=True)) if args else {}
        found = value[tuple(chosen[one] for one in value.__parameters__)] if args else value
    except (NameError, TypeError, KeyError, ValueError, AttributeError):
        # A name does not exist (yet), or a parameter is of a kind not followed here.
        return Any
    return found


def is_one_of(annotation: object, *choices: object) -> bool:
    """Tell whether an annotation is one of some, by identity: what stands there may lie in `==`.

    Example:
        ```python
        is_one_of(Any, Any, object)  # True
        ```
    """
    return any(annotation is choice for choice in choices)


def union_members(annotation: object) -> tuple[Any, ...] | None:
    """Give the members of a union, or None if the annotation is none.

    Example:
        ```python
        union_members(int | None)  # (int, NoneType)
        ```
    """
    if is_one_of(typing.get_origin(annotation), typing.Union, types.UnionType):
        return get_args(annotation)
    return None


def is_typed_dict(annotation: object) -> bool:
    """Tell whether a class is a `TypedDict`, also one of typing_extensions.

    Example:
        ```python
        is_typed_dict(TypedDict("Hit", {"score": float}))  # True
        ```
    """
    return (
        isinstance(annotation, type)
        and dict in annotation.__mro__
        and hasattr(annotation, "__required_keys__")
    )


def resolved(
    annotation: object, names: dict[str, Any], local: Mapping[str, Any], unknown: Any = Any
) -> Any:
    """Evaluate an annotation that may be, or hold, text.

    Args:
        annotation: A type, text, or a type with text in it: `list["Hit"]`.
        names: Global names.
        local: Names that come before these.
        unknown: What to give where the annotation cannot be evaluated.

    Example:
        ```python
        resolved("list[Hit]", {"Hit": Hit}, {})  # list[Hit]
        ```
    """
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    try:
        return typing.get_type_hints(holder, names, local, include_extras=True)["it"]
    except Exception:  # noqa: BLE001 - an annotation is any expression and may raise anything
        return unknown
