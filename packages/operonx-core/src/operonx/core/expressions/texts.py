"""Values as a template writes them: texts as they are, all else as JSON.

So a template reads the same from every runtime, and what JSON has no words for is an error, where
Python would write something that looks like text: `<Doc object at 0x7f...>`, `b'...'`, `nan`.
"""

from __future__ import annotations

import math
import sys
from typing import Any, Final, cast

from operonx.core.errors import ExpressionError
from operonx.core.expressions.printing import show_value

__all__ = ["text_of"]

_LISTS: Final = cast("tuple[type[Any], ...]", (list, tuple))
_DICT: Final = cast("type[Any]", dict)


def text_of(value: Any, field: str) -> str:
    """Return a value as the text that stands for a template's field.

    Raises:
        ExpressionError: If it is, or holds, what is no text, finite number, boolean, `None`, list
            or dict with text keys.
    """
    if type(value) is str:
        return value
    try:
        part = _json_value(value, "")
    except _Unwritable as error:
        raise ExpressionError(
            f"template: field `{field}`{error}",
            hint="write it as text in the op that gives it, or give its parts",
        ) from None
    except RecursionError:
        raise ExpressionError(f"template: field `{field}` holds itself, or is too deep") from None
    if isinstance(part, str):
        return part
    import json  # only templates over other values than texts need it

    return json.dumps(part, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


class _Unwritable(Exception):  # noqa: N818 - it never leaves this module
    """Says which part is no JSON."""


def _json_value(value: Any, place: str) -> Any:
    value = _unboxed(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return str.__str__(value)  # of an enum's member too, which would write its name
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise _Unwritable(f"{place} is {float(value)!r}, which JSON has no number for")
    if isinstance(value, _LISTS):
        return [_json_value(item, f"{place}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, _DICT):
        return {_key(key, place): _json_value(v, f"{place}[{key!r}]") for key, v in value.items()}
    kind = type(value).__name__
    raise _Unwritable(f"{place} is a `{kind}`: no text, number, boolean, None, list or dict")


def _key(key: Any, place: str) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    raise _Unwritable(f"{place} is a dict with the key {show_value(key)}; keys are texts")


def _unboxed(value: Any) -> Any:
    # Who has a number of numpy has loaded it; core never does.
    boxed: Any = getattr(sys.modules.get("numpy"), "generic", ())
    return value.item() if isinstance(value, boxed) else value
