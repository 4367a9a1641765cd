"""`Stream[T]`: what an op gets when a stream itself is handed to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Generic, Protocol, TypeVar

__all__ = ["Stream", "StreamSource"]

T_co = TypeVar("T_co", covariant=True)


class StreamSource(Protocol):
    """What feeds a `Stream`; engines implement it."""

    async def receive(self) -> tuple[bool, object]:
        """Return `(True, item)`, or `(False, None)` past the last one."""
        ...

    def receive_blocking(self) -> tuple[bool, object]:
        """Do the same from a worker thread, blocking it."""
        ...


class Stream(Generic[T_co]):
    """A stream of items in index order, read once.

    Iterate it with `async for` in an `async def`, with `for` in a plain `def`.

    Raises:
        StreamError: From the iteration, past the last item of a stream that failed.

    Example:
        ```python
        @op
        async def pairs(items: Stream[str]) -> AsyncIterator[str]:
            previous = None
            async for item in items:
                if previous is not None:
                    yield f"{previous} {item}"
                previous = item
        ```
    """

    __slots__ = ("_source",)

    def __init__(self, source: StreamSource) -> None:
        self._source = source

    def __aiter__(self) -> AsyncIterator[T_co]:
        return self._items()

    async def _items(self) -> AsyncIterator[T_co]:
        while True:
            more, item = await self._source.receive()
            if not more:
                return
            yield item  # type: ignore[misc]  # the plan checked that the port gives T

    def __iter__(self) -> Iterator[T_co]:
        while True:
            more, item = self._source.receive_blocking()
            if not more:
                return
            yield item  # type: ignore[misc]  # as above
