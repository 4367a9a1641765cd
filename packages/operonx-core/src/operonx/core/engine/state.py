"""What a run is made of: instances of regions, and the streams that open them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from operonx.core.errors import Context, OpError
    from operonx.core.plan.nodes import Node, Region

__all__ = [
    "COUNT",
    "COVERED",
    "FIRED",
    "SKIP",
    "SKIPPED",
    "MemoryState",
    "StreamState",
    "context_of",
]

# One integer a node: how many signals it still waits for, and above them what it heard.
COUNT: Final = (1 << 40) - 1
SKIP: Final = 1 << 40
"""A predecessor was skipped."""
COVERED: Final = 1 << 41
"""It was skipped as a whole, outside this instance."""
# Kept in place of the count once a node is decided, where a deeper region may ask.
FIRED: Final = 1 << 42
SKIPPED: Final = 1 << 43


class MemoryState:
    """One item, pair, batch or iteration of a region; one in all for the root."""

    __slots__ = (
        "index",
        "late",
        "open",
        "parent",
        "pending",
        "raced",
        "reasons",
        "region",
        "slots",
        "stream",
    )

    def __init__(
        self, region: Region, parent: MemoryState | None, index: int, stream: StreamState | None
    ) -> None:
        self.region: Region = region
        self.parent: MemoryState | None = parent
        self.index: int = index
        self.stream: StreamState | None = stream
        self.slots: list[Any] = region.slots[:]
        self.pending: list[int] = region.pending[:]
        self.open: int = len(self.pending)
        """Nodes not decided yet, and streams opened here that are not over."""
        self.late: dict[int, list[MemoryState]] | None = None
        """Deeper instances that wait for a node of this one, by the node's index."""
        self.reasons: dict[int, str] | None = None
        """Why nodes are skipped, by index."""
        self.raced: dict[Node, OpError | None] | None = None
        """Nodes that lost a race: with what they failed, or None for those that came too late."""

    def note_raced(self) -> dict[Node, OpError | None]:
        """Return `raced` to be added to."""
        if self.raced is None:
            self.raced = {}
        return self.raced


class StreamState:
    """One firing of what opens a region: a generator, a zip, a batch or a loop."""

    __slots__ = (
        "count",
        "ended",
        "limit",
        "ok",
        "open",
        "over",
        "owner",
        "parent",
        "region",
        "resume",
    )

    def __init__(self, owner: Node, region: Region, parent: MemoryState, limit: int | None) -> None:
        self.owner: Node = owner
        self.region: Region = region
        self.parent: MemoryState = parent
        self.limit: int | None = limit
        """Items that may be open at one time; None: any number."""
        self.count: int = 0
        self.open: int = 0
        self.ended: bool = False
        self.over: bool = False
        """Whether it has ended and all its items are closed."""
        self.ok: bool = False
        self.resume: Callable[[], None] | None = None
        """What to call when there is room again."""

    @property
    def full(self) -> bool:
        """Whether no further item may be opened now."""
        return self.limit is not None and self.open >= self.limit


def context_of(inst: MemoryState | None) -> Context:
    """Return where in the run an instance is."""
    steps: list[tuple[str, int]] = []
    while inst is not None and inst.parent is not None:
        steps.append((inst.region.axis, inst.index))
        inst = inst.parent
    return tuple(reversed(steps))
