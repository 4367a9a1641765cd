"""Zips: pairs of items by index, skipped or not."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import pytest

from operonx.core import (
    PARENT,
    GraphOp,
    Operon,
    each,
    if_,
    op,
    zip_streams,
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
def down_from(x: int) -> Iterator[int]:
    yield from range(x)


@op
def add(a: int, b: int) -> int:
    return a + b


async def test_a_zip_pairs_items_by_index() -> None:
    with GraphOp(name="g") as g:
        a = each(PARENT["a"])
        b = each(PARENT["b"])
        z = zip_streams(a=shuffled(x=a["item"]), b=shuffled(x=b["item"]))
        s = add(a=z["a"] * 100, b=z["b"])
        s >> PARENT["out"]
    engine = Operon(g, max_open=1)
    inputs = {"a": list(range(10)), "b": list(range(10, 20))}
    assert [100 * i + 10 + i for i in range(10)] == (await engine.run(inputs))["out"]


async def test_a_zip_pairs_skipped_sides_too() -> None:
    with GraphOp(name="g") as g:
        a = each(PARENT["xs"])
        odd = shuffled(x=a["item"])
        if_(a["item"] % 2 == 1, odd)
        b = each(PARENT["xs"])
        z = zip_streams(odd=odd, all=b["item"])
        both = add(a=z["odd"], b=z["all"])
        alone = add(a=z["all"], b=0)
        filled = add(a=z["odd"].or_else(0), b=0)
        both >> PARENT["both"]
        alone >> PARENT["alone"]
        filled >> PARENT["filled"]
    expected = {"both": [2, 6], "alone": [1, 2, 3, 4], "filled": [1, 0, 3, 0]}
    assert expected == dict(await Operon(g).run({"xs": [1, 2, 3, 4]}))


async def test_a_side_of_a_zip_may_be_missing_beside_another_that_is_there() -> None:
    with GraphOp(name="g") as g:
        a = each(PARENT["xs"])
        odd = shuffled(x=a["item"])
        if_(a["item"] % 2 == 1, odd)
        z = zip_streams(odd=odd, all=each(PARENT["xs"])["item"])
        either = add(a=z["odd"].or_else(0), b=z["all"])
        either >> PARENT["either"]
    assert {"either": [2, 2, 6, 4]} == dict(await Operon(g).run({"xs": [1, 2, 3, 4]}))


async def test_a_zip_within_an_outer_stream() -> None:
    with GraphOp(name="g") as g:
        row = each(PARENT["xs"])
        a = down_from(x=row["item"])
        b = down_from(x=row["item"])
        z = zip_streams(a=a, b=b)
        s = add(a=z["a"], b=z["b"] * 10)
        s >> PARENT["out"]
    assert [[0, 11], [], [0]] == (await Operon(g).run({"xs": [2, 0, 1]}))["out"]
