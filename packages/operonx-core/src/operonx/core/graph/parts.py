"""What a graph is made of besides ops: edges, writes, inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from operonx.core.expressions.refs import Expression
    from operonx.core.ops.base import Op

__all__ = ["Edge", "GraphInput", "Write", "declared_inputs"]


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """`source >> target`, or `source >> ~target`."""

    source: Op
    """What comes first."""
    target: Op
    """What waits for it."""
    soft: bool
    """Whether the target may fire though the source was skipped."""


@dataclass(frozen=True, slots=True, eq=False)
class Write:
    """An output of a graph, or a write of a loop's state: `expression >> PARENT[key]`."""

    key: str
    """The name of the output."""
    expression: Expression
    """What is written."""
    op: Op | None = None
    """The op that was given it as `outputs=`."""

    def place(self, graph: Op) -> Op:
        """Return where a mistake in it is shown: at the op that was given it, or the graph."""
        return graph if self.op is None else self.op


@dataclass(frozen=True, slots=True)
class GraphInput:
    """An input of a graph."""

    name: str
    """The name it is given by, and read by as `PARENT[name]`."""
    annotation: Any = Any
    """Its type, `Any` where unknown."""
    required: bool = True
    """Whether it has no default."""
    default: Any = None
    """What it is where it is not given."""


def declared_inputs(
    inputs: Iterable[str] | Mapping[str, Any] | None,
) -> dict[str, GraphInput] | None:
    """Return the inputs that a graph was given as `inputs=`, by name.

    Raises:
        TypeError: If they are neither names nor types by name.
    """
    if inputs is None:
        return None
    names: list[object] = [] if isinstance(inputs, str) else [*inputs]
    if isinstance(inputs, str) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"inputs={inputs!r}: takes a list of names, or types by name")
    if isinstance(inputs, Mapping):
        return {
            name: given if isinstance(given, GraphInput) else GraphInput(name, given)
            for name, given in cast("Mapping[str, Any]", inputs).items()
        }
    return {str(name): GraphInput(str(name)) for name in names}
