"""Which frames a watcher gets, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from operonx.core.engine.frames import Frame
from operonx.core.engine.state import context_of
from operonx.core.engine.turns import Turns
from operonx.core.plan.nodes import GeneratorNode, Node

if TYPE_CHECKING:
    from operonx.core.engine.scheduler import Run
    from operonx.core.engine.state import MemoryState

__all__ = ["Sifter", "port_names"]


class Sifter:
    """Cuts frames to the wanted outputs, and orders each op's frames by context.

    Args:
        wanted: For each op path, output names by port; None lets all frames through.
        in_order: Whether to order.
    """

    def __init__(self, wanted: Mapping[str, Mapping[str, str]] | None, *, in_order: bool) -> None:
        self._wanted = wanted
        self._in_order = in_order
        self._turns: dict[Node, Turns] = {}

    def set_up(self, run: Run) -> None:
        """Prepare a run: turns must see every stream from the beginning."""
        if not self._in_order:
            return
        for node in run.linked.plan.nodes:
            if node.op is None or not node.op.calls or not self._wants(node):
                continue
            region = node.child if isinstance(node, GeneratorNode) else node.region
            self._turns[node] = Turns(region, self._sender(run))
        run.turns.extend(self._turns.values())

    def _sender(self, run: Run) -> Any:
        def send(frame: Frame) -> None:
            assert run.frames is not None  # a sifter is only set where frames are watched
            run.frames.put(frame)

        return send

    def _wants(self, node: Node) -> bool:
        return self._wanted is None or node.path in self._wanted

    def put(
        self, run: Run, inst: MemoryState, node: Node, outputs: Mapping[str, Any], seq: int
    ) -> None:
        """Take what a frame would have; hand the frame on if and when it is wanted."""
        if self._wanted is not None:
            ports = self._wanted.get(node.path)
            if ports is None:
                return
            outputs = {ports[port]: value for port, value in outputs.items() if port in ports}
            if not outputs:
                if self._in_order:
                    self.passed(inst, node)
                return
        frame = Frame(run.run_id, node.path, context_of(inst), outputs, seq)
        if self._in_order:
            # A generator's final frame comes after those of its items.
            turns, is_final = self._turns[node], _is_final(inst, node)
            (turns.close if is_final else turns.arrive)(inst, frame)
        else:
            assert run.frames is not None  # as above
            run.frames.put(frame)

    def passed(self, inst: MemoryState, node: Node) -> None:
        """Note that a node emits no frame at an instance."""
        turns = self._turns.get(node)
        if turns is not None and not _is_final(inst, node):
            turns.passed(inst)


def _is_final(inst: MemoryState, node: Node) -> bool:
    return isinstance(node, GeneratorNode) and inst.region is node.region


def port_names(ports: Iterable[object]) -> list[str]:
    """Return what a caller gave as `ports=`.

    Raises:
        TypeError: If it is no list of names.
        ValueError: If it is one name, whose letters would be taken for names.
    """
    problem = f"ports={ports!r}: takes a list of output names"
    if isinstance(ports, str):
        raise ValueError(problem)  # noqa: TRY004 - an error like that of a name which is unknown
    names = list(ports) if isinstance(cast("object", ports), Iterable) else [None]
    if all(isinstance(name, str) for name in names):
        return cast("list[str]", names)
    raise TypeError(problem)
