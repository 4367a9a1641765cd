"""Checks of values against annotations.

A check is a plain function, built once from an annotation and called with each value: None
says that it fits, a sentence says why not. Nothing is ever converted: `1` fits `float`, as
for type checkers, while `True` fits neither `int` nor `float`, because a JSON `true` is not
a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import NoneType
from typing import Annotated, Any, Final, Literal, Never, NoReturn, get_args, get_origin

from . import constraints
from .annotations import (
    holds_items,
    is_alias,
    is_one_of,
    is_typed_dict,
    peeled,
    plain,
    union_members,
)
from .containers import Check, Part, accept, collection, fixed_tuple, mapping, typed_dict, union
from .fields import field_annotations, required_keys
from .messages import misfit
from .names import type_name

__all__ = ["validator"]


def validator(annotation: object) -> Check:
    """Build the check of an annotation.

    Containers are checked down to their items, but what can be read only once (an iterator)
    is not read. Classes are checked by `isinstance`. `Annotated` constraints of pydantic and
    annotated_types hold.

    Args:
        annotation: Any annotation; what cannot be known (a forward reference) accepts all.

    Returns:
        A function that gives None for a value that fits, else a short sentence.

    Example:
        ```python
        check = validator(list[int])
        check([1, 2])  # None
        check([1, "x"])  # "item 1: expected `int`, got `str` 'x'"
        ```
    """
    return _Builder().check(annotation)


class _Builder:
    """Builds the check of one annotation, each recursive type in it once."""

    def __init__(self) -> None:
        self._deferred: dict[object, Check] = {}

    def check(self, annotation: object) -> Check:
        if is_alias(annotation):
            return self._defer(annotation)
        inner = peeled(annotation)
        if inner is not annotation:  # one layer at a time: each may bring constraints
            check = self.check(inner)
            is_limited = get_origin(annotation) is Annotated
            return constraints.constrained(annotation, check) if is_limited else check
        members = union_members(annotation)
        if members is not None:
            return self._union(members, type_name(annotation))
        return self._special(annotation) or self._class(annotation)

    def _special(self, bare: Any) -> Check | None:
        """Build the check of what is no ordinary class, or give None."""
        origin: Any = get_origin(bare)
        if is_typed_dict(origin or bare):
            return self._defer(bare)
        if origin is Literal:
            return _literal(get_args(bare))
        if origin is type:
            return _subclass(bare)
        if origin is Callable:
            return lambda value: None if callable(value) else misfit(type_name(bare), value)
        return _SPECIAL.get(bare) if isinstance(bare, type | _SpecialForm) else None

    def _class(self, bare: Any) -> Check:
        found = get_origin(bare) or bare
        if not _has_instances(found):
            return accept
        cls: type = found
        args = get_args(bare)
        if found is tuple and (args or bare is not tuple):
            return self._tuple(args, type_name(bare))
        if args and holds_items(cls):
            if len(args) == 2 and _is_mapping(cls):
                return mapping(cls, self._part(args[0]), self._part(args[1]), type_name(bare))
            if len(args) == 1:
                return collection(cls, self._part(args[0]), type_name(bare))
        return constraints.instance(cls, type_name(bare))

    def _defer(self, annotation: Any) -> Check:
        """Build on first use: a recursive type would otherwise be built for ever."""
        known = self._deferred.get(annotation)
        if known is not None:
            return known
        built: list[Check] = []

        def check(value: object) -> str | None:
            if not built:
                built.append(self._postponed(annotation))
            return built[0](value)

        self._deferred[annotation] = check
        return check

    def _postponed(self, annotation: Any) -> Check:
        cls = get_origin(annotation) or annotation
        if not is_typed_dict(cls):
            return self.check(plain(annotation))
        fields = field_annotations(annotation) or {}
        return typed_dict(
            {name: self.check(hint) for name, hint in fields.items()},
            required_keys(annotation),
            type_name(annotation),
            closed=getattr(cls, "__closed__", None) is True,
        )

    def _union(self, members: Sequence[Any], name: str) -> Check:
        others = [member for member in members if not is_one_of(member, None, NoneType)]
        return union(map(self.check, others), name, optional=len(others) < len(members))

    def _tuple(self, args: tuple[Any, ...], name: str) -> Check:
        if len(args) == 2 and args[1] is Ellipsis:
            return collection(tuple, self._part(args[0]), name)
        if any(type_name(arg).startswith("*") for arg in args):
            return constraints.instance(tuple, name)
        return fixed_tuple([self.check(arg) for arg in args], name)

    def _part(self, annotation: object) -> Part:
        return Part(self.check(annotation), _certain_types(annotation))


def _is_mapping(cls: type) -> bool:
    return issubclass(cls, Mapping)


def _has_instances(cls: object) -> bool:
    try:
        isinstance(None, cls)  # type: ignore[arg-type]
    except TypeError:  # no class, or a protocol that is not runtime-checkable
        return False
    return True


def _certain_types(annotation: object) -> frozenset[type]:
    """Give types whose own instances fit for sure, so that a list is checked in C."""
    bare = plain(annotation)
    members = union_members(bare)
    if members is not None:
        return frozenset[type]().union(*map(_certain_types, members))
    if get_origin(annotation) is Annotated or not isinstance(bare, type) or get_args(bare):
        return frozenset()
    if bare is float:
        return frozenset({float, int})
    return frozenset() if is_typed_dict(bare) else frozenset({bare})


def _literal(values: tuple[Any, ...]) -> Check:
    name = type_name(Literal[values])
    # `True == 1`, so the types count too.
    known: set[tuple[object, object]] = {(type(value), value) for value in values}

    def check(value: object) -> str | None:
        try:
            return None if (type(value), value) in known else misfit(name, value)
        except TypeError:  # not hashable, so no literal
            return misfit(name, value)

    return check


def _subclass(annotation: Any) -> Check:
    wanted = plain(get_args(annotation)[0])
    members = union_members(wanted) or (wanted,)
    bases = tuple(get_origin(plain(member)) or plain(member) for member in members)
    if any(base is Any for base in bases) or not all(isinstance(base, type) for base in bases):
        bases = (object,)

    def check(value: object) -> str | None:
        fits = isinstance(value, type) and issubclass(value, bases)
        if isinstance(value, type) and not fits:
            return f"expected `{type_name(annotation)}`, got the class `{value.__qualname__}`"
        return None if fits else misfit(type_name(annotation), value)

    return check


def _check_int(value: object) -> str | None:
    if type(value) is int or (isinstance(value, int) and type(value) is not bool):
        return None
    return misfit("int", value)


def _check_float(value: object) -> str | None:
    if type(value) is float or (isinstance(value, float | int) and type(value) is not bool):
        return None
    return misfit("float", value)


def _check_complex(value: object) -> str | None:
    if isinstance(value, complex | float | int) and type(value) is not bool:
        return None
    return misfit("complex", value)


def _check_never(value: object) -> str | None:
    return misfit("Never", value)


_SpecialForm: Final = type(Never)
_SPECIAL: Final[dict[object, Check]] = {
    Any: accept,
    object: accept,
    Never: _check_never,
    NoReturn: _check_never,
    int: _check_int,
    float: _check_float,
    complex: _check_complex,
}
