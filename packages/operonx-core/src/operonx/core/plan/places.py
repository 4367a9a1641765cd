"""Where a value is, and how it is read from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from operonx.core.expressions.evaluation import Evaluate
    from operonx.core.plan.nodes import Node, Region, StreamNode

__all__ = ["Place", "Poison"]


@dataclass(frozen=True, slots=True)
class Poison:
    """Stands in a slot for a value whose expression raised: its reader raises that."""

    error: BaseException


@dataclass(slots=True, eq=False)
class Place:
    """Where a value is, and what must have fired for it to be there."""

    region: Region
    slot: int | None
    evaluate: Evaluate | None
    """Computes it from an instance of `region`, where it is in no slot."""
    needs: tuple[Node, ...]
    stream: StreamNode | None = None
    """The stream that the value is, where it is one."""
    checked: bool = False
    """Whether the slot may hold a `Poison`."""

    def reader(self, region: Region) -> Evaluate:
        """Return a function from an instance of `region` to the value."""
        up = region.depth - self.region.depth
        if self.slot is None:
            assert self.evaluate is not None  # one of the two is always there
            return self.evaluate if up == 0 else _above(self.evaluate, up)
        read = _slot_reader(self.slot, up)
        return _raising(read) if self.checked else read


def _slot_reader(slot: int, up: int) -> Evaluate:
    if up == 0:
        return lambda inst: inst.slots[slot]
    if up == 1:
        return lambda inst: inst.parent.slots[slot]
    return _above(lambda inst: inst.slots[slot], up)


def _above(evaluate: Evaluate, up: int) -> Evaluate:
    def read(inst: Any) -> Any:
        for _ in range(up):
            inst = inst.parent
        return evaluate(inst)

    return read


def _raising(read: Evaluate) -> Evaluate:
    def evaluate(inst: Any) -> Any:
        value = read(inst)
        if type(value) is Poison:
            raise value.error
        return value

    return evaluate
