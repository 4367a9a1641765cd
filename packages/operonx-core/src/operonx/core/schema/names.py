"""Annotations as people write them."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, ForwardRef, Literal, cast, get_args, get_origin

__all__ = ["type_name"]


def type_name(annotation: object) -> str:
    """Write an annotation the way it would be written today.

    Example:
        ```python
        type_name(typing.Optional[typing.List[int]])  # "list[int] | None"
        ```
    """
    origin = get_origin(annotation)
    if origin is None:
        return _bare_name(annotation)
    star = "*" if getattr(annotation, "__unpacked__", False) else ""  # `*tuple[int, ...]`
    return star + _generic_name(annotation, origin)


def _bare_name(annotation: object) -> str:
    if annotation is None or annotation is types.NoneType:
        return "None"
    if annotation is Ellipsis:
        return "..."
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, ForwardRef):
        return annotation.__forward_arg__
    if isinstance(annotation, list):  # the parameters of a Callable
        return f"[{_joined(cast('list[object]', annotation))}]"
    name = getattr(annotation, "__name__", None) or getattr(annotation, "_name", None)
    return name if isinstance(name, str) else repr(annotation).removeprefix("typing.")


def _generic_name(annotation: object, origin: Any) -> str:
    args = get_args(annotation)
    if origin is Annotated:
        return type_name(args[0])
    if origin is typing.Union or origin is types.UnionType:
        return " | ".join(type_name(member) for member in args)
    if origin is Literal:
        return f"Literal[{', '.join(repr(value) for value in args)}]"
    if origin is typing.Unpack:
        return f"*{type_name(args[0])}"
    name = "Callable" if origin is Callable else type_name(origin)
    if args == () and origin is tuple and annotation is not typing.Tuple:  # noqa: UP006
        return "tuple[()]"  # the empty tuple; a bare `Tuple` is any
    return f"{name}[{_joined(args)}]" if args else name


def _joined(args: typing.Iterable[object]) -> str:
    return ", ".join(type_name(arg) for arg in args)
