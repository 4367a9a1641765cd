"""Types out of JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import NoneType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    NotRequired,
    TypedDict,
    Union,
    cast,
)

from operonx.core.errors import SpecError
from operonx.core.schema import validator
from operonx.core.spec.annotations import LIMITS, MAX_TYPE_DEPTH, TYPES, UnknownClass, depth_of
from operonx.core.spec.values import read_value

if TYPE_CHECKING:
    from operonx.core.spec.resolving import Resolver

__all__ = ["read_annotation"]

_LITERALS: Final = frozenset({str, bytes, int, bool, NoneType})


def read_annotation(data: Any, resolver: Resolver) -> Any:
    """Return the type that JSON stands for.

    Args:
        data: What `write_annotation` gave.
        resolver: Imports the classes that it names; of others an `UnknownClass` stands there.

    Raises:
        SpecError: If a class cannot be found.
    """
    if depth_of(data) > MAX_TYPE_DEPTH:
        raise SpecError(f"a type nested more than {MAX_TYPE_DEPTH} deep")
    return _read(data, resolver)


def _read(data: Any, resolver: Resolver) -> Any:
    if isinstance(data, str):
        return TYPES[data]
    return _READERS[data["kind"]](data, resolver)


def _read_union(data: Any, resolver: Resolver) -> Any:
    return Union[tuple(_read(one, resolver) for one in data["members"])]  # noqa: UP007 - a tuple of members


def _read_literal(data: Any, _resolver: Resolver) -> Any:
    values = tuple(read_value(value) for value in data["values"])
    for value in values:
        if type(value) not in _LITERALS:
            raise SpecError(f"a literal type with {value!r}: it takes text, bytes, int, bool, None")
    return Literal[values]


def _read_list(data: Any, resolver: Resolver) -> Any:
    return list[_read(data["items"], resolver)]  # type: ignore[misc]


def _read_dict(data: Any, resolver: Resolver) -> Any:
    keys, values = (_read(data[name], resolver) for name in ("keys", "values"))
    return dict[keys, values]  # type: ignore[valid-type]


def _read_tuple(data: Any, resolver: Resolver) -> Any:
    if "each" in data:
        return tuple[_read(data["each"], resolver), ...]  # type: ignore[misc]
    return tuple[tuple(_read(one, resolver) for one in data["items"])]  # type: ignore[misc]


def _read_record(data: Any, resolver: Resolver) -> Any:
    fields = {
        name: kind if name in data["required"] else NotRequired[kind]
        for name, kind in ((name, _read(one, resolver)) for name, one in data["fields"].items())
    }
    make = cast("Callable[[str, Mapping[str, Any]], Any]", TypedDict)
    return make(data["name"], fields)


def _read_class(data: Any, resolver: Resolver) -> Any:
    arguments = tuple(_read(one, resolver) for one in data.get("arguments", ()))
    cls: Any = resolver.find_class(data["import"])
    if cls is None:
        return UnknownClass(data["import"], arguments)
    if not arguments:
        return cls
    try:
        return cls[arguments]
    except TypeError as error:
        raise SpecError(f"`{data['import']}`: {error}") from error


def _read_limited(data: Any, resolver: Resolver) -> Any:
    from pydantic import Field  # only where a type has limits

    limits = {name: read_value(data[name]) for name in LIMITS if name in data}
    limited: Any = Annotated[_read(data["of"], resolver), Field(**limits)]
    try:
        validator(limited)
    except Exception as error:
        raise SpecError(f"a type limited by {limits}: {error}") from error
    return limited


_READERS: Final[dict[str, Callable[[Any, Resolver], Any]]] = {
    "class": _read_class,
    "dict": _read_dict,
    "limited": _read_limited,
    "list": _read_list,
    "literal": _read_literal,
    "record": _read_record,
    "tuple": _read_tuple,
    "union": _read_union,
}
