"""Which values are equal, and which contain which: a boolean only equals a boolean, at any depth.

Python has it that `True == 1`, and so finds `True` in `{1}` and `{1: "one"}[True]`. Here it is
the same everywhere: numbers by value, lists, mappings and sets item by item, `nan` never.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence, ValuesView
from collections.abc import Set as AbstractSet
from types import NoneType
from typing import Any, Final, cast

from operonx.core.errors import ExpressionError

__all__ = ["contains", "equal", "has_key", "plain"]

_BUILT_IN: Final = frozenset({bool, int, float, str, bytes, list, tuple, dict, NoneType})
_EXACT: Final = frozenset({int, float})
"""What conditions compare most of the time: one look tells them from booleans and from the rest."""
_BOOLEAN: Final = object()
# Typed so that a value which is one of them stays `Any`, and not a list of who knows what.
_LISTS: Final = cast("tuple[type[Any], ...]", (list, tuple))
_MAPPING: Final = cast("type[Any]", Mapping)
_SET: Final = cast("type[Any]", AbstractSet)
_ITERATOR: Final = cast("type[Any]", Iterator)
_ONE_BY_ONE: Final = cast("tuple[type[Any], ...]", (Sequence, ValuesView))


def plain(value: Any) -> Any:
    """Return numpy's boolean as the boolean it is, and anything else as it is."""
    if type(value) in _BUILT_IN:
        return value
    # Who has one has loaded numpy; core never does.
    numpy = sys.modules.get("numpy")
    return bool(value) if isinstance(value, getattr(numpy, "bool_", ())) else value


def equal(left: Any, right: Any) -> Any:
    """Return whether two values are equal: `1 == 1.0`, but never `1 == True`."""
    if type(left) in _EXACT and type(right) in _EXACT:
        return left == right
    left, right = plain(left), plain(right)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right if isinstance(left, bool) and isinstance(right, bool) else False
    if isinstance(left, str):
        return plain(left == right)
    if isinstance(left, _LISTS) and isinstance(right, _LISTS):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, _MAPPING) and isinstance(right, _MAPPING):
        return _equal_mappings(left, right)
    if isinstance(left, _SET) and isinstance(right, _SET):
        return set(map(_tagged, left)) == set(map(_tagged, right))
    return plain(left == right)


def _equal_mappings(left: Mapping[Any, Any], right: Mapping[Any, Any]) -> bool:
    theirs = {_tagged(key): value for key, value in right.items()}
    ours = {_tagged(key): value for key, value in left.items()}
    return ours.keys() == theirs.keys() and all(equal(ours[key], theirs[key]) for key in ours)


def _tagged(key: Any) -> Any:
    """Return a key that is equal and hashes equal only where `equal` says so."""
    key = plain(key)
    if isinstance(key, bool):
        return (_BOOLEAN, key)
    if isinstance(key, float) and key != key:  # noqa: PLR0124 - what is `nan`
        return object()
    if isinstance(key, (tuple, frozenset)):
        parts = map(_tagged, cast("tuple[Any, ...]", key))
        return tuple(parts) if isinstance(key, tuple) else frozenset(parts)
    return key


def has_key(base: Any, key: Any) -> bool:
    """Return whether a mapping or a set has a key, `True` and `1` being two.

    Raises:
        ExpressionError: If nothing like it can be a key, as a list.
    """
    if isinstance(key, (str, bytes)):
        return key in base
    try:
        found = key in base
    except TypeError:
        raise ExpressionError(
            f"a `{type(base).__name__}` cannot have a `{type(key).__name__}` in it"
        ) from None
    if found and _may_stand_for_another(plain(key)):
        return _tagged(key) in map(_tagged, base)
    return found


def _may_stand_for_another(key: Any) -> bool:
    if isinstance(key, (int, float)) and not isinstance(key, bool):
        return key in {0, 1} or key != key  # noqa: PLR0124 - what is `nan`
    return True


def contains(base: Any, value: Any) -> bool:
    """Return whether a text, list, set or mapping contains a value; of a mapping, as a key.

    Raises:
        ExpressionError: If `base` contains nothing, can be read only once, or cannot contain
            what is looked for.
    """
    value = plain(value)
    if isinstance(base, str):
        if not isinstance(value, str):
            raise ExpressionError(
                f"`contains` is not defined between `{type(base).__name__}` "
                f"and `{type(value).__name__}`"
            )
        return value in base
    if isinstance(base, (_MAPPING, _SET)):
        return has_key(base, value)
    if isinstance(base, range):  # its items are integers, and may be more than one can look at
        return not isinstance(value, bool) and value in base
    if isinstance(base, _ITERATOR) and not hasattr(base, "__contains__"):
        raise ExpressionError(
            f"looking into a `{type(base).__name__}` would use it up",
            hint="let the op that gives it return a list",
        )
    if type(base) in _BUILT_IN and not isinstance(base, _LISTS):
        raise ExpressionError(f"`{type(base).__name__}` contains nothing")
    if isinstance(base, _ONE_BY_ONE):
        return any(equal(item, value) for item in base)
    return bool(value in base)
