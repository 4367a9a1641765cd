"""Ops that come with the core: `each` and `emit`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypedDict, TypeVar, cast

from operonx.core.expressions.building import building_graph
from operonx.core.expressions.naming import calling_frame
from operonx.core.ops.context import RunContext  # noqa: TC001 - `@op` reads annotations
from operonx.core.ops.decorator import op
from operonx.core.ops.factory import OpFactory
from operonx.core.ops.function import OpDefinition  # noqa: TC001 - `@op` reads annotations

__all__ = ["BUILTIN", "EachItem", "each", "emit"]

T = TypeVar("T")


class EachItem(TypedDict, Generic[T]):
    """What `each` gives for every item."""

    item: T
    index: int


@op(name="each", outputs={"item": Any, "index": int}, run_in="inline", rust="each")
def _each(list: Iterable[Any]) -> Iterator[dict[str, Any]]:  # noqa: A002 - the contract's name
    """Fan a list out: ports `item` and `index`, one context an item.

    Args:
        list: A ref to a list, or a list.

    Example:
        ```python
        page = each(PARENT["pages"])
        words = count(text=page["item"])
        ```
    """
    for index, item in enumerate(list):
        yield {"item": item, "index": index}


class _Each(OpFactory[..., Any]):
    """`each` with a type of its own: the item's type is that of the list's items."""

    def __init__(self) -> None:
        super().__init__(_each.definition, _each.policies)

    def __call__(self, list: Iterable[T], *, name: str | None = None) -> EachItem[T]:  # noqa: A002
        """Fan a list out: ports `item` and `index`, one context an item.

        Args:
            list: A ref to a list, or a list.
            name: The op's name.
        """
        graph = building_graph()
        if graph is None:
            return cast("EachItem[T]", _each(list))
        kwargs = {} if name is None else {"name": name}
        return cast("EachItem[T]", self._add_to(graph, (list,), kwargs, calling_frame(1)))


each: _Each = _Each()


@op(run_in="inline", rust="emit")
def emit(run: RunContext, channel: str, value: object) -> None:
    """Hand a value to those who watch the run, on a channel; `RunContext.emit` as an op."""
    run.emit(channel, value)


BUILTIN: tuple[OpDefinition, ...] = (each.definition, emit.definition)
"""The definitions of ops that nobody but the core wrote."""
