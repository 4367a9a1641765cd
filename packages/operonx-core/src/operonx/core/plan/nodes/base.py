"""Regions and nodes: what every part of a plan is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from operonx.core.ops.base import Op
    from operonx.core.plan.guards import Guard
    from operonx.core.plan.nodes.calls import FailedNode

__all__ = ["Action", "Node", "Region"]

Action: TypeAlias = tuple[bool, Callable[..., Any]]
"""Whether firing may have to wait, and so needs a task, and what to call."""


class Region:
    """All nodes at one tuple of axes."""

    def __init__(self, index: int, parent: Region | None, axis: str, owner: Node | None) -> None:
        self.index = index
        self.parent = parent
        self.axis = axis
        """Path of what opens the axis; empty for the root."""
        self.owner = owner
        """The node whose firing opens instances of this region; None for the root."""
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.nodes: list[Node] = []
        self.slots: list[Any] = []
        """What every slot holds when an instance is made; constants are here."""
        self.pending: list[int] = []
        """How many signals each node waits for when an instance is made."""
        self.roots: list[Node] = []
        """Nodes that wait for nothing."""
        self.outer: list[tuple[Node, Node]] = []
        """Links into this region: a node of an outer region, and one of this that waits for it."""
        self.waiters: list[Node] = []
        """Nodes of the parent region that wait for what becomes of a stream of these instances."""
        self.window: bool = True
        """False where an item can only close after its own stream has ended."""

    def new_slot(self, value: Any = None) -> int:
        """Add a slot; return its index."""
        self.slots.append(value)
        return len(self.slots) - 1

    def holds(self, other: Region) -> bool:
        """Return whether this is `other` or one around it."""
        at: Region | None = other
        while at is not None and at.depth > self.depth:
            at = at.parent
        return at is self


class Node:
    """What is decided once per instance of its region."""

    id: int
    index: int

    def __init__(self, region: Region, path: str, op: Op | None = None) -> None:
        self.region = region
        self.path = path
        self.op = op
        """The op whose own firing this is; None for what refs and edges stand for."""
        self.guard: Guard | None = None
        self.hard: list[Node] = []
        """Nodes that must fire, in this region or around it."""
        self.waits: int = 0
        """Signals expected besides those of the links: a stream's end, a generator's."""
        self.targets: tuple[Node, ...] = ()
        self.after: list[Node] = []
        self.reports: list[tuple[Node, int]] = []
        self.inner: list[Node] = []
        self.covers: list[Node] = []
        """Ops in deeper regions that are skipped as a whole when this is."""
        self.linked: bool = False
        """Whether there are links besides `targets`."""
        self.failed: FailedNode | None = None
        self.may_lose = False
        """Whether a failure only loses a race."""
        self.promises: list[Node] = []
        """Nodes that this one signals itself: its end, its error, its arms."""
        self.gate: Node | None = None
        """In the region around: fires unless this is skipped as a whole; None: the owner tells."""
        # Set by the engine when it takes the plan.
        self.firing: Action
        """What firing it comes to: changed as a whole, as other runs may do so at any time."""
        self.action: Action
        """What `firing` comes to, inside of guards and places."""
        self.around: Callable[[Action], Action] | None = None
        """Puts guards and places around an action; None where there are none."""
        self.on_skip: Callable[..., None] | None = None
        self.hear: Callable[..., None]
        self.take: Callable[..., bool]
        self.stream_ended: Callable[..., None]
        self.in_order = False
        """Whether its places go out in context order."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path} in {self.region.axis or 'root'}>"
