"""What the graph knows of a function: its parameters, its ports, and how it is called."""

# Functions without annotations are what is read here, never called; some private parts are tested.
# ruff: noqa: ARG001, ARG005, PLC0415, RET504, S102, T201
# mypy: disable-error-code="no-untyped-def, no-untyped-call, empty-body, var-annotated"
# pyright: reportUnknownParameterType=false, reportMissingParameterType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnusedClass=false, reportRedeclaration=false, reportUnusedVariable=false
# pyright: reportUntypedNamedTuple=false, reportPrivateUsage=false, reportReturnType=false, reportUnusedFunction=false

import collections
import dataclasses
import functools
import importlib.util
import inspect
import linecache
import sys
import types
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Mapping,
)
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    Never,
    NewType,
    NoReturn,
    NotRequired,
    Protocol,
    TypedDict,
    TypeVar,
    Union,
    Unpack,
)

import pydantic
import pytest

from operonx.core.ops import signature as module
from operonx.core.ops.signature import (
    Final,
    Parameter,
    Port,
    Signature,
    final,
    read_signature,
)
from operonx.core.ops.signature import final as done

T = TypeVar("T")


class Context: ...


class Stream(Generic[T]): ...


class Hit(TypedDict):
    doc: str
    score: NotRequired[float]


class Other(TypedDict):
    x: int


class Page(TypedDict, Generic[T]):
    items: list[T]


class Point(NamedTuple):
    x: int
    y: float


@dataclasses.dataclass
class Box(Generic[T]):
    content: T
    label: str = ""


class User(pydantic.BaseModel):
    name: str
    age: int | None = None


class Plain: ...


class Bag(dict[str, int]): ...


Text = NewType("Text", str)
Record = NewType("Record", dict[str, int])


def read(function: Any, **options: Any) -> Signature:
    return read_signature(function, context_type=Context, stream_type=Stream, **options)


def names(function: Any, **options: Any) -> list[str] | None:
    ports = read(function, **options).ports
    return None if ports is None else [port.name for port in ports]


def parameter(name: str, annotation: Any = Any, **changes: Any) -> Parameter:
    made = Parameter(name, annotation, True, inspect.Parameter.empty, False, "input")
    return dataclasses.replace(made, **changes)


def test_everything_public_is_listed() -> None:
    assert sorted(module.__all__) == module.__all__
    assert all(hasattr(module, name) for name in module.__all__)


# --- parameters ---------------------------------------------------------------------------------


def test_parameters_are_read() -> None:
    def function(a, b: int, c: str = "x", *, d: list[int], e=None): ...

    assert read(function).parameters == (
        parameter("a"),
        parameter("b", int),
        parameter("c", str, required=False, default="x"),
        parameter("d", list[int], keyword_only=True),
        parameter("e", required=False, default=None, keyword_only=True),
    )


def test_extra_keywords_are_accepted_only_where_the_function_does() -> None:
    def closed(a: int) -> None: ...
    def open_(a: int, **rest: int) -> None: ...

    assert [read(closed).accepts_extra, read(open_).accepts_extra] == [False, True]
    assert read(open_).parameters == (parameter("a", int),)


def test_unpacked_keywords_are_parameters() -> None:
    def function(a: int, **options: Unpack[Hit]) -> None: ...

    found = read(function)
    assert not found.accepts_extra
    assert found.parameters == (
        parameter("a", int),
        parameter("doc", str, keyword_only=True),
        parameter("score", NotRequired[float], required=False, keyword_only=True),
    )


@pytest.mark.parametrize(
    "annotation",
    [
        Context,
        Context | None,
        Annotated[Context, "x"],
        "Context",
        "Context|None",
    ],
)
def test_context_parameter_has_its_role(annotation: Any) -> None:
    def function(ctx: Any, a: int) -> None: ...

    function.__annotations__["ctx"] = annotation
    assert [p.role for p in read(function).parameters] == ["context", "input"]


@pytest.mark.parametrize(
    ("annotation", "item"),
    [
        (Stream[int], int),
        (Stream[Hit], Hit),
        (Stream, Any),
        ("Stream[int]", int),
        (Stream[int] | None, int),
        (Annotated[Stream[int], "x"], int),
    ],
)
def test_stream_parameter_has_its_role_and_the_type_of_its_items(
    annotation: Any, item: Any
) -> None:
    def function(items: Any) -> None: ...

    function.__annotations__["items"] = annotation
    assert read(function).parameters == (parameter("items", item, role="stream"),)


def test_types_imported_for_checkers_only_are_known_by_name() -> None:
    namespace: dict[str, Any] = {}
    exec("def function(ctx: 'Context', items: 'Stream[Missing] | Stream[int]'): ...", namespace)
    found = read(namespace["function"]).parameters
    assert found[0] == parameter("ctx", Context, role="context")
    exec("def function(items: 'Stream[int]'): ...", namespace)
    found = read(namespace["function"]).parameters
    assert found[0] == parameter("items", int, role="stream")


def test_without_their_types_roles_are_inputs() -> None:
    def function(ctx: Context, items: Stream[int]) -> None: ...

    assert [p.role for p in read_signature(function).parameters] == ["input", "input"]


def test_unresolvable_annotation_is_any_and_costs_only_itself() -> None:
    def function(a: "Missing", b: "int", c: "list[Missing]") -> None: ...  # type: ignore[name-defined] # noqa: F821

    assert read(function).parameters == (parameter("a"), parameter("b", int), parameter("c"))


def test_annotation_that_raises_is_any() -> None:
    def function(a: "1 / 0", b: "0[1]") -> None: ...  # type: ignore[valid-type]

    assert read(function).parameters == (parameter("a"), parameter("b"))


def test_text_annotations_find_names_of_the_closure() -> None:
    class Local: ...

    def function(a: "Local", b: "list[Local]") -> None:
        Local()

    assert read(function).parameters == (parameter("a", Local), parameter("b", list[Local]))


def test_text_annotations_find_locals_of_the_running_definer() -> None:
    class Local: ...

    def function(a: "Local") -> None: ...

    assert read(function).parameters == (parameter("a", Local),)


def test_locals_of_another_function_are_not_taken() -> None:
    def make() -> Callable[..., None]:
        class Local: ...

        def function(a: "Local") -> None: ...

        return function

    class Local: ...

    assert read(make()).parameters == (parameter("a"),)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters are newer")
def test_type_parameters_are_found_in_text() -> None:
    namespace: dict[str, Any] = {}
    exec("def function[X](a: 'X', b: 'list[X]') -> 'X': ...", namespace)
    (x,) = namespace["function"].__type_params__
    assert [p.annotation for p in read(namespace["function"]).parameters] == [
        x,
        types.GenericAlias(list, x),
    ]


@pytest.mark.parametrize(
    ("function", "what", "hint"),
    [
        (lambda a, /: a, "takes `a` by position only", "remove the `/`"),
        (lambda *items: items, "takes `*items`", "`items: list[...]`"),
        (len, "`len` takes `obj` by position only", "wrap it in a `def`"),
        (print, "`print` takes `*args`", "wrap it in a `def`"),
        (max, "`max` has no signature", "wrap it in a `def`"),
        (dict, "`dict` has no signature", "wrap it in a `def`"),
    ],
)
def test_parameters_without_names_are_refused(function: Any, what: str, hint: str) -> None:
    with pytest.raises(TypeError) as caught:
        read(function)
    assert what in str(caught.value)
    assert hint in str(caught.value)


def test_error_says_where_the_function_is() -> None:
    def function(*items: int) -> None: ...

    line = function.__code__.co_firstlineno
    with pytest.raises(TypeError, match=rf"function` \(.*test_signature\.py:{line}\) takes"):
        read(function)


@pytest.mark.parametrize("value", [1, "text", None, [], classmethod(repr)])
def test_what_is_no_function_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="an op is made of a function, got a `"):
        read(value)


# --- ports by annotation ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotation", "ports", "shape"),
    [
        (int, [("result", int)], "value"),
        (str | None, [("result", str | None)], "value"),
        (list[Hit], [("result", list[Hit])], "value"),
        (tuple[int, str], [("result", tuple[int, str])], "value"),
        (Plain, [("result", Plain)], "value"),
        (Text, [("result", Text)], "value"),
        (Literal["a"], [("result", Literal["a"])], "value"),
        (Annotated[int, "s"], [("result", Annotated[int, "s"])], "value"),
        (T, [("result", T)], "value"),
        (Iterable[int], [("result", Iterable[int])], "value"),
        (Iterator[int], [("result", Iterator[int])], "value"),
        (Callable[..., int], [("result", Callable[..., int])], "value"),
        (type[int], [("result", type[int])], "value"),
        (User | None, [("result", User | None)], "value"),
        (Point | Box[int], [("result", Point | Box[int])], "value"),
        (None, [], "none"),
        (type(None), [], "none"),
        (NoReturn, [], "none"),
        (Never, [], "none"),
        (Hit, [("doc", str), ("score", NotRequired[float])], "mapping"),
        (Page[int], [("items", list[int])], "mapping"),
        (Annotated[Other, "x"], [("x", int)], "mapping"),
        (Point, [("x", int), ("y", float)], "fields"),
        (Box[int], [("content", int), ("label", str)], "fields"),
        (Box, [("content", T), ("label", str)], "fields"),
        (User, [("name", str), ("age", int | None)], "fields"),
        (collections.namedtuple("Pair", "a b"), [("a", Any), ("b", Any)], "fields"),  # noqa: PYI024
        ("Hit", [("doc", str), ("score", NotRequired[float])], "mapping"),
        ("int", [("result", int)], "value"),
        ("None", [], "none"),
    ],
)
def test_annotation_tells_the_ports(
    annotation: Any, ports: list[tuple[str, Any]], shape: str
) -> None:
    def function(x: Any) -> Any:
        return x

    function.__annotations__["return"] = annotation
    found = read(function)
    assert found.ports == tuple(Port(name, hint) for name, hint in ports)
    assert found.shape == shape


@pytest.mark.parametrize(
    "annotation",
    [
        Any,
        object,
        dict,
        dict[str, int],
        Mapping[str, Any],
        collections.OrderedDict[str, int],
        Bag,
        Record,
        Hit | Other,
        Hit | None,
        Union[int, dict[str, int]],  # noqa: UP007
        int | Any,
        "Missing",
        "Missing | Hit",
    ],
)
def test_annotation_that_tells_nothing_leaves_the_ports_open(annotation: Any) -> None:
    def function(x: Any) -> Any:
        return x

    function.__annotations__["return"] = annotation
    found = read(function)
    assert (found.ports, found.shape) == (None, "mapping")


@pytest.mark.parametrize("annotation", [dict, Any, Mapping[str, Any], Hit | None, "Missing"])
def test_annotation_that_tells_nothing_lets_the_source_tell(annotation: Any) -> None:
    def function(x: Any) -> Any:
        return {"a": x}

    function.__annotations__["return"] = annotation
    assert names(function) == ["a"]


def test_value_type_of_a_dict_types_the_ports() -> None:
    def function(x: int) -> dict[str, int]:
        return {"a": x, "b": x}

    assert read(function).ports == (Port("a", int), Port("b", int))
    assert read(function, outputs=["c"]).ports == (Port("c", int),)


def test_annotation_wins_over_the_source() -> None:
    def function(x: str) -> Hit:
        return {"other": x}  # type: ignore[typeddict-unknown-key, typeddict-item]

    assert names(function) == ["doc", "score"]


def test_typed_dict_of_a_function_is_resolved_in_its_scope() -> None:
    class Local: ...

    class Result(TypedDict):
        value: "Local"

    def function() -> Result:
        return {"value": Local()}

    assert read(function).ports == (Port("value", Local),)


@pytest.mark.parametrize(
    ("annotation", "ports"),
    [
        (Iterator[int], [("result", int)]),
        (Iterable[int], [("result", int)]),
        (Generator[int, None, str], [("result", int)]),
        (Iterator[Hit], [("doc", str), ("score", NotRequired[float])]),
        (Iterator[Point], [("x", int), ("y", float)]),
        (Iterator[None], []),
        (Iterator[int | Final], [("result", int)]),
        (Iterator[Other | Final], [("x", int)]),
        (Iterator[int | str | Final], [("result", int | str)]),
        (Iterator[Final], []),
        ("Iterator[int]", [("result", int)]),
        (Annotated[Iterator[int], "x"], [("result", int)]),
    ],
)
def test_generator_has_the_ports_of_what_it_yields(
    annotation: Any, ports: list[tuple[str, Any]]
) -> None:
    def function(x: Any) -> Any:
        yield x

    function.__annotations__["return"] = annotation
    assert read(function).ports == tuple(Port(name, hint) for name, hint in ports)


@pytest.mark.parametrize("annotation", [AsyncIterator[int], AsyncGenerator[int, None]])
def test_async_generator_has_the_ports_of_what_it_yields(annotation: Any) -> None:
    async def function(x: Any) -> Any:
        yield x

    function.__annotations__["return"] = annotation
    assert read(function).ports == (Port("result", int),)


@pytest.mark.parametrize("annotation", [Iterator, Iterator[Any], Iterator[dict[str, int]], int])
def test_generator_annotation_that_tells_nothing_leaves_the_ports_open(annotation: Any) -> None:
    def function(x: Any) -> Any:
        yield x

    function.__annotations__["return"] = annotation
    assert names(function) is None


# --- ports by source ----------------------------------------------------------------------------


def returns_dict(x):
    return {"a": x, "b": 1}


def returns_in_branches(x):
    if x:
        return {"a": x, "b": 1}
    return {"b": 2, "a": x}


def returns_conditional(x):
    return {"a": x} if x else {"a": None}


def returns_dict_and_more(x):
    if x:
        return x
    return {"a": x}


def returns_multiline(x):
    return (
        {
            "a": f"""
less indented {x}
""",
            "b": [
                x,
            ],
        }
    )  # fmt: skip


async def returns_async(x):
    return {"a": x}


def yields_dict(x):
    for i in x:
        yield {"a": i}


async def yields_async(x):
    async for i in x:
        yield {"a": i}


def yields_in_expression(x):
    sent = yield {"a": x}
    print(sent, (yield {"a": 2}))


def has_nested_functions(x):
    def inner():
        return {"wrong": 1}

    class Inner:
        def method(self):
            return {"wrong": 2}

    made = lambda: {"wrong": 3}  # noqa: E731
    print(inner, Inner, made, [{"wrong": 4} for _ in ()])
    return {"a": x}


def is_followed_by_nested(x):
    if x:
        return {"a": x}

    def inner():
        return {
            "wrong": 1,
        }

    return {"a": inner}


def has_empty_dict(x):
    return {}


def assigns_walrus(x):
    return (made := {"a": x})  # noqa: F841


def raises_in_between(x):
    try:
        return {"a": x}
    finally:
        print(x)


def has_dead_code(x):
    if x:
        return {"a": x}
    raise ValueError
    return {"a": 1}


@functools.lru_cache
def is_cached(x):
    return {"a": x}


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (returns_dict, ["a", "b"]),
        (returns_in_branches, ["a", "b"]),
        (returns_conditional, ["a"]),
        (returns_dict_and_more, ["a"]),
        (returns_multiline, ["a", "b"]),
        (returns_async, ["a"]),
        (yields_dict, ["a"]),
        (yields_async, ["a"]),
        (yields_in_expression, ["a"]),
        (has_nested_functions, ["a"]),
        (is_followed_by_nested, ["a"]),
        (has_empty_dict, []),
        (assigns_walrus, ["a"]),
        (raises_in_between, ["a"]),
        (has_dead_code, ["a"]),
        (is_cached, ["a"]),
        (lambda x: {"a": x}, ["a"]),
        (lambda x: {"a": x} if x else {"a": 1}, ["a"]),
        (lambda x: {
            "a": x,
            "b": 1}, ["a", "b"]),
        (lambda x: (yield {"a": x}), ["a"]),
        (lambda x: ({"é": "ü", "a": x}), ["é", "a"]),
    ],
)  # fmt: skip
def test_dicts_in_the_source_tell_the_ports(function: Any, expected: list[str]) -> None:
    found = read(function)
    assert [port.name for port in found.ports or ()] == expected
    assert {port.annotation for port in found.ports or ()} <= {Any}
    assert found.shape == "mapping"


@pytest.mark.parametrize("index", [0, 1, 2])
def test_lambdas_of_one_line_are_told_apart(index: int) -> None:
    made = [lambda x: {"é0": x}, lambda x: {"é1": x}, lambda x: (lambda: {"wrong": 1}, {"é2": x})[1]]  # fmt: skip # noqa: E501
    assert names(made[index]) == [["é0"], ["é1"], None][index]


def test_defs_of_one_name_are_told_apart() -> None:
    def function(x: Any) -> Any:
        return {"first": x}

    first = function

    def function(x: Any) -> Any:  # type: ignore[no-redef]
        return {"second": x}

    assert [names(first), names(function)] == [["first"], ["second"]]


def unknown_keys(x):
    return {x: 1}


def spread(x):
    return {**x, "a": 1}


def spread_beside_plain(x):
    if x:
        return {"b": 1}
    return {**x, "a": 1}


def integer_keys(x):
    return {1: x}


def indirect(x):
    found = {"a": x}
    return found


def called(x):
    return dict(a=x)  # noqa: C408


def yields_from(x):
    yield from x


@pytest.mark.parametrize(
    "function",
    [unknown_keys, spread, spread_beside_plain, integer_keys, indirect, called, yields_from,
     lambda x: x, lambda x: [{"a": x}], lambda x: {"a": {"b": 1}}["a"]],
)  # fmt: skip
def test_source_that_tells_nothing_leaves_the_ports_open(function: Any) -> None:
    found = read(function)
    assert (found.ports, found.shape) == (None, "mapping")


def no_return(x):
    print(x)


def bare_return(x):
    if x:
        return
    return None  # noqa: RET501


def only_raises(x):
    raise ValueError(x)


def stub(x): ...


async def no_return_async(x):
    await x


def yields_nothing(x):
    yield


@pytest.mark.parametrize(
    "function",
    [no_return, bare_return, only_raises, stub, no_return_async, yields_nothing, lambda: None],
)
def test_function_that_gives_nothing_has_no_ports(function: Any) -> None:
    found = read(function)
    assert (found.ports, found.shape) == ((), "none")


def disagrees(x):
    if x:
        return {"a": x, "b": 1}
    return {"a": x}


def disagrees_yielding(x):
    yield {"a": x}
    yield {}


@pytest.mark.parametrize(
    ("function", "keys"),
    [(disagrees, ["`a`, `b`", "`a`"]), (disagrees_yielding, ["`a`", "no keys"])],
)
def test_dicts_that_disagree_are_refused(function: Any, keys: list[str]) -> None:
    first = function.__code__.co_firstlineno
    lines = [first + 2, first + 3] if function is disagrees else [first + 1, first + 2]
    with pytest.raises(TypeError) as caught:
        read(function)
    text = str(caught.value)
    assert f"dicts that disagree: {keys[0]} in line {lines[0]}, {keys[1]} in {lines[1]}" in text
    assert "@op(outputs=[...])" in text
    assert names(function, outputs=["a"]) == ["a"]


def test_lines_of_lambdas_and_methods_are_those_of_the_file() -> None:
    class Holder:
        def method(self, x):
            if x:
                return {"a": x}
            return {"b": x}

    line = Holder.method.__code__.co_firstlineno + 2
    with pytest.raises(TypeError, match=f"`a` in line {line}, `b` in {line + 1}"):
        read(Holder().method)


@pytest.mark.parametrize(
    "source", ["def function(x): return {'a': x}", "function = lambda x: {'a': x}"]
)
def test_without_a_source_the_ports_are_open(source: str) -> None:
    namespace: dict[str, Any] = {}
    exec(compile(source, "<no file>", "exec"), namespace)
    assert names(namespace["function"]) is None


def test_source_known_to_linecache_is_read() -> None:
    """As doctest, notebooks and newer REPLs offer it."""
    source = "def function(x):\n    return {'a': x}\n"
    cache: dict[str, Any] = linecache.cache
    cache["<cell 1>"] = (len(source), None, source.splitlines(keepends=True), "<cell 1>")
    namespace: dict[str, Any] = {}
    exec(compile(source, "<cell 1>", "exec"), namespace)
    assert names(namespace["function"]) == ["a"]


def load(path: Path) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("edited", path)
    assert spec is not None
    assert spec.loader is not None
    made = sys.modules["edited"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.parametrize(
    "edited",
    [
        "def function(x):\n    return {'other': x}\n",
        "def other(x):\n    return {'a': x}\n",
        "def function(y):\n    return {'a': y}\n",
        "\n\ndef function(x):\n    return {'a': x}\n",
        "def function(x:\n",
        "",
    ],
)
def test_source_edited_since_tells_nothing(tmp_path: Path, edited: str) -> None:
    path = tmp_path / "edited.py"
    path.write_text("def function(x):\n    return {'a': x}\n")
    function = load(path).function
    path.write_text(edited)
    assert names(function) is None


@pytest.mark.parametrize("edited", ["f = lambda x: {'b': x}\n", "f = 1\n", "", "f = lambda x: {\n"])
def test_lambda_edited_since_tells_nothing(tmp_path: Path, edited: str) -> None:
    path = tmp_path / "edited.py"
    path.write_text("f = lambda x: {'a': x}\n")
    function = load(path).f
    path.write_text(edited)
    assert names(function) is None


def test_indentation_by_tabs_and_long_texts_are_read(tmp_path: Path) -> None:
    text = "line\n" * 200
    path = tmp_path / "tabs.py"
    path.write_text(
        f'class A:\n\t@staticmethod\n\tdef function(x):\n\t\treturn {{"a": x, "b": """{text}"""}}\n'
        "\t\t# a comment\n\n\tdef other(self): ...\n"
    )
    assert names(load(path).A.function) == ["a", "b"]


def test_source_without_columns_leaves_lambdas_open() -> None:
    class Blind:
        """A code object as `python -X no_debug_ranges` makes them."""

        def __init__(self, code: types.CodeType) -> None:
            self._code = code

        def __getattr__(self, name: str) -> Any:
            return getattr(self._code, name)

        def co_positions(self) -> Iterator[Any]:
            for line, _, _, _ in self._code.co_positions():
                yield line, None, None, None

    from operonx.core.ops.signature import literals

    code: Any = Blind((lambda x: {"a": x}).__code__)
    assert literals._lambda_body(code, ["lambda x: {'a': x}\n"]) is None
    code = Blind(returns_dict.__code__)
    lines = linecache.getlines(__file__)
    found = literals._def_body(code, lines)
    assert found is not None
    assert len(found[0]) == 1


# --- outputs=, returns= -------------------------------------------------------------------------


def test_outputs_name_the_ports() -> None:
    assert read(lambda x: x, outputs=["a", "b"]).ports == (Port("a", Any), Port("b", Any))
    assert read(lambda x: x, outputs=["a"]).shape == "mapping"


def test_outputs_may_carry_types() -> None:
    found = read(lambda x: x, outputs={"a": int, "b": "str", "c": "Missing"})
    assert found.ports == (Port("a", int), Port("b", str), Port("c", Any))


def test_outputs_win_over_the_source() -> None:
    assert names(returns_dict, outputs=["z"]) == ["z"]


def test_outputs_keep_the_types_of_the_annotation() -> None:
    def typed(x: str) -> Hit: ...
    def fields(x: str) -> Point: ...

    found = read(typed, outputs=["score", "doc"])
    assert found.ports == (Port("score", NotRequired[float]), Port("doc", str))
    assert found.shape == "mapping"
    assert read(fields, outputs=["x", "y"]).shape == "fields"
    assert read(fields, outputs={"x": bool, "y": Any}).ports == (Port("x", bool), Port("y", float))


def test_no_outputs_are_no_ports() -> None:
    found = read(lambda x: x, outputs=[])
    assert (found.ports, found.shape) == ((), "none")


@pytest.mark.parametrize("annotation", [str, list[int], None, Point, Hit, int | None])
def test_outputs_that_contradict_the_annotation_are_refused(annotation: Any) -> None:
    def function() -> Any: ...

    function.__annotations__["return"] = annotation
    with pytest.raises(TypeError, match="has `outputs=` `nope` and gives"):
        read(function, outputs=["nope"])


@pytest.mark.parametrize("annotation", [Any, object, dict, Hit | Other, T, "Missing"])
def test_outputs_go_with_annotations_that_tell_nothing(annotation: Any) -> None:
    def function() -> Any: ...

    function.__annotations__["return"] = annotation
    assert names(function, outputs=["a"]) == ["a"]


@pytest.mark.parametrize("option", ["outputs", "final"])
@pytest.mark.parametrize("value", ["text", 1, ["a", "a"], [1], [""], {"": int}])
def test_names_must_be_a_list_of_different_texts(option: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"has `{option}="):
        read(yields_nothing, **{option: value})


@pytest.mark.parametrize(
    ("annotation", "expected"), [(str, str), (Hit, Hit), (dict[str, int], dict[str, int])]
)
def test_returns_makes_the_whole_value_one_port(annotation: Any, expected: Any) -> None:
    def function() -> Any: ...

    function.__annotations__["return"] = annotation
    found = read(function, returns="text")
    assert (found.ports, found.shape) == ((Port("text", expected),), "value")


def test_returns_wins_over_the_source() -> None:
    assert read(returns_dict, returns="all").ports == (Port("all", Any),)


def test_returns_names_each_item_of_a_generator() -> None:
    def function() -> Iterator[Hit]:
        yield {"doc": ""}

    assert read(function, returns="hit").ports == (Port("hit", Hit),)


def test_outputs_and_returns_exclude_each_other() -> None:
    with pytest.raises(TypeError, match="both `outputs=` and `returns=`"):
        read(returns_dict, outputs=["a"], returns="b")


@pytest.mark.parametrize("value", ["", 1, ["a"]])
def test_returns_must_be_a_name(value: Any) -> None:
    with pytest.raises(TypeError, match="has `returns="):
        read(returns_dict, returns=value)


# --- final(...) ---------------------------------------------------------------------------------


def test_final_is_a_dict_of_its_own_kind() -> None:
    made = final(text="x", usage=1)
    assert made == {"text": "x", "usage": 1}
    assert isinstance(made, Final)
    assert repr(made) == "final(text='x', usage=1)"


def speaks(x):
    for i in x:
        yield {"delta": i}
    yield final(text=x, usage=1)


async def speaks_async(x):
    yield {"delta": x}
    yield final(text=x, usage=1)


def speaks_renamed(x):
    yield {"delta": x}
    yield done(text=x, usage=1)


def speaks_by_module(x):
    yield {"delta": x}
    yield module.final(text=x, usage=1)


def speaks_by_class(x):
    yield {"delta": x}
    yield Final(text=x, usage=1)


def speaks_importing(x):
    from operonx.core.ops.signature import final

    yield {"delta": x}
    yield final(text=x, usage=1)


def speaks_in_branches(x):
    yield {"delta": x}
    if x:
        yield final(text=x, usage=1)
        return
    yield final(usage=2, text=x)


@pytest.mark.parametrize(
    "function",
    [
        speaks,
        speaks_async,
        speaks_renamed,
        speaks_by_module,
        speaks_by_class,
        speaks_importing,
        speaks_in_branches,
    ],
)
def test_final_tells_its_ports(function: Any) -> None:
    found = read(function)
    assert found.ports == (Port("delta", Any),)
    assert found.final == (Port("text", Any), Port("usage", Any))


def test_final_is_read_beside_an_annotation() -> None:
    def function(x: str) -> Iterator[Other | Final]:
        yield {"x": 1}
        yield final(text=x)

    found = read(function)
    assert (found.ports, found.final) == ((Port("x", int),), (Port("text", Any),))


def test_generator_that_only_ends_has_no_other_ports() -> None:
    def function(x):
        yield final(text=x)

    found = read(function)
    assert (found.ports, found.shape, found.final) == ((), "none", (Port("text", Any),))


def test_final_given_by_name_wins() -> None:
    assert read(speaks, final=["a"]).final == (Port("a", Any),)
    assert read(speaks, final={"a": int, "b": "str"}).final == (Port("a", int), Port("b", str))
    assert read(speaks, final=[]).final == ()


def test_another_final_is_an_item() -> None:
    def final(**ports: int) -> dict[str, int]:
        return ports

    def function(x):
        yield {"a": x}
        yield final(b=x)

    found = read(function)
    assert (found.ports, found.final) == ((Port("a", Any),), ())


def test_final_of_another_object_is_an_item() -> None:
    class Holder:
        def final(self, **ports: int) -> dict[str, int]:
            return ports

        def method(self, x):
            yield {"a": x}
            yield self.final(b=x)

    def parameter_of_that_name(x, final):
        yield {"a": x}
        yield final(b=x)

    assert read(Holder().method).final == ()
    assert read(parameter_of_that_name).final == ()


def test_globals_that_lie_in_comparisons_are_no_final(monkeypatch: pytest.MonkeyPatch) -> None:
    class Liar:
        def __eq__(self, other: object) -> Any:
            raise AssertionError

        __hash__ = None  # type: ignore[assignment]

    monkeypatch.setitem(globals(), "LIAR", Liar())

    def function(x):
        yield {"a": LIAR}  # type: ignore[name-defined] # noqa: F821

    assert read(function).final == ()


def test_nested_final_is_not_its_own() -> None:
    def function(x):
        def inner():
            yield final(text=x)

        yield {"a": inner}

    assert read(function).final == ()


def test_final_that_disagrees_is_refused() -> None:
    def function(x):
        if x:
            yield final(a=x)
        yield final(b=x)

    with pytest.raises(TypeError, match=r"`final\(\.\.\.\)` that disagree: `a` in line"):
        read(function)


def test_final_of_unknown_ports_is_refused() -> None:
    def function(x):
        yield final(**x)

    with pytest.raises(TypeError, match=r"@op\(final=\[\.\.\.\]\)"):
        read(function)
    assert read(function, final=["a"]).final == (Port("a", Any),)


def test_final_of_a_plain_function_is_refused() -> None:
    with pytest.raises(TypeError, match="has `final=` and is no generator"):
        read(returns_dict, final=["a"])


def test_port_of_items_and_end_is_refused() -> None:
    with pytest.raises(TypeError, match="yields `delta` both with its items and with"):
        read(speaks, final=["delta"])


# --- kinds of callables -------------------------------------------------------------------------


async def coroutine(x: int) -> str:
    return str(x)


def generator(x: int) -> Iterator[int]:
    yield x


async def async_generator(x: int) -> AsyncIterator[int]:
    yield x


class Methods:
    def plain(self, x: int) -> str: ...
    async def coroutine(self, x: int) -> str: ...
    @staticmethod
    async def static(x: int) -> str: ...
    @classmethod
    def of_class(cls, x: int) -> Iterator[str]:
        yield str(x)


class Called:
    def __call__(self, x: int) -> str: ...


class CalledAsync:
    async def __call__(self, x: int) -> str: ...


class CalledGenerator:
    async def __call__(self, x: int) -> AsyncIterator[str]:
        yield str(x)


@pytest.mark.parametrize(
    ("function", "is_async", "is_generator"),
    [
        (returns_dict, False, False),
        (coroutine, True, False),
        (generator, False, True),
        (async_generator, True, True),
        (lambda x: (yield x), False, True),
        (functools.partial(coroutine), True, False),
        (functools.partial(functools.partial(async_generator)), True, True),
        (Methods().plain, False, False),
        (Methods().coroutine, True, False),
        (Methods.static, True, False),
        (staticmethod(coroutine), True, False),
        (Methods.of_class, False, True),
        (Called(), False, False),
        (CalledAsync(), True, False),
        (CalledGenerator(), True, True),
        (functools.partial(CalledAsync()), True, False),
        (CalledAsync, False, False),
        (functools.lru_cache(returns_dict), False, False),
    ],
)
def test_kind_of_callable(function: Any, is_async: bool, is_generator: bool) -> None:
    found = read(function)
    assert (found.is_async, found.is_generator) == (is_async, is_generator)


@pytest.mark.parametrize(
    "function",
    [
        Methods().plain,
        Methods().coroutine,
        Methods.static,
        Methods.of_class,
        Called(),
        CalledAsync(),
        CalledGenerator(),
        functools.partial(Called()),
        coroutine,
    ],
)
def test_callables_have_the_parameters_and_ports_of_what_they_call(function: Any) -> None:
    found = read(function)
    assert found.parameters == (parameter("x", int),)
    assert found.ports == (Port("result", str),)


def test_partial_turns_what_it_binds_into_defaults() -> None:
    def function(a: int, b: str, c: float) -> None: ...

    assert read(functools.partial(function, 1, b="x")).parameters == (
        parameter("b", str, required=False, default="x", keyword_only=True),
        parameter("c", float, keyword_only=True),
    )


def test_partial_may_bind_what_has_no_name() -> None:
    assert names(functools.partial(lambda a, /, b: {"x": b}, 1)) == ["x"]


def wrapped(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def test_wrapper_has_the_signature_of_what_it_wraps() -> None:
    def function(x: int, y: "Hit") -> dict[str, int]:
        return {"a": x}

    found = read(wrapped(wrapped(function)))
    assert found.parameters == (parameter("x", int), parameter("y", Hit))
    assert found.ports == (Port("a", int),)


def test_wrapper_that_returns_another_dict_has_its_ports() -> None:
    @functools.wraps(returns_dict)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return {"all": returns_dict(*args, **kwargs)}

    del wrapper.__annotations__
    assert names(wrapper) == ["all"]


def test_plain_wrapper_of_a_coroutine_function_is_not_async() -> None:
    found = read(wrapped(coroutine))
    assert (found.is_async, found.ports) == (False, (Port("result", str),))


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the mark is newer")
def test_marked_function_is_async() -> None:
    mark: Any = inspect.markcoroutinefunction  # type: ignore[attr-defined, unused-ignore]

    def function() -> Awaitable[int]: ...

    found = read(mark(function))
    assert (found.is_async, found.ports) == (True, (Port("result", int),))
    assert read(mark(wrapped(coroutine))).is_async


@pytest.mark.parametrize("function", [generator, async_generator])
def test_plain_wrapper_of_a_generator_is_refused(function: Any) -> None:
    with pytest.raises(TypeError, match="wraps a generator but is none itself"):
        read(wrapped(function))


def test_wrapper_without_wraps_is_told_so() -> None:
    def wrapper(*args: Any, **kwargs: Any) -> Any: ...

    with pytest.raises(TypeError, match=r"functools\.wraps"):
        read(wrapper)


@pytest.mark.parametrize(
    ("cls", "ports", "shape"),
    [
        (Box, ["content", "label"], "fields"),
        (User, ["name", "age"], "fields"),
        (Point, ["x", "y"], "fields"),
        (Called, ["result"], "value"),
    ],
)
def test_class_gives_an_instance(cls: Any, ports: list[str], shape: str) -> None:
    found = read(cls)
    assert ([port.name for port in found.ports or ()], found.shape) == (ports, shape)
    assert not found.is_async


def test_class_has_the_parameters_of_its_constructor() -> None:
    assert read(User).parameters == (
        parameter("name", str, keyword_only=True),
        parameter("age", int | None, required=False, default=None, keyword_only=True),
    )


def test_plain_class_gives_itself() -> None:
    class Client:
        def __init__(self, url: str) -> None: ...

    found = read(Client)
    assert (found.parameters, found.ports) == (
        (parameter("url", str),),
        (Port("result", Client),),
    )


def test_abstract_method_reads_like_any() -> None:
    class Speaker(Protocol):
        def speak(self, x: int) -> str: ...

    assert read(Speaker.speak).ports == (Port("result", str),)


def test_wrapper_that_wraps_itself_is_refused() -> None:
    def function(x: int) -> int: ...

    looped: Any = function
    looped.__wrapped__ = looped
    with pytest.raises(TypeError, match="has no signature"):
        read(looped)


def test_signatures_are_values() -> None:
    assert read(speaks) == read(speaks)
    with pytest.raises(dataclasses.FrozenInstanceError):
        read(speaks).is_async = True  # type: ignore[misc]


def test_reading_runs_none_of_the_code() -> None:
    def function(x: int = 0) -> int:
        raise AssertionError

    assert read(function).ports == (Port("result", int),)


def test_future_annotations_are_resolved(tmp_path: Path) -> None:
    path = tmp_path / "future.py"
    path.write_text(
        "from __future__ import annotations\n"
        "from typing import TypedDict, TYPE_CHECKING\n"
        "from dataclasses import dataclass\n"
        "if TYPE_CHECKING:\n    from somewhere import Context, Stream, Gone\n"
        "class Out(TypedDict):\n    a: int\n    b: Gone\n"
        "@dataclass\nclass Data:\n    c: list[Out]\n"
        "def first(ctx: Context, items: Stream[Out], gone: Gone, x: int = 1) -> Out: ...\n"
        "def second() -> Data: ...\n"
        "def third() -> Gone: return {'d': 1}\n"
    )
    made = load(path)
    found = read(made.first)
    assert [(p.role, p.annotation) for p in found.parameters] == [
        ("context", Context),
        ("stream", made.Out),
        ("input", Any),
        ("input", int),
    ]
    assert found.ports == (Port("a", int), Port("b", Any))
    out: Any = types.GenericAlias(list, made.Out)
    assert read(made.second).ports == (Port("c", out),)
    assert read(made.third).ports == (Port("d", Any),)
