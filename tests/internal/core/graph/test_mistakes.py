"""Mistakes found when a graph is built: each is named with its op, its ref and a way out."""

# mypy: disable-error-code="untyped-decorator"
# pyright: reportUnusedExpression=false

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import operonx.core as core
from operonx.core import (
    END,
    PARENT,
    BuildError,
    GraphOp,
    InputError,
    Operon,
    Stream,
    first_of,
    graph,
    if_,
    switch,
    template,
    zip_streams,
)

# An op stands for its result in typed code; these graphs are wrong on purpose.
op: Callable[..., Any] = core.op
Author = Callable[[], object]
CASES: list[Any] = []


def case(*expected: str) -> Callable[[Author], Author]:
    """Register a graph with the mistakes that building it must report, in this order."""

    def register(author: Author) -> Author:
        CASES.append(pytest.param(author, expected, id=author.__name__))
        return author

    return register


@op
def one(x: int) -> int:
    return x


@op
def text(x: str) -> str:
    return x


@op
def add(a: int, b: int) -> int:
    return a + b


@op
def numbers(n: int) -> Iterator[int]:
    yield from range(n)


@op
async def total(items: Stream[int], plus: int = 0) -> int:
    return plus + sum([item async for item in items])


@op
def opened(x: Any) -> Any:
    return dict(x)


@op
def unknown(x: Any):  # type: ignore[no-untyped-def]  # its ports are open
    return x


@op
def nothing(x: int) -> None:
    del x


# -- names


@case(
    'g.b: a["resutl"]: op `a` has no port `resutl`; it has `result` | did you mean `result`?',
)
def a_port_that_is_not_there() -> None:
    with GraphOp(name="g"):
        a = one(x=1)
        b = one(x=a["resutl"])
        b >> END


@case(
    'g.one: PARENT["qestion"]: graph `g` has no input `qestion`; it has `question` | '
    "did you mean `question`?",
)
def an_input_of_a_graph_that_is_not_there() -> None:
    with GraphOp(name="g", inputs=["question"]):
        one(x=PARENT["qestion"]) >> END


@case(
    'g.s.one: PARENT["nubmer"]: graph `s` has no input `nubmer`; it has `number` | '
    "did you mean `number`?",
)
def an_input_of_a_graph_function_that_is_not_there() -> None:
    @graph
    def sub(number: int) -> Any:
        del number
        return one(x=PARENT["nubmer"])

    with GraphOp(name="g"):
        s: Any = sub(number=1)
        s >> END


@case(
    "g.one: no input `y`; it takes `x` | leave it out, or give the op such a parameter",
)
def a_keyword_that_is_not_there() -> None:
    with GraphOp(name="g"):
        one(x=1, y=2) >> END


@case(
    "g.sub: no input `numbre`; it takes `number` | did you mean `number`?",
    "g.sub: input `number` is not given | pass it: `number=...` a ref or a constant",
)
def a_keyword_of_a_graph_that_is_not_there() -> None:
    @graph
    def sub(number: int) -> Any:
        return one(x=number)

    anything: Any = sub
    with GraphOp(name="g"):
        anything(numbre=1) >> END


@case(
    "g.one: input `x` is not given | pass it: `x=...` a ref or a constant",
)
def a_missing_argument() -> None:
    with GraphOp(name="g"):
        one() >> END


@case(
    "g.one: it takes `x` by position, got 2 arguments | pass it by name",
)
def one_argument_too_many() -> None:
    with GraphOp(name="g"):
        one(1, 2) >> END


@case(
    "g.branch: target `seond` is no op of this graph; there are `a`, `second` | "
    "did you mean `second`?",
)
def a_branch_target_that_is_not_there() -> None:
    with GraphOp(name="g"):
        a = one(x=1)
        if_(a > 0, "seond")
        second = one(x=a)
        second >> END


@case(
    'g.a: two ops are named `a` | give one another name: `.with_(name="a_2")`',
)
def a_name_given_twice() -> None:
    with GraphOp(name="g"):
        one.with_(name="a")(x=1) >> END
        one.with_(name="a")(x=1) >> PARENT["b"]


@case(
    "g.a.b: 'a.b' is no name: names have no dots and are not empty | "
    "the dots of a path stand between the names of graphs",
)
def a_name_with_a_dot() -> None:
    with GraphOp(name="g"):
        one(x=1, name="a.b") >> END


@case(
    'g.sub.one: a["result"]: op `a` is of graph `g`, not of `sub` | '
    'pass it in: `GraphOp(..., a=a["result"])` and read `PARENT["a"]`',
)
def an_op_of_another_graph() -> None:
    with GraphOp(name="g"):
        a = one(x=1)
        with GraphOp(name="sub") as sub:
            one(x=a) >> END
        [a, sub] >> END


@case(
    'g.b: PARENT["count"]: `count` is only an output of `g` | '
    "declare `count` in the graph's `inputs=`, or read the op that writes it",
)
def an_input_that_is_only_written() -> None:
    with GraphOp(name="g", inputs=["n"]):
        a = one(x=PARENT["n"])
        a >> PARENT["count"]
        b = one(x=PARENT["count"])
        b >> PARENT["more"]


# -- types


@case(
    'g.text: input `x` takes `str`, a["result"] is `int` | '
    "put an op between them that converts, or mend an annotation",
)
def a_number_into_a_text() -> None:
    with GraphOp(name="g"):
        a = one(x=1)
        text(x=a) >> END


@case(
    "g.one: input `x`: expected `int`, got `str` 'one' | it takes `int`",
)
def a_constant_of_the_wrong_type() -> None:
    with GraphOp(name="g"):
        one(x="one") >> END


# -- shape


@case(
    "g: the graph has no ops | make some inside its block",
)
def a_graph_without_ops() -> None:
    with GraphOp(name="g"):
        pass


@case(
    "g.b: a cycle: b >> a >> b | "
    "a graph has none; to repeat ops use `GraphOp.loop(until=..., ...)`",
)
def a_cycle() -> None:
    with GraphOp(name="g"):
        a = one(x=1)
        b = one(x=a)
        b >> a
        b >> END


@case(
    "g.forgotten: nobody reads its outputs (`result`) and it does not reach END | "
    "`forgotten >> END`, or leave it out",
)
def an_op_that_nobody_reads() -> None:
    with GraphOp(name="g"):
        forgotten = one(x=1)
        kept = one(x=2)
        kept >> END
        del forgotten


@case(
    "g.o: its ports are only known when it runs, so `>> END` cannot forward them | "
    "annotate what it returns (`-> int`), or make the whole value one port with "
    '`@op(returns="name")`; or write `o["key"] >> PARENT["key"]`',
)
def open_ports_that_are_forwarded() -> None:
    with GraphOp(name="g"):
        o = unknown(x=PARENT["x"])
        o >> END


@case(
    'g: output `n` has two writers that may both fire: `one["result"]`, '
    '`one_2["result"]` | '
    'give one another name, or write `first_of(a, b) >> PARENT["n"]`',
)
def two_writers() -> None:
    with GraphOp(name="g"):
        a, b = one(x=1), one(x=2)
        a >> PARENT["n"]
        b >> PARENT["n"]


@case(
    'g: output `n` is written with different axes: `one["result"]`, `one_2["result"]` | '
    "`.collect()` the deeper one, or give one another name",
)
def writers_with_different_axes() -> None:
    with GraphOp(name="g"):
        items = numbers(n=3)
        a, b = one(x=1), one(x=items)
        switch(PARENT["which"], {"a": a, "b": b})
        a >> PARENT["n"]
        b >> PARENT["n"]


# -- what can never fire


@case(
    "g.add: it could never fire: it needs arms of `branch` that exclude each other | "
    "take whichever fired with `first_of(a, b)`, or order softly with `>> ~op`",
)
def exclusive_arms_read_plainly() -> None:
    with GraphOp(name="g"):
        a, b = one(x=1), one(x=2)
        if_(PARENT["x"] > 0, a).else_(b)
        add(a=a, b=b) >> END


@case(
    "g.template_of: it could never fire: it needs `a` to fire, and to fail as well (`a.error`) | "
    "take whichever fired with `first_of(a, b)`, or order softly with `>> ~op`",
)
def an_op_and_its_error_read_plainly() -> None:
    with GraphOp(name="g"):
        a = one.with_(on_error="skip")(x=1)
        b = text(x=a.error["message"])
        template_of = text(x=template("{b} {n}", b=b, n=a["result"]))
        template_of >> END


@case(
    'g.c: one["result"] needs `one` to fire, another edge from it is soft | '
    'read it with `first_of(...)` or `one["result"].or_else(value)`, or drop the `~`',
)
def a_plain_ref_beside_a_soft_edge() -> None:
    with GraphOp(name="g"):
        a, b = one(x=1), one(x=2)
        c = one(x=a)
        [a, b] >> ~c
        c >> END


@case(
    'g.add: one["result"] needs `one` to fire, another edge from it is soft | '
    'read it with `first_of(...)` or `one["result"].or_else(value)`, or drop the `~`',
)
def a_port_read_plainly_and_softly() -> None:
    with GraphOp(name="g"):
        a, b = one(x=1), one(x=2)
        add(a=a, b=first_of(a, b)) >> END


# -- streams


@case(
    'g.add: numbers["result"] and numbers_2["result"] are independent streams (numbers '
    "and numbers_2), so no item of one belongs to an item of the other | "
    "`.collect()` one of them, or pair them with `zip_streams(...)`",
)
def two_independent_streams() -> None:
    with GraphOp(name="g"):
        a, b = numbers(n=2), numbers(n=3)
        add(a=a, b=b) >> END


@case(
    'g.text: PARENT["t"].collect(): no stream was opened in this graph | '
    "a generator op or `each(list)` opens one; a nested graph's inputs are single values",
)
def a_collect_without_a_stream() -> None:
    with GraphOp(name="g"):
        text(x=PARENT["t"].collect()) >> END


@case(
    'g.one: input `x` takes `int`, a["result"].collect() is `list[int]` | '
    "put an op between them that converts, or mend an annotation",
)
def a_list_where_one_item_is_wanted() -> None:
    with GraphOp(name="g"):
        a = numbers(n=2)
        one(x=a.collect()) >> END


@case(
    'g.one: input `x` takes no stream, got a["result"].stream() | '
    "annotate `x` as `Stream[...]`, or pass `ref.collect()`",
)
def a_stream_where_a_value_is_wanted() -> None:
    with GraphOp(name="g"):
        a = numbers(n=2)
        one(x=a.stream()) >> END


@case(
    'g.total: input `items` takes a stream, got a["result"] | '
    "pass `ref.stream()`, or annotate `items` as the item's type",
)
def a_value_where_a_stream_is_wanted() -> None:
    with GraphOp(name="g"):
        a = numbers(n=2)
        total(items=a) >> END


@case(
    'g.opened: a["result"].stream() is a whole stream, no value to compute with or to '
    "write | "
    "hand it to an op whose parameter is a `Stream[...]`, or take its items as a list "
    "with `.collect()`",
)
def a_stream_inside_an_expression() -> None:
    with GraphOp(name="g"):
        a = numbers(n=2)
        opened(x=[a.stream()])["n"] >> PARENT["n"]


@case(
    'g.branch: numbers["result"].stream() is a whole stream, no value to compute with or '
    "to write | "
    "hand it to an op whose parameter is a `Stream[...]`, or take its items as a list "
    "with `.collect()`",
)
def a_stream_in_a_condition() -> None:
    with GraphOp(name="g"):
        a, b = numbers(n=2), one(x=1)
        if_(a.stream() == 1, b)
        b >> END


@case(
    'g: a["result"].stream() is a whole stream, no value to compute with or to write | '
    "hand it to an op whose parameter is a `Stream[...]`, or take its items as a list "
    "with `.collect()`",
)
def a_stream_that_is_written() -> None:
    with GraphOp(name="g"):
        a = numbers(n=2)
        a.stream() >> PARENT["n"]


@case(
    'g.t: a["result"].stream() is read once, but `t` fires for each item of `a` | '
    "hand it in as a list, with `.collect()`",
)
def a_stream_handed_to_an_op_that_fires_often() -> None:
    with GraphOp(name="g"):
        a = numbers(n=2)
        t = total(items=a.stream(), plus=a)
        t >> END


@case(
    "g.sub: input `items` is a stream, which is read once; 2 ops or ports read it | "
    "hand it in collected, or once for each reader",
)
def a_stream_read_twice_in_a_nested_graph() -> None:
    with GraphOp(name="g"):
        a = numbers(n=2)
        with GraphOp(name="sub", items=a.stream()) as sub:
            t, u = total(items=PARENT["items"]), total(items=PARENT["items"])
            t >> PARENT["t"]
            u >> PARENT["u"]
        sub >> END


@case(
    "g.loop: input `n` is a loop's state, which holds values and no stream, got "
    'a["result"].stream() | '
    "pass `ref.collect()`",
)
def a_stream_as_the_state_of_a_loop() -> None:
    with GraphOp(name="g"):
        a = numbers(n=2)
        with GraphOp.loop(until="n >= 1", n=a.stream()) as loop:
            one(x=PARENT["n"]) >> PARENT["n"]
        loop >> END


@case(
    "g: input `items` is a stream; the inputs of a run are single values | "
    'take a list and fan it out: `each(PARENT["items"])`',
)
def a_stream_as_the_input_of_a_run() -> None:
    with GraphOp(name="g", inputs={"items": Stream[int]}):
        total(items=PARENT["items"]) >> END


@case(
    'g.z: PARENT["b"] is no stream, so it has no items to pair | zip streams only',
)
def a_zip_of_what_is_no_stream() -> None:
    with GraphOp(name="g"):
        a = numbers(n=2)
        z = zip_streams(a=a, b=PARENT["b"])
        z >> END


# -- loops


@case(
    "g.loop: until: no state or output `conut`; there are `count` | did you mean `count`?",
)
def an_until_of_a_name_that_is_not_there() -> None:
    with GraphOp(name="g"):
        with GraphOp.loop(until=PARENT["conut"] > 3, count=0) as loop:
            one(x=PARENT["count"]) >> PARENT["count"]
        loop >> END


@case(
    "g.loop: until: no state or output `conut`; there are `count` | did you mean `count`?",
)
def an_until_of_text_that_is_not_there() -> None:
    with GraphOp(name="g"):
        with GraphOp.loop(until="conut > 3", count=0) as loop:
            one(x=PARENT["count"]) >> PARENT["count"]
        loop >> END


@case(
    "g.loop: until: 'count >' is no expression: invalid syntax | for instance `until=\"n >= 3\"`",
)
def an_until_that_cannot_be_parsed() -> None:
    with GraphOp(name="g"):
        with GraphOp.loop(until="count >", count=0) as loop:
            one(x=PARENT["count"]) >> PARENT["count"]
        loop >> END


@case(
    "g.loop: until=True: takes a ref expression or a string | "
    'for instance `until=PARENT["count"] >= 3` or `until="count >= 3"`',
)
def an_until_that_is_a_python_value() -> None:
    with GraphOp(name="g"):
        with GraphOp.loop(until=True, count=0) as loop:
            one(x=PARENT["count"]) >> PARENT["count"]
        loop >> END


@case(
    "g.loop: state `count` is written by a stream | "
    "`.collect()` it, or `count=State(..., reducer=...)`",
)
def a_state_written_by_a_stream() -> None:
    with GraphOp(name="g"):
        with GraphOp.loop(until="count > 3", count=1) as loop:
            numbers(n=PARENT["count"]) >> PARENT["count"]
        loop >> END


@case(
    "g.one: `PARENT.iteration` is only there in a loop's own block | "
    "pass it in as an input, or count in a loop's state",
)
def an_iteration_outside_a_loop() -> None:
    with GraphOp(name="g"):
        one(x=PARENT.iteration) >> END


# -- policies


@case(
    "g.one: `cache=` is reserved: there is no store for it yet | leave it out",
)
def a_cache() -> None:
    with GraphOp(name="g"):
        one.with_(cache=True)(x=1) >> END


@case(
    "g.one: `max_open=` bounds a generator's open items; this op is no generator | leave it out",
)
def a_window_without_a_stream() -> None:
    with GraphOp(name="g"):
        one.with_(max_open=2)(x=1) >> END


@case(
    "g.numbers: `fallback=1`: one value cannot stand for a generator's stream | "
    "fall back on a generator op of the same inputs and ports",
)
def a_value_instead_of_a_stream() -> None:
    with GraphOp(name="g"):
        numbers.with_(fallback=1)(n=1) >> END


@case(
    "g.one: fallback `nothing` has ports none, the op has `result` | "
    "fall back on an op of the same ports",
)
def a_fallback_with_other_ports() -> None:
    with GraphOp(name="g"):
        one.with_(fallback=nothing)(x=1) >> END


@case(
    'g.numbers: `run_in="process"`: a generator cannot run in another process | '
    "collect in a plain `def`, or run it in a thread",
)
def a_generator_in_another_process() -> None:
    with GraphOp(name="g"):
        numbers.with_(run_in="process")(n=1) >> END


@case(
    'g.total: `run_in="thread"`: an `async def` runs on the event loop | '
    "make it a plain `def`, or leave `run_in=` out",
)
def an_async_def_in_a_thread() -> None:
    with GraphOp(name="g"):
        a = numbers(n=1)
        total.with_(run_in="thread")(items=a.stream()) >> END


@case(
    'g.local: `run_in="process"`: `a_local_function_in_another_process.<locals>.local` '
    "cannot be imported by its name, so no other process finds it | "
    "define the function at the top of a module, under its own name",
)
def a_local_function_in_another_process() -> None:
    @op(run_in="process")
    def local(x: int) -> int:
        return x

    with GraphOp(name="g"):
        local(x=1) >> END


# -- several at once


@case(
    'g.sub.one: PARENT["m"]: graph `sub` has no input `m`; it has `n` | '
    "give it one: `GraphOp(..., m=...)`",
    "g.a: input `x`: expected `int`, got `str` '1' | it takes `int`",
    "g.forgotten: no input `y`; it takes `x` | leave it out, or give the op such a parameter",
    "g.forgotten: input `x` is not given | pass it: `x=...` a ref or a constant",
    "g.forgotten: nobody reads its outputs (`result`) and it does not reach END | "
    "`forgotten >> END`, or leave it out",
)
def several_mistakes_in_several_graphs() -> None:
    with GraphOp(name="g"):
        a = one(x="1")
        with GraphOp(name="sub", n=a) as sub:
            one(x=PARENT["m"]) >> END
        forgotten = text(y="x")
        sub >> END
        del forgotten


@pytest.mark.parametrize(("author", "expected"), CASES)
def test_is_reported_with_place_cause_and_hint(author: Author, expected: tuple[str, ...]) -> None:
    with pytest.raises(BuildError) as caught:
        author()
    assert expected == tuple(_line(issue) for issue in caught.value.issues)
    for issue in caught.value.issues:
        assert str(issue) in str(caught.value)


def _line(issue: core.BuildIssue) -> str:
    return f"{issue.op}: {issue.message} | {issue.hint}"


# -- refs where Python wants a value


def _decide(a: Any, b: Any) -> object:
    return 1 if a["x"] else b


PYTHON: list[tuple[Callable[[Any, Any], object], str]] = [
    (_decide, "write `if_\\(ref, op\\).else_\\(op\\)` for `if`"),
    (lambda a, b: a["x"] and b["x"], "`\\(x\\) & \\(y\\)` for `and`"),
    (lambda a, b: a["x"] or b["x"], "`\\|` for `or`"),
    (lambda a, b: not (a["x"], b["x"])[0], "`~ref` for `not`"),
    (lambda a, b: 0 < a["x"] < b["x"], "`\\(a < x\\) & \\(x < b\\)` for `a < x < b`"),
    (lambda a, b: b["x"] in a["x"], "\\.contains\\("),
    (lambda a, b: [*a["x"], b], "fan out with `each\\(ref\\)`"),
    (lambda a, b: f"{a['x']} {b}", "write `template\\("),
    (lambda a, b: str(a) + str(b), "write `template\\("),
    (lambda a, b: a["x"] == 1 & b["x"], "add parentheses: `\\(a\\["),
    (lambda a, b: max(a["x"], b["x"]), "an op for `max`"),
    (lambda a, _: int(a["x"]), "cannot use it for int; write an op"),
    (lambda a, _: float(a["x"]), "cannot use it for float; write an op"),
    (lambda a, _: round(a["x"], 2), "cannot use it for round; write an op"),
    (lambda a, _: abs(a["x"]), "cannot use it for abs; write an op"),
    (lambda a, _: "ab"[a["x"]], "cannot use it for an index or a count; write an op"),
    (lambda a, _: range(a["x"]), "cannot use it for an index or a count; write an op"),
    (lambda a, _: str(a), "to look at it, `print\\(repr\\(...\\)\\)`"),
]


@pytest.mark.parametrize(("use", "hint"), PYTHON)
def test_a_ref_used_as_a_value_says_what_to_write(
    use: Callable[[Any, Any], object], hint: str
) -> None:
    with pytest.raises(TypeError, match=hint), GraphOp(name="g"):
        use(opened(x=1), opened(x=2))


def test_a_ref_always_has_a_repr() -> None:
    with GraphOp(name="g"):
        a = one(x=1)
        assert 'a["result"] + 1' == repr(a["result"] + 1)
        a >> END


# -- inputs of a run


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "question"),
        ({"question": "why", "qestions": 1}, "did you mean `question`"),
        ({"question": 1}, "expected `str`, got `int`"),
    ],
)
def test_wrong_inputs_are_named(inputs: dict[str, Any], message: str) -> None:
    with GraphOp(name="g") as g:
        text(x=PARENT["question"]) >> END
    with pytest.raises(InputError, match=message):
        Operon(g).run_sync(inputs)
