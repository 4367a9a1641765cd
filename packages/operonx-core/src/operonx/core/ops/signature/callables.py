"""The functions behind partials, methods, callable objects and wrappers."""

from __future__ import annotations

import functools
import inspect
import types
from typing import Any, cast

__all__ = ["functions_behind", "is_async", "is_generator", "mistake", "unbound"]


def mistake(function: object, what: str, hint: str) -> TypeError:
    """Build the error of a function that cannot be an op, saying where it is.

    Example:
        ```python
        raise mistake(function, "takes `*args`", "give the parameter a name")
        ```
    """
    functions = functions_behind(function)
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    place = ""
    if functions:
        # Of a wrapper and what it wraps, the latter is where the user wrote.
        name, code = functions[-1].__qualname__, functions[-1].__code__
        place = f" ({code.co_filename}:{code.co_firstlineno})"
    return TypeError(f"`{name}`{place} {what}\nhint: {hint}")


def unbound(function: Any) -> Any:
    """Take off what only binds arguments or a place: partials and `staticmethod`.

    Example:
        ```python
        unbound(functools.partial(fetch, retries=3))  # fetch
        ```
    """
    while True:
        if isinstance(function, functools.partial):
            function = function.func  # pyright: ignore[reportUnknownMemberType] - any callable
        elif isinstance(function, staticmethod):
            function = function.__func__  # pyright: ignore[reportUnknownMemberType] - any callable
        else:
            return function


def functions_behind(function: object) -> list[types.FunctionType]:
    """Give the Python functions that a call runs, the outermost first.

    A wrapper made by `functools.wraps` comes before what it wraps; a class has none.

    Example:
        ```python
        functions_behind(functools.lru_cache(fetch))  # [fetch]
        ```
    """
    found: list[types.FunctionType] = []
    seen: set[int] = set()
    current: Any = unbound(function)
    while current is not None and id(current) not in seen and not inspect.isclass(current):
        seen.add(id(current))
        if isinstance(current, types.MethodType):
            current = current.__func__
        elif isinstance(current, types.FunctionType):
            found.append(current)
            current = getattr(current, "__wrapped__", None)
        elif hasattr(current, "__wrapped__"):  # a wrapper in C, such as `lru_cache`
            current = current.__wrapped__
        else:
            kind = cast("Any", type(current))
            current = getattr(kind, "__call__", None)  # noqa: B004 - the method itself
        current = unbound(current)
    return found


def is_async(function: object) -> bool:
    """Tell whether calling gives an awaitable or an async generator.

    Only the outermost function counts, since that is what is called: a plain wrapper of an
    `async def` is not one, unless `inspect.markcoroutinefunction` says so.

    Example:
        ```python
        is_async(functools.partial(async_fetch, retries=3))  # True
        ```
    """
    return any(
        inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one)
        for one in _called(function)
    )


def is_generator(function: object) -> bool:
    """Tell whether calling gives a generator, sync or async.

    Example:
        ```python
        is_generator(lambda: (yield))  # True
        ```
    """
    return any(
        inspect.isgeneratorfunction(one) or inspect.isasyncgenfunction(one)
        for one in _called(function)
    )


def _called(function: object) -> tuple[Any, ...]:
    """Give what runs first in a call: the callable, and of an object its `__call__`."""
    outer = unbound(function)
    if inspect.isroutine(outer) or inspect.isclass(outer):
        return (outer,)
    return (outer, unbound(type(outer).__call__))
