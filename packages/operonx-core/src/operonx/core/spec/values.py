"""Values as JSON, and back: exactly, or an error that says which part has no place there.

What JSON lacks is an object with one key that begins with `$`: `{"$bytes": "aGk="}`.
"""

from __future__ import annotations

import math
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any, Final, cast

from operonx.core.errors import SpecError
from operonx.core.spec.arrays import Array, array_of

__all__ = ["MAX_DEPTH", "read_value", "write_value"]

MAX_DEPTH: Final = 100
"""How deep a value may nest: every runtime reads it recursively."""
_INTEGER: Final = 2**63
_DECIMAL: Final = re.compile("-?[0-9]+", re.ASCII)
_PLAIN: Final = frozenset({bool, type(None)})


def write_value(value: object, place: str = "") -> Any:
    """Return a value as JSON.

    Args:
        value: None, booleans, numbers, text, bytes, arrays; lists, tuples and dicts of these.
        place: Where it stands, for the error.

    Raises:
        ValueError: If a part of it is of another type, is nested too deeply or is text that is no
            Unicode.

    Example:
        ```python
        write_value({"key": b"hi"})  # {"key": {"$bytes": "aGk="}}
        ```
    """
    return _write(value, place, 0)


def _write(value: Any, place: str, depth: int) -> Any:
    kind = cast("type[object]", type(value))
    if kind in _PLAIN:
        return value
    if depth > MAX_DEPTH:
        raise ValueError(f"{_at(place)}a value nested more than {MAX_DEPTH} deep")
    writer = _WRITERS.get(kind)
    if writer is not None:
        return writer(value, place, depth + 1)
    array = array_of(value)
    if array is not None:
        return {"$array": array.as_json()}
    raise ValueError(
        f"{_at(place)}a value of type `{kind.__name__}`: only None, booleans, numbers, text, "
        "bytes, arrays, and lists, tuples and dicts of these have a place in a spec"
    )


def _at(place: str) -> str:
    return f"{place}: " if place else ""


def _write_int(value: int, _place: str, _depth: int) -> Any:
    return value if -_INTEGER <= value < _INTEGER else {"$int": str(value)}


def _write_float(value: float, _place: str, _depth: int) -> Any:
    return value if math.isfinite(value) else {"$float": repr(value)}


def _write_text(value: str, place: str, _depth: int) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{_at(place)}text that is no Unicode: {error.reason}") from None
    return value


def _write_bytes(value: bytes, _place: str, _depth: int) -> Any:
    return {"$bytes": b64encode(value).decode()}


def _write_list(value: list[Any], place: str, depth: int) -> Any:
    return [_write(item, f"{place}[{index}]", depth) for index, item in enumerate(value)]


def _write_tuple(value: tuple[Any, ...], place: str, depth: int) -> Any:
    return {"$tuple": _write_list(list(value), place, depth)}


def _write_dict(value: dict[Any, Any], place: str, depth: int) -> Any:
    if all(type(key) is str and not key.startswith("$") for key in value):
        return {
            _write_text(key, place, depth): _write(item, f"{place}[{key!r}]", depth)
            for key, item in value.items()
        }
    pairs = [
        [_write(key, f"{place}, a key", depth), _write(item, f"{place}[{key!r}]", depth)]
        for key, item in value.items()
    ]
    return {"$dict": pairs}


_WRITERS: Final[dict[type, Callable[[Any, str, int], Any]]] = {
    int: _write_int,
    float: _write_float,
    str: _write_text,
    bytes: _write_bytes,
    list: _write_list,
    tuple: _write_tuple,
    dict: _write_dict,
}


def read_value(data: Any, place: str = "") -> Any:
    """Return the value that JSON stands for.

    Args:
        data: What `write_value` gave.
        place: Where it stands, for the error.

    Returns:
        An equal value; an array of numpy's is an `Array` now.

    Raises:
        SpecError: If it is none of what `write_value` gives.
    """
    try:
        return _read(data, place, 0)
    except ValueError as error:
        raise SpecError(str(error)) from error


def _read(data: Any, place: str, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError(f"{_at(place)}a value nested more than {MAX_DEPTH} deep")
    if isinstance(data, list):
        return _read_items(data, place, depth + 1)
    if not isinstance(data, dict):
        return _read_plain(data, place, depth)
    fields = cast("dict[str, object]", data)
    special = next((key for key in fields if _key(key, place).startswith("$")), None)
    if special is None:
        return {key: _read(item, f"{place}[{key!r}]", depth + 1) for key, item in fields.items()}
    if special not in _SPECIAL or len(fields) > 1:
        known = ", ".join(_SPECIAL)
        raise ValueError(
            f"{_at(place)}`{special}` stands alone in its object and is one of {known}"
        )
    if special == "$dict":
        return _read_dict(fields[special], place, depth + 1)
    if special == "$tuple":
        return tuple(_read_items(fields[special], place, depth + 1))
    return _read_special(special, fields[special], place)


def _read_special(special: str, data: Any, place: str) -> Any:
    try:
        return _READERS[special](data)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{_at(place)}no `{special}`: {error}") from error


def _key(key: Any, place: str) -> str:
    if not isinstance(key, str):
        raise ValueError(f"{_at(place)}a key of JSON is text, got {key!r}")  # noqa: TRY004 - of data
    return _write_text(key, place, 0)


def _read_plain(data: Any, place: str, depth: int) -> Any:
    kind = cast("type[object]", type(data))
    if kind is str:
        return _write_text(data, place, depth)
    if kind not in _PLAIN and (kind not in (int, float) or _write(data, place, depth) is not data):
        raise ValueError(f"{_at(place)}{data!r} is no JSON value that every runtime reads")
    return data


def _read_items(data: Any, place: str, depth: int) -> list[Any]:
    items = _list(data, place)
    return [_read(item, f"{place}[{index}]", depth) for index, item in enumerate(items)]


def _read_dict(data: Any, place: str, depth: int) -> dict[Any, Any]:
    read: dict[Any, Any] = {}
    for pair in _list(data, place):
        both = _list(pair, place)
        if len(both) != 2:
            raise ValueError(f"{_at(place)}no `$dict`: {pair!r} is no pair of a key and a value")
        key = _read(both[0], f"{place}, a key", depth)
        try:
            is_twice = key in read
        except TypeError as error:
            raise ValueError(f"{_at(place)}no `$dict`: a key: {error}") from error
        if is_twice:
            raise ValueError(f"{_at(place)}no `$dict`: the key {key!r} stands there twice")
        read[key] = _read(both[1], f"{place}[{key!r}]", depth)
    return read


def _list(data: Any, place: str) -> list[object]:
    if not isinstance(data, list):
        raise ValueError(f"{_at(place)}takes a list, got `{type(data).__name__}`")  # noqa: TRY004 - of data
    return cast("list[object]", data)


def _read_int(data: Any) -> int:
    if _DECIMAL.fullmatch(_text(data)) is None:
        raise ValueError(f"{data!r} is no whole number")
    return int(data)


def _read_float(data: Any) -> float:
    if data not in ("nan", "inf", "-inf"):
        raise ValueError(f"{data!r} is neither `nan`, `inf` nor `-inf`")
    return float(data)


def _read_bytes(data: Any) -> bytes:
    return b64decode(_text(data), validate=True)


def _text(data: Any) -> str:
    if not isinstance(data, str):
        raise TypeError(f"takes text, got `{type(data).__name__}`")
    return data


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "$array": Array.from_json,
    "$bytes": _read_bytes,
    "$float": _read_float,
    "$int": _read_int,
}
_SPECIAL: Final = sorted({*_READERS, "$dict", "$tuple"})
