"""Modules of functions, written out as a user's would be, and drivers over them."""

import asyncio
import itertools
from types import ModuleType
from typing import Any

from hamilton import ad_hoc_utils, async_driver, driver
from hamilton.execution.executors import SynchronousLocalTaskExecutor

from benchmarks import work
from benchmarks.contender import Run

IMPORTS = "from benchmarks import work\n"


def _module(source: str) -> ModuleType:
    return ad_hoc_utils.create_module(IMPORTS + source)


def _run(module: ModuleType, output: str, **inputs: Any) -> Run:  # inputs by name
    dr = async_driver.Builder().with_modules(module).build_without_init()
    initialised = False

    async def run() -> Any:  # the output
        nonlocal initialised
        if not initialised:
            await dr.ainit()
            initialised = True
        return (await dr.execute([output], inputs=inputs))[output]

    return run


def chain(size: int) -> Run:
    """A function after a function."""
    names = ["x", *(f"inc_{i}" for i in range(size))]
    source = "".join(
        f"def {name}({before}: int) -> int:\n    return work.inc({before})\n"
        for before, name in itertools.pairwise(names)
    )
    return _run(_module(source), names[-1], x=work.SEED)


def nested(size: int) -> Run:
    """A module as a sub-DAG of the next."""
    inner: Any = None
    for _ in range(size):
        source = "def inc(x: int) -> int:\n    return work.inc(x)\n"
        if inner is None:
            source += "def out(inc: int) -> int:\n    return inc\n"
        else:
            source += (
                "from hamilton.function_modifiers import source, subdag\n"
                f"import {inner.__name__} as inner\n"
                "@subdag(inner, inputs={'x': source('inc')})\n"
                "def out(out: int) -> int:\n    return out\n"
            )
        inner = _module(source)
    return _run(inner, "out", x=work.SEED)


def concurrent(size: int) -> Run:
    """Executions of one driver."""
    one = chain(10)

    async def run() -> int:
        return sum(await asyncio.gather(*(one() for _ in range(size))))

    return run


def _fan(name: str, size: int, *, coroutine: bool) -> Run:
    define, call = ("async def", "await ") if coroutine else ("def", "")
    members = [f"member_{i}" for i in range(size)]
    source = "".join(
        f"{define} {member}(x: int) -> int:\n    return {call}work.{name}(x)\n"
        for member in members
    )
    parameters = ", ".join(f"{member}: int" for member in members)
    source += f"def y({parameters}) -> int:\n    return work.total([{', '.join(members)}])\n"
    return _run(_module(source), "y", x=work.SEED)


def fan_def(size: int) -> Run:
    """Plain functions."""
    return _fan("inc", size, coroutine=False)


def fan_async(size: int) -> Run:
    """Coroutines."""
    return _fan("inc_async", size, coroutine=True)


def wait_async(size: int) -> Run:
    """Coroutines that wait."""
    return _fan("wait_async", size, coroutine=True)


def wait_def(size: int) -> Run:
    """Plain functions that block."""
    return _fan("wait_def", size, coroutine=False)


blocking = wait_def

STREAM = """
from hamilton.htypes import Collect, Parallelizable


def item(n: int) -> Parallelizable[int]:
    yield from work.source(n)


def first(item: int) -> int:
    return work.inc(item)


def second(first: int) -> int:
    return work.inc(first)


def counted(second: Collect[int]) -> list:
    tally = work.Tally()
    for value in second:
        tally.add(value)
    return tally.take()
"""


def stream(size: int) -> Run:
    """`Parallelizable` and `Collect`: the sync driver, as the async one has neither."""
    dr = (
        driver.Builder()
        .with_modules(_module(STREAM))
        .enable_dynamic_execution(allow_experimental_mode=True)
        .with_remote_executor(SynchronousLocalTaskExecutor())
        .build()
    )

    def run() -> list[int]:
        return dr.execute(["counted"], inputs={"n": size})["counted"]

    return run
