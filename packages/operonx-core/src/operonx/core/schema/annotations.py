"""What an annotation means once its wrappers are off, and the fields it declares."""

from __future__ import annotations

import dataclasses
import inspect
import sys
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, ForwardRef, NewType, TypeVar, cast, get_args

__all__ = [
    "field_annotations",
    "holds_items",
    "is_alias",
    "is_one_of",
    "is_typed_dict",
    "peeled",
    "plain",
    "required_keys",
    "resolved",
    "union_members",
]

_MAX_WRAPPERS: Final = 32
"""Aliases that name each other would otherwise be followed for ever."""


def plain(annotation: object) -> Any:
    """Take off what does not change which values fit.

    `Annotated`, `NewType`, `Required`, `Final`, type aliases and type variables give what they
    stand for; what cannot be known (forward references, unresolved names) gives `Any`.

    Example:
        ```python
        plain(Annotated[int, "seconds"])  # int
        ```
    """
    for _ in range(_MAX_WRAPPERS):
        inner = peeled(annotation)
        if inner is annotation:
            return annotation
        annotation = inner
    return Any


def peeled(annotation: Any) -> Any:
    """Take off the outermost of what `plain` takes off, or give the annotation as it is.

    Example:
        ```python
        peeled(Required[Annotated[int, "seconds"]])  # Annotated[int, "seconds"]
        ```
    """
    if isinstance(annotation, type):
        return annotation
    if isinstance(annotation, NewType):
        return annotation.__supertype__
    if isinstance(annotation, TypeVar):
        return _type_variable(annotation)
    origin = typing.get_origin(annotation)
    if origin is Annotated or _is_qualifier(origin):
        return get_args(annotation)[0]
    alias = annotation if origin is None else origin
    if is_alias(alias):
        return _aliased(alias, get_args(annotation))
    return _spelled_out(annotation)


def _spelled_out(annotation: Any) -> Any:
    if annotation is None:
        return types.NoneType
    if annotation is typing.LiteralString:
        return str
    # Text that nobody resolved, or a bare `Final`.
    return (
        Any if isinstance(annotation, str | ForwardRef) or _is_qualifier(annotation) else annotation
    )


def _is_qualifier(origin: Any) -> bool:
    # By name too: typing_extensions has its own of those that are newer than this Python.
    known = is_one_of(origin, typing.Required, typing.NotRequired, typing.Final, ClassVar)
    return known or getattr(origin, "_name", None) == "ReadOnly"


def _type_variable(variable: TypeVar) -> Any:
    try:
        members, bound = variable.__constraints__, variable.__bound__
    except NameError:  # evaluated only now (PEP 695)
        return Any
    if members:
        return typing.Union[members]  # noqa: UP007 - a tuple of members
    return Any if bound is None else bound


def is_alias(annotation: object) -> bool:
    """Tell whether an annotation was made by the `type` statement, and so may name itself.

    Example:
        ```python
        is_alias(typing_extensions.TypeAliasType("Names", list[str]))  # True
        ```
    """
    alias = typing.get_origin(annotation) or annotation
    return type(alias).__name__ == "TypeAliasType"


def holds_items(cls: type) -> bool:
    """Tell whether what stands in the brackets of a class is known to be its items.

    Example:
        ```python
        holds_items(collections.deque)  # True
        ```
    """
    return cls.__module__ in ("builtins", "collections", "collections.abc")


def _aliased(alias: Any, args: tuple[Any, ...]) -> Any:
    """Give the value of a `type` alias, with its parameters replaced."""
    try:
        value = alias.__value__
        chosen = dict(zip(alias.__type_params__, args, strict=True)) if args else {}
        found = value[tuple(chosen[one] for one in value.__parameters__)] if args else value
    except (NameError, TypeError, KeyError, ValueError, AttributeError):
        # A name does not exist (yet), or a parameter is of a kind not followed here.
        return Any
    return found


def is_one_of(annotation: object, *choices: object) -> bool:
    """Tell whether an annotation is one of some, by identity: what stands there may lie in `==`.

    Example:
        ```python
        is_one_of(Any, Any, object)  # True
        ```
    """
    return any(annotation is choice for choice in choices)


def union_members(annotation: object) -> tuple[Any, ...] | None:
    """Give the members of a union, or None if the annotation is none.

    Example:
        ```python
        union_members(int | None)  # (int, NoneType)
        ```
    """
    if is_one_of(typing.get_origin(annotation), typing.Union, types.UnionType):
        return get_args(annotation)
    return None


def is_typed_dict(annotation: object) -> bool:
    """Tell whether a class is a `TypedDict`, also one of typing_extensions.

    Example:
        ```python
        is_typed_dict(TypedDict("Hit", {"score": float}))  # True
        ```
    """
    return (
        isinstance(annotation, type)
        and dict in annotation.__mro__
        and hasattr(annotation, "__required_keys__")
    )


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


def resolved(
    annotation: object, names: dict[str, Any], local: Mapping[str, Any], unknown: Any = Any
) -> Any:
    """Evaluate an annotation that may be, or hold, text.

    Args:
        annotation: A type, text, or a type with text in it: `list["Hit"]`.
        names: Global names.
        local: Names that come before these.
        unknown: What to give where the annotation cannot be evaluated.

    Example:
        ```python
        resolved("list[Hit]", {"Hit": Hit}, {})  # list[Hit]
        ```
    """
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    try:
        return typing.get_type_hints(holder, names, local, include_extras=True)["it"]
    except Exception:  # noqa: BLE001 - an annotation is any expression and may raise anything
        return unknown


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
        if origin is not Annotated and not _is_qualifier(origin):
            return None
        hint = get_args(hint)[0]
    return None
