"""The pool of worker threads: no number of waiting threads keeps out what they wait for."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from operonx.core import Operon, OpError, Stream, collect, graph, op
from operonx.core.engine import pool as pools
from operonx.core.engine.pool import Pool

_LONG = 120
"""Seconds that are only up where something hangs."""

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(_LONG + 10)]


@op(run_in="thread", max_open=2)
def numbers(n: int) -> Iterator[int]:
    yield from range(n)


@op(run_in="thread")
def store(x: int) -> int:
    return x


@op(run_in="thread")
def total(xs: Stream[int]) -> int:
    return sum(xs)


@graph
def stored(n: int) -> list[int]:
    return collect(store(x=numbers(n=n)))


@graph
def read(n: int) -> int:
    xs: Any = store(x=numbers(n=n))
    return total(xs=xs.stream())


STORED = Operon(stored)


@op(run_in="thread")
def nested(n: int) -> list[int]:
    found: list[int] = STORED.run_sync({"n": n})["result"]
    return found


@graph
def nesting(n: int) -> list[int]:
    return nested(n=n)


async def outcomes(engine: Operon, runs: int, n: int) -> list[Any]:
    """Return the results of runs at one time, or what they raised."""
    found: list[Any] = []

    async def run() -> None:
        try:
            found.append((await engine.run({"n": n}))["result"])
        except OpError as error:
            found.append(error)

    with anyio.fail_after(_LONG):
        async with anyio.create_task_group() as group:
            for _ in range(runs):
                group.start_soon(run)
    return found


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Pool:
    """Another pool for the test, of at most four threads that are not held."""
    pool = Pool()
    monkeypatch.setattr(pools, "_LIMIT", 4)
    monkeypatch.setattr(pools, "pool", pool)
    monkeypatch.setattr("operonx.core.engine.threads.pool", pool)
    return pool


async def test_more_generators_than_threads_wait_for_their_windows() -> None:
    assert [[0, 1, 2, 3, 4]] * 300 == await outcomes(STORED, 300, 5)


@pytest.mark.parametrize(
    ("build", "expected"), [(stored, [0, 1, 2, 3]), (read, 6), (nesting, [0, 1, 2, 3])]
)
async def test_threads_that_wait_leave_room_for_what_they_wait_for(
    small: Pool, build: Any, expected: Any
) -> None:
    assert [expected] * 20 == await outcomes(Operon(build), 20, 4)
    assert 0 == small._held  # pyright: ignore[reportPrivateUsage]  # nothing else shows it


@pytest.mark.usefixtures("small")
async def test_where_there_can_be_no_more_threads_an_op_fails_and_nothing_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pools, "_MOST", 4)
    found = await outcomes(Operon(read), 20, 4)
    refused = [one for one in found if isinstance(one, OpError)]
    assert [6] * (20 - len(refused)) == [one for one in found if one not in refused]
    assert refused
    for error in refused:
        assert "worker threads wait for others: 4 is the most there may be" in error.message
        assert error.hint is not None
        assert "`concurrency=`" in error.hint
    assert [[0, 1]] == await outcomes(STORED, 1, 2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_has_threads_of_its_own(anyio_backend: str) -> None:
    program = f"""
    import os, signal, time, anyio
    from operonx.core import Operon, graph, op
    from operonx.core.engine.pool import pool

    @op(run_in="thread")
    def plus_one(x: int) -> int:
        return x + 1

    @graph
    def g(x: int) -> int:
        return plus_one(x=x)

    def run() -> int:
        return anyio.run(Operon(g).run, {{"x": 1}}, backend={anyio_backend!r})["result"]

    assert run() == 2
    while not pool._idle:
        time.sleep(0.01)
    pid = os.fork()
    if pid == 0:
        signal.alarm({_LONG // 2})
        os._exit(run())
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """
    ran = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        timeout=_LONG,
    )
    assert ("2\n", "") == (ran.stdout, ran.stderr)
