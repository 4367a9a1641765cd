"""What the engine's tests share: both event loops, and what a run must not leave behind."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from operonx.core import Frame


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """The event loops that an engine works on; every async test runs on each."""
    return str(request.param)


@pytest.fixture
def seen() -> Callable[[list[Frame]], list[tuple[object, ...]]]:
    """Frames as what they say, in context order then by path, without ids and numbers."""

    def plainly(frames: list[Frame]) -> list[tuple[object, ...]]:
        facts = [(frame.op_name, frame.ctx, dict(frame.outputs)) for frame in frames]
        return sorted(facts, key=lambda fact: (fact[1], fact[0]))

    return plainly
