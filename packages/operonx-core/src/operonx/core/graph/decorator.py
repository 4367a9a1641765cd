"""`@graph`: a function that authors a graph becomes a factory of graphs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, Unpack, overload

from operonx.core.graph.factory import GraphFactory
from operonx.core.graph.settings import GraphSettings, check_settings

__all__ = ["graph"]

P = ParamSpec("P")
R = TypeVar("R")


def _told_until(loop: Callable[..., Any]) -> Callable[..., Any]:
    """Let `@graph.loop` without its `until` say what to write."""

    @functools.wraps(loop)
    def decorate(self: object, *functions: object, **settings: Any) -> Any:
        if functions or "until" not in settings:
            raise TypeError('a loop says when it ends: write `@graph.loop(until="score >= 0.9")`')
        return loop(self, **settings)

    return decorate


class _GraphDecorator:
    """`@graph`, `@graph(...)` and `@graph.loop(...)`."""

    @overload
    def __call__(self, function: Callable[P, R], /) -> GraphFactory[P, R]: ...
    @overload
    def __call__(
        self, /, **settings: Unpack[GraphSettings]
    ) -> Callable[[Callable[P, R]], GraphFactory[P, R]]: ...
    def __call__(self, function: Callable[..., Any] | None = None, /, **settings: Any) -> Any:
        """Turn a function into a factory of graphs.

        Its parameters are `PARENT` refs (one annotated `Static[int]` stays a Python value). It may
        return a dict of outputs, a ref, or an op whose outputs are all forwarded.

        Args:
            function: The function that authors the graph.
            **settings: `name`, `timeout` (seconds), `concurrency`, `on_error`.

        Example:
            ```python
            @graph
            def answer(question: str):
                found = search(query=question)
                return {"text": reply(question=question, passages=found["passages"])["text"]}
            ```
        """
        check_settings(settings)

        def decorate(function: Callable[P, R]) -> GraphFactory[P, R]:
            return GraphFactory(function, settings)

        return decorate if function is None else decorate(function)

    def loop(
        self, *, until: Any, max_iterations: int = 1000, **settings: Unpack[GraphSettings]
    ) -> Callable[[Callable[P, R]], GraphFactory[P, R]]:
        """Turn a function into a factory of loops: its parameters are the state.

        Args:
            until: As in `GraphOp.loop`.
            max_iterations: As in `GraphOp.loop`.
            **settings: `name`, `timeout` (seconds), `concurrency`, `on_error`.

        Returns:
            A decorator that makes the factory.

        Example:
            ```python
            @graph.loop(until="score >= 0.9", max_iterations=5)
            def improve(text: str, score: float = 0.0):
                better = rewrite(text=text)
                return {"text": better["text"], "score": judge(text=better["text"])}
            ```
        """
        check_settings(settings)
        loop = {"until": until, "max_iterations": max_iterations}
        return lambda function: GraphFactory(function, settings, loop=loop)

    if not TYPE_CHECKING:  # checkers shall see that it takes no function
        loop = _told_until(loop)


graph: _GraphDecorator = _GraphDecorator()
