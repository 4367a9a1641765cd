"""A process that measures one contender on request: `python -m benchmarks.worker PACKAGE`.

Runs in the contender's own environment, so it uses nothing but the standard library.
"""

import asyncio
import gc
import importlib
import os
import platform
import sys
import time
import traceback
from importlib.metadata import PackageNotFoundError, version
from typing import Any, BinaryIO, Self

from benchmarks import memory, protocol
from benchmarks.contender import Run, load_factory, run_once

#: Warm-up goes on for this many runs, or for this long if that is sooner.
WARM_RUNS = 30
WARM_SECONDS = 2.0
#: How often the ticker that looks for stalls wants to run.
TICK_SECONDS = 0.001


class Stopwatch:
    """Wall and CPU seconds (all threads) of a block."""

    def __enter__(self) -> Self:
        """Start both clocks."""
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop both clocks."""
        self.cpu = time.process_time() - self._cpu
        self.wall = time.perf_counter() - self._wall

    def per(self, repeats: int) -> dict[str, float]:
        """Return the seconds of one repeat."""
        return {"wall": self.wall / repeats, "cpu": self.cpu / repeats}


class Ticker:
    """Notes the longest time for which the event loop let nobody else run."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self.stall = 0.0

    async def __aenter__(self) -> Self:
        """Start ticking."""
        self._task = asyncio.create_task(self._tick())
        await asyncio.sleep(2 * TICK_SECONDS)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Tick once more, so that a stall that has just ended is seen, and stop."""
        await asyncio.sleep(2 * TICK_SECONDS)
        self._task.cancel()

    async def _tick(self) -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = time.perf_counter()
            self.stall = max(self.stall, now - last - TICK_SECONDS)
            last = now


class Prepared:
    """A workload that was built, verified and warmed."""

    def __init__(self, run: Run, expected: object) -> None:
        """Keep the run and what it must give."""
        self._run = run
        self._expected = expected
        self.repeats = 1

    async def verified(self) -> None:
        """Make one run and check its result."""
        self._check(await run_once(self._run))

    def _check(self, result: object) -> None:
        if result != self._expected:
            msg = f"gave {result!r}, expected {self._expected!r}"
            raise AssertionError(msg)

    async def warm(self, seconds: float) -> None:
        """Run until warm, then choose the repeats that fill `seconds`."""
        deadline = time.perf_counter() + WARM_SECONDS
        fastest = float("inf")
        for _ in range(WARM_RUNS):
            with Stopwatch() as watch:
                await self.verified()
            fastest = min(fastest, watch.wall)
            if time.perf_counter() > deadline:
                break
        self.repeats = max(1, int(seconds / fastest))

    async def timed(self) -> dict[str, float]:
        """Time all repeats, and check the last one's result."""
        run, repeats = self._run, self.repeats
        result: object = None
        with Stopwatch() as watch:
            for _ in range(repeats):
                result = await run_once(run)
        self._check(result)
        return watch.per(repeats)


class Worker:
    """Answers the requests of `protocol`."""

    def __init__(self, package: str) -> None:
        """Serve the contender of a package."""
        self._package = package
        self._prepared: dict[tuple[str, int], Prepared] = {}

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request."""
        kind = request.pop("do")
        answer: dict[str, Any] = await getattr(self, f"_{kind}")(**request)
        return answer

    async def _hello(self) -> dict[str, Any]:
        return {"python": platform.python_version(), "versions": self._versions()}

    def _versions(self) -> dict[str, str]:
        versions = {}
        for requirement in importlib.import_module(self._package).REQUIREMENTS:
            try:
                versions[requirement] = version(requirement)
            except PackageNotFoundError:
                versions[requirement] = "working tree"
        return versions

    async def _prepare(
        self, workload: str, size: int, seconds: float, expected: object
    ) -> dict[str, Any]:
        run = load_factory(self._package, workload)(size)
        prepared = self._prepared[workload, size] = Prepared(run, expected)
        await prepared.warm(seconds)
        return {"repeats": prepared.repeats}

    async def _run(self, workload: str, size: int) -> dict[str, Any]:
        gc.collect()
        return await self._prepared[workload, size].timed()

    async def _build(self, workload: str, size: int) -> dict[str, Any]:
        factory = load_factory(self._package, workload)
        gc.collect()
        with Stopwatch() as watch:
            factory(size)
        return watch.per(1)

    async def _stall(self, workload: str, size: int) -> dict[str, Any]:
        run = load_factory(self._package, workload)(size)
        gc.collect()  # outside the ticker's sight
        async with Ticker() as first:
            await run_once(run)
        async with Ticker() as ticker:
            times = await self._prepared[workload, size].timed()
        return {**times, "stall": ticker.stall, "first_stall": first.stall}

    async def _memory(self, workload: str, size: int, warm_size: int) -> dict[str, Any]:
        factory = load_factory(self._package, workload)
        await run_once(factory(warm_size))
        run = factory(size)
        gc.collect()
        memory.reset_peak()
        before = memory.resident_bytes()
        with Stopwatch() as watch:
            await run_once(run)
        return {"bytes": max(0, memory.peak_bytes() - before), **watch.per(1)}

    async def _forget(self) -> dict[str, Any]:
        self._prepared.clear()
        gc.collect()
        return {}


async def serve(package: str, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    worker = Worker(package)
    # Reading blocks the event loop on purpose: between requests nothing of ours is in flight.
    for line in requests:
        try:
            answer = await worker.answer(protocol.parse_message(line))
        except Exception as error:  # noqa: BLE001  # whatever it is, the runner must hear of it
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        protocol.write_message(answers, answer)


def main() -> None:
    """Serve on the standard streams, keeping what libraries print out of the protocol."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    asyncio.run(serve(sys.argv[1], sys.stdin.buffer, answers))


if __name__ == "__main__":
    main()
