"""Types to JSON."""

from __future__ import annotations

import inspect
from typing import Annotated, Any, Literal, cast, get_args, get_origin

from operonx.core.schema import (
    field_annotations,
    is_typed_dict,
    required_keys,
    type_name,
    union_members,
)
from operonx.core.schema.annotations import peeled
from operonx.core.spec.annotations import LIMITS, MAX_TYPE_DEPTH, NAMES, UnknownClass, depth_of
from operonx.core.spec.resolving import path_of
from operonx.core.spec.values import write_value

__all__ = ["write_annotation", "written_or_any"]


def written_or_any(annotation: object) -> Any:
    """Return a type as JSON, `"any"` where it has no place there."""
    try:
        return write_annotation(annotation)
    except ValueError:
        return "any"


def write_annotation(annotation: object) -> Any:
    """Return a type as JSON.

    Args:
        annotation: An annotation.

    Raises:
        ValueError: If a part of it has no place in a spec, such as a local class or a protocol, or
            it nests too deeply.

    Example:
        ```python
        write_annotation(list[int] | None)
        # {"kind": "union", "members": [{"kind": "list", "items": "int"}, "none"]}
        ```
    """
    try:
        written = _write(annotation, ())
    except RecursionError:
        written = None
    if written is None or depth_of(written) > MAX_TYPE_DEPTH:
        raise ValueError(f"a type that holds itself, or is nested more than {MAX_TYPE_DEPTH} deep")
    return written


def _write(annotation: object, within: tuple[object, ...]) -> Any:
    """Write a type within records, which it may name again."""
    if get_origin(annotation) is Annotated:
        return _write_limited(annotation, within)
    inner = peeled(annotation)
    if inner is not annotation:
        return _write(inner, within)
    if isinstance(annotation, UnknownClass):
        return _class(annotation.path, annotation.arguments, within)
    if isinstance(annotation, type) or annotation is Any:
        name = NAMES.get(annotation)
        if name is not None and not get_args(annotation):
            return name
    members = union_members(annotation)
    if members is not None:
        return {"kind": "union", "members": [_write(one, within) for one in members]}
    return _write_generic(annotation, within)


def _write_generic(annotation: Any, within: tuple[object, ...]) -> Any:
    origin: Any = get_origin(annotation) or annotation
    arguments = get_args(annotation)
    if is_typed_dict(origin) and origin not in within:
        return _write_record(annotation, (*within, origin))
    if origin is Literal:
        return {"kind": "literal", "values": [write_value(value) for value in arguments]}
    if origin is list and len(arguments) == 1:
        return {"kind": "list", "items": _write(arguments[0], within)}
    if origin is dict and len(arguments) == 2:
        keys, values = (_write(one, within) for one in arguments)
        return {"kind": "dict", "keys": keys, "values": values}
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return {"kind": "tuple", "each": _write(arguments[0], within)}
    if origin is tuple:
        return {"kind": "tuple", "items": [_write(one, within) for one in arguments]}
    path = path_of(cast("object", origin)) if inspect.isclass(origin) else None
    if path is None:
        raise ValueError(f"the type `{type_name(annotation)}`, which no import finds")
    return _class(path, arguments, within)


def _class(path: str, arguments: tuple[Any, ...], within: tuple[object, ...]) -> Any:
    written = {"kind": "class", "import": path}
    given = [_write(one, within) for one in arguments]
    return {**written, "arguments": given} if given else written


def _write_record(annotation: Any, within: tuple[object, ...]) -> Any:
    fields = field_annotations(annotation) or {}
    required = required_keys(annotation)
    return {
        "kind": "record",
        "name": type_name(annotation),
        "fields": {name: _write(hint, within) for name, hint in fields.items()},
        "required": [name for name in fields if name in required],
    }


def _write_limited(annotation: Any, within: tuple[object, ...]) -> Any:
    inner: Any = get_args(annotation)[0]
    metadata = get_args(annotation)[1:]
    limits: dict[str, Any] = {}
    for one in metadata:
        for part in getattr(one, "metadata", (one,)):  # a `Field` lists its limits there
            limits |= _limits_of(part)
    written = _write(inner, within)
    if not limits:
        return written
    return {"kind": "limited", "of": written, **limits}


def _limits_of(part: Any) -> dict[str, Any]:
    if type(part).__module__.partition(".")[0] not in ("annotated_types", "pydantic"):
        return {}  # it describes, and limits nothing
    found = {name: getattr(part, name) for name in LIMITS if getattr(part, name, None) is not None}
    if not found or not set(getattr(part, "__dict__", found)) <= set(LIMITS):
        raise ValueError(f"the limit {part!r} of a type; there are {', '.join(LIMITS)}")
    return {name: write_value(value) for name, value in found.items()}
