"""What the engine's tests share: both event loops, their time, and what frames say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from operonx.core import Frame


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """The event loops that an engine works on; every async test runs on each."""
    return str(request.param)


@pytest.fixture
def pass_time(anyio_backend: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let seconds pass for the event loop at once.

    Time-outs of many seconds, and a test that goes over them when it is where it wants to be:
    no busy machine is slow enough to do so by itself.
    """

    def ahead(seconds: float) -> None:
        if anyio_backend == "trio":
            import trio  # noqa: PLC0415 - only there it runs

            clock: Any = type(trio.lowlevel.current_clock())
            name = "current_time"
        else:
            clock, name = asyncio.get_running_loop(), "time"
        before: Callable[..., float] = getattr(clock, name)

        def later(*args: Any) -> float:
            return before(*args) + seconds

        monkeypatch.setattr(clock, name, later)

    return ahead


@pytest.fixture
def seen() -> Callable[[list[Frame]], list[tuple[object, ...]]]:
    """Frames as what they say, in context order then by path, without ids and numbers."""

    def plainly(frames: list[Frame]) -> list[tuple[object, ...]]:
        facts = [(frame.op_name, frame.ctx, dict(frame.outputs)) for frame in frames]
        return sorted(facts, key=lambda fact: (fact[1], fact[0]))

    return plainly
