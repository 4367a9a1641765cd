"""Mistakes of the first hour: what the message says to write."""

# mypy: disable-error-code="untyped-decorator"
# pyright: reportUnusedExpression=false

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

import operonx.core as core
from operonx.core import (
    END,
    PARENT,
    BuildError,
    GraphOp,
    Operon,
    OpError,
    State,
    graph,
    if_,
    switch,
)

op: Any = core.op  # an op stands for its result in typed code; these graphs are wrong on purpose


@dataclass
class Page:
    title: str
    body: str


@dataclass
class Title:
    title: str


@op
def plain(x: Any):  # type: ignore[no-untyped-def]  # that is the mistake
    return x + 1


@op
def loose(x: int) -> dict[str, int]:
    return dict.fromkeys("a", x)


@op
def number(x: int) -> int:
    return x


@op
def load(x: int) -> Page:
    return Page(str(x), "")


@op
def head(x: int) -> Title:
    return Title(str(x))


@op
def message(text: str):  # type: ignore[no-untyped-def]  # its dict tells its ports
    return {"role": "user", "content": text}


@op
def show(page: Page) -> str:
    return page.title


@op
def show_title(title: Title) -> str:
    return title.title


@op(outputs={"a": int, "b": int})
def named(x: int) -> dict[str, int]:
    return {"a": x, "b": x}


def refused(author: Any) -> str:
    with pytest.raises((TypeError, BuildError)) as caught:
        graph(author).build()
    return str(caught.value)


# -- ports


def test_an_op_without_annotation_that_is_read_says_to_annotate_it() -> None:
    def g(x: int) -> Any:
        a = plain(x=x)
        return number(x=a)

    assert "annotate what it returns (`-> int`), or make the whole value one port" in refused(g)


def test_an_op_without_annotation_that_is_returned_says_to_annotate_it() -> None:
    def g(x: int) -> Any:
        return plain(x=x, name="a")

    said = refused(g)
    assert "annotate what it returns (`-> int`), or make the whole value one port" in said
    assert 'return the keys that it gives: `return {"key": a["key"]}`' in said


def test_an_op_annotated_as_a_dict_says_how_to_make_it_one_port() -> None:
    def g(x: int) -> Any:
        a = loose(x=x)
        return number(x=a)

    assert 'make the whole dict one port with `@op(returns="name")`' in refused(g)


def test_a_key_that_open_ports_do_not_give_names_their_op() -> None:
    def g(x: int) -> Any:
        a = loose(x=x)
        return {"b": a["b"]}

    with pytest.raises(OpError, match=r"op `g\.a` gave no `b`; it gave `a`"):
        Operon(graph(g)).run_sync({"x": 1})


TAKEN_APART: list[tuple[Callable[[Any], Any], str, str]] = [
    (lambda x: show(page=load(x=x)), "Page", "page"),
    (lambda x: show_title(title=head(x=x)), "Title", "title"),
]


@pytest.mark.parametrize(("author", "whole", "name"), TAKEN_APART)
def test_a_result_taken_apart_says_how_to_hand_it_on_whole(
    author: Any, whole: str, name: str
) -> None:
    def g(x: int) -> Any:
        return author(x)

    said = refused(g)
    assert f'to hand on the whole `{whole}` as one port write `@op(returns="{name}")`' in said


def test_a_dict_taken_apart_says_how_to_hand_it_on_whole() -> None:
    def g(x: str) -> Any:
        return show(page=message(text=x))

    assert 'to hand on the whole value as one port write `@op(returns="value")`' in refused(g)


def test_ports_that_were_named_are_not_said_to_be_a_whole() -> None:
    def g(x: int) -> Any:
        return number(x=named(x=x))

    said = refused(g)
    assert 'read one: `named["a"]`, `named["b"]`' in said
    assert "returns=" not in said


# -- what a graph function returns


def test_a_branch_that_is_returned_says_what_to_read() -> None:
    def g(x: str) -> Any:
        return switch(x, {"a": number(x=1), "b": number(x=2)}, name="s")

    def h(x: int) -> Any:
        a, b = number(x=1), number(x=2)
        return if_(x > 1, a, name="decided").else_(b)

    assert (
        'the branch `s`, which stands for no value; return what the chosen target gives: `s["re'
        in (refused(g))
    )
    assert "the branch `decided`, which stands for no value; return what its targets" in refused(h)


def test_a_forgotten_return_says_to_return() -> None:
    def g(x: int) -> Any:
        a = number(x=x)
        del a

    def h(x: int) -> Any:
        a = number(x=x)
        b = plain(x=x)
        del b
        return a

    def i(x: int) -> Any:
        a, b = number(x=x), number(x=x)
        a >> PARENT["a"]
        del b

    assert "hint: `return a`, or leave it out" in refused(g)
    assert 'hint: `return {"key": b["key"]}`, or annotate `-> None`' in refused(h)
    assert "hint: return it, or leave it out" in refused(i)


# -- graphs


def test_a_branch_that_decides_on_its_own_target_is_told_so() -> None:
    def g(x: int) -> Any:
        a = number(x=x)
        branch = if_(a > 1, a)
        del branch
        return a

    assert "`branch` reads what comes of its own target `a`: decide on what" in refused(g)


def test_a_missing_input_is_declared_where_inputs_are() -> None:
    with (
        pytest.raises(BuildError, match="hint: declare `y` in the graph's `inputs=`"),
        GraphOp(name="g", inputs={"x": int}),
    ):
        number(x=PARENT["y"]) >> END

    def h(x: int) -> Any:
        return {"a": number(x=x), "b": number(x=PARENT["yyy"])}

    assert "hint: make it a parameter of `h`" in refused(h)


def test_a_graph_made_in_place_cannot_be_called() -> None:
    with GraphOp(name="o", inputs={"n": int}) as o:
        number(x=PARENT["n"]) >> END

    def g(n: int) -> Any:
        again: Any = o
        return again(n=n)

    said = refused(g)
    assert "graph `o` is made already" in said
    assert "write it as a `@graph` function" in said
    assert "open its block in the block of that" in said


def test_an_op_that_hides_its_function_cannot_be_called() -> None:
    def g(n: int) -> Any:
        total: Any = number(x=n)
        return total(x=n)

    assert "op `total` is made already, and cannot be called; call the function `number`" in (
        refused(g)
    )


# -- what is no stream, and what is none of this


@op
def yields(n: int) -> int:  # type: ignore[misc]  # that is the mistake
    yield n  # pyright: ignore[reportReturnType]  # the same


@op
async def yields_async(n: int) -> int:  # type: ignore[misc]  # that is the mistake
    yield n  # pyright: ignore[reportReturnType]  # the same


@op
def gives_iterator(n: int) -> Iterator[int]:
    return iter(range(n))


@op
def gives_list(n: int) -> list[int]:
    return list(range(n))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (yields, "it yields, so annotate what iterating it gives (`-> Iterator[int]`)"),
        (yields_async, "it yields, so annotate what iterating it gives (`-> AsyncIterator[int]`)"),
        (gives_iterator, "`gives_iterator` has no `yield`, so it is no generator"),
        (gives_list, "`it` gives a list: read it as it is, or fan it out with `each(...)`"),
        (number, "hint: a generator op or `each(list)` opens one"),
    ],
)
def test_what_opens_no_stream_says_why(given: Any, said: str) -> None:
    def g(n: int) -> Any:
        it = given(n)
        return it.collect()

    assert said in refused(g)


def test_an_input_read_as_an_attribute_says_to_write_brackets() -> None:
    parent: Any = PARENT
    with pytest.raises(AttributeError, match=r'is read as `PARENT\["text"\]`'):
        _ = parent.text
    assert not hasattr(parent, "__len__")


def turns(n: int) -> dict[str, int]:
    return {"n": n}


@pytest.mark.parametrize("given", [(turns,), ()])
def test_a_loop_without_its_end_says_how_to_write_it(given: tuple[Any, ...]) -> None:
    loop: Any = graph.loop
    with pytest.raises(TypeError, match=r"write `@graph.loop\(until="):
        loop(*given)


def test_a_branch_read_by_a_port_of_its_targets_says_first_of() -> None:
    def g(n: int) -> Any:
        a = number(n)
        b = named(n)
        return if_(n > 0, a).else_(b)["result"]

    assert refused(g).splitlines() == [
        "the graph has 1 mistake:",
        '  g: branch["result"]: op `branch` has no port `result`; it has `chosen`',
        '    hint: read that of the target that fired: `first_of(a, b["result"])`',
    ]


def test_a_slice_of_a_ref_says_to_write_an_op() -> None:
    def g(text: str) -> Any:
        return text[:3]

    assert refused(g) == 'PARENT["text"] cannot be sliced: let an op do it, `return items[:3]`'


def test_an_input_that_nobody_reads_is_no_mistake() -> None:
    """It is part of what callers may give, as an unused parameter of a function is."""
    with GraphOp("g", inputs={"x": int, "spare": str}) as g:
        number(x=1) >> END
    assert {"result": 1} == dict(Operon(g).run_sync({"x": 2, "spare": "a"}))


# -- engines


@pytest.mark.parametrize("given", [number, GraphOp])
def test_what_is_no_graph_is_not_run(given: Any) -> None:
    with pytest.raises(TypeError, match="`Operon` takes a graph or a `@graph`") as it:
        Operon(given)
    hint = "an op runs in a graph: return it from a `@graph` function"
    assert (given is number) == (hint in str(it.value))


def test_an_engine_says_how_it_runs() -> None:
    @graph
    def g(n: int) -> Any:
        return number(n)

    engine: Any = Operon(g)
    with pytest.raises(TypeError, match=r"an engine is not called: write `engine\.run_sync"):
        engine({"n": 1})
    with pytest.raises(AttributeError, match=r"`Operon` has no `invoke`: write `engine\.run_sync"):
        engine.invoke({"n": 1})
    assert not hasattr(engine, "_repr_html_")


# -- what fails when it runs


def test_an_output_that_cannot_be_computed_is_named() -> None:
    @graph
    def g(a: Any, b: Any) -> dict[str, Any]:
        zero = number(0)
        return {"sum": a + b, "ratio": a / zero, "zero": zero}

    with pytest.raises(OpError) as caught:
        Operon(g).run_sync({"a": 1, "b": 2})
    said = 'op `g` failed: ZeroDivisionError: division by zero (output `ratio`: PARENT["a"] / '
    assert f'{said}zero["result"])' == caught.value.message
    assert "division by zero" == caught.value.cause_message


@op(returns="value")
def word(x: int) -> Any:
    return f"word {x}"


@pytest.mark.parametrize(("reducer", "first"), [("extend", []), ("merge", {}), ("sum", 0)])
def test_a_write_that_its_reducer_cannot_take_is_named(reducer: Any, first: Any) -> None:
    with GraphOp("g") as g:
        with GraphOp.loop(until="iteration == 2", s=State(first, reducer)) as loop:
            word.with_(name="w")(x=PARENT.iteration) >> PARENT["s"]
        loop["s"] >> PARENT["s"]
    with pytest.raises(OpError) as caught:
        Operon(g).run_sync()
    said = 'op `g.loop` failed: ExpressionError: state `s` is written w["value"]: '
    assert caught.value.message.startswith(said)
