"""Branches, skips and merges: what fires, what is skipped, where, and what the result says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from operonx.core import (
    END,
    PARENT,
    GraphOp,
    Operon,
    OpError,
    collect,
    each,
    edge,
    first_of,
    if_,
    op,
    race,
    soft,
    switch,
)

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::operonx.core.BlockingOpWarning"),  # CI is slow, not stuck
]


@op
def same(x: int) -> int:
    return x


@op
async def same_async(x: int) -> int:
    await anyio.lowlevel.checkpoint()
    return x


@op
async def later(x: int, ms: int) -> int:
    await anyio.sleep(ms / 1000)
    return x


@op
def add(a: int, b: int) -> int:
    return a + b


@op
def total(xs: list[int]) -> int:
    return sum(xs)


@op
def fails(x: int) -> int:
    raise ValueError(f"no {x}")


@pytest.fixture(params=["def", "async def"])
def copy(request: pytest.FixtureRequest) -> Any:
    return same if request.param == "def" else same_async


async def test_the_first_condition_that_holds_is_taken(copy: Any, seen: Any) -> None:
    with GraphOp(name="g") as g:
        a = copy.with_(name="a")(x=1)
        b = copy.with_(name="b")(x=2)
        c = copy.with_(name="c")(x=3)
        choice = if_(PARENT["n"] > 10, a).elif_(PARENT["n"] > 5, b).else_(c)
        m = first_of(a["result"], b["result"], c["result"])
        m >> PARENT["out"]
        choice["chosen"] >> PARENT["chosen"]
    engine = Operon(g)
    for n, out, name in [(11, 1, "a"), (10, 2, "b"), (5, 3, "c")]:
        async with engine.stream({"n": n}) as run:
            frames = [frame async for frame in run]
        assert {"out": out, "chosen": [name]} == dict(run.result)
        assert [
            (f"g.{name}", (), {"result": out}),
            ("g.choice", (), {"chosen": [name]}),
        ] == sorted(seen(frames))
        assert {"g.a", "g.b", "g.c"} - {f"g.{name}"} == set(run.result.skipped)


async def test_without_a_match_and_an_else_all_are_skipped(copy: Any) -> None:
    with GraphOp(name="g") as g:
        a = copy.with_(name="a")(x=1)
        after = copy.with_(name="after")(x=a)
        choice = if_(PARENT["n"] > 10, a)
        after["result"] >> PARENT["out"]
        choice["chosen"] >> PARENT["chosen"]
    result = await Operon(g).run({"n": 1})
    assert {"chosen": []} == dict(result)
    assert {"g.a", "g.after"} == set(result.skipped)
    with pytest.raises(KeyError, match="choice"):
        result["out"]
    assert "choice" in result.why("g.after")
    assert "was not skipped" in result.why("g.choice")
    with pytest.raises(KeyError, match="did you mean"):
        result.why("g.choise")


async def test_conditions_after_the_one_that_holds_are_not_evaluated(copy: Any) -> None:
    with GraphOp(name="g") as g:
        a = copy.with_(name="a")(x=1)
        b = copy.with_(name="b")(x=2)
        if_(PARENT["n"] == 0, a).elif_(10 // PARENT["n"] > 3, b)
        first_of(a["result"], b["result"]) >> PARENT["out"]
    engine = Operon(g)
    assert {"out": 1} == dict(await engine.run({"n": 0}))
    assert {"out": 2} == dict(await engine.run({"n": 2}))


async def test_an_arm_may_have_several_targets_and_names(copy: Any) -> None:
    with GraphOp(name="g") as g:
        choice = if_(PARENT["n"] > 0, ["a", "b"]).else_("c")
        a = copy.with_(name="a")(x=1)
        b = copy.with_(name="b")(x=2)
        c = copy.with_(name="c")(x=3)
        a["result"] >> PARENT["a"]
        b["result"] >> PARENT["b"]
        c["result"] >> PARENT["c"]
        choice["chosen"] >> PARENT["chosen"]
    engine = Operon(g)
    assert {"a": 1, "b": 2, "chosen": ["a", "b"]} == dict(await engine.run({"n": 1}))
    assert {"c": 3, "chosen": ["c"]} == dict(await engine.run({"n": 0}))


@pytest.mark.parametrize(
    ("case", "expected"), [("refund", 1), ("sales", 2), ("else", 3), (None, 3), (0, 3)]
)
async def test_a_switch_reads_the_chosen_arm(case: Any, expected: int, copy: Any) -> None:
    with GraphOp(name="g") as g:
        a = copy.with_(name="a")(x=1)
        b = copy.with_(name="b")(x=2)
        c = copy.with_(name="c")(x=3)
        s = switch(PARENT["case"], {"refund": a, "sales": b}, default=c)
        s["result"] >> PARENT["out"]
    assert {"out": expected} == dict(await Operon(g).run({"case": case}))


@pytest.mark.parametrize(("case", "expected"), [(1, "a"), (2.5, "b"), (3, None)])
async def test_a_switch_on_numbers(case: Any, expected: str | None, copy: Any) -> None:
    with GraphOp(name="g") as g:
        a = copy.with_(name="a")(x=1)
        b = copy.with_(name="b")(x=2)
        s = switch(PARENT["case"], {1: a, 2.5: b})
        s["chosen"] >> PARENT["chosen"]
        first_of(a["result"], b["result"]) >> PARENT["out"]
    expected_names = [] if expected is None else [expected]
    assert expected_names == (await Operon(g).run({"case": case}))["chosen"]


async def test_a_skip_passes_on_through_plain_refs_and_edges(copy: Any) -> None:
    with GraphOp(name="g") as g:
        a = copy.with_(name="a")(x=1)
        if_(PARENT["n"] > 0, a)
        b = copy.with_(name="b")(x=a)
        c = copy.with_(name="c")(x=5)
        b >> c
        d = add(a=c, b=7)
        d >> PARENT["out"]
    engine = Operon(g)
    assert {"out": 12} == dict(await engine.run({"n": 1}))
    result = await engine.run({"n": 0})
    assert {} == dict(result)
    assert {"g.a", "g.b", "g.c", "g.d"} == set(result.skipped)


async def test_a_soft_edge_fires_if_at_least_one_fired(copy: Any) -> None:
    fired: list[int] = []

    @op
    def merge() -> int:
        fired.append(1)
        return len(fired)

    with GraphOp(name="g") as g:
        a = copy.with_(name="a")(x=1)
        b = copy.with_(name="b")(x=2)
        if_(PARENT["n"] > 0, a)
        if_(PARENT["m"] > 0, b)
        m = merge()
        edge([a, b], soft(m))
        m >> PARENT["out"]
    engine = Operon(g)
    for n, m, expected in [(1, 1, 1), (1, 0, 1), (0, 1, 1), (0, 0, 0)]:
        fired.clear()
        result = await engine.run({"n": n, "m": m})
        assert expected == len(fired)
        assert ({"out": 1} if expected else {}) == dict(result)


async def test_a_soft_reader_waits_until_all_are_decided() -> None:
    done: list[str] = []
    over = anyio.Event()

    @op
    async def slow() -> int:
        await over.wait()
        await anyio.sleep(0.005)  # time for a merge that waits for one only
        done.append("slow")
        return 1

    @op(run_in="inline")
    def quick() -> int:
        done.append("quick")
        over.set()
        return 1

    @op(run_in="inline")
    def merge() -> list[str]:
        return list(done)

    with GraphOp(name="g") as g:
        s, q = slow(), quick()
        m = merge()
        edge([s, q], soft(m))
        m >> END
    assert {"result": ["quick", "slow"]} == dict(await Operon(g).run())


async def test_first_of_waits_only_for_those_before_it() -> None:
    cancelled: list[str] = []
    order: list[str] = []
    read = anyio.Event()

    @op
    async def slow() -> int:
        try:
            await read.wait()
        except BaseException:
            cancelled.append("slow")
            raise
        return 1

    @op(run_in="inline")
    def reader(x: int) -> int:
        order.append("reader")
        read.set()
        return x

    @op
    def after(x: int) -> int:
        order.append("after slow")
        return x

    with GraphOp(name="g") as g:
        s = slow()
        q = same(x=2)
        r = reader(x=first_of(q, s))
        a = after(x=s)
        r >> PARENT["out"]
        a >> PARENT["after"]
    with anyio.fail_after(20):  # for ever, if the reader waited for both
        assert {"out": 2, "after": 1} == dict(await Operon(g).run())
    assert ["reader", "after slow"] == order
    assert [] == cancelled


@pytest.mark.parametrize(("first", "second"), [(5, 0), (0, 5)])
async def test_first_of_is_in_argument_order_whatever_the_timing(first: int, second: int) -> None:
    with GraphOp(name="g") as g:
        a = later(x=1, ms=first)
        b = later(x=2, ms=second)
        r = same(x=first_of(a, b))
        whole: Any = first_of(b, a)  # two ops, of which a port is read
        t = same(x=whole["result"])
        r >> PARENT["ab"]
        t >> PARENT["ba"]
    assert {"ab": 1, "ba": 2} == dict(await Operon(g).run())


async def test_first_of_takes_a_none_that_fired() -> None:
    @op(returns="value")
    def none() -> Any:
        return None

    with GraphOp(name="g") as g:
        n = none()
        s = same(x=1)
        first_of(n["value"], s) >> PARENT["out"]
    assert {"out": None} == dict(await Operon(g).run())


async def test_each_group_of_soft_refs_is_waited_for_by_itself() -> None:
    with GraphOp(name="g") as g:
        a, b, c, d = (same.with_(name=name)(x=i) for i, name in enumerate("abcd", 1))
        if_(PARENT["ab"] == "a", a).elif_(PARENT["ab"] == "b", b)
        if_(PARENT["cd"] == "c", c).elif_(PARENT["cd"] == "d", d)
        s = add(a=first_of(a, b), b=first_of(c, d) * 10)
        s >> PARENT["out"]
    engine = Operon(g)
    assert {"out": 31} == dict(await engine.run({"ab": "a", "cd": "c"}))
    assert {"out": 42} == dict(await engine.run({"ab": "b", "cd": "d"}))
    assert {} == dict(await engine.run({"ab": "a", "cd": ""}))
    assert {} == dict(await engine.run({"ab": "", "cd": "d"}))


async def test_or_else_gives_its_value_where_the_op_was_skipped(copy: Any) -> None:
    with GraphOp(name="g") as g:
        a = copy.with_(name="a")(x=1)
        if_(PARENT["n"] > 0, a)
        b = copy.with_(name="b")(x=9)
        r = add(a=a["result"].or_else(b["result"]), b=a["result"].or_else(100))
        r >> PARENT["out"]
    engine = Operon(g)
    assert {"out": 2} == dict(await engine.run({"n": 1}))
    assert {"out": 109} == dict(await engine.run({"n": 0}))


async def test_a_ref_of_or_else_is_needed_only_where_the_op_was_skipped(copy: Any) -> None:
    with GraphOp(name="g") as g:
        a = copy.with_(name="a")(x=1)
        b = copy.with_(name="b")(x=2)
        if_(PARENT["n"] > 0, a).else_(b)
        r = copy.with_(name="r")(x=a["result"].or_else(b["result"]))
        r["result"] >> PARENT["out"]
    engine = Operon(g)
    assert {"out": 1} == dict(await engine.run({"n": 1}))
    assert {"out": 2} == dict(await engine.run({"n": 0}))


# -- race


async def test_race_takes_the_first_in_time() -> None:
    with GraphOp(name="g") as g:
        a = later(x=1, ms=PARENT["a"])
        b = later(x=2, ms=PARENT["b"])
        r = same(x=race(a, b))
        r >> PARENT["out"]
    engine = Operon(g)
    assert {"out": 1} == dict(await engine.run({"a": 0, "b": 10_000}))
    assert {"out": 2} == dict(await engine.run({"a": 10_000, "b": 0}))


async def test_race_counts_a_failing_one_as_lost() -> None:
    with GraphOp(name="g") as g:
        a = fails.with_(run_in="inline")(x=1)
        b = later(x=2, ms=2)
        r = same(x=race(a, b))
        r >> PARENT["out"]
    result = await Operon(g).run()
    assert ({"out": 2}, []) == (dict(result), result.errors)


async def test_race_raises_the_last_error_if_all_fail() -> None:
    failed = anyio.Event()

    @op
    async def fails_late(x: int) -> int:
        await failed.wait()
        await anyio.sleep(0.003)  # time for a race that is decided by the first failure
        raise ValueError(f"late {x}")

    @op(run_in="inline")
    def fails_at_once(x: int) -> int:
        failed.set()
        raise ValueError(f"no {x}")

    with GraphOp(name="g") as g:
        a = fails_late(x=1)
        b = fails_at_once(x=2)
        r = same(x=race(a, b))
        r >> PARENT["out"]
    with pytest.raises(OpError, match="late 1") as caught:
        await Operon(g).run()
    assert "g.a" == caught.value.op


async def test_race_spares_what_something_else_reads() -> None:
    decided = anyio.Event()

    @op
    async def loses(x: int) -> int:
        await decided.wait()
        return x

    @op(run_in="inline")
    def reader(x: int) -> int:
        decided.set()
        return x

    with GraphOp(name="g") as g:
        a = loses(x=1)
        b = same_async(x=2)
        r = reader(x=race(a, b))
        also = same(x=a)
        r >> PARENT["out"]
        also >> PARENT["also"]
    with anyio.fail_after(20):
        assert {"out": 2, "also": 1} == dict(await Operon(g).run())


async def test_race_of_items_is_decided_for_each() -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        a = later(x=item["item"], ms=(item["item"] % 2) * 5000)
        b = later(x=item["item"] * 10, ms=((item["item"] + 1) % 2) * 5000)
        r = same(x=race(a, b))
        r >> PARENT["out"]
    assert {"out": [10, 2, 30, 4]} == dict(await Operon(g).run({"xs": [1, 2, 3, 4]}))


async def test_race_skips_if_all_are_skipped() -> None:
    with GraphOp(name="g") as g:
        a = same(x=1)
        b = same(x=2)
        c = same(x=3)
        if_(PARENT["n"] > 0, [a, b]).else_(c)
        r = same(x=race(a, b))
        r >> PARENT["out"]
        c >> PARENT["c"]
    result = await Operon(g).run({"n": 0})
    assert {"c": 3} == dict(result)
    assert "g.r" in result.skipped


# -- skips in streams


async def test_an_op_in_a_stream_whose_branch_outside_chose_another_arm_is_skipped_as_a_whole(
    copy: Any,
) -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        s = copy.with_(name="s")(x=item["item"])
        other = copy.with_(name="other")(x=0)
        if_(PARENT["n"] > 0, s).else_(other)
        t = total(xs=s.collect())
        t >> PARENT["t"]
        other["result"] >> PARENT["o"]
    engine = Operon(g)
    assert {"t": 6} == dict(await engine.run({"n": 1, "xs": [1, 2, 3]}))
    for xs in ([1, 2, 3], []):
        result = await engine.run({"n": 0, "xs": xs})
        assert {"o": 0} == dict(result)
        assert {"g.s", "g.t"} == set(result.skipped)
        assert 1 == result.skipped["g.s"].count
        assert () == result.skipped["g.s"].ctx


async def test_a_soft_reader_is_skipped_at_the_innermost_and_a_hard_one_at_the_outermost() -> None:
    @op
    def hard(x: int, y: int) -> int:
        return x + y

    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        inner = same(x=item["item"])
        if_(item["item"] < 0, inner)
        outer = same(x=1)
        if_(PARENT["n"] > 0, outer)
        s = same(x=first_of(inner, outer))
        h = hard(x=inner, y=outer)
        s >> PARENT["s"]
        h >> PARENT["h"]
        soft_list = total(xs=collect(s))
        hard_list = total(xs=collect(h))
        soft_list >> PARENT["soft_list"]
        hard_list >> PARENT["hard_list"]
    result = await Operon(g).run({"n": 0, "xs": [1, 2]})
    assert {"s": [], "soft_list": 0} == dict(result)
    assert (2, (("g.item", 0),)) == (result.skipped["g.s"].count, result.skipped["g.s"].ctx)
    assert (1, ()) == (result.skipped["g.h"].count, result.skipped["g.h"].ctx)
    assert "g.hard_list" in result.skipped


async def test_a_merge_within_a_stream_fires_once_per_context(copy: Any) -> None:
    fired: list[int] = []

    @op
    def note(x: int) -> int:
        fired.append(x)
        return x

    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        a = copy.with_(name="a")(x=item["item"])
        b = copy.with_(name="b")(x=item["item"])
        n = note(x=item["item"])
        edge([a, b], soft(n))
        n >> PARENT["n"]
        a["result"] >> PARENT["a"]
        b["result"] >> PARENT["b"]
    assert [1, 2, 3] == (await Operon(g).run({"xs": [1, 2, 3]}))["n"]
    assert [1, 2, 3] == sorted(fired)


# -- graphs


async def test_a_nested_graph_fires_once_all_its_inputs_are_there() -> None:
    order: list[str] = []

    @op(run_in="inline")
    def inside(x: int) -> int:
        order.append("inside")
        return x

    @op
    async def slow() -> int:
        await anyio.sleep(0.003)
        order.append("slow")
        return 1

    with GraphOp(name="g") as g:
        s = slow()
        with GraphOp(name="sub", inputs=["x", "y"], x=1, y=s) as sub:
            i = inside(x=PARENT["x"])  # does not read `y`, and waits for it all the same
            j = same(x=PARENT["y"])
            i >> PARENT["i"]
            j >> PARENT["j"]
        sub >> END
    assert {"i": 1, "j": 1} == dict(await Operon(g).run())
    assert ["slow", "inside"] == order


async def test_an_edge_from_a_graph_waits_for_all_of_it_and_a_read_for_what_it_reads() -> None:
    order: list[str] = []
    read = anyio.Event()

    @op
    async def slow() -> int:
        await read.wait()
        order.append("slow")
        return 1

    @op
    async def reader(x: int) -> int:
        order.append("reader")
        read.set()
        return x

    @op
    def waiter() -> int:
        order.append("waiter")
        return 0

    with GraphOp(name="g") as g:
        with GraphOp(name="sub") as sub:
            s, q = slow(), same(x=7)
            s >> PARENT["slow"]
            q >> PARENT["quick"]
        r = reader(x=sub["quick"])
        w = waiter()
        sub >> w
        r >> PARENT["r"]
        w >> PARENT["w"]
        sub["slow"] >> PARENT["s"]
    assert {"r": 7, "w": 0, "s": 1} == dict(await Operon(g).run())
    assert ["reader", "slow", "waiter"] == order


async def test_a_graph_as_an_arm_is_skipped_as_a_whole() -> None:
    fired: list[int] = []

    @op
    def note(x: int) -> int:
        fired.append(x)
        return x

    with GraphOp(name="g") as g:
        with GraphOp(name="sub", inputs=["x"], x=PARENT["n"]) as sub:
            a = note(x=PARENT["x"])
            b = note(x=1)  # reads nothing of the graph around
            a >> PARENT["a"]
            b >> PARENT["b"]
        if_(PARENT["n"] > 0, sub)
        sub["a"].or_else(-1) >> PARENT["a"]
        sub["b"].or_else(-1) >> PARENT["b"]
    engine = Operon(g)
    assert {"a": 5, "b": 1} == dict(await engine.run({"n": 5}))
    fired.clear()
    assert {"a": -1, "b": -1} == dict(await engine.run({"n": 0}))
    assert [] == fired


async def test_a_graph_with_a_generator_as_an_arm() -> None:
    @op
    async def counting(n: int) -> AsyncIterator[int]:
        for i in range(n):
            yield i

    @op
    def counting_plain(n: int) -> Iterator[int]:
        yield from range(n)

    for make in (counting, counting_plain):
        with GraphOp(name="g") as g:
            with GraphOp(name="sub", inputs=["n"], n=PARENT["n"]) as sub:
                c = make.with_(name="c")(n=PARENT["n"])
                c >> PARENT["out"]
            if_(PARENT["n"] > 0, sub)
            t = total(xs=sub["out"].collect())
            t >> PARENT["t"]
        engine = Operon(g)
        assert {"t": 3} == dict(await engine.run({"n": 3}))
        result = await engine.run({"n": 0})
        assert {} == dict(result)
        assert {"g.sub", "g.sub.c", "g.t"} == set(result.skipped)
