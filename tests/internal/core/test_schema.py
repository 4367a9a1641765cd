"""Annotations as text, what may be wired to what, and which values fit."""

# Annotations that no checker accepts are tested too.
# ruff: noqa: PYI061, S102
# mypy: disable-error-code="valid-type, unused-ignore, misc"
# pyright: reportUnknownArgumentType=false, reportUntypedNamedTuple=false
# pyright: reportGeneralTypeIssues=false, reportArgumentType=false

from __future__ import annotations

import collections
import enum
import inspect
import re
import subprocess
import sys
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Protocol,
    Required,
    TypedDict,
    TypeVar,
    runtime_checkable,
)

import pydantic
import pytest
import typing_extensions
from hypothesis import given
from hypothesis import strategies as st

from operonx.core.schema import (
    assignable,
    field_annotations,
    plain,
    required_keys,
    type_name,
    validator,
)

T = TypeVar("T")
B = TypeVar("B", bound=int)
C = TypeVar("C", int, str)
UserId = NewType("UserId", int)


class Base: ...


class Derived(Base): ...


class Other: ...


class Hit(TypedDict):
    doc: str
    score: NotRequired[float]


class Longer(TypedDict):
    doc: str
    score: float
    rank: int


class Wrong(TypedDict):
    doc: int


class Node(TypedDict):
    name: str
    children: list[Node]


class Page(TypedDict, Generic[T]):
    items: list[T]


class Closed(typing_extensions.TypedDict, closed=True):  # type: ignore[call-arg]
    a: int


class Point(NamedTuple):
    x: int
    y: int


@dataclass
class Box(Generic[T]):
    content: T


class User(pydantic.BaseModel):
    name: str


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Named(Protocol):
    name: str


@runtime_checkable
class Closable(Protocol):
    def close(self) -> None: ...


class File:
    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int, "int"),
        (None, "None"),
        (type(None), "None"),
        (Any, "Any"),
        (list[int], "list[int]"),
        (typing.List[int], "list[int]"),  # noqa: UP006
        (typing.Optional[int], "int | None"),  # noqa: UP045
        (int | str, "int | str"),
        (dict[str, list[int | None]], "dict[str, list[int | None]]"),
        (tuple[int, ...], "tuple[int, ...]"),
        (tuple[()], "tuple[()]"),
        (tuple, "tuple"),
        (typing.Tuple, "tuple"),  # noqa: UP006
        (Callable[[int], str], "Callable[[int], str]"),
        (Callable[..., str], "Callable[..., str]"),
        (Literal["a", 1, None], "Literal['a', 1, None]"),
        (Annotated[int, "seconds"], "int"),
        (UserId, "UserId"),
        (T, "T"),
        (typing.ForwardRef("Hit"), "Hit"),
        ("Hit", "Hit"),
        (Hit, "Hit"),
        (Box[int], "Box[int]"),
        (type[Base], "type[Base]"),
        (Sequence[str], "Sequence[str]"),
        (tuple[int, *tuple[str, ...]], "tuple[int, *tuple[str, ...]]"),
    ],
)
def test_type_name_reads_as_it_would_be_written(annotation: object, expected: str) -> None:
    assert type_name(annotation) == expected


class Liar:
    """Equal to everything, and of no truth: as a ref is, or an array."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise AssertionError


@pytest.mark.parametrize("annotation", [Liar(), [1], {"a": 1}, 5, print, ...])
def test_what_is_no_annotation_accepts_all(annotation: Any) -> None:
    assert type_name(annotation)
    assert validator(annotation)(1) is None
    assert assignable(annotation, int)
    assert assignable(int, annotation)
    assert field_annotations(annotation) is None


@given(
    st.recursive(
        st.sampled_from([int, str, None, Any, Base, Hit, Color, T, UserId, 5, "x", ...]),
        lambda inner: st.one_of(
            st.builds(lambda a: list[a], inner),  # type: ignore[valid-type]
            st.builds(lambda a, b: dict[a, b], inner, inner),  # type: ignore[valid-type]
            st.builds(lambda a, b: tuple[a, b], inner, inner),  # type: ignore[valid-type]
        ),
    )
)
def test_any_annotation_has_a_name_and_a_validator_and_fits_itself(annotation: Any) -> None:
    assert type_name(annotation)
    assert assignable(annotation, annotation)
    problem = validator(annotation)(object())
    assert problem is None or isinstance(problem, str)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (int, int),
        (int, float),
        (int, complex),
        (float, complex),
        (bool, int),
        (bool, float),
        (Any, int),
        (int, Any),
        (object, int),
        (int, object),
        (Derived, Base),
        (Derived, Derived),
        (list[int], list[int]),
        (list[int], list[float]),
        (list[Any], list[int]),
        (list, list[int]),
        (list[int], list),
        (list[int], Sequence[int]),
        (list[int | None], list[int]),
        (tuple[int, str], tuple[int, str]),
        (tuple[int, ...], tuple[int, int]),
        (tuple[int, int], tuple[int, ...]),
        (tuple[int, str], Sequence[int | str]),
        (tuple[()], tuple[int, ...]),
        (dict[str, int], Mapping[str, float]),
        (dict[str, int], Iterable[str]),
        (str, Sequence[str]),
        (int | None, int),
        (int | str, str | bytes),
        (int, int | None),
        (None, int | None),
        (None, None),
        (Literal["a"], str),
        (Literal["a", "b"], Literal["b", "c"]),
        (str, Literal["a"]),
        (Literal["a"], Literal["a"] | None),
        (Annotated[int, "s"], int),
        (int, Annotated[float, "s"]),
        (UserId, int),
        (int, UserId),
        (T, int),
        (int, T),
        (int, B),
        ("Missing", int),
        (int, typing.ForwardRef("Missing")),
        (list["Missing"], list[int]),  # type: ignore[name-defined] # noqa: F821
        (Hit, dict),
        (Hit, dict[str, Any]),
        (Hit, Mapping[str, object]),
        (dict[str, Any], Hit),
        (dict, Hit),
        (Mapping[str, Any], Hit),
        (Longer, Hit),
        (Hit, Hit),
        (Node, Node),
        (Page[int], Page[int]),
        (Point, tuple),
        (Point, tuple[int, int]),
        (User, User),
        (Box[int], Box[int]),
        (Box[int], Box[Any]),
        (Box[Base], Box[Derived]),  # it may be contravariant
        (int, Named),
        (Named, int),
        (File, Closable),
        (Callable[[int], str], Callable[[str], int]),
        (File, Callable[..., Any]),
        (type[Derived], type[Base]),
        (type, type[Base]),
        (type[Base], type),
        (Iterator[int], Iterable[int]),
        (Level, int),
        (typing.NoReturn, int),
        (collections.OrderedDict[str, int], dict[str, int]),
    ],
)
def test_assignable(source: object, target: object) -> None:
    assert assignable(source, target)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (int, str),
        (float, int),
        (int, bool),
        (str, bytes),
        (Base, Derived),
        (Base, Other),
        (list[int], list[str]),
        (list[int], set[int]),
        (list[list[int]], list[list[str]]),
        (list[int], Sequence[str]),
        (list, dict),
        (list[int | None], list[str]),
        (tuple[int, str], tuple[int, int]),
        (tuple[int], tuple[int, int]),
        (tuple[int, ...], tuple[str, str]),
        (tuple[str, str], tuple[int, ...]),
        (tuple[int, str], Sequence[bytes]),
        (dict[str, int], dict[str, str]),
        (dict[int, int], dict[str, int]),
        (dict[str, int], Iterable[int]),
        (str, list[str]),
        (str, Sequence[int]),
        (int | None, str),
        (int | float, str | None),
        (None, int),
        (int, None),
        (Literal["a"], int),
        (Literal["a"], Literal["b"]),
        (int, Literal["a"]),
        (Annotated[int, "s"], str),
        (UserId, str),
        (str, B),
        (bytes, C),
        (Hit, list),
        (Hit, dict[str, bytes]),
        (Hit, dict[int, Any]),
        (Hit, Longer),
        (Hit, Wrong),
        (dict[int, Any], Hit),
        (dict[str, int], Hit),
        (str, Hit),
        (User, dict),
        (User, Hit),
        (Point, list),
        (Box[int], Box[str]),
        (int, Closable),
        (Sequence[int], list[int]),
        (type[Base], type[Other]),
        (str, Color),
        (list[int], int),
    ],
)
def test_not_assignable(source: object, target: object) -> None:
    assert not assignable(source, target)


FITS: list[tuple[object, object]] = [
    (int, 1),
    (int, Level.LOW),
    (float, 1.5),
    (float, 1),
    (complex, 1),
    (bool, True),
    (str, ""),
    (bytes, b""),
    (None, None),
    (type(None), None),
    (Any, object()),
    (object, None),
    (list, [1, "x"]),
    (list[int], []),
    (list[int], [1, 2]),
    (list[Any], [1, "x"]),
    (list[float], [1, 2.5]),
    (list[int | None], [1, None]),
    (list[list[int]], [[1], []]),
    (list[Base], [Derived()]),
    (set[int], {1}),
    (frozenset[str], frozenset({"a"})),
    (tuple, (1, "x")),
    (tuple[()], ()),
    (tuple[int, str], (1, "x")),
    (tuple[int, ...], (1, 2, 3)),
    (tuple[int, ...], ()),
    (tuple[int, int], Point(1, 2)),
    (tuple[int, *tuple[str, ...]], (1, "x")),
    (dict, {}),
    (dict[str, int], {"a": 1}),
    (dict[str, Any], {"a": object()}),
    (Mapping[str, int], {"a": 1}),
    (Sequence[int], (1, 2)),
    (Sequence[str], "abc"),
    (Iterable[int], [1]),
    (collections.deque[int], collections.deque([1])),
    (collections.Counter[str], collections.Counter("a")),
    (int | str, "x"),
    (int | None, None),
    (Literal["a", 1], 1),
    (Literal["a", None], None),
    (Literal[Color.RED], Color.RED),
    (Color, Color.RED),
    (Hit, {"doc": "x"}),
    (Hit, {"doc": "x", "score": 1}),
    (Hit, {"doc": "x", "more": 1}),
    (Closed, {"a": 1}),
    (Node, {"name": "a", "children": [{"name": "b", "children": []}]}),
    (Page[int], {"items": [1]}),
    (Point, Point(1, 2)),
    (Box, Box(1)),
    (Box[int], Box(1)),
    (User, User(name="x")),
    (Base, Derived()),
    (type[Base], Derived),
    (type, int),
    (type[Base | Other], Other),
    (type[Any], int),
    (Callable[[int], str], len),
    (Callable[..., Any], print),
    (Closable, File()),
    (Named, object()),
    (UserId, 1),
    (list[UserId], [1]),
    (Annotated[int, "seconds"], 1),
    (T, object()),
    (B, 1),
    (C, "x"),
    (list[T], [object()]),
    (Annotated[list[Annotated[int, "inner"]], "outer"], [1]),
    ("Missing", object()),
    (typing.ForwardRef("Missing"), object()),
    (5, object()),
    (re.Pattern[str], re.compile("x")),
    (Path, Path()),
    (typing.LiteralString, "x"),
]


@pytest.mark.parametrize(("annotation", "value"), FITS)
def test_value_fits(annotation: object, value: object) -> None:
    assert validator(annotation)(value) is None


@pytest.mark.parametrize(
    ("annotation", "value", "message"),
    [
        (int, "x", "expected `int`, got `str` 'x'"),
        (int, True, "expected `int`, got `bool` True"),
        (int, 1.0, "expected `int`, got `float` 1.0"),
        (int, None, "expected `int`, got `None`"),
        (float, True, "expected `float`, got `bool` True"),
        (float, "1", "expected `float`, got `str` '1'"),
        (complex, False, "expected `complex`, got `bool` False"),
        (bool, 1, "expected `bool`, got `int` 1"),
        (str, b"x", "expected `str`, got `bytes` b'x'"),
        (bytes, "x", "expected `bytes`, got `str` 'x'"),
        (None, 0, "expected `None`, got `int` 0"),
        (list[int], (1,), "expected `list[int]`, got `tuple` (1,)"),
        (list[int], (), "expected `list[int]`, got `tuple` ()"),
        (list[int], set[int](), "expected `list[int]`, got `set` set()"),
        (list[int], frozenset[int](), "expected `list[int]`, got `frozenset` frozenset()"),
        (list[int], "x", "expected `list[int]`, got `str` 'x'"),
        (list[int], [1, "x"], "item 1: expected `int`, got `str` 'x'"),
        (list[int], [True], "item 0: expected `int`, got `bool` True"),
        (list[list[int]], [[], [1, "x"]], "item 1: item 1: expected `int`, got `str` 'x'"),
        (set[int], {"x"}, "an item: expected `int`, got `str` 'x'"),
        (tuple[int, str], (1,), "expected `tuple[int, str]`, got `tuple` (1,)"),
        (tuple[int, str], (1, 2), "item 1: expected `str`, got `int` 2"),
        (tuple[()], (1,), "expected `tuple[()]`, got `tuple` (1,)"),
        (tuple[int, ...], (1, "x"), "item 1: expected `int`, got `str` 'x'"),
        (dict[str, int], {1: 1}, "a key: expected `str`, got `int` 1"),
        (dict[str, int], {"a": "x"}, "'a': expected `int`, got `str` 'x'"),
        (dict[str, int], [], "expected `dict[str, int]`, got `list` []"),
        (
            collections.Counter[str],
            collections.Counter([1]),
            "an item: expected `str`, got `int` 1",
        ),
        (int | str, 1.5, "expected `int | str`, got `float` 1.5"),
        (int | str, True, "expected `int | str`, got `bool` True"),
        (int | None, "x", "expected `int | None`, got `str` 'x'"),
        (list[int] | None, [1, "x"], "item 1: expected `int`, got `str` 'x'"),
        (list[int] | None, "x", "expected `list[int] | None`, got `str` 'x'"),
        (Literal["a", 1], True, "expected `Literal['a', 1]`, got `bool` True"),
        (Literal["a"], [], "expected `Literal['a']`, got `list` []"),
        (Literal["a"], ([],), "expected `Literal['a']`, got `tuple` ([],)"),
        (Literal[1], 1.0, "expected `Literal[1]`, got `float` 1.0"),
        (Color, "red", "expected `Color`, got `str` 'red'"),
        (Hit, {}, "expected `Hit`, got a `dict` without `doc`"),
        (Hit, {"doc": 1}, "`doc`: expected `str`, got `int` 1"),
        (Hit, [], "expected `Hit`, got `list` []"),
        (Closed, {"a": 1, "b": 2}, "expected `Closed`, got a `dict` with 'b' too"),
        (Page[int], {"items": ["x"]}, "`items`: item 0: expected `int`, got `str` 'x'"),
        (
            Node,
            {"name": "a", "children": [{"name": 1, "children": []}]},
            "`children`: item 0: `name`: expected `str`, got `int` 1",
        ),
        (Point, (1, 2), "expected `Point`, got `tuple` (1, 2)"),
        (Box[int], 1, "expected `Box[int]`, got `int` 1"),
        (User, {"name": "x"}, "expected `User`, got `dict` {'name': 'x'}"),
        (Derived, Base(), "expected `Derived`, got `Base`"),
        (type[Base], int, "expected `type[Base]`, got the class `int`"),
        (type[Base], Base(), "expected `type[Base]`, got `Base`"),
        (Callable[[int], str], 1, "expected `Callable[[int], str]`, got `int` 1"),
        (Closable, 1, "expected `Closable`, got `int` 1"),
        (UserId, "x", "expected `int`, got `str` 'x'"),
        (Annotated[int, "seconds"], "x", "expected `int`, got `str` 'x'"),
        (B, "x", "expected `int`, got `str` 'x'"),
        (C, 1.5, "expected `int | str`, got `float` 1.5"),
        (typing.Never, 1, "expected `Never`, got `int` 1"),
    ],
)
def test_misfit_is_described(annotation: object, value: object, message: str) -> None:
    assert validator(annotation)(value) == message


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("x" * 10**6, "got `str` 'xxx", id="text"),
        (10**9, "got `int` 1000000000"),
        pytest.param(10**5000, "got `int` of 16610 bits", id="int"),
        (list(range(10**6)), "got `list` [0, 1, 2, 3, ... 999996 more]"),
        ({i: i for i in range(9)}, "got `dict` {0: 0, 1: 1, 2: 2, 3: 3, ... 5 more}"),
        ([[[["deep"]]]], "got `list` [[[<list>]]]"),
        ([Base()], "got `list` [<Base>]"),
        pytest.param(User(name="x" * 10**6), "got `User`", id="model"),
    ],
)
def test_huge_values_are_cut(value: object, text: str) -> None:
    message = validator(Other)(value)
    assert message is not None
    assert text in message
    assert len(message) < 120


def test_numpy_values_are_what_their_classes_are() -> None:
    np = pytest.importorskip("numpy")
    assert validator(np.ndarray)(np.zeros(2)) is None
    assert validator(np.ndarray)([1]) == "expected `ndarray`, got `list` [1]"
    assert validator(float)(np.float64(1.5)) is None
    assert validator(int)(np.int64(1)) == "expected `int`, got `int64`"
    assert validator(int)(np.zeros(10**6)) == "expected `int`, got `ndarray`"
    assert assignable(np.ndarray, np.ndarray)
    assert not assignable(str, np.ndarray)


def test_integers_beyond_what_python_prints_fit() -> None:
    assert validator(int)(10**5000) is None


def test_value_is_never_asked_for_its_repr() -> None:
    class Secret:
        def __repr__(self) -> str:
            raise AssertionError

        __str__ = __repr__

    assert validator(int)([Secret()]) == "expected `int`, got `list` [<Secret>]"


def test_self_containing_value_is_described() -> None:
    value: list[Any] = []
    value.append(value)
    assert validator(int)(value) == "expected `int`, got `list` [[[<list>]]]"


def test_two_classes_of_one_name_are_told_apart() -> None:
    theirs = type("Base", (), {"__module__": "elsewhere"})
    assert validator(Base)(theirs()) == "expected `Base`, got `elsewhere.Base`"


def test_iterator_is_not_read() -> None:
    numbers = iter([1, 2])
    assert validator(Iterable[str])(numbers) is None
    assert list(numbers) == [1, 2]


@pytest.mark.parametrize(
    ("annotation", "value", "message"),
    [
        (Annotated[int, pydantic.Field(gt=0)], 1, None),
        (Annotated[int, pydantic.Field(gt=0)], -1, "input should be greater than 0, got -1"),
        (Annotated[int, pydantic.Field(gt=0)], "1", "expected `int`, got `str` '1'"),
        (Annotated[int, pydantic.Field(gt=0)], True, "expected `int`, got `bool` True"),
        (pydantic.PositiveInt, 0, "input should be greater than 0, got 0"),
        (list[pydantic.PositiveInt], [1, 0], "item 1: input should be greater than 0, got 0"),
        (Annotated[Base, pydantic.Field(description="d")], Derived(), None),
        (Annotated[User, pydantic.Field(description="d")], User(name="x"), None),
        (Annotated[Hit, pydantic.Field(description="d")], {"doc": "x"}, None),
        (pydantic.SecretStr, pydantic.SecretStr("x"), None),
        (pydantic.SecretStr, "x", "expected `SecretStr`, got `str` 'x'"),
    ],
)
def test_constraints_hold_without_conversion(
    annotation: object, value: object, message: str | None
) -> None:
    assert validator(annotation)(value) == message


def test_qualifiers_in_text_are_seen() -> None:
    class Options(TypedDict, total=False):
        a: Required[int]
        b: int

    assert required_keys(Options) == {"a"}
    assert required_keys(Hit) == {"doc"}


def test_typing_extensions_typed_dict_is_one() -> None:
    class Theirs(typing_extensions.TypedDict):
        a: typing_extensions.NotRequired[int]

    assert validator(Theirs)({}) is None
    assert validator(Theirs)({"a": "x"}) == "`a`: expected `int`, got `str` 'x'"


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (Hit, {"doc": str, "score": NotRequired[float]}),
        (Point, {"x": int, "y": int}),
        (collections.namedtuple("P", "x y"), {"x": Any, "y": Any}),  # noqa: PYI024
        (Box[int], {"content": int}),
        (Box, {"content": T}),
        (Page[int], {"items": list[int]}),
        (User, {"name": str}),
        (int, None),
        (tuple[int, int], None),
        (dict[str, int], None),
    ],
)
def test_fields(annotation: object, expected: object) -> None:
    assert field_annotations(annotation) == expected


def test_unresolvable_field_is_any_and_costs_only_itself() -> None:
    @dataclass
    class Broken:
        a: int
        b: Missing  # type: ignore[name-defined] # noqa: F821

    assert field_annotations(Broken) == {"a": int, "b": Any}


def test_field_whose_default_hides_its_type_keeps_it() -> None:
    @dataclass
    class Shadow:
        Path: Path | None = None

    assert field_annotations(Shadow) == {"Path": Path | None}


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (Annotated[Annotated[int, 1], 2], int),
        (Required[int], int),
        (UserId, int),
        (None, type(None)),
        (B, int),
        (T, Any),
        ("text", Any),
        (typing.Final, Any),
        (typing.ClassVar[int], int),
        (typing_extensions.ReadOnly[int], int),
        (int | None, int | None),
    ],
)
def test_wrappers_come_off(annotation: object, expected: object) -> None:
    assert plain(annotation) == expected


def _json_alias() -> Any:
    """A recursive alias: lazily evaluated by Python 3.12, made by hand before."""
    if sys.version_info >= (3, 12):
        namespace: dict[str, Any] = {}
        exec("type Json = dict[str, Json] | list[Json] | str | int | bool | None", namespace)
        return namespace["Json"]

    class TypeAliasType:
        __name__ = "Json"
        __hash__ = object.__hash__

        @property
        def __value__(self) -> Any:
            return dict[str, self] | list[self] | str | int | bool | None  # type: ignore[name-defined]

        def __call__(self) -> None: ...

    return TypeAliasType()


def test_recursive_alias_is_checked_to_the_bottom() -> None:
    check = validator(_json_alias())
    assert check({"a": [1, {"b": [None, "x"]}]}) is None
    assert check({"a": [1, {"b": [None, b"x"]}]}) is not None


def test_recursive_aliases_are_compared() -> None:
    json = _json_alias()
    assert assignable(json, json)
    assert assignable(json, _json_alias())
    assert assignable(list[json], json)
    assert not assignable(bytes, json)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the `type` statement is newer")
def test_generic_alias_is_replaced() -> None:
    namespace: dict[str, Any] = {}
    exec("type Pair[A, B] = tuple[B, A]\ntype Broken = Missing", namespace)
    pair = namespace["Pair"][int, str]
    assert validator(pair)(("x", 1)) is None
    assert validator(pair)((1, "x")) == "item 0: expected `str`, got `int` 1"
    assert type_name(pair) == "Pair[int, str]"
    assert validator(namespace["Broken"])(object()) is None


SIMPLE: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, st.integers()),
    (float, st.floats()),
    (str, st.text(max_size=3)),
    (None, st.none()),
    (bool, st.booleans()),
    (Literal["a", 1], st.sampled_from(["a", 1])),
    (Hit, st.fixed_dictionaries({"doc": st.text(max_size=3)}, optional={"score": st.floats()})),
    (Point, st.builds(Point, st.integers(), st.integers())),
]


def typed_values() -> st.SearchStrategy[tuple[Any, Any]]:
    """Annotations, each with a value of it.

    No container is empty, as it would fit any other, and no class is abstract, as its values
    may be of any subclass.
    """

    def larger(inner: st.SearchStrategy[tuple[Any, Any]]) -> st.SearchStrategy[tuple[Any, Any]]:
        return st.one_of(
            inner.map(lambda pair: (list[pair[0]], [pair[1]])),
            inner.map(lambda pair: (tuple[pair[0], ...], (pair[1],))),
            inner.map(lambda pair: (dict[str, pair[0]], {"doc": pair[1]})),
            inner.map(lambda pair: (Annotated[pair[0], "unit"], pair[1])),
            st.tuples(inner, inner).map(lambda p: (tuple[p[0][0], p[1][0]], (p[0][1], p[1][1]))),
            st.tuples(inner, inner).map(lambda p: (typing.Union[p[0][0], p[1][0]], p[0][1])),  # noqa: UP007
        )

    simple = [values.map(lambda value, a=a: (a, value)) for a, values in SIMPLE]
    return st.recursive(st.one_of(simple), larger, max_leaves=4)


@given(typed_values())
def test_value_of_a_type_fits_it(pair: tuple[Any, Any]) -> None:
    assert validator(pair[0])(pair[1]) is None


@given(typed_values(), typed_values())
def test_what_some_value_fits_is_assignable(
    source: tuple[Any, Any], target: tuple[Any, Any]
) -> None:
    if validator(target[0])(source[1]) is None:
        assert assignable(source[0], target[0])


def test_importing_the_schema_imports_neither_pydantic_nor_numpy() -> None:
    program = (
        "import sys; import operonx.core.schema as s; s.validator(dict[str, list[int]])({});"
        "print(sorted({'pydantic', 'numpy'} & set(sys.modules)))"
    )
    path = str(Path(inspect.getfile(validator)).parents[3])
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": path},
    )
    assert done.stdout.strip() == "[]"
