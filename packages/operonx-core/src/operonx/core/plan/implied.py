"""What must have fired where a node does, so that nobody waits for the same thing twice.

Which nodes are before which is a relation of the square of their number. It is asked of few of
them, those that are waited for from deeper regions; each of these has a bit, and every node the
bits of all that are before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from operonx.core.plan.nodes import Node

__all__ = ["Implied"]


class Implied:
    """The nodes implied by each node's firing, as far as they were marked."""

    def __init__(self) -> None:
        self._marks: dict[Node, int] = {}
        self._found: dict[Node, int] = {}

    def mark(self, node: Node) -> None:
        """Let a node be asked for; it must not have been added yet."""
        if node not in self._marks:
            self._marks[node] = 1 << len(self._marks)

    def add(self, node: Node) -> None:
        """Take a node in, all that it needs having been taken in before."""
        owner = node.region.owner
        found = self._marks.get(node, 0) | (0 if owner is None else self._found[owner])
        for pred in node.hard:
            found |= self._found[pred]
        self._found[node] = found

    def holds(self, node: Node, other: Node) -> bool:
        """Return whether `other`, a marked node, must have fired where `node` does."""
        return bool(self._found[node] & self._marks[other])
