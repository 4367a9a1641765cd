"""Nodes of ops that call something, and of what they promise: an end, an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from operonx.core.plan.nodes.base import Node

if TYPE_CHECKING:
    from collections.abc import Callable

    from operonx.core.expressions.evaluation import Evaluate
    from operonx.core.ops.function import FuncOp
    from operonx.core.plan.nodes.base import Region
    from operonx.core.plan.nodes.streams import StreamNode

__all__ = ["Argument", "CallNode", "EndNode", "FailedNode", "GeneratorNode"]


@dataclass(slots=True, eq=False)
class Argument:
    """One argument of a call: a slot of the node's own region, or an expression."""

    name: str
    slot: int | None
    evaluate: Evaluate


class CallNode(Node):
    """Calls a function."""

    op: FuncOp

    def __init__(self, region: Region, path: str, op: FuncOp) -> None:
        super().__init__(region, path, op)
        self.arguments: list[Argument] = []
        self.outputs: dict[str, int] = {}
        """Slots by port."""
        self.caller: Any = None
        self.fallback: Any = None
        """How the engine calls the function, and the op that stands in for it."""
        self.choose: Callable[[Any], None]
        """Sets how it fires, from what the engine learnt of its function."""
        self.open_slot: int | None = None
        """Where the whole result is kept for an op with open ports."""
        self.streams: dict[str, StreamNode] = {}
        """Streams handed to it by argument, to be let go when it is done."""


class GeneratorNode(CallNode):
    """Calls a generator; every yield opens an instance of `child`."""

    def __init__(self, region: Region, path: str, op: FuncOp) -> None:
        super().__init__(region, path, op)
        self.child: Region
        self.final: dict[str, int] = {}
        self.end: EndNode


class EndNode(Node):
    """The end of a generator, loop or graph that `of` began; fires if it ended well."""

    def __init__(self, region: Region, path: str, of: Node) -> None:
        super().__init__(region, path)
        self.of = of
        self.waits = 1
        of.promises.append(self)


class FailedNode(Node):
    """Fires if its op failed; the value is the error as a dict."""

    def __init__(self, of: Node) -> None:
        super().__init__(of.region, f"{of.path}.error")
        self.of = of
        self.waits = 1
        self.slot: int = of.region.new_slot()
        of.promises.append(self)
