"""Guards: graphs whose failures, time or places are handled as one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from operonx.core.graph.graph import GraphOp

__all__ = ["Guard"]


@dataclass(slots=True, eq=False)
class Guard:
    """A graph that a failure inside it, a timeout or a lost race ends as a whole."""

    graph: GraphOp
    outer: Guard | None
    """The guard around this one."""
    region: Any
    """Region of the graph's own firing."""
    slot: int
    """Where its run-time state is kept in that region."""
    contains: bool
    """Whether a failure inside ends here: `on_error="skip"`, or its error is read."""
    done: Any = None
    """The node that fires once the graph has ended well."""
