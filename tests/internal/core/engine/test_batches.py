"""Batches: lists of items in index order, and what becomes of the last one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest

from operonx.core import (
    PARENT,
    GraphOp,
    Operon,
    batch,
    each,
    if_,
    length,
    op,
)

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::operonx.core.BlockingOpWarning"),  # CI is slow, not stuck
]


@op
async def shuffled(x: int) -> int:
    """Finish out of order, as 7 and 5 have no common factor."""
    await anyio.sleep(0.001 * (7 * x % 5))
    return x


@op
def listed(xs: list[Any]) -> list[Any]:
    return xs


@op
def down_from(x: int) -> Iterator[int]:
    yield from range(x)


@op
def add(a: int, b: int) -> int:
    return a + b


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, []), (1, [[0]]), (3, [[0, 1, 2]]), (4, [[0, 1, 2], [3]]), (6, [[0, 1, 2], [3, 4, 5]])],
)
async def test_a_batch_is_in_index_order_and_the_last_maybe_shorter(
    count: int, expected: list[list[int]]
) -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        s = shuffled(x=item["item"])
        b = listed(xs=batch(s, 3))
        b >> PARENT["out"]
    assert expected == (await Operon(g).run({"xs": list(range(count))}))["out"]


async def test_skipped_items_are_left_out_of_batches() -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        s = shuffled(x=item["item"])
        if_(item["item"] % 2 == 1, s)
        b = listed(xs=batch(s, 2))
        b >> PARENT["out"]
    assert [[1, 3], [5]] == (await Operon(g).run({"xs": [1, 2, 3, 4, 5, 6]}))["out"]


async def test_a_batch_of_a_failed_stream_has_no_last_one() -> None:
    @op(on_error="skip")
    async def source() -> AsyncIterator[int]:
        for i in range(5):
            yield i
        raise ValueError("broken")

    got: list[list[int]] = []

    @op
    def note(xs: list[int]) -> int:
        got.append(xs)
        return len(xs)

    with GraphOp(name="g") as g:
        n = note(xs=batch(source(), 2))
        n >> PARENT["out"]
    result = await Operon(g).run()
    assert [[0, 1], [2, 3]] == sorted(got)
    assert {} == dict(result)


async def test_batches_within_an_outer_stream() -> None:
    with GraphOp(name="g") as g:
        row = each(PARENT["xs"])
        d = down_from(x=row["item"])
        b = listed(xs=batch(d, 2))
        b >> PARENT["out"]
    assert [[[0, 1], [2]], [], [[0, 1]]] == (await Operon(g).run({"xs": [3, 0, 2]}))["out"]


async def test_two_readers_of_one_batch_share_its_axis() -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        two = item["item"].batch(2)
        a = listed(xs=two)
        n = add(a=two.len(), b=length(a))
        n >> PARENT["out"]
    assert [4, 2] == (await Operon(g).run({"xs": [1, 2, 3]}))["out"]
