"""Components around the work, each with one output socket unless it routes."""

import inspect
from typing import Any

from haystack import component
from haystack.core.component.types import Variadic

from benchmarks import work


def single(function: Any) -> Any:  # any function, sync or async; its component class
    """Make a component class: the function's parameters in, `out` out."""
    signature = inspect.signature(function)
    inputs = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    output = signature.return_annotation

    class Single:
        def __init__(self) -> None:
            component.set_input_types(self, **inputs)

        if inspect.iscoroutinefunction(function):

            @component.output_types(out=output)
            def run(self, **kwargs: Any) -> dict[str, Any]:  # the function's
                raise NotImplementedError

            @component.output_types(out=output)
            async def run_async(self, **kwargs: Any) -> dict[str, Any]:  # the same
                return {"out": await function(**kwargs)}
        else:

            @component.output_types(out=output)
            def run(self, **kwargs: Any) -> dict[str, Any]:  # the function's
                return {"out": function(**kwargs)}

    return component(Single)


Inc = single(work.inc)
Halve = single(work.halve)
Triple = single(work.triple)


@component
class Join:
    """Sums whatever arrives at its one socket, when all has arrived."""

    @component.output_types(out=int)
    def run(self, values: Variadic[int]) -> dict[str, int]:
        """Sum."""
        return {"out": work.total(list(values))}


@component
class Parity:
    """Sends a number out of one of two sockets."""

    @component.output_types(even=int, odd=int)
    def run(self, x: int) -> dict[str, int]:
        """Route."""
        return {"even": x} if x % 2 == 0 else {"odd": x}


@component
class Until:
    """Counts, and sends the count back or out."""

    def __init__(self, limit: int) -> None:
        """Count up to `limit`."""
        self._limit = limit

    @component.output_types(again=int, done=int)
    def run(self, count: int) -> dict[str, int]:
        """Count."""
        count = work.advance(count)
        return {"done": count} if count >= self._limit else {"again": count}
