"""Nodes that take streams in, and those that make streams of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operonx.core.plan.nodes.base import Node

if TYPE_CHECKING:
    from operonx.core.expressions.evaluation import Evaluate
    from operonx.core.ops.base import Op
    from operonx.core.plan.nodes.base import Region

__all__ = [
    "BatchNode",
    "CellNode",
    "CollectNode",
    "ExitNode",
    "StreamNode",
    "WaitNode",
    "ZipNode",
    "ZipPortNode",
]


class CellNode(Node):
    """One item's part in what a node of the region around makes of the stream."""

    def __init__(self, region: Region, path: str, evaluate: Evaluate | None) -> None:
        super().__init__(region, path)
        self.evaluate = evaluate
        self.consumer: Any
        self.side: int = 0
        self.source: Node | None = None
        """The op whose firings an edge waits for."""


class CollectNode(Node):
    """A stream as a list, in index order."""

    def __init__(self, region: Region, path: str, cell: CellNode, *, flatten: bool) -> None:
        super().__init__(region, path)
        self.waits = 1
        self.cell = cell
        self.flatten = flatten
        self.for_result = False
        """Whether only the result reads it, so that a streamed run keeps nothing."""
        self.slot: int = region.new_slot()
        self.state: int = region.new_slot()


class WaitNode(Node):
    """Waits for the end of a stream and of what happens in its items."""

    def __init__(self, region: Region, path: str, cell: CellNode) -> None:
        super().__init__(region, path)
        self.waits = 1
        self.cell = cell
        self.state: int = region.new_slot()


class ExitNode(Node):
    """The end of a stream, for a reader outside of graphs that may be skipped on failure.

    It needs those to end well: without them the stream is one that failed.
    """

    def __init__(self, region: Region, ended: Region, consumer: Node) -> None:
        super().__init__(region, f"{consumer.path} (end)")
        self.waits = 1
        self.ended = ended
        """Region of the stream's items."""
        self.consumer = consumer
        self.state: int = region.new_slot()


class StreamNode(Node):
    """Hands a stream itself to an op."""

    def __init__(self, region: Region, path: str, cell: CellNode) -> None:
        super().__init__(region, path)
        self.cell = cell
        self.readers = 0
        self.slot: int = region.new_slot()
        self.state: int = region.new_slot()


class BatchNode(Node):
    """A stream as one of lists."""

    def __init__(self, region: Region, path: str, cell: CellNode, size: int) -> None:
        super().__init__(region, path)
        self.cell = cell
        self.size = size
        self.child: Region
        self.value_slot: int
        self.state: int = region.new_slot()


class ZipNode(Node):
    """Streams as one of pairs."""

    def __init__(self, region: Region, path: str, op: Op) -> None:
        super().__init__(region, path, op)
        self.cells: list[CellNode] = []
        self.child: Region
        self.ports: list[ZipPortNode] = []
        self.state: int = region.new_slot()


class ZipPortNode(Node):
    """One side of a pair."""

    def __init__(self, region: Region, path: str) -> None:
        super().__init__(region, path)
        self.waits = 1
        self.slot: int = region.new_slot()
