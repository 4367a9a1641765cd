"""What a run may give: what the oracle says of it, and what an engine is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

__all__ = ["Ctx", "Failure", "FrameKey", "Outcome", "Slot", "Undetermined"]

Ctx: TypeAlias = tuple[tuple[str, int], ...]
FrameKey: TypeAlias = tuple[str, Ctx]


class Undetermined(Exception):  # noqa: N818 - a verdict, no error
    """What the graph gives depends, by the contract, on which op is faster."""


class Failure(NamedTuple):
    """One failure, as the caller sees it."""

    kind: str
    """The class of the error: `OpError` or `LoopLimitError`."""
    op: str
    ctx: Ctx
    cause: str
    """The class of the original exception; empty for `LoopLimitError`."""


class Slot(NamedTuple):
    """A contained failure that `result.errors` lists: any one of several independent ones."""

    any_of: frozenset[Failure]
    optional: bool
    """Whether its op may have been cancelled before it could fail."""


@dataclass(slots=True)
class Outcome:
    """All that is determined about a run."""

    failures: frozenset[Failure] = frozenset()
    """Where not empty, the run raises one of these."""
    result: dict[str, Any] = field(default_factory=dict[str, Any])
    streamed: set[str] = field(default_factory=set[str])
    """Outputs that carry axes: a run that is watched keeps none of them."""
    frames: dict[FrameKey, Mapping[str, Any]] = field(
        default_factory=dict[FrameKey, Mapping[str, Any]]
    )
    optional: set[FrameKey] = field(default_factory=set[FrameKey])
    """Frames that may be missing: a failure may have cancelled their firings."""
    unsure: set[str] = field(default_factory=set[str])
    """Paths of ops of which neither all frames nor the skips are determined."""
    errors: list[Slot] = field(default_factory=list[Slot])
    skipped: dict[str, tuple[int, Ctx]] = field(default_factory=dict[str, tuple[int, Ctx]])
    """By op path: at how many contexts, and the first of them."""
