"""Whether an output of one type may be wired to an input of another.

The answer is "no" only where no value of the source could be accepted: a graph that might
work is built, and the values decide. It is therefore laxer than a type checker on unions,
invariance and what is unknown, and as strict on plain classes, where a base class does not
pass for its subclass.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Generator, Iterable, Mapping
from types import GenericAlias
from typing import Any, Final, Literal, Never, NoReturn, Union, get_args, get_origin

from .annotations import holds_items, is_one_of, is_typed_dict, plain, union_members
from .fields import field_annotations, required_keys
from .validation import validator

__all__ = ["assignable"]

_MAX_DEPTH: Final = 6
"""Recursive types are compared this far down; what lies deeper is taken to fit."""

_WIDENED: Final = {(int, float), (int, complex), (float, complex), (bool, float), (bool, complex)}
"""The numbers that type checkers let pass for others."""


def assignable(source: object, target: object) -> bool:
    """Tell whether values of `source` may be accepted where `target` is wanted.

    Args:
        source: Annotation of an output.
        target: Annotation of the input it is wired to.

    Returns:
        False only where no value of `source` fits `target`. Unknown types fit everything; of
        a union one member has to fit; a nominal base class does not fit its subclass.

    Example:
        ```python
        assignable(int, float)  # True
        assignable(int | None, str)  # False
        ```
    """
    # Most often both are one class, or one says nothing.
    if source is target or source is Any or target is Any or _is_same(source, target):
        return True
    return _fits(source, target, 0)


def _is_same(source: object, target: object) -> bool:
    """Tell whether both are `list[str]`, say; by identity, as what is in there may lie in `==`."""
    if type(source) is not GenericAlias or type(target) is not GenericAlias:
        return False
    given, wanted = source.__args__, target.__args__
    same = source.__origin__ is target.__origin__ and len(given) == len(wanted)
    return same and all(map(operator.is_, given, wanted))


def _fits(source: object, target: object, depth: int) -> bool:
    source, target = plain(source), plain(target)
    if depth > _MAX_DEPTH or _is_open(source) or _is_open(target) or source is Never:
        return True
    for_source, for_target = union_members(source), union_members(target)
    if for_source is not None:
        return any(_fits(member, target, depth + 1) for member in for_source)
    if for_target is not None:
        return any(_fits(source, member, depth + 1) for member in for_target)
    if get_origin(source) is Literal:
        check = validator(target)
        return any(check(value) is None for value in get_args(source))
    if get_origin(target) is Literal:
        check = validator(source)
        return any(check(value) is None for value in get_args(target))
    return _class_fits(source, target, depth)


def _is_open(annotation: Any) -> bool:
    """Tell whether nothing can be said of an annotation, or nothing need be."""
    origin = get_origin(annotation)
    if is_one_of(annotation, Any, object, NoReturn) or origin is Callable:
        return True
    cls = origin or annotation
    if not isinstance(cls, type):
        return origin is not Literal and union_members(annotation) is None and cls is not Never
    return False


def _class_fits(source: Any, target: Any, depth: int) -> bool:
    cls, wanted = get_origin(source) or source, get_origin(target) or target
    if wanted is Never:
        return False
    if is_typed_dict(wanted):
        return _fits_typed_dict(source, target, depth)
    if not _is_subclass(cls, wanted):
        return False
    if is_typed_dict(cls):
        return _typed_dict_fits_mapping(source, target, depth)
    if cls is tuple and wanted is tuple:
        return _tuple_fits(get_args(source), get_args(target), depth)
    return _arguments_fit(source, target, depth)


def _is_subclass(cls: type, wanted: type) -> bool:
    if (cls, wanted) in _WIDENED or _is_static_protocol(cls) or _is_static_protocol(wanted):
        return True
    try:
        return issubclass(dict if is_typed_dict(cls) else cls, wanted) or _is_protocol(cls)
    except TypeError:  # a runtime protocol with data members tells only of instances
        return True


def _is_protocol(cls: type) -> bool:
    return bool(getattr(cls, "_is_protocol", False))


def _is_static_protocol(cls: type) -> bool:
    return _is_protocol(cls) and not getattr(cls, "_is_runtime_protocol", False)


def _fits_typed_dict(source: Any, target: Any, depth: int) -> bool:
    cls = get_origin(source) or source
    wanted = field_annotations(target) or {}
    required = required_keys(target)
    if is_typed_dict(cls):
        given = field_annotations(source) or {}
        bound = required | (required_keys(source) & wanted.keys())
        return required <= given.keys() and all(
            _fits(given[key], wanted[key], depth + 1) for key in bound
        )
    if not issubclass(dict, cls) and not issubclass(cls, dict):
        return False
    pair = _mapping_arguments(source)
    if pair is None or not required:
        return True
    return _fits(pair[0], str, depth + 1) and all(
        _fits(pair[1], wanted[key], depth + 1) for key in required
    )


def _typed_dict_fits_mapping(source: Any, target: Any, depth: int) -> bool:
    pair = _mapping_arguments(target)
    if pair is None:
        return True
    given = field_annotations(source) or {}
    return _fits(str, pair[0], depth + 1) and all(
        _fits(given[key], pair[1], depth + 1) for key in required_keys(source)
    )


def _mapping_arguments(annotation: Any) -> tuple[Any, ...] | None:
    cls: type | None = get_origin(annotation)
    args = get_args(annotation)
    if cls is None or len(args) != 2 or not holds_items(cls):
        return None
    return args if issubclass(cls, Mapping) else None


def _tuple_fits(source: tuple[Any, ...], target: tuple[Any, ...], depth: int) -> bool:
    if _is_variadic(source) or _is_variadic(target) or not source or not target:
        given, wanted = _any_of(source), _any_of(target)
        # An empty tuple fits `tuple[int, ...]` whatever else the source may hold.
        return not source or not target or _fits(given, wanted, depth + 1)
    return len(source) == len(target) and all(
        _fits(given, wanted, depth + 1) for given, wanted in zip(source, target, strict=True)
    )


def _is_variadic(args: tuple[Any, ...]) -> bool:
    return Ellipsis in args or any(getattr(arg, "__unpacked__", False) for arg in args)


def _any_of(args: Iterable[Any]) -> Any:
    members = tuple(arg for arg in args if arg is not Ellipsis)
    return Union[members] if members else Any  # noqa: UP007 - a tuple of members


def _arguments_fit(source: Any, target: Any, depth: int) -> bool:
    given, wanted = _mapping_arguments(source), _mapping_arguments(target)
    if given is not None and wanted is not None:
        return all(_fits(s, t, depth + 1) for s, t in zip(given, wanted, strict=True))
    item, wanted_item = _items(source), _items(target)
    if item is not None and wanted_item is not None:
        return _fits(item, wanted_item, depth + 1)
    if get_origin(source) is not get_origin(target):
        return True
    # Of a class of the user it is not known which way its parameters vary.
    return all(
        _fits(s, t, depth + 1) or _fits(t, s, depth + 1)
        for s, t in zip(get_args(source), get_args(target), strict=False)
    )


def _items(annotation: Any) -> Any:
    """Give the type of what iterating gives, or None where it is not known."""
    if annotation is str:
        return str
    if is_one_of(annotation, bytes, bytearray, memoryview):
        return int
    cls, args = get_origin(annotation), get_args(annotation)
    if cls is None or not args or not holds_items(cls):
        return None
    if cls is tuple:
        return _any_of(args)
    one_way = issubclass(cls, Iterable) and not issubclass(cls, Generator)
    is_plain = one_way and (len(args) == 1 or issubclass(cls, Mapping))
    return args[0] if is_plain else None
