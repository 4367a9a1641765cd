"""`zip_streams`: two or more streams as one of pairs."""

from __future__ import annotations

from typing import Any, ClassVar

from operonx.core.expressions.naming import calling_frame
from operonx.core.expressions.refs import Expression, Operators, lift
from operonx.core.graph.branches import BlockFactory
from operonx.core.ops.base import Op
from operonx.core.ops.signature import Port

__all__ = ["ZipOp", "zip_streams"]


class ZipOp(Op):
    """Pairs items of streams by index; its ports are the sides."""

    kind: ClassVar[str] = "zip"

    def __init__(self, name: str, sides: dict[str, Expression], *, named: bool) -> None:
        super().__init__(name, sides, named=named)

    @property
    def ports(self) -> tuple[Port, ...]:
        """One port for each side."""
        return tuple(Port(side, Any) for side in self.inputs)

    @property
    def opens_axis(self) -> bool:
        """Always: the pairs are a stream of their own."""
        return True


class _ZipStreams(BlockFactory):
    """Pair the items of streams by index: `zip_streams(order=a, price=b)`.

    Item `i` pairs items `i`: `z["order"]`, `z["price"]`. Streams of unequal lengths raise.

    Example:
        ```python
        z = zip_streams(order=orders["order"], price=prices["price"])
        ```
    """

    __slots__ = ()

    def __call__(self, *, name: str | None = None, **sides: object) -> Any:
        """Pair the items of streams by index.

        Args:
            name: The op's name.
            **sides: A ref to a stream for each side, two or more.

        Returns:
            An op whose item `i` pairs items `i`: `z["order"]`, `z["price"]`. What was skipped
            on one side is skipped there alone.

        Raises:
            TypeError: If there are fewer than two sides, or one is no ref.
        """
        graph = self._graph("zip_streams")
        if len(sides) < 2:
            raise TypeError(f"`zip_streams` takes two or more streams, got {len(sides)}")
        for side, ref in sides.items():
            if not isinstance(ref, Operators):
                raise TypeError(f"`zip_streams({side}=...)` takes a ref, got {ref!r}")
        own, named = self._named(name, calling_frame(1))
        node = ZipOp(
            "zip" if own is None else own,
            {side: lift(ref) for side, ref in sides.items()},
            named=named,
        )
        graph.add_op(node)
        return node


zip_streams: _ZipStreams = _ZipStreams()
