"""Collects: a stream awaited, and given as a list in index order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from operonx.core import (
    END,
    PARENT,
    GraphOp,
    Operon,
    collect,
    each,
    if_,
    length,
    op,
    or_else,
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


async def test_a_collect_is_in_index_order() -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        s = shuffled(x=item["item"])
        xs = listed(xs=collect(s))
        xs >> END
    inputs = {"xs": list(range(20))}
    assert inputs["xs"] == (await Operon(g).run(inputs))["result"]


async def test_an_empty_stream_collects_to_an_empty_list() -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        s = shuffled(x=item["item"])
        xs = listed(xs=collect(s))
        xs >> PARENT["collected"]
        s >> PARENT["root"]
        n = add(a=item["item"].collect().len(), b=0)
        n >> PARENT["n"]
    assert {"collected": [], "root": [], "n": 0} == dict(await Operon(g).run({"xs": []}))


async def test_collecting_twice_nests() -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        d = down_from(x=item["item"])
        s = shuffled(x=d)
        xs = listed(xs=collect(collect(s)))
        xs >> END
    assert [[0, 1, 2], [], [0]] == (await Operon(g).run({"xs": [3, 0, 1]}))["result"]


async def test_collecting_per_an_op_gives_one_flat_list() -> None:
    with GraphOp(name="g") as g:
        row = each(PARENT["xs"])
        d = down_from(x=row["item"])
        e = down_from(x=d)
        xs = listed(xs=collect(e, per=row))
        xs >> PARENT["out"]
    assert [[0, 0, 1], [], [0]] == (await Operon(g).run({"xs": [3, 1, 2]}))["out"]


async def test_the_root_collects_one_level_for_each_axis() -> None:
    with GraphOp(name="g") as g:
        row = each(PARENT["xs"])
        d = down_from(x=row["item"])
        e = down_from(x=d)
        e >> PARENT["out"]
    assert [[[], [0], [0, 1]], [], [[]]] == (await Operon(g).run({"xs": [3, 0, 1]}))["out"]


async def test_skipped_items_are_left_out_of_a_collect_and_kept_by_or_else() -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        s = shuffled(x=item["item"])
        if_(item["item"] % 2 == 1, s)
        left = listed(xs=collect(s))
        kept = listed(xs=collect(or_else(s, None)))
        left >> PARENT["left"]
        kept >> PARENT["kept"]
        s >> PARENT["root"]
    expected = {"left": [1, 3], "kept": [1, None, 3, None], "root": [1, 3]}
    assert expected == dict(await Operon(g).run({"xs": [1, 2, 3, 4]}))


async def test_what_collects_a_skipped_stream_is_skipped() -> None:
    with GraphOp(name="g") as g:
        d = down_from(x=PARENT["n"])
        other = add(a=1, b=1)
        if_(PARENT["n"] > 0, d).else_(other)
        xs = listed(xs=collect(d))
        xs >> PARENT["xs"]
        other >> PARENT["other"]
        kept = listed(xs=collect(or_else(d, -1)))
        kept >> PARENT["kept"]
    engine = Operon(g)
    assert {"xs": [0, 1], "kept": [0, 1]} == dict(await engine.run({"n": 2}))
    result = await engine.run({"n": 0})
    assert {"other": 2} == dict(result)
    assert {"g.d", "g.xs", "g.kept"} == set(result.skipped)
    with pytest.raises(KeyError, match="branch"):
        result["xs"]


async def test_an_outer_value_is_seen_in_all_contexts_below() -> None:
    with GraphOp(name="g") as g:
        base = shuffled(x=PARENT["base"])
        item = each(PARENT["xs"])
        inner = down_from(x=item["item"])
        s = add(a=inner, b=base)
        t = add(a=s, b=item["item"] * 100)
        t >> PARENT["out"]
    result = await Operon(g).run({"base": 10, "xs": [2, 0, 3]})
    assert [[210, 211], [], [310, 311, 312]] == result["out"]


async def test_a_collected_list_can_be_read_back_into_its_items() -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        s = shuffled(x=item["item"])
        share = add(a=s, b=length(collect(s)))
        share >> PARENT["out"]
    engine = Operon(g, max_open=1)
    assert [5, 6, 7, 8] == (await engine.run({"xs": [1, 2, 3, 4]}))["out"]
