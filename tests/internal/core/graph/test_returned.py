"""The return annotation of a `@graph` function is compared with what it returns."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, TypeAlias, TypedDict

import pytest

import operonx.core as core
from operonx.core import BuildError, each, graph

Author: TypeAlias = Callable[[Any], Any]
op: Any = core.op  # an op stands for its result in typed code; these graphs are wrong on purpose


class Out(TypedDict):
    a: int
    b: NotRequired[str]


@dataclass
class Page:
    title: str
    body: str


@op
def number(x: int) -> int:
    return x


@op
def text(x: int) -> str:
    return str(x)


@op
def load(x: int) -> Page:
    return Page(str(x), "")


@op(returns="page")
def whole(x: int) -> Page:
    return Page(str(x), "")


@op
def count(n: int) -> Iterator[int]:
    yield from range(n)


@op
def pair(x: int):  # type: ignore[no-untyped-def]  # its dict tells its ports
    return {"a": x, "b": "b"}


@op
def nothing(x: int) -> None: ...


@op
def unknown(x: int) -> dict[str, int]:
    values: dict[str, int] = {}
    values["x"] = x
    return values


def returning(annotation: Any, author: Author) -> Any:
    def made(x: int) -> Any:
        return author(x)

    made.__annotations__["return"] = annotation
    return graph(made)


WRONG: list[tuple[Any, Author, str]] = [
    (str, lambda x: number(x=x), "output `result` is `int`, but its annotation says `str`"),
    (str, lambda x: number(x=x) + 1, "output `result` is `int`, but its annotation"),
    (int, lambda x: load(x=x), "it gives `title`, `body`, but is annotated `-> int`"),
    (int, lambda x: {"a": number(x=x)}, "it gives `a`, but is annotated `-> int`"),
    (int, lambda x: nothing(x=x), "it gives no outputs, but is annotated `-> int`"),
    (None, lambda x: number(x=x), "output `result` is `int`, but its annotation says `None`"),
    (Out, lambda x: {"a": text(x=x)}, "output `a` is `str`, but its annotation says `int`"),
    (Out, lambda x: {"b": text(x=x)}, "no output `a`, which its annotation `-> Out` has"),
    (Out, lambda x: {"a": x, "bb": text(x=x)}, "output `bb` is not in `-> Out`, which has"),
    (Page, lambda x: {"title": text(x=x)}, "no output `body`, which its annotation `-> Page`"),
    (Page, lambda x: {"title": x, "body": text(x=x)}, "output `title` is `int`"),
    (Page, lambda x: text(x=x), "output `result` is `str`, but its annotation says `Page`"),
    (dict[str, str], lambda x: {"a": number(x=x)}, "output `a` is `int`"),
    (dict[str, str], lambda x: {"a": number(x=count(n=x))}, "output `a` is `int`"),
    (list[str], lambda x: number(x=count(n=x)), "output `result` is `int`"),
]
RIGHT: list[tuple[Any, Author]] = [
    (int, lambda x: number(x=x)),
    (float, lambda x: number(x=x)),
    (int | None, lambda x: {"result": number(x=x)}["result"]),
    (None, lambda x: nothing(x=x)),
    (Out, lambda x: {"a": number(x=x)}),
    (Out, lambda x: pair(x=x)),
    (Page, lambda x: load(x=x)),
    (Page, lambda x: whole(x=x)),
    (Page, lambda x: {"title": text(x=x), "body": text(x=x)}),
    (dict, lambda x: {"a": number(x=x), "b": text(x=x)}),
    (dict[str, Any], lambda x: {"a": number(x=x), "b": text(x=x)}),
    (Mapping[str, object], lambda x: load(x=x)),
    (dict[str, int], lambda x: {"a": unknown(x=x)["x"]}),
    (dict[str, int], lambda x: {"a": number(x=count(n=x))}),
    (dict[str, list[int]], lambda x: {"a": number(x=count(n=x))}),
    (list[int], lambda x: count(n=x)),
    (Iterator[int], lambda x: count(n=x)),
    (list[list[int]], lambda x: count(n=count(n=x))),
    (Any, lambda x: number(x=x)),
    (object, lambda x: number(x=x)),
    (core.Op, lambda x: number(x=x)),
    (core.Stream[int], lambda x: count(n=x)),
]


@pytest.mark.parametrize(("annotation", "author", "says"), WRONG)
def test_what_an_annotation_does_not_say_is_reported(
    annotation: Any, author: Author, says: str
) -> None:
    with pytest.raises(BuildError) as caught:
        returning(annotation, author).build()
    assert 1 == len(caught.value.issues)
    issue = caught.value.issues[0]
    assert "made" == issue.op
    assert says in issue.message
    assert issue.hint


@pytest.mark.parametrize(("annotation", "author"), RIGHT)
def test_what_an_annotation_says_or_leaves_open_is_built(annotation: Any, author: Author) -> None:
    returning(annotation, author).build()


def test_an_annotation_that_is_not_there_says_nothing() -> None:
    def made(x: int):  # type: ignore[no-untyped-def]  # as said
        return number(x=x)

    graph(made).build()


def test_the_state_of_a_loop_may_be_in_its_annotation_or_not() -> None:
    class Turn(TypedDict):
        a: int
        n: int

    def body(n: int, spare: int = 0) -> Turn:  # noqa: ARG001 - state that nothing writes
        return {"a": number(x=n), "n": number(x=n)}

    graph.loop(until="n > 1")(body).build()

    def other(n: int) -> Turn:
        return {"a": number(x=n)}  # type: ignore[typeddict-item]  # `n` is state, so it is there

    graph.loop(until="iteration == 1")(other).build()


def test_an_inner_graph_is_reported_with_all_else() -> None:
    @graph
    def inner(x: int) -> str:
        return number(x=x)  # type: ignore[no-any-return]  # it is wrong

    @graph
    def outer(xs: list[int]):  # type: ignore[no-untyped-def]  # it says nothing
        return {"a": inner(x=each(xs)["item"]), "b": number(y=1)}

    with pytest.raises(BuildError) as caught:
        outer.build()
    places = [one.op for one in caught.value.issues]
    assert ["outer.inner", "outer.number", "outer.number"] == places
