"""`State(...)` as users write it: typed as the value that the state has."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from operonx.core.graph import loops
from operonx.core.ops.policies import UNSET

__all__ = ["State"]

T = TypeVar("T")


@overload
def State(initial: T, reducer: loops.Reducer | None = None) -> T: ...
@overload
def State(*, reducer: loops.Reducer | None = None) -> Any: ...
def State(initial: Any = UNSET, reducer: loops.Reducer | None = None) -> Any:  # noqa: N802 - see below
    """Declare a loop's state, with a rule for how several writes of one iteration combine.

    `"append"` adds what is written to a list, `"extend"` its items, `"merge"` updates a dict,
    `"sum"` adds numbers; each as `reducer(state, written)`. Checkers see the first value, so that
    it can be the default of a parameter.

    Args:
        initial: The first value or ref; unset where the loop's caller gives it.
        reducer: How several writes combine; None: there is one, which replaces the value.

    Raises:
        ValueError: If there is no such reducer.

    Example:
        ```python
        with GraphOp.loop(until=..., found=State([], reducer="append")) as loop: ...

        @graph.loop(until="done")
        def chat(messages: list[str] = State([], reducer="extend")) -> dict[str, Any]: ...
        ```
    """
    # Named like the class that it makes: a class cannot be typed to make anything else.
    return loops.State(initial, reducer)
