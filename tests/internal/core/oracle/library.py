"""The ops of generated graphs: deterministic in their inputs, small in their values.

Every function takes any value (`digest` makes a number of it), so that a program may wire what it
likes; every kind of function is here: plain and async, generators of both, consumers of streams.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import anyio.lowlevel

from operonx.core import RunContext, Stream, final, op

__all__ = ["digest", "pause"]

_MODULUS = 97


def digest(value: Any) -> int:
    """Make a small number of any value; equal values make equal numbers."""
    if value is None:
        return 7
    if isinstance(value, (bool, int, float)):
        return int(value) % _MODULUS
    if isinstance(value, str):
        return sum(map(ord, value)) % _MODULUS
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value)
        value = [[key, entries[key]] for key in sorted(entries)]
    total = len(value)
    for item in value:
        total = (total * 31 + digest(item)) % _MODULUS
    return total


async def pause() -> None:
    """Let others run, where there is a loop; the oracle has none."""
    try:
        await anyio.lowlevel.checkpoint()
    except RuntimeError:  # a class of its own only in newer releases of anyio
        return


@op
def inc(x: Any) -> int:
    return digest(x) + 1


@op
async def ainc(x: Any) -> int:
    for _ in range(digest(x) % 4):
        await pause()
    return digest(x) + 1


@op(run_in="thread")
def tinc(x: Any) -> int:
    return digest(x) + 1


@op
def add(x: Any, y: Any = 5) -> int:
    return digest([x, y])


@op
async def aadd(x: Any, y: Any = 5) -> int:
    await pause()
    return digest([x, y])


@op
def pair(x: Any):  # type: ignore[no-untyped-def]  # its literal tells the ports
    return {"low": digest(x) % 10, "high": digest(x) // 10}


@op(returns="result")
def maybe_none(x: Any) -> Any:
    return None if digest(x) % 2 else digest(x)


@op
def numbers(x: Any) -> list[int]:
    return [digest([x, index]) for index in range(digest(x) % 4)]


@op
def as_list(x: Any) -> list[int]:
    return [digest(x), 1]


@op(returns="result")
def as_dict(x: Any) -> dict[str, int]:
    return {f"k{digest(x) % 3}": digest(x)}


@op
def say(x: Any, run: RunContext) -> None:
    run.emit("said", digest(x))


@op
def sink(x: Any) -> None:
    digest(x)


# -- failing


@op
def fails(x: Any, every: int = 2) -> int:
    if digest(x) % every == 0:
        raise ValueError(f"fails on {digest(x)}")
    return digest(x)


@op
async def afails(x: Any, every: int = 2) -> int:
    await pause()
    if digest(x) % every == 0:
        raise LookupError(f"afails on {digest(x)}")
    return digest(x)


@op
def flaky(x: Any, run: RunContext, attempts: int = 2) -> int:
    if run.attempt < attempts:
        raise TimeoutError(f"attempt {run.attempt}")
    return digest(x) + run.attempt


@op(outputs=["result"])
def misshapen(x: Any) -> dict[str, int]:
    return {"result": digest(x)} if digest(x) % 3 else {"resolt": 1}


@op
def stand_in(x: Any) -> int:
    return digest(x) + 50


# -- generators


@op
def count(n: Any, extra: int = 0) -> Iterator[int]:
    yield from range(digest(n) % 4 + extra)


@op
async def acount(n: Any, extra: int = 0) -> AsyncIterator[int]:
    for index in range(digest(n) % 4 + extra):
        await pause()
        yield digest([n, index])


@op
def tally(n: Any):  # type: ignore[no-untyped-def]  # its literals tell the ports
    size = digest(n) % 4
    for index in range(size):
        yield {"part": digest([n, index]), "place": index}
    yield final(total=size)


@op
async def atally(n: Any):  # type: ignore[no-untyped-def]  # its literals tell the ports
    size = digest(n) % 4
    for index in range(size):
        yield {"part": digest([n, index]), "place": index}
        await pause()
    yield final(total=size)


@op
def breaks(n: Any, after: int = 1) -> Iterator[int]:
    for index in range(digest(n) % 4):
        if index == after:
            raise ValueError(f"breaks after {after}")
        yield digest([n, index])


@op
async def abreaks(n: Any, after: int = 1) -> AsyncIterator[int]:
    for index in range(digest(n) % 4):
        await pause()
        if index == after:
            raise LookupError(f"abreaks after {after}")
        yield digest([n, index])


# -- consumers of streams


@op
async def total(items: Stream[Any], plus: Any = 0) -> int:
    result = digest(plus)
    async for item in items:
        result = digest([result, item])
    return result


@op
def ttotal(items: Stream[Any], plus: Any = 0) -> int:
    result = digest(plus)
    for item in items:
        result = digest([result, item])
    return result


@op
async def head(items: Stream[Any], plus: Any = 0) -> int:
    async for item in items:
        return digest([item, plus])
    return digest(plus)


@op
async def sums(items: Stream[Any], plus: Any = 0) -> AsyncIterator[int]:
    running = digest(plus)
    async for item in items:
        running = digest([running, item])
        yield running


@op
async def halves(items: Stream[Any], plus: Any = 0) -> AsyncIterator[int]:
    previous = None
    async for item in items:
        if previous is not None:
            yield digest([previous, item, plus])
        previous = None if previous is not None else item


@op
def tsums(items: Stream[Any], plus: Any = 0) -> Iterator[int]:
    running = digest(plus)
    for item in items:
        running = digest([running, item])
        yield running


@op
async def picky(items: Stream[Any], run: RunContext, plus: Any = 0) -> int:
    if digest(plus) % 2 and run.attempt == 1:
        raise TimeoutError("before it read anything")
    running = digest(plus)
    async for item in items:
        running = digest([running, item])
        if running % 3 == 0:
            raise ValueError(f"picky on {running}")
    return running


@op
def tpicks(items: Stream[Any], run: RunContext, plus: Any = 0) -> Iterator[int]:
    if digest(plus) % 2 and run.attempt == 1:
        raise TimeoutError("before it read anything")
    for item in items:
        if digest([item, plus]) % 3 == 0:
            raise ValueError("picks no more")
        yield digest([plus, item])


@op
def without(plus: Any = 0) -> int:
    return digest([plus, 1])
