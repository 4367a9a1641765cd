"""What the operators of expressions do, the same in every runtime.

Arithmetic is of numbers (a boolean is none), `+` also joins two texts or two lists. Comparison
is of two numbers or two texts. Equality is of anything: numbers by value, a boolean only equals a
boolean, lists and dicts item by item (module `equality`). `&`, `|` and `~` take booleans only; that
of numpy is one. Objects that are not portable values (dates, decimals, arrays) keep their own
Python operators.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from operonx.core.errors import ExpressionError, listed
from operonx.core.expressions.equality import contains, equal, has_key, plain

__all__ = [
    "BINARY",
    "METHODS",
    "get_item",
    "get_port",
    "invert",
    "negate",
    "require_bool",
    "require_decision",
]

# Typed so that a value which is one of them stays `Any`, and not a list of who knows what.
_PORTABLE: Final = cast(
    "tuple[type[Any], ...]", (bool, int, float, str, bytes, list, tuple, dict, type(None))
)
_NUMBERS: Final = cast("tuple[type[Any], ...]", (int, float))
_EXACT: Final = frozenset({int, float})
"""What conditions compare most of the time: one look tells them from booleans and from the rest."""
_LISTS: Final = cast("tuple[type[Any], ...]", (list, tuple))
_LIST: Final = cast("type[Any]", list)
_MAPPING: Final = cast("type[Any]", Mapping)
_SEQUENCE: Final = cast("type[Any]", Sequence)


def _is_number(value: object) -> bool:
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


def _undefined(symbol: str, left: object, right: object) -> ExpressionError:
    return ExpressionError(
        f"`{symbol}` is not defined between `{type(left).__name__}` and `{type(right).__name__}`"
    )


def _arithmetic(symbol: str, apply: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def evaluate(left: Any, right: Any) -> Any:
        if type(left) in _EXACT and type(right) in _EXACT:
            return apply(left, right)
        if _is_number(left) and _is_number(right):
            return apply(left, right)
        left, right = plain(left), plain(right)
        if isinstance(left, _PORTABLE) and isinstance(right, _PORTABLE):
            raise _undefined(symbol, left, right)
        return apply(left, right)

    return evaluate


def _add(left: Any, right: Any) -> Any:
    if _is_number(left) and _is_number(right):
        return left + right
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(left, _LIST) and isinstance(right, _LIST):
        return left + right
    left, right = plain(left), plain(right)
    if isinstance(left, _PORTABLE) and isinstance(right, _PORTABLE):
        raise _undefined("+", left, right)
    return left + right


def _comparison(symbol: str, apply: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def evaluate(left: Any, right: Any) -> Any:
        if type(left) in _EXACT and type(right) in _EXACT:
            return apply(left, right)
        if _is_number(left) and _is_number(right):
            return plain(apply(left, right))
        if isinstance(left, str) and isinstance(right, str):
            return apply(left, right)
        left, right = plain(left), plain(right)
        if isinstance(left, _PORTABLE) and isinstance(right, _PORTABLE):
            raise _undefined(symbol, left, right)
        return plain(apply(left, right))

    return evaluate


def _unequal(left: Any, right: Any) -> Any:
    same = equal(left, right)
    # What is neither, such as an array of them, has its own `!=`.
    return not same if isinstance(same, bool) else left != right


def require_bool(value: Any, symbol: str) -> bool:
    """Return `value` if it is a boolean.

    Raises:
        ExpressionError: If it is anything else; nothing here is "truthy".
    """
    if value is True or value is False:
        return value
    value = plain(value)
    if isinstance(value, bool):
        return value
    raise ExpressionError(
        f"`{symbol}` takes booleans, got `{type(value).__name__}`",
        hint="write the comparison out: `ref != 0`, `ref.len() > 0`, `~ref.is_none()`",
    )


def require_decision(value: Any, what: str) -> bool:
    """Return what a condition or an `until` gave, if it is a boolean.

    Raises:
        ExpressionError: If it is anything else.
    """
    value = plain(value)
    if isinstance(value, bool):
        return value
    raise ExpressionError(
        f"{what} gave `{type(value).__name__}`, not a boolean",
        hint="write the comparison out: `ref != 0`, `ref.len() > 0`",
    )


def negate(value: Any) -> Any:
    """Return `-value` of a number."""
    value = plain(value)
    if isinstance(value, _PORTABLE) and not _is_number(value):
        raise ExpressionError(f"`-` is not defined for `{type(value).__name__}`")
    return -value


def invert(value: Any) -> bool:
    """Return the opposite of a boolean."""
    return not require_bool(value, "~")


def get_item(base: Any, key: Any) -> Any:
    """Return `base[key]` of a mapping, a list or a text; negative positions count from the end.

    Raises:
        KeyError: If a mapping has no such key; the message lists its keys.
        IndexError: If a position is outside.
        ExpressionError: If `base` has no items or the key is of the wrong kind.
    """
    if isinstance(base, _MAPPING):
        if has_key(base, key):
            return base[key]
        raise KeyError(f"no key {key!r}; there are {listed(map(str, list(base)[:20]))}")
    if isinstance(base, _SEQUENCE) and not isinstance(base, bytes):
        if isinstance(key, bool) or not isinstance(key, int):
            raise ExpressionError(
                f"a position in a `{type(base).__name__}` is an integer, got {key!r}"
            )
        if -len(base) <= key < len(base):
            return base[key]
        raise IndexError(f"position {key} is outside a list of {len(base)}")
    if isinstance(base, _PORTABLE):
        raise ExpressionError(f"`{type(base).__name__}` has no items, so no {key!r}")
    # What is indexed here is of no portable type.
    return cast("Any", base)[key]


def get_port(values: Mapping[str, Any], port: str, path: str) -> Any:
    """Return a port of what an op with open ports gave.

    Args:
        values: What it gave.
        port: The name of the port.
        path: The op's path.

    Raises:
        KeyError: If it gave no such port; the message names the op and what it gave.
    """
    if port in values:
        return values[port]
    gave = listed(map(str, list(values)[:20]), "nothing")
    raise KeyError(f"op `{path}` gave no `{port}`; it gave {gave}")


def _length(value: Any) -> int:
    if hasattr(value, "__len__"):
        return len(value)
    raise ExpressionError(f"`{type(value).__name__}` has no length")


def _is_none(value: Any) -> bool:
    return value is None


def _flatten(value: Any) -> list[Any]:
    if not isinstance(value, _LISTS):
        raise ExpressionError(f"`flatten` takes a list of lists, got `{type(value).__name__}`")
    flat: list[Any] = []
    for item in value:
        if not isinstance(item, _LISTS):
            raise ExpressionError(
                f"`flatten` takes a list of lists, got a list with `{type(item).__name__}`"
            )
        flat.extend(item)
    return flat


def _divide(left: Any, right: Any) -> Any:
    return left / right


def _divide_down(left: Any, right: Any) -> Any:
    return left // right


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": _add,
    "-": _arithmetic("-", operator.sub),
    "*": _arithmetic("*", operator.mul),
    "/": _arithmetic("/", _divide),
    "//": _arithmetic("//", _divide_down),
    "%": _arithmetic("%", operator.mod),
    "<": _comparison("<", operator.lt),
    "<=": _comparison("<=", operator.le),
    ">": _comparison(">", operator.gt),
    ">=": _comparison(">=", operator.ge),
    "==": equal,
    "!=": _unequal,
}
"""Operators by symbol; `&` and `|` are not here, as they may stop at their first operand."""

METHODS: dict[str, Callable[..., Any]] = {
    "len": _length,
    "contains": contains,
    "is_none": _is_none,
    "flatten": _flatten,
}
