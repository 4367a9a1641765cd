"""The methods of refs as functions, which typed code uses, and what joins several refs.

At type-checking time a ref has the type of the value it will have, so `collect(a["x"])` types
as `list` of that, where the method would be unknown to a checker.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from operonx.core.errors import did_you_mean, listed
from operonx.core.expressions.evaluation import template_fields
from operonx.core.expressions.naming import assigned_name, calling_frame
from operonx.core.expressions.refs import (
    Batch,
    Choice,
    Chosen,
    Collect,
    Expression,
    Method,
    Operators,
    OrElse,
    StreamOf,
    Template,
    lift,
    require_op,
)

if TYPE_CHECKING:
    from operonx.core.streaming import Stream

__all__ = [
    "batch",
    "collect",
    "contains",
    "first_of",
    "flatten",
    "is_none",
    "length",
    "or_else",
    "race",
    "stream",
    "template",
]

T = TypeVar("T")
D = TypeVar("D")


def _require_ref(value: Any, function: str) -> Expression:
    if not isinstance(value, Operators):
        raise TypeError(f"`{function}` takes a ref, got {value!r}")
    return lift(value)


def collect(ref: T, per: object = None) -> list[T]:
    """Give a stream's items as a list in index order; see `Operators.collect`."""
    return cast("list[T]", Collect(_require_ref(ref, "collect"), require_op(per)))


def stream(ref: T) -> Stream[T]:
    """Hand a stream itself to an op whose parameter is a `Stream[T]`."""
    return cast("Stream[T]", StreamOf(_require_ref(ref, "stream")))


def batch(ref: T, size: int) -> list[T]:
    """Give a stream as one of lists of `size` items, the last one maybe shorter."""
    name = assigned_name(calling_frame(1))
    return cast("list[T]", Batch(_require_ref(ref, "batch"), size, name))


def or_else(ref: T, value: D) -> T | D:
    """Give `value` at every context where `ref` was skipped."""
    return cast("T | D", OrElse(_require_ref(ref, "or_else"), lift(value)))


def length(ref: object) -> int:
    """Give the number of items: the function form of `.len()`."""
    return cast("int", Method("len", _require_ref(ref, "length"), ()))


def contains(ref: object, value: object) -> bool:
    """Give whether a list, dict or text has `value`."""
    return cast("bool", Method("contains", _require_ref(ref, "contains"), (lift(value),)))


def is_none(ref: object) -> bool:
    """Give whether the value is None."""
    return cast("bool", Method("is_none", _require_ref(ref, "is_none"), ()))


def flatten(ref: Iterable[Iterable[T]]) -> list[T]:
    """Give a list of lists as one list, one level."""
    return cast("list[T]", Method("flatten", _require_ref(ref, "flatten"), ()))


def first_of(*options: T) -> T:
    """Take the first option, in argument order, that fired.

    Args:
        options: Refs or whole ops, two or more; `first_of(a, b)["text"]` reads the chosen op.

    Returns:
        A ref. It waits only for the options before the one it takes, and is skipped if all are.

    Raises:
        TypeError: If there are fewer than two options, or one is no ref.
    """
    return cast("T", _choice(options, race=False))


def race(*options: T) -> T:
    """Take the option that fires first in time, and cancel those that nothing else reads.

    An option that fails has lost; if all fail, the last error is raised.

    Args:
        options: Refs or whole ops, two or more.

    Raises:
        TypeError: If there are fewer than two options, or one is no ref.
    """
    return cast("T", _choice(options, race=True))


def _choice(options: tuple[Any, ...], *, race: bool) -> Chosen:
    name = "race" if race else "first_of"
    if len(options) < 2:
        raise TypeError(f"`{name}` takes two or more refs or ops, got {len(options)}")
    for option in options:
        if not isinstance(option, Operators):
            raise TypeError(f"`{name}` takes refs or ops, got {option!r}")
    return Chosen(Choice(options, race=race))


def template(text: str, /, **fields: object) -> str:
    """Give a text whose `{name}` fields are filled with values.

    Args:
        text: The text; `{{` and `}}` stand for braces.
        fields: A ref or value for each field.

    Returns:
        A ref to the text. Numbers are written as in Python, booleans and None as in JSON, lists
        and dicts as compact JSON.

    Raises:
        TypeError: If the text is none.
        ValueError: If a field has no value, a value has no field, or the text is no template.

    Example:
        ```python
        prompt = template("Sum up in {n} words: {text}", n=20, text=page["text"])
        ```
    """
    if not isinstance(cast("object", text), str):
        raise TypeError(f"`template` takes a text, got {text!r}")
    names = template_fields(text)
    missing = [name for name in names if name not in fields]
    unknown = [name for name in fields if name not in names]
    if missing or unknown:
        known = listed(names, "no fields")
        what = f"no value for {listed(missing)}" if missing else f"no field {listed(unknown)}"
        hint = did_you_mean((missing or unknown)[0], fields if missing else names) or ""
        raise ValueError(f"template: {what}; the text has {known}. {hint}".strip())
    return cast("str", Template(text, {name: lift(value) for name, value in fields.items()}))
