"""Policies: what each takes, and what an op cannot keep."""

# ruff: noqa: ARG001 - parameters are what is looked at
# ruff: noqa: PT012 - leaving the block of a graph is what raises

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import operonx.core as core
from operonx.core import END, PARENT, BuildError, GraphOp, Rate, Retry, RunContext, Stream

# An op stands for its result in typed code; here it is looked at as an op.
op: Callable[..., Any] = core.op


def plain(x: int) -> int:
    return x


@op
def give(x: int) -> int:
    return x


@op
def pair(x: int):  # type: ignore[no-untyped-def]  # its literal tells the ports
    return {"a": x, "b": x}


@op
async def waited(x: int) -> int:
    return x


@op
def count(x: int) -> Iterator[int]:
    yield x


@op
async def streamed(x: int) -> AsyncIterator[int]:
    yield x


@op
def other(y: int) -> int:
    return y


@op
def watching(x: int, run: RunContext) -> int:
    return x


@op
def summed(xs: Stream[int]) -> int:
    return sum(xs)


@op
def from_stream(xs: Stream[int]) -> int:
    return len(list(xs))


@pytest.mark.parametrize(
    ("policies", "message"),
    [
        ({"retry": 3}, r"takes a `Retry\(attempts=\.\.\.\)`"),
        ({"rate": 3}, r"takes a `Rate\(n, per=seconds\)`"),
        ({"timeout": 0}, "takes seconds above 0"),
        ({"timeout": "1"}, "takes seconds above 0"),
        ({"concurrency": 0}, "takes a whole number from 1"),
        ({"concurrency": True}, "takes a whole number from 1"),
        ({"max_open": 0}, "takes a whole number from 1"),
        ({"on_error": "ignore"}, '"raise" or "skip"'),
        ({"run_in": "fiber"}, '"auto", "inline", "thread" or "process"'),
        ({"retires": Retry()}, "there is no policy `retires`; did you mean `retry`?"),
        ({"timout": 3}, "there is no policy `timout`; did you mean `timeout`?"),
    ],
)
def test_a_policy_of_the_wrong_kind_raises_at_once(policies: Any, message: str) -> None:
    settings: list[Callable[[], object]] = [
        lambda: give.with_(**policies),
        lambda: op(**policies)(plain),
    ]
    for setting in settings:
        with pytest.raises((TypeError, ValueError)) as caught:
            setting()
        assert message.replace("\\", "") in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Retry(attempts=0),
        lambda: Retry(backoff=-1),
        lambda: Retry(jitter=-1),
        lambda: Rate(0),
        lambda: Rate(1, per=0),
    ],
)
def test_numbers_of_policies_have_ranges(make: Any) -> None:
    with pytest.raises(ValueError, match=r"whole number|seconds"):
        make()


@pytest.mark.parametrize("on", [(), (KeyboardInterrupt,), (3,), "ValueError"])
def test_a_retry_is_on_exception_classes(on: Any) -> None:
    with pytest.raises(TypeError, match="takes a tuple of exception classes"):
        Retry(on=on)


def test_a_fallback_is_no_op_of_a_graph() -> None:
    with GraphOp("g"):
        a = give(x=1)
        with pytest.raises(TypeError, match="takes a value or an `@op` function, no op of a graph"):
            give.with_(fallback=a)
        a >> END


@pytest.mark.parametrize(
    ("author", "message"),
    [
        (lambda: give.with_(cache=True)(x=1), "`cache=` is reserved"),
        (lambda: give.with_(max_open=3)(x=1), "this op is no generator"),
        (lambda: waited.with_(run_in="thread")(x=1), "an `async def` runs on the event loop"),
        (lambda: waited.with_(run_in="process")(x=1), "an `async def` runs on the event loop"),
        (lambda: streamed.with_(run_in="process")(x=1), "an `async def` runs on the event loop"),
        (lambda: count.with_(run_in="process")(x=1), "a generator cannot run in another process"),
        (lambda: watching.with_(run_in="process")(x=1), "do not cross processes"),
        (
            lambda: op(returns="y", run_in="process")(lambda x: x)(x=1),  # pyright: ignore[reportUnknownLambdaType]  # it has no name
            "cannot be imported by its name",
        ),
        (
            lambda: give.with_(run_in="inline", timeout=1)(x=1),
            "nothing can time out a plain `def` on the event loop",
        ),
        (lambda: count.with_(fallback=3)(x=1), "one value cannot stand for a generator's stream"),
        (lambda: streamed.with_(fallback=[])(x=1), "one value cannot stand for a generator"),
        (lambda: pair.with_(fallback=3)(x=1), "`fallback=3`: the op has ports `a`, `b`"),
        (lambda: pair.with_(fallback={"a": 1})(x=1), "the op has ports `a`, `b`"),
        (lambda: give.with_(fallback=len)(x=1), "`fallback=len` is a function"),
        (lambda: give.with_(fallback=other)(x=1), "fallback `other` needs `y`, not given here"),
        (lambda: give.with_(fallback=count)(x=1), "a generator stands only for a generator"),
        (lambda: give.with_(fallback=pair)(x=1), "has ports `a`, `b`, the op has `result`"),
    ],
)
def test_a_policy_that_an_op_cannot_keep_is_reported(author: Any, message: str) -> None:
    with pytest.raises(BuildError) as caught, GraphOp("g"):
        node = author()
        node >> END
    (issue,) = caught.value.issues
    assert message in issue.message
    assert issue.hint
    assert issue.ref


def test_what_differs_from_the_defaults_is_shown() -> None:
    with GraphOp("g") as g:
        a = give.with_(retry=Retry(2), timeout=3, fallback=0)(x=1)
        a >> END
        count.with_(max_open=2)(x=1).collect() >> PARENT["xs"]
    assert " retry=Retry(attempts=2) timeout=3 fallback=0" in str(g)
    assert "count(x=1) -> result: int[count] max_open=2" in str(g)
