"""The fields that a class declares, and the keys that a TypedDict requires."""

from __future__ import annotations

import dataclasses
import inspect
import sys
import typing
from collections.abc import Mapping
from typing import Annotated, Any, ForwardRef, TypeVar, cast, get_args

from .annotations import is_one_of, is_qualifier, is_typed_dict, resolved

__all__ = ["field_annotations", "required_keys"]


def field_annotations(
    annotation: object, namespace: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """Give the fields of a TypedDict, NamedTuple, dataclass or pydantic model, in order.

    Args:
        annotation: A class, or one with arguments: `Page[int]`.
        namespace: More names that the annotations of the fields may use.

    Returns:
        Annotations by field, `Any` where one cannot be resolved; None for other types.

    Example:
        ```python
        field_annotations(TypedDict("Hit", {"score": float}))  # {"score": float}
        ```
    """
    cls = typing.get_origin(annotation) or annotation
    if not isinstance(cls, type):
        return None
    names = _field_names(cls)
    if names is None:
        return None
    hints = _class_hints(cls, namespace or {})
    chosen = dict(zip(getattr(cls, "__parameters__", ()), get_args(annotation), strict=False))
    return {name: _substituted(hints.get(name, Any), chosen) for name in names}


def _field_names(cls: type) -> list[str] | None:
    if is_typed_dict(cls):
        return list(cls.__annotations__)
    if dataclasses.is_dataclass(cls):
        return [field.name for field in dataclasses.fields(cls)]
    own = cast("Any", cls)
    if issubclass(cls, tuple):
        return list(own._fields) if hasattr(own, "_fields") else None
    # Who has a model has imported pydantic; who has not shall not wait for it here.
    pydantic = sys.modules.get("pydantic")
    if pydantic is not None and issubclass(cls, pydantic.BaseModel):
        return list(own.model_fields)
    return None


def _class_hints(cls: type, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Resolve the annotations of a class one by one: a bad one costs only itself."""
    hints: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        own = inspect.get_annotations(base)
        if not own:
            continue
        module = vars(sys.modules.get(base.__module__, typing))
        parameters = {item.__name__: item for item in getattr(base, "__type_params__", ())}
        local = {**module, base.__name__: base, **parameters, **namespace}
        for name, annotation in own.items():
            # The class's own names come last, as in `date: date | None = None`.
            hints[name] = resolved(_in_class(annotation), dict(vars(base)), local)
    return hints


def _in_class(annotation: object) -> object:
    """Mark text as that of a class, where `ClassVar` and `Final` are allowed."""
    if isinstance(annotation, str):
        return ForwardRef(annotation, is_argument=False, is_class=True)
    return annotation


def _substituted(annotation: Any, chosen: Mapping[Any, Any]) -> Any:
    if not chosen:
        return annotation
    if isinstance(annotation, TypeVar):
        return chosen.get(annotation, annotation)
    parameters = getattr(annotation, "__parameters__", ())
    if not parameters or isinstance(annotation, type):
        return annotation
    return annotation[tuple(chosen.get(parameter, parameter) for parameter in parameters)]


def required_keys(annotation: object) -> frozenset[str]:
    """Give the keys that a value of a `TypedDict` must have.

    Example:
        ```python
        required_keys(TypedDict("Hit", {"score": float}, total=False))  # frozenset()
        ```
    """
    cls: Any = typing.get_origin(annotation) or annotation
    required: set[str] = set(cls.__required_keys__)
    # Under `from __future__ import annotations` the class did not see its own qualifiers.
    for name, hint in (field_annotations(cls) or {}).items():
        qualifier = _requirement(hint)
        if qualifier is not None:
            (required.add if qualifier else required.discard)(name)
    return frozenset(required)


def _requirement(hint: object) -> bool | None:
    while (origin := typing.get_origin(hint)) is not None:
        if is_one_of(origin, typing.Required, typing.NotRequired):
            return origin is typing.Required
        if origin is not Annotated and not is_qualifier(origin):
            return None
        hint = get_args(hint)[0]
    return None
