"""Where functions run: the loop's thread, worker threads, processes; and what is warned of."""

# What an op takes and does not look at is what its test hands it.
# ruff: noqa: ARG001
# Threads and loops of two kinds meet here: looking again is simpler than waking across them.
# ruff: noqa: ASYNC110

from __future__ import annotations

import ast
import contextvars
import os
import textwrap
import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from operonx.core import (
    PARENT,
    AbandonedThreadWarning,
    BlockingOpWarning,
    BuildError,
    GraphOp,
    Operon,
    OpError,
    RunContext,
    RunResult,
    RunStateError,
    each,
    op,
)

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore::operonx.core.BlockingOpWarning"),  # CI is slow, not stuck
]


@op
def where(x: int) -> int:
    return threading.get_ident()


@op
async def where_async(x: int) -> int:
    return threading.get_ident()


@op
def where_each(x: int) -> Iterator[int]:
    yield threading.get_ident()
    yield threading.get_ident()


def threads_of(result: RunResult) -> set[int]:
    """Where an op that says where it is has run, be it a generator or not."""
    found: int | list[int] = result["out"]
    return set(found) if isinstance(found, list) else {found}


def one(factory: Any) -> GraphOp:
    with GraphOp(name="g") as g:
        it = factory.with_(name="it")(x=PARENT["x"])
        it["result"] >> PARENT["out"]
    return g


async def test_an_async_def_runs_on_the_loops_thread() -> None:
    assert threading.get_ident() == (await Operon(one(where_async)).run({"x": 1}))["out"]


async def test_a_new_def_runs_in_a_worker_thread() -> None:
    assert threading.get_ident() != (await Operon(one(where)).run({"x": 1}))["out"]


@pytest.mark.parametrize("factory", [where, where_each], ids=["plain", "generator"])
async def test_run_in_is_kept_every_time(factory: Any) -> None:
    here = threading.get_ident()
    inline = Operon(one(factory.with_(run_in="inline")))
    threaded = Operon(one(factory.with_(run_in="thread")))
    for _ in range(5):
        assert {here} == threads_of(await inline.run({"x": 1}))
        assert here not in threads_of(await threaded.run({"x": 1}))


@pytest.mark.parametrize("factory", [where, where_each], ids=["plain", "generator"])
async def test_an_op_known_as_short_runs_inline(
    factory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Time stands still for the one who measures, so that every call is short, on any machine.
    for module in ("calls", "closing", "inlined", "invoking"):
        monkeypatch.setattr(f"operonx.core.engine.{module}.clock", lambda: 0.0)
    engine = Operon(one(factory))
    here = threading.get_ident()
    for turn in range(4):
        threads = threads_of(await engine.run({"x": 1}))
        assert ({here} == threads) == (turn > 0)


@pytest.mark.parametrize("factory", [where, where_each], ids=["plain", "generator"])
async def test_an_op_that_turns_slow_goes_back_to_threads(
    factory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    slow = [0.0]

    def clock() -> float:
        now[0] += slow[0]
        return now[0]

    for module in ("calls", "closing", "inlined", "invoking"):
        monkeypatch.setattr(f"operonx.core.engine.{module}.clock", clock)
    engine = Operon(one(factory))
    here = threading.get_ident()
    places: list[bool] = []
    for turn in range(6):
        slow[0] = 1.0 if turn >= 2 else 0.0
        found = (await engine.run({"x": 1}))["out"]
        places.append(here in (found if isinstance(found, list) else [found]))
    # measured, short, the one slow call that slips through, then threads again
    assert [False, True, True, False, False, False] == places


@pytest.mark.parametrize(
    ("seconds", "inline"),
    [
        ((0.0, 2e-4, 0.0, 2e-4, 0.0), (True, True, True, True, True)),
        ((0.0, 2e-4, 2e-4, 0.0, 0.0), (True, True, True, False, True)),
        ((2e-3, *[0.0] * 9), (True, *[False] * 8, True)),
        ((2e-3, *[0.0] * 7, 1e-4, *[0.0] * 9), (True, *[False] * 16, True)),
        ((2e-3, *[0.0] * 8, 2e-3, *[0.0] * 17), (True, *[False] * 8, True, *[False] * 16, True)),
    ],
    ids=["now and then", "twice in a row", "once and long", "not in a row", "long again"],
)
async def test_one_slow_call_of_a_short_op_may_be_the_machines_doing(
    seconds: tuple[float, ...], inline: tuple[bool, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    step = [0.0]

    def clock() -> float:
        now[0] += step[0]
        return now[0]

    for module in ("calls", "invoking"):
        monkeypatch.setattr(f"operonx.core.engine.{module}.clock", clock)
    engine = Operon(one(where))
    await engine.run({"x": 1})  # the first is measured in a thread
    places: list[bool] = []
    for step[0] in seconds:
        places.append(threading.get_ident() == (await engine.run({"x": 1}))["out"])
    assert list(inline) == places


async def test_what_is_long_now_and_then_stays_in_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    for module in ("calls", "invoking"):
        monkeypatch.setattr(f"operonx.core.engine.{module}.clock", lambda: now[0])
    inline: list[bool] = []
    here = threading.get_ident()

    @op
    def cached(x: int) -> int:
        if x % 2:  # not there yet
            now[0] += 0.05
            inline.append(threading.get_ident() == here)
        return x

    engine = Operon(one(cached))
    for x in range(40):
        await engine.run({"x": x})
    assert [True, *[False] * 19] == inline


async def test_it_takes_at_most_so_many_short_calls_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    long = [0.0]
    for module in ("calls", "invoking"):
        monkeypatch.setattr(f"operonx.core.engine.{module}.clock", lambda: now[0])

    @op(returns="out")
    def stalls() -> int:
        now[0] += long[0]
        return threading.get_ident()

    with GraphOp(name="g") as g:
        calls: Any = stalls()
        calls["out"] >> PARENT["out"]
    engine = Operon(g)

    async def inline() -> bool:
        place: int = (await engine.run())["out"]
        return threading.get_ident() == place

    await inline()
    counts: list[int] = []
    for _ in range(8):
        long[0] = 0.002
        assert await inline()
        long[0] = 0.0
        count = 0
        while not await inline():
            count += 1
        counts.append(count)
    assert [8, 16, 32, 64, 128, 256, 256, 256] == counts


@pytest.mark.parametrize("seconds", [0.02, 0.0002], ids=["one long yield", "slow on average"])
async def test_a_generator_that_stalled_goes_to_threads_for_longer_each_time(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    stalls = [False]
    for module in ("closing", "inlined"):
        monkeypatch.setattr(f"operonx.core.engine.{module}.clock", lambda: now[0])

    @op(returns="thread")
    def pages() -> Iterator[int]:
        for _ in range(1000):  # a quick part, and one that fetches
            now[0] += 0.0 if seconds > 0.01 or not stalls[0] else seconds
            yield threading.get_ident()
        now[0] += seconds if stalls[0] else 0.0
        yield threading.get_ident()

    with GraphOp(name="g") as g:
        firing: Any = pages()
        firing["thread"] >> PARENT["out"]
    engine = Operon(g)

    async def inline() -> bool:
        threads = set((await engine.run())["out"])
        assert 1 == len(threads)  # all of a firing stays in one
        return threads == {threading.get_ident()}

    assert not await inline()
    for wanted in (8, 16):
        stalls[0] = True
        assert await inline()
        assert not await inline()  # it stalls in a thread, which makes nothing good
        stalls[0] = False
        assert [False] * wanted == [await inline() for _ in range(wanted)]
        assert await inline()


async def test_with_a_timeout_a_def_always_runs_in_a_thread() -> None:
    engine = Operon(one(where.with_(timeout=10.0)))
    for _ in range(5):
        assert threading.get_ident() != (await engine.run({"x": 1}))["out"]


async def test_blocking_defs_leave_the_loop_alone() -> None:
    inside = threading.Barrier(9)  # eight ops and the loop's own side

    @op(run_in="thread")
    def blocks(x: int) -> int:
        inside.wait(10)  # gets through only when all eight are here at one time, and the loop runs
        return threading.get_ident()

    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        b = blocks(x=item["item"])
        b >> PARENT["out"]
    turns = 0
    async with anyio.create_task_group() as group:

        async def run() -> None:
            threads = (await Operon(g).run({"xs": list(range(8))}))["out"]
            assert 8 == len(set(threads))
            assert threading.get_ident() not in threads

        group.start_soon(run)
        while inside.n_waiting < 8:
            await anyio.sleep(0.001)
            turns += 1
        inside.wait(10)
    assert turns > 0


async def test_a_def_runs_in_a_process() -> None:
    process = op(run_in="process", returns="pid")(os.getpid)
    dedent = op(run_in="process", returns="text")(textwrap.dedent)
    with GraphOp(name="g") as g:
        p: Any = process()  # read by the port that `returns` names
        d: Any = dedent(text=PARENT["text"])
        p["pid"] >> PARENT["pid"]
        d["text"] >> PARENT["text"]
    result = await Operon(g).run({"text": "  indented"})
    assert "indented" == result["text"]
    assert os.getpid() != result["pid"]


async def test_a_failure_in_a_process_is_that_of_the_op() -> None:
    evaluate = op(run_in="process", returns="value")(ast.literal_eval)
    with GraphOp(name="g") as g:
        e = evaluate(node_or_string=PARENT["text"])
        e["value"] >> PARENT["out"]
    engine = Operon(g)
    assert {"out": [1, 2]} == dict(await engine.run({"text": "[1, 2]"}))
    with pytest.raises(OpError) as caught:
        await engine.run({"text": "1 +"})
    assert "g.e" == caught.value.op
    assert isinstance(caught.value.__cause__, SyntaxError)


def test_a_function_that_no_process_can_import_is_a_build_error() -> None:
    @op(run_in="process")
    def local(x: int) -> int:
        return x

    with pytest.raises(BuildError, match="cannot be imported") as caught:
        one(local)
    assert ["g.it"] == [issue.op for issue in caught.value.issues]


# -- context variables

color: contextvars.ContextVar[str] = contextvars.ContextVar("color", default="none")


@pytest.mark.parametrize(
    "how", ["def", "def inline", "def thread", "async def", "gen", "async gen"]
)
async def test_context_variables_follow_into_every_op(how: str) -> None:
    @op
    def plain(x: int) -> str:
        return color.get()

    @op
    async def waiting(x: int) -> str:
        await anyio.lowlevel.checkpoint()
        return color.get()

    @op
    def stream(x: int) -> Iterator[str]:
        yield color.get()
        yield color.get()

    @op
    async def stream_async(x: int) -> AsyncIterator[str]:
        yield color.get()
        await anyio.lowlevel.checkpoint()
        yield color.get()

    kinds: dict[str, Any] = {
        "def": plain,
        "def inline": plain.with_(run_in="inline"),
        "def thread": plain.with_(run_in="thread"),
        "async def": waiting,
        "gen": stream,
        "async gen": stream_async,
    }
    engine = Operon(one(kinds[how]))
    for name in ("red", "blue", "green"):
        token = color.set(name)
        expected = [name, name] if "gen" in how else name
        assert expected == (await engine.run({"x": 1}))["out"]
        handle = engine.start({"x": 1})
        color.set("changed since")
        assert expected == (await handle.result())["out"]
        color.reset(token)


@pytest.mark.parametrize("how", ["def inline", "def thread", "async def", "async gen"])
async def test_what_an_op_sets_is_its_own(how: str) -> None:
    @op
    def plain(x: int) -> str:
        before = color.get()
        color.set(f"op {x}")
        return before

    @op
    async def waiting(x: int) -> str:
        before = color.get()
        color.set(f"op {x}")
        await anyio.lowlevel.checkpoint()
        assert f"op {x}" == color.get()
        return before

    @op
    async def stream_async(x: int) -> AsyncIterator[str]:
        before = color.get()
        color.set(f"op {x}")
        yield before
        assert f"op {x}" == color.get()

    kinds: dict[str, Any] = {
        "def inline": plain.with_(run_in="inline"),
        "def thread": plain.with_(run_in="thread"),
        "async def": waiting,
        "async gen": stream_async,
    }
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        it = kinds[how].with_(name="it")(x=item["item"])
        it["result"] >> PARENT["out"]
    token = color.set("mine")
    out = (await Operon(g).run({"xs": [1, 2, 3]}))["out"]
    expected = [["mine"]] * 3 if "gen" in how else ["mine"] * 3
    assert expected == out
    assert "mine" == color.get()
    color.reset(token)


# -- a thread is off the loop


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("how", ["run_sync", "anyio.run"])
@pytest.mark.parametrize("kind", ["def", "generator"])
async def test_an_op_in_a_thread_may_run_an_event_loop(kind: str, how: str, backend: str) -> None:
    inner = Operon(one(where_async))

    def run_inner(x: int) -> int:
        if how == "run_sync":
            return int(inner.run_sync({"x": x})["out"])
        return int(anyio.run(inner.run, {"x": x}, backend=backend)["out"])

    @op(run_in="thread")
    def outer(x: int) -> int:
        return run_inner(x)

    @op(run_in="thread")
    def outer_each(x: int) -> Iterator[int]:
        yield run_inner(x)

    result = await Operon(one(outer if kind == "def" else outer_each)).run({"x": 1})
    assert threads_of(result).isdisjoint({threading.get_ident()})


# -- cancelling and warnings


async def test_a_def_is_asked_through_its_context() -> None:
    seen: list[bool] = []
    inside = threading.Event()

    @op
    def patient(x: int, run: RunContext) -> int:
        seen.append(run.cancelled)
        inside.set()
        while not run.cancelled:
            threading.Event().wait(0.001)
        seen.append(run.cancelled)
        run.raise_if_cancelled()
        return x

    handle = Operon(one(patient)).start({"x": 1})
    while not inside.is_set():
        await anyio.sleep(0.001)
    handle.cancel()
    with pytest.raises(RunStateError):
        await handle.result()
    assert [False, True] == seen


async def test_a_thread_that_ignores_its_cancelling_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("operonx.core.engine.threads.GRACE", 0.01)
    let = threading.Event()
    inside = threading.Event()

    @op
    def deaf(x: int) -> int:
        inside.set()
        let.wait(10)
        return x

    @op
    def deaf_stream(x: int) -> Iterator[int]:
        inside.set()
        let.wait(10)
        yield x

    for factory in (deaf, deaf_stream):
        inside.clear()
        let.clear()
        handle = Operon(one(factory)).start({"x": 1})
        while not inside.is_set():
            await anyio.sleep(0.001)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            handle.cancel()
            with pytest.raises(RunStateError):
                await handle.result()
        assert [AbandonedThreadWarning] == [one.category for one in caught]
        assert "`g.it`" in str(caught[0].message)
        let.set()


@pytest.fixture
def blocked(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of the one who looks for blocking; it stands still unless a test adds to it."""
    now: list[float] = []
    monkeypatch.setattr("operonx.core.engine.stepping.clock", lambda: sum(now))
    return now


@pytest.mark.parametrize("how", ["at once", "after an await", "generator"])
async def test_an_async_def_that_blocks_the_loop_is_named(how: str, blocked: list[float]) -> None:
    @op
    async def blocks(x: int) -> int:
        if how == "after an await":
            await anyio.lowlevel.checkpoint()
        blocked.append(0.35)
        return x

    @op
    async def blocks_stream(x: int) -> AsyncIterator[int]:
        yield x
        blocked.append(0.35)
        yield x

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await Operon(one(blocks_stream if how == "generator" else blocks)).run({"x": 1})
    assert [BlockingOpWarning] == [one.category for one in caught]
    assert "`g.it`" in str(caught[0].message)


async def test_a_warning_made_an_error_ends_the_run_or_nothing(blocked: list[float]) -> None:
    ended: list[int] = []

    @op
    async def blocks(x: int) -> int:
        try:
            blocked.append(0.35)
            await anyio.sleep(0.001)
            return x
        finally:
            ended.append(x)

    outcome: Any = None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            outcome = dict(await Operon(one(blocks)).run({"x": 1}))
        except OpError as error:
            outcome = (error.op, type(error.__cause__))
    assert outcome in ({"out": 1}, ("g.it", BlockingOpWarning))
    assert [1] == ended


@pytest.mark.filterwarnings("error::operonx.core.BlockingOpWarning")
@pytest.mark.usefixtures("blocked")
async def test_an_async_def_that_does_not_block_is_not_warned_of() -> None:
    with GraphOp(name="g") as g:
        item = each(PARENT["xs"])
        w = where_async(x=item["item"])
        w >> PARENT["out"]
    xs = list(range(500))
    assert [threading.get_ident()] * 500 == (await Operon(g).run({"xs": xs}))["out"]


async def test_a_plain_def_that_returns_an_awaitable_fails() -> None:
    async def other() -> int:
        return 1

    @op(returns="value")
    def forgot() -> Any:
        return other()

    for run_in in ("thread", "inline", "auto"):
        with GraphOp(name="g") as g:
            f = forgot.with_(run_in=run_in)()
            f["value"] >> PARENT["out"]
        engine = Operon(g)
        for _ in range(3):
            with pytest.raises(OpError, match="await"):
                await engine.run()


# -- run_sync


def test_run_sync_runs_on_a_loop_of_its_own() -> None:
    assert {"out": threading.get_ident()} == dict(Operon(one(where_async)).run_sync({"x": 1}))


async def test_run_sync_in_a_running_loop_names_await() -> None:
    with pytest.raises(RunStateError, match="await"):
        Operon(one(where)).run_sync({"x": 1})
