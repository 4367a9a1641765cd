"""Checks of what holds other values: collections, mappings, tuples, TypedDicts, unions.

Each function builds a check from the checks of the parts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

from .messages import misfit, said_of, shown

__all__ = ["Check", "Part", "accept", "collection", "fixed_tuple", "mapping", "typed_dict", "union"]

Check: TypeAlias = Callable[[object], str | None]
"""Gives None for a value that fits, else a sentence that says why it does not."""


@dataclass(frozen=True, slots=True)
class Part:
    """The check of the items of a container."""

    check: Check
    """What is called with an item."""
    certain: frozenset[type] = frozenset()
    """Types whose own instances fit for sure, so that long lists are checked in C."""


def accept(_: object) -> None:
    """Accept any value.

    Example:
        ```python
        accept(object())  # None
        ```
    """


def collection(cls: type, part: Part, name: str) -> Check:
    """Check the class of a collection and its items.

    Example:
        ```python
        collection(list, Part(validator(int)), "list[int]")([1, "x"])
        # "item 1: expected `int`, got `str` 'x'"
        ```
    """
    item_check, certain = part.check, part.certain

    def check(value: object) -> str | None:
        if not isinstance(value, cls):
            return misfit(name, value)
        # An iterator is no Collection: reading it here would leave nothing for the op.
        if item_check is accept or not isinstance(value, Collection):
            return None
        items = cast("Collection[object]", value)
        if certain and certain.issuperset(map(type, items)):
            return None
        for index, item in enumerate(items):
            if problem := item_check(item):
                return f"{f'item {index}' if isinstance(items, Sequence) else 'an item'}: {problem}"
        return None

    return check


def mapping(cls: type, keys: Part, values: Part, name: str) -> Check:
    """Check the class of a mapping, its keys and its values.

    Example:
        ```python
        mapping(dict, Part(validator(str)), Part(validator(int)), "dict[str, int]")({"a": "x"})
        # "'a': expected `int`, got `str` 'x'"
        ```
    """
    key_check, value_check = keys.check, values.check

    def check(value: object) -> str | None:
        if not isinstance(value, cls):
            return misfit(name, value)
        items = cast("Mapping[object, object]", value)
        if not keys.certain.issuperset(map(type, items)):
            for key in items:
                if problem := key_check(key):
                    return f"a key: {problem}"
        if value_check is accept or values.certain.issuperset(map(type, items.values())):
            return None
        for key, item in items.items():
            if problem := value_check(item):
                problem = said_of(str(key), item, value_check, problem)
                return f"{shown(key) or type(key).__name__}: {problem}"
        return None

    return check


def fixed_tuple(checks: Sequence[Check], name: str) -> Check:
    """Check a tuple of as many items as there are checks.

    Example:
        ```python
        fixed_tuple([validator(int)], "tuple[int]")(("x",))
        # "item 0: expected `int`, got `str` 'x'"
        ```
    """

    def check(value: object) -> str | None:
        if not isinstance(value, tuple):
            return misfit(name, value)
        items = cast("tuple[object, ...]", value)
        if len(items) != len(checks):
            return misfit(name, items)
        for index, (item, item_check) in enumerate(zip(items, checks, strict=True)):
            if problem := item_check(item):
                return f"item {index}: {problem}"
        return None

    return check


def typed_dict(
    checks: Mapping[str, Check], required: frozenset[str], name: str, *, closed: bool
) -> Check:
    """Check a dict with named keys; others are allowed unless it is closed, as in typing.

    Example:
        ```python
        typed_dict({"doc": validator(str)}, frozenset({"doc"}), "Hit", closed=False)({})
        # "expected `Hit`, got a `dict` without `doc`"
        ```
    """

    def check(value: object) -> str | None:
        if not isinstance(value, dict):
            return misfit(name, value)
        items = cast("dict[object, object]", value)
        if not required <= items.keys():
            missing = ", ".join(f"`{key}`" for key in checks if key in required - items.keys())
            return f"expected `{name}`, got a `dict` without {missing}"
        if closed and (others := items.keys() - checks.keys()):
            return f"expected `{name}`, got a `dict` with {shown(next(iter(others)))} too"
        for key, item_check in checks.items():
            if key in items and (problem := item_check(items[key])):
                return f"`{key}`: {said_of(key, items[key], item_check, problem)}"
        return None

    return check


def union(checks: Iterable[Check], name: str, *, optional: bool) -> Check:
    """Check that a value fits one of several.

    Example:
        ```python
        union([validator(int)], "int | None", optional=True)("x")
        # "expected `int | None`, got `str` 'x'"
        ```
    """
    members = tuple(checks)

    def check(value: object) -> str | None:
        if value is None and optional:
            return None
        problem = None
        for member in members:
            problem = member(value)
            if problem is None:
                return None
        # What is wrong deep in the only member says more than the name of the union.
        deep = len(members) == 1 and problem is not None and not problem.startswith("expected")
        return problem if deep else misfit(name, value)

    return check
