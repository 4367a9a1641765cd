"""What all models share."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["ABSENT", "Count", "Model", "Name", "Number", "Path", "Seconds", "Value"]


class Model(BaseModel):
    """Base of all: it takes no field that it does not know, and converts nothing."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", strict=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


ABSENT: Final[Any] = None
"""The default of a field that may be left out; a null in its place is refused."""

Name: TypeAlias = Annotated[str, Field(min_length=1)]
Path: TypeAlias = Annotated[str, Field(pattern=r"^[^:]+:[^:]+$")]
"""`package.module:name`."""
Number: TypeAlias = Annotated[int, Field(ge=0)]
Count: TypeAlias = Annotated[int, Field(ge=1)]
Seconds: TypeAlias = Annotated[float, Field(gt=0)]
Value: TypeAlias = Any
"""A value as JSON; `values` reads it, and knows how deep it may nest."""
