"""The names of a graph's ops: given, or inferred and numbered, and never two of one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from operonx.core.ops.base import Op

__all__ = ["Names"]


class Names:
    """The ops of one graph by name; an inferred name that is taken gets a number."""

    def __init__(self) -> None:
        self._ops: dict[str, Op] = {}
        self._counts: Counter[str] = Counter()
        self._bases: dict[Op, str] = {}
        """What ops that got a number were called before."""

    def get(self, name: str) -> Op | None:
        """Return the op of a name, or None."""
        return self._ops.get(name)

    def claim(self, op: Op) -> bool:
        """Take an op's name; return False where another op was given the very same."""
        holder = self._ops.get(op.name)
        if holder is None:
            self._ops[op.name] = op
        elif not op.named:
            self._number(op)
        elif holder.named:
            return False
        else:
            self._ops[op.name] = op
            self._number(holder)
        return True

    def _number(self, op: Op) -> None:
        base = self._bases.setdefault(op, op.name)
        while op.name in self._ops:
            self._counts[base] += 1
            op.name = f"{base}_{self._counts[base] + 1}"
        self._ops[op.name] = op

    def rename(self, op: Op, name: str) -> None:
        """Let an op go by another inferred name, which may get a number."""
        del self._ops[op.name]
        self._bases.pop(op, None)
        op.name = name
        self.claim(op)
