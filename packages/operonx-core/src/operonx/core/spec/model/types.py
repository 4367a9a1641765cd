"""Types: what an input may be, and what is known of a function's parameters and ports."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias, cast

from pydantic import ConfigDict, Discriminator, Field, Tag, model_validator
from typing_extensions import TypeAliasType

from operonx.core.errors import listed
from operonx.core.spec.model.base import ABSENT, Model, Name, Number, Path, Value

__all__ = ["Type"]


class ListType(Model):
    """`list[items]`."""

    kind: Literal["list"]
    items: Type


class DictType(Model):
    """`dict[keys, values]`."""

    kind: Literal["dict"]
    keys: Type
    values: Type


class TupleType(Model):
    """`tuple[a, b]`, or with `each` a tuple of any length."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["items"]}, {"required": ["each"]}]}
    )

    kind: Literal["tuple"]
    items: list[Type] = ABSENT
    each: Type = ABSENT

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if {"items", "each"} <= self.model_fields_set or len(self.model_fields_set) == 1:
            raise ValueError("a tuple has either `items` or `each`")
        return self


class UnionType(Model):
    """One of several."""

    kind: Literal["union"]
    members: Annotated[list[Type], Field(min_length=1)]


class LiteralType(Model):
    """One of some values."""

    kind: Literal["literal"]
    values: Annotated[list[Value], Field(min_length=1)]


class RecordType(Model):
    """A dict with known keys; others may be there too."""

    kind: Literal["record"]
    name: Name
    fields: dict[str, Type]
    required: list[str]

    @model_validator(mode="after")
    def _requires_its_own(self) -> Self:
        others = set(self.required) - set(self.fields)
        if others:
            raise ValueError(f"{listed(sorted(others))} required, and no field")
        return self


class ClassType(Model):
    """A class of Python's; a runtime that has it not takes any value."""

    kind: Literal["class"]
    import_: Annotated[Path, Field(alias="import")]
    arguments: list[Type] = ABSENT


class LimitedType(Model):
    """A type whose values are limited, as `pydantic.Field` does."""

    kind: Literal["limited"]
    of: Type
    gt: Value = ABSENT
    ge: Value = ABSENT
    lt: Value = ABSENT
    le: Value = ABSENT
    multiple_of: Value = ABSENT
    min_length: Number = ABSENT
    max_length: Number = ABSENT
    pattern: str = ABSENT


SimpleType: TypeAlias = Literal[
    "any", "none", "bool", "int", "float", "str", "bytes", "array", "list", "dict", "tuple"
]
"""An `int` fits `float`; a boolean fits neither."""


def _type_kind(data: Any) -> str:
    return "simple" if isinstance(data, str) else _kind(data)


def _kind(data: Any) -> str:
    fields = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
    return str(fields.get("kind"))


Type = TypeAliasType(
    "Type",
    Annotated[
        Annotated[SimpleType, Tag("simple")]
        | Annotated[ListType, Tag("list")]
        | Annotated[DictType, Tag("dict")]
        | Annotated[TupleType, Tag("tuple")]
        | Annotated[UnionType, Tag("union")]
        | Annotated[LiteralType, Tag("literal")]
        | Annotated[RecordType, Tag("record")]
        | Annotated[ClassType, Tag("class")]
        | Annotated[LimitedType, Tag("limited")],
        Discriminator(_type_kind),
    ],
)
"""A type of Python's."""
