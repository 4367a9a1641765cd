"""Ops in worker processes: on every event loop at one time, and what went wrong there in words."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import pytest

from operonx.core import (
    PARENT,
    GraphOp,
    Operon,
    OpError,
    RemoteError,
    Retry,
    WorkerDiedError,
    op,
)

OLD_ANYIO = tuple(int(part) for part in version("anyio").split(".")[:2]) < (4, 14)

_LONG = 120
"""Seconds that are only up where something hangs."""

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(_LONG + 10)]

OPS = """
import os, threading
from operonx.core import op

@op(run_in="process")
def plus_one(x: int) -> int:
    return x + 1

@op(run_in="process")
def local_class(x: int) -> int:
    class Local(Exception):
        pass
    raise Local("the real message")

class TwoParts(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")

@op(run_in="process")
def no_args(x: int) -> int:
    raise TwoParts("this", "that")

class NoText(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")

@op(run_in="process")
def no_text(x: int) -> int:
    error = NoText()
    error.lock = threading.Lock()
    raise error

@op(run_in="process")
def ordinary(x: int) -> int:
    raise KeyError(x)

@op(run_in="process")
def gives_a_lock(x: int) -> object:
    return threading.Lock()

@op(run_in="process")
def takes(x: object) -> int:
    return 1

@op(run_in="process")
def dies(x: int) -> int:
    os._exit(3)

@op(run_in="process")
def dies_once(x: str) -> str:
    if os.path.exists(x):
        return "alive"
    open(x, "w").close()
    os._exit(3)
"""

MAIN = """
from dataclasses import dataclass
from operonx.core import Operon, OpError, graph, op

@dataclass
class Point:
    x: int

class Mine(Exception):
    pass

@op(run_in="process", returns="point")
def moved(point: Point) -> Point:
    if point.x == 2:
        raise Mine(point.x)
    return Point(point.x + 1)

@graph
def g(point: Point) -> Point:
    return moved(point=point)

if __name__ == "__main__":
    point = Operon(g).run_sync({"point": Point(1)})["point"]
    print(point)
    try:
        Operon(g).run_sync({"point": point})
    except OpError as error:
        print(repr(error.__cause__))
"""


@pytest.fixture
def ops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module of ops that worker processes can import."""
    name = f"ops_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(textwrap.dedent(OPS))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    importlib.invalidate_caches()
    module = importlib.import_module(name)
    yield module
    del sys.modules[name]


def engine_of(factory: Any) -> Operon:
    with GraphOp(name="g") as g:
        it = factory.with_(name="it")(x=PARENT["x"])
        it["result"] >> PARENT["out"]
    return Operon(g)


async def failure_of(factory: Any, x: object = 1) -> OpError:
    with pytest.raises(OpError) as caught, anyio.fail_after(_LONG):
        await engine_of(factory).run({"x": x})
    return caught.value


@pytest.mark.skipif(OLD_ANYIO, reason="workers of older anyio take the main module otherwise")
def test_classes_of_the_main_program_come_back(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(MAIN))
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)
    assert ("Point(x=2)\nMine(2)\n", "") == (done.stdout, done.stderr)


UNGUARDED = """
from operonx.core import Operon, graph, op

@op(run_in="process")
def f(i: int) -> int:
    return i + 1

@graph
def g(i: int) -> int:
    return f(i=i)

print(Operon(g).run_sync({"i": 1}))
"""

BELOW = """
from dataclasses import dataclass
from operonx.core import Operon, OpError, graph, op

@op(run_in="process")
def takes(given: object) -> int:
    return 1

if __name__ == "__main__":
    @op(run_in="process")
    def below(given: object) -> int:
        return 1

    @dataclass
    class Point:
        x: int

    for wanted in (below, takes):
        @graph
        def g(given: object) -> int:
            return wanted(given=given)

        try:
            Operon(g).run_sync({"given": Point(1)})
        except OpError as error:
            print(error.__cause__)
"""


def run_program(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.mark.skipif(OLD_ANYIO, reason="workers of older anyio take the main module otherwise")
def test_a_main_module_without_its_guard_is_told_once(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(UNGUARDED)
    told = run_program(program).stderr
    assert "Warning" not in told
    assert "BrokenWorkerProcess" not in told
    causes = [line for line in told.splitlines() if line.startswith("operonx")]
    said = (
        "WorkerDiedError: the worker process for `__main__.f` did not begin: "
        "the main module of the program starts a run where it is imported"
    )
    assert [
        f"operonx.core.errors.{said}",
        f"operonx.core.errors.OpError: op `g.f` failed: {said} (inputs: i=1)",
    ] == causes
    assert told.endswith('belongs below `if __name__ == "__main__":`\n')


LATE = """
import time
from operonx.core import Operon, OpError, collect, each, graph, op

@op(run_in="process", timeout=0.5)
def sleeps(i: int) -> int:
    time.sleep(1000)
    return i

@graph
def g(n: list[int]) -> list[int]:
    return collect(sleeps(i=each(n)["item"]))

if __name__ == "__main__":
    try:
        Operon(g).run_sync({"n": [1, 2]})
    except OpError as error:
        print(repr(error.__cause__))
"""


def test_the_loop_ends_after_the_workers_that_were_killed(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(LATE)
    done = run_program(program)
    assert ("TimeoutError('no result within 0.5 s')\n", "") == (done.stdout, done.stderr)


def test_what_is_below_the_guard_is_told_so(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(BELOW)
    done = run_program(program)
    missed, hint, refused, hint_again = done.stdout.splitlines()
    assert missed.startswith("a worker process finds no `__main__.below`: AttributeError: ")
    assert refused.startswith("the inputs cannot be made again in a worker process: Attribute")
    assert hint == hint_again
    assert "define ops, and the classes of what they take, at the top of a module" in hint


@pytest.mark.parametrize(
    ("arguments", "given"), [(("-c", UNGUARDED), None), (("-",), UNGUARDED), ((), UNGUARDED)]
)
def test_a_program_that_is_no_file_has_no_process_ops(
    arguments: tuple[str, ...], given: str | None
) -> None:
    told = run_program(*arguments, input=given).stderr
    assert "BuildError: the graph has 1 mistake" in told
    assert "`f` is of a program that is no file (of `-c`, of stdin, of a prompt)" in told


def test_one_engine_serves_many_event_loops_at_one_time(ops: ModuleType) -> None:
    engine = engine_of(ops.plus_one)
    found: dict[int, int] = {}

    def run(x: int) -> None:
        backend = "trio" if x % 2 else "asyncio"
        found[x] = anyio.run(engine.run, {"x": x}, backend=backend)["out"]

    threads = [threading.Thread(target=run, args=(x,), daemon=True) for x in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_LONG)
    assert {x: x + 1 for x in range(8)} == found


async def test_there_are_no_more_workers_than_cores() -> None:
    process = op(run_in="process", returns="result")(os.getpid)
    with GraphOp(name="g") as g:
        for number in range(3 * (os.cpu_count() or 1)):
            it: Any = process.with_(name=f"it{number}")()
            it["result"] >> PARENT[f"out{number}"]
    assert len(set((await Operon(g).run()).values())) <= (os.cpu_count() or 1)


async def test_a_worker_that_died_is_told_of(ops: ModuleType) -> None:
    error = await failure_of(ops.dies)
    assert "the worker process ended while it ran `ops_" in error.message
    assert ".dies`" in error.message
    assert error.hint is not None
    assert "out of memory" in error.hint
    assert WorkerDiedError is type(error.__cause__)


async def test_a_retry_has_a_new_worker(ops: ModuleType, tmp_path: Path) -> None:
    engine = engine_of(ops.dies_once.with_(retry=Retry(attempts=2, on=(WorkerDiedError,))))
    with anyio.fail_after(_LONG):
        assert {"out": "alive"} == dict(await engine.run({"x": str(tmp_path / "seen")}))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("local_class", "Local: the real message"),
        ("no_args", "TwoParts: this and that"),
        ("no_text", "NoText: <its message cannot be shown: `__str__` raised RuntimeError>"),
    ],
)
async def test_what_cannot_come_back_is_told_in_words(
    ops: ModuleType, name: str, said: str
) -> None:
    error = await failure_of(getattr(ops, name))
    assert f"RemoteError: {said} (inputs: x=1)" in error.message
    assert error.hint is not None
    assert "could not be pickled" in error.hint
    cause = error.__cause__
    assert isinstance(cause, RemoteError)
    assert said.partition(":")[0] == cause.type_name
    (note,) = cause.__notes__
    assert "Traceback (most recent call last)" in note
    assert f"in {name}" in note


async def test_what_comes_back_brings_the_traceback_of_the_worker(ops: ModuleType) -> None:
    cause = (await failure_of(ops.ordinary)).__cause__
    assert isinstance(cause, KeyError)
    assert (1,) == cause.args
    (note,) = cause.__notes__
    assert "in ordinary" in note
    assert "raise KeyError(x)" in note


@pytest.mark.parametrize(
    ("name", "x", "said"),
    [
        ("gives_a_lock", lambda: 1, "what it returned cannot be pickled: TypeError: "),
        ("takes", threading.Lock, "`x` cannot be pickled for a worker process: TypeError: "),
    ],
)
async def test_what_cannot_cross_is_named(
    ops: ModuleType, name: str, x: Callable[[], object], said: str
) -> None:
    error = await failure_of(getattr(ops, name), x())
    assert said in error.message
    assert error.hint is not None
    assert 'run_in="thread"' in error.hint
