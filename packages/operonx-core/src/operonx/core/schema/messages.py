"""What is said of a value that does not fit."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection
from contextvars import ContextVar
from typing import Final, cast

from operonx.core import redaction

__all__ = ["misfit", "said_of", "shown"]

_MAX_TEXT: Final = 60
"""Characters of a value in a message."""
_MAX_READ: Final = 500
"""Characters of it that are looked at: half a secret would not look like one."""
_MAX_ITEMS: Final = 4
_MAX_DEPTH: Final = 2
_MAX_BITS: Final = 128
"""Larger integers are not written out: CPython refuses to from some 14,000 bits."""

_hides_values: Final = ContextVar("hides_values", default=False)
_BRACKETS: Final[dict[type, tuple[str, str]]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
}


def misfit(expected: str, value: object) -> str:
    """Say what was expected and what came: "expected `int`, got `str` 'x'"."""
    kind = type(value)
    if value is None:
        return f"expected `{expected}`, got `None`"
    text = shown(value)
    # Two classes of one name: only their modules tell them apart.
    name = f"{kind.__module__}.{kind.__qualname__}" if kind.__name__ == expected else kind.__name__
    return f"expected `{expected}`, got `{name}` {text}".rstrip()


def shown(value: object) -> str:
    """Write a value of a built-in type in at most 60 characters; others give "".

    Only the beginning of a value is looked at, and never an object's own `repr`, which may
    be huge, slow, or fail.
    """
    if _hides_values.get():
        return ""
    text = redaction.scrubbed(_text(value, _MAX_DEPTH))
    return text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 3]}..."


def said_of(name: str, value: object, check: Callable[[object], str | None], problem: str) -> str:
    """Return what a check said of a named value; of a secret one without showing the value."""
    if not redaction.is_secret(name, value):
        return problem
    token = _hides_values.set(True)
    try:
        return check(value) or "does not fit"
    finally:
        _hides_values.reset(token)


def _text(value: object, depth: int) -> str:
    if type(value) in (bool, float, type(None)):
        return repr(value)
    if type(value) is int:
        bits = value.bit_length()
        return repr(value) if bits <= _MAX_BITS else f"of {bits} bits"
    if type(value) is str or type(value) is bytes:
        return repr(value[:_MAX_READ])
    if type(value) is dict:
        pairs = cast("dict[object, object]", value).items()
        shown_pairs = itertools.islice(pairs, _MAX_ITEMS)
        texts = [f"{_inner(k, depth)}: {_inner(v, depth)}" for k, v in shown_pairs]
        return _enclosed(texts, len(pairs), "{", "}")
    if type(value) in _BRACKETS:
        items = cast("Collection[object]", value)
        texts = [_inner(item, depth) for item in itertools.islice(items, _MAX_ITEMS)]
        start, end = _BRACKETS[type(value)]
        if not items and start not in "[(":
            return f"{type(value).__name__}()"  # `{}` is a dict
        if type(value) is tuple and len(items) == 1:
            end = ",)"
        return _enclosed(texts, len(items), start, end)
    return ""


def _inner(value: object, depth: int) -> str:
    text = _text(value, depth - 1) if depth else ""
    return text or f"<{type(value).__name__}>"


def _enclosed(texts: list[str], length: int, start: str, end: str) -> str:
    more = [f"... {length - len(texts)} more"] if length > len(texts) else []
    return start + ", ".join(texts + more) + end
