"""What an engine is taken for and is not, and what to write in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from operonx.core.ops.base import Op
from operonx.core.ops.factory import OpFactory

__all__ = ["SaysHowToRun", "no_graph"]

_RUN: Final = (
    "write `engine.run_sync({...})`, or in async code `await engine.run({...})`, "
    "`engine.stream({...})`, `engine.start({...})`"
)


class SaysHowToRun:
    """Base of the engine: it is not called, and has no `invoke`."""

    if not TYPE_CHECKING:  # checkers shall see that there is no such thing

        def __call__(self, *_: Any, **__: Any) -> NoReturn:
            """Refuse: a run is begun by a method."""
            raise TypeError(f"an engine is not called: {_RUN}")

        def __getattr__(self, name: str) -> NoReturn:
            if name.startswith("_"):  # protocols want the bare name
                raise AttributeError(name)
            raise AttributeError(f"`{type(self).__name__}` has no `{name}`: {_RUN}")


def no_graph(given: object) -> str:
    """Say what an engine takes in place of what it was given."""
    what = f"`Operon` takes a graph or a `@graph` function, got {given!r}"
    if isinstance(given, (Op, OpFactory)):
        what += "; an op runs in a graph: return it from a `@graph` function"
    return what
