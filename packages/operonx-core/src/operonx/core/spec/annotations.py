"""Types as JSON: what an input may be, and what is known of a function's parameters and ports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import NoneType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NotRequired,
    TypedDict,
    Union,
    cast,
    get_args,
    get_origin,
)

from operonx.core.schema import (
    field_annotations,
    is_typed_dict,
    required_keys,
    type_name,
    union_members,
)
from operonx.core.schema.annotations import peeled
from operonx.core.spec.arrays import Array
from operonx.core.spec.resolving import Resolver, path_of
from operonx.core.spec.values import read_value, write_value

__all__ = ["UnknownClass", "read_annotation", "write_annotation", "written_or_any"]

_NAMES: Final[dict[Any, str]] = {
    Any: "any",
    object: "any",
    NoneType: "none",
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
    bytes: "bytes",
    Array: "array",
    list: "list",
    dict: "dict",
    tuple: "tuple",
}
_TYPES: Final[dict[str, Any]] = {name: kind for kind, name in _NAMES.items() if kind is not object}
_LIMITS: Final = ("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "pattern")
"""What `pydantic.Field` limits values by, of which every runtime knows the meaning."""


class UnknownClass:
    """Stands as a type for a class that a spec names and that was not imported; any value fits."""

    def __init__(self, path: str, arguments: tuple[Any, ...] = ()) -> None:
        self.path = path
        self.arguments = arguments
        self.__name__ = path.partition(":")[2]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UnknownClass):
            return NotImplemented
        return (self.path, self.arguments) == (other.path, other.arguments)

    def __hash__(self) -> int:
        return hash((self.path, self.arguments))


# -- writing


def written_or_any(annotation: object) -> Any:
    """Return a type as JSON, `"any"` where it has no place there."""
    try:
        return write_annotation(annotation)
    except ValueError:
        return "any"


def write_annotation(annotation: object, within: tuple[object, ...] = ()) -> Any:
    """Return a type as JSON.

    Args:
        annotation: An annotation.
        within: The records that it stands in, which it may name again.

    Raises:
        ValueError: If a part of it has no place in a spec, such as a local class or a protocol.
    """
    if get_origin(annotation) is Annotated:
        return _write_limited(annotation, within)
    inner = peeled(annotation)
    if inner is not annotation:
        return write_annotation(inner, within)
    if isinstance(annotation, UnknownClass):
        return _class(annotation.path, annotation.arguments, within)
    if isinstance(annotation, type) or annotation is Any:
        name = _NAMES.get(annotation)
        if name is not None and not get_args(annotation):
            return name
    members = union_members(annotation)
    if members is not None:
        return {"kind": "union", "members": [write_annotation(one, within) for one in members]}
    return _write_generic(annotation, within)


def _write_generic(annotation: Any, within: tuple[object, ...]) -> Any:
    origin: Any = get_origin(annotation) or annotation
    arguments = get_args(annotation)
    if is_typed_dict(origin) and origin not in within:
        return _write_record(annotation, (*within, origin))
    if origin is Literal:
        return {"kind": "literal", "values": [write_value(value) for value in arguments]}
    if origin is list and len(arguments) == 1:
        return {"kind": "list", "items": write_annotation(arguments[0], within)}
    if origin is dict and len(arguments) == 2:
        keys, values = (write_annotation(one, within) for one in arguments)
        return {"kind": "dict", "keys": keys, "values": values}
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return {"kind": "tuple", "each": write_annotation(arguments[0], within)}
    if origin is tuple:
        return {"kind": "tuple", "items": [write_annotation(one, within) for one in arguments]}
    path = path_of(origin) if isinstance(origin, type) else None
    if path is None:
        raise ValueError(f"the type `{type_name(annotation)}`, which no import finds")
    return _class(path, arguments, within)


def _class(path: str, arguments: tuple[Any, ...], within: tuple[object, ...]) -> Any:
    written = {"kind": "class", "import": path}
    given = [write_annotation(one, within) for one in arguments]
    return {**written, "arguments": given} if given else written


def _write_record(annotation: Any, within: tuple[object, ...]) -> Any:
    fields = field_annotations(annotation) or {}
    required = required_keys(annotation)
    return {
        "kind": "record",
        "name": type_name(annotation),
        "fields": {name: write_annotation(hint, within) for name, hint in fields.items()},
        "required": [name for name in fields if name in required],
    }


def _write_limited(annotation: Any, within: tuple[object, ...]) -> Any:
    inner: Any = get_args(annotation)[0]
    metadata = get_args(annotation)[1:]
    limits: dict[str, Any] = {}
    for one in metadata:
        for part in getattr(one, "metadata", (one,)):  # a `Field` lists its limits there
            limits |= _limits_of(part)
    written = write_annotation(inner, within)
    if not limits:
        return written
    return {"kind": "limited", "of": written, **limits}


def _limits_of(part: Any) -> dict[str, Any]:
    if type(part).__module__.partition(".")[0] not in ("annotated_types", "pydantic"):
        return {}  # it describes, and limits nothing
    found = {name: getattr(part, name) for name in _LIMITS if getattr(part, name, None) is not None}
    if not found or not set(getattr(part, "__dict__", found)) <= set(_LIMITS):
        raise ValueError(f"the limit {part!r} of a type; there are {', '.join(_LIMITS)}")
    return {name: write_value(value) for name, value in found.items()}


# -- reading


def read_annotation(data: Any, resolver: Resolver) -> Any:
    """Return the type that JSON stands for.

    Args:
        data: What `write_annotation` gave.
        resolver: Imports the classes that it names; of others an `UnknownClass` stands there.

    Raises:
        SpecError: If a class cannot be found.
    """
    if isinstance(data, str):
        return _TYPES[data]
    return _READERS[data["kind"]](data, resolver)


def _read_union(data: Any, resolver: Resolver) -> Any:
    return Union[tuple(read_annotation(one, resolver) for one in data["members"])]  # noqa: UP007 - a tuple of members


def _read_literal(data: Any, _resolver: Resolver) -> Any:
    return Literal[tuple(read_value(value) for value in data["values"])]


def _read_list(data: Any, resolver: Resolver) -> Any:
    return list[read_annotation(data["items"], resolver)]  # type: ignore[misc]


def _read_dict(data: Any, resolver: Resolver) -> Any:
    keys, values = (read_annotation(data[name], resolver) for name in ("keys", "values"))
    return dict[keys, values]  # type: ignore[valid-type]


def _read_tuple(data: Any, resolver: Resolver) -> Any:
    if "each" in data:
        return tuple[read_annotation(data["each"], resolver), ...]  # type: ignore[misc]
    return tuple[tuple(read_annotation(one, resolver) for one in data["items"])]  # type: ignore[misc]


def _read_record(data: Any, resolver: Resolver) -> Any:
    fields = {
        name: kind if name in data["required"] else NotRequired[kind]
        for name, kind in (
            (name, read_annotation(one, resolver)) for name, one in data["fields"].items()
        )
    }
    make = cast("Callable[[str, Mapping[str, Any]], Any]", TypedDict)
    return make(data["name"], fields)


def _read_class(data: Any, resolver: Resolver) -> Any:
    arguments = tuple(read_annotation(one, resolver) for one in data.get("arguments", ()))
    cls: Any = resolver.find_class(data["import"])
    if cls is None:
        return UnknownClass(data["import"], arguments)
    return cls[arguments if len(arguments) > 1 else arguments[0]] if arguments else cls


def _read_limited(data: Any, resolver: Resolver) -> Any:
    from pydantic import Field  # only where a type has limits

    limits = {name: read_value(data[name]) for name in _LIMITS if name in data}
    return Annotated[read_annotation(data["of"], resolver), Field(**limits)]


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
