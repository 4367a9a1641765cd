"""Types to JSON and back."""

from __future__ import annotations

import datetime as dt
from collections import deque
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest
from pydantic import Field

from operonx.core import SpecError
from operonx.core.schema import required_keys
from operonx.core.spec.annotation_reader import read_annotation
from operonx.core.spec.annotation_writer import write_annotation
from operonx.core.spec.annotations import UnknownClass
from operonx.core.spec.arrays import Array
from operonx.core.spec.resolving import Resolver


class Tree(TypedDict):
    name: str
    below: NotRequired[list[Tree]]


class Own:
    pass


HERE = Tree.__module__


@pytest.mark.parametrize(
    ("annotation", "written"),
    [
        (Any, "any"),
        (None, "none"),
        (int, "int"),
        (Array, "array"),
        (list[int], {"kind": "list", "items": "int"}),
        (dict[str, bytes], {"kind": "dict", "keys": "str", "values": "bytes"}),
        (tuple[int, str], {"kind": "tuple", "items": ["int", "str"]}),
        (tuple[int, ...], {"kind": "tuple", "each": "int"}),
        (tuple[()], {"kind": "tuple", "items": []}),
        (int | None, {"kind": "union", "members": ["int", "none"]}),
        (Literal["a", 1], {"kind": "literal", "values": ["a", 1]}),
        (dt.date, {"kind": "class", "import": "datetime:date"}),
        (deque[int], {"kind": "class", "import": "collections:deque", "arguments": ["int"]}),
        (Annotated[int, Field(gt=0)], {"kind": "limited", "of": "int", "gt": 0}),
        (
            Annotated[str, Field(min_length=1, pattern="a+")],
            {"kind": "limited", "of": "str", "min_length": 1, "pattern": "a+"},
        ),
    ],
)
def test_a_type_comes_back(annotation: Any, written: Any) -> None:
    assert written == write_annotation(annotation)
    again = read_annotation(written, Resolver())
    assert written == write_annotation(again)
    if "limited" not in str(written) and annotation is not None:
        assert annotation == again


def test_a_description_limits_nothing() -> None:
    assert "int" == write_annotation(Annotated[int, Field(description="a number"), "note"])


def test_a_record_that_holds_itself_names_itself_inside() -> None:
    own = {"kind": "class", "import": f"{HERE}:Tree"}
    below = {"kind": "list", "items": own}
    fields = {"name": "str", "below": below}
    written = write_annotation(Tree)
    assert {"kind": "record", "name": "Tree", "fields": fields, "required": ["name"]} == written
    again = read_annotation(written, Resolver())
    assert written == write_annotation(again)
    assert {"name"} == set(required_keys(again))


def test_a_class_that_nobody_allowed_is_unknown() -> None:
    written = write_annotation(Own)
    unknown = read_annotation(written, Resolver())
    assert UnknownClass(f"{HERE}:Own") == unknown
    assert written == write_annotation(unknown)
    assert Own is read_annotation(written, Resolver([HERE]))


def deep(depth: int) -> Any:
    kind: Any = int
    for _ in range(depth - 1):
        kind = list[kind]
    return kind


def local() -> type:
    class Local:
        pass

    return Local


@pytest.mark.parametrize(
    ("annotation", "says"),
    [
        (local(), "which no import finds"),
        (Annotated[int, Field(strict=True)], "the limit"),
        (Literal[b"x"] | local(), "which no import finds"),
        (deep(33), "nested more than 32 deep"),
        (deep(2_000), "holds itself"),
    ],
)
def test_what_has_no_place_is_refused(annotation: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        write_annotation(annotation)


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "class", "import": "datetime:nothing"},
        {"kind": "class", "import": "collections:namedtuple"},
        {"kind": "class", "import": "datetime:date", "arguments": ["int"]},
        {"kind": "literal", "values": [[1]]},
        {"kind": "limited", "of": "str", "pattern": "("},
        {"kind": "limited", "of": "str", "gt": {"$set": []}},
    ],
)
def test_a_type_that_is_none_is_refused(data: Any) -> None:
    with pytest.raises(SpecError):
        read_annotation(data, Resolver())
