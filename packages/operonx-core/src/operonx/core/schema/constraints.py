"""Classes, and the constraints that pydantic and annotated_types put beside them.

pydantic is imported only here, and only for an annotation that was made with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from .messages import misfit, shown

if TYPE_CHECKING:
    from .containers import Check

__all__ = ["constrained", "instance"]

_LIBRARIES = ("annotated_types", "pydantic")


def constrained(annotation: Any, base: Check) -> Check:
    """Add the constraints of `Annotated[int, Field(gt=0)]` to the check of `int`.

    Example:
        ```python
        constrained(Annotated[int, Gt(0)], validator(int))(-1)
        # "input should be greater than 0, got -1"
        ```
    """
    if not any(map(_constrains, get_args(annotation)[1:])):
        return base
    complaint = _complaints(annotation)

    def check(value: object) -> str | None:
        problem = base(value)
        if problem is None and (text := complaint(value)):
            problem = f"{text[0].lower()}{text[1:]}, got {shown(value) or type(value).__name__}"
        return problem

    return check


def _constrains(metadata: object) -> bool:
    """Tell what limits values from what only describes them, as `Field(description=...)`."""
    if type(metadata).__module__.partition(".")[0] not in _LIBRARIES:
        return False
    return bool(getattr(metadata, "metadata", True))  # a `Field` lists its limits there


def instance(cls: type, name: str) -> Check:
    """Check by `isinstance`, or as pydantic does for its own kinds such as `EmailStr`.

    Example:
        ```python
        instance(Path, "Path")("x")  # "expected `Path`, got `str` 'x'"
        ```
    """
    if _is_pydantic_kind(cls):
        return _pydantic_kind(cls, name)

    def check(value: object) -> str | None:
        if type(value) is cls or isinstance(value, cls):
            return None
        return misfit(name, value)

    return check


def _pydantic_kind(cls: type, name: str) -> Check:
    complaint = _complaints(cls)

    def check(value: object) -> str | None:
        fits = isinstance(value, cls) or not complaint(value)
        return None if fits else misfit(name, value)

    return check


def _is_pydantic_kind(cls: type) -> bool:
    """Tell pydantic's own types, whose values are not their instances, from models."""
    own = cls.__module__.partition(".")[0] == "pydantic"
    return own and hasattr(cls, "__get_pydantic_core_schema__") and not hasattr(cls, "model_fields")


def _complaints(annotation: Any) -> Check:
    import pydantic

    try:
        config = pydantic.ConfigDict(arbitrary_types_allowed=True)
        adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(annotation, config=config)
    except pydantic.PydanticUserError:  # a model or TypedDict brings its own configuration
        adapter = pydantic.TypeAdapter(annotation)

    def complaint(value: object) -> str | None:
        try:
            # A strict reading refuses what it would have to convert.
            result = adapter.validate_python(value, strict=True)
        except pydantic.ValidationError as error:
            return error.errors(include_url=False, include_context=False)[0]["msg"]
        return None if type(result) is type(value) else f"expected a `{type(result).__name__}`"

    return complaint
