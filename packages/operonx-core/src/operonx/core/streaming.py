"""`Stream[T]`: what an op gets when a stream itself is handed to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Generic, Protocol, TypeVar, cast

__all__ = ["Stream", "StreamReader", "StreamSource"]

T_co = TypeVar("T_co", covariant=True)


class StreamReader(Protocol):
    """What a `Stream` is read from; engines implement it."""

    async def receive(self) -> tuple[bool, object]:
        """Return `(True, item)`, or `(False, None)` past the last one."""
        ...

    def receive_blocking(self) -> tuple[bool, object]:
        """Do the same from a worker thread, blocking it."""
        ...


class StreamSource(Protocol):
    """What feeds a `Stream`; engines implement it."""

    def open(self) -> StreamReader:
        """Let it be read by one who goes on where the last one stopped, and closes that one."""
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

    __slots__ = ("_reader",)

    def __init__(self, source: StreamSource) -> None:
        self._reader = source.open()

    def __repr__(self) -> str:
        return "<Stream>"

    def __aiter__(self) -> AsyncIterator[T_co]:
        return self

    async def __anext__(self) -> T_co:
        more, item = await self._reader.receive()
        if not more:
            raise StopAsyncIteration
        return cast("T_co", item)  # the plan checked that the port gives it

    def __iter__(self) -> Iterator[T_co]:
        return self

    def __next__(self) -> T_co:
        more, item = self._reader.receive_blocking()
        if not more:
            raise StopIteration
        return cast("T_co", item)  # as above
