"""What all of core's tests share: patience with a busy machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def patience_with_threads() -> Iterator[None]:
    """Give threads more time to answer: a busy machine may let one wait longer than the default."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("operonx.core.engine.threads.GRACE", 20.0)
        yield
