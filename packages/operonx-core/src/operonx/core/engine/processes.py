"""Functions called in worker processes, by name: what `@op` decorates cannot be pickled itself.

Arguments, results and what was raised cross as bytes pickled here, so that what cannot be pickled
is told apart from what the function raised.
"""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import anyio
import anyio.lowlevel
import anyio.to_process

from operonx.core import pickling
from operonx.core.errors import OperonxError, WorkerDiedError, revived
from operonx.core.ops.factory import OpFactory

__all__ = ["call_by_name", "call_in_process"]

_limit: anyio.lowlevel.RunVar[anyio.CapacityLimiter] = anyio.lowlevel.RunVar("operonx_processes")
"""The limit on worker processes: one per core. Like the workers, it belongs to one event loop."""


class _Raised(NamedTuple):
    """What a function raised, on its way back."""

    error: pickling.PackedError
    traceback: str


async def call_in_process(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Call a function in a worker process and return what it returns.

    Raises:
        OperonxError: If an argument or the result cannot be pickled.
        RemoteError: If what the function raised cannot be.
        WorkerDiedError: If the process ended before the function did.
    """
    module, name = function.__module__, function.__qualname__
    given = _pickled_arguments(arguments)
    # A worker knows the program's main module by this name, and so do the classes that it pickles.
    sys.modules.setdefault("__mp_main__", sys.modules["__main__"])
    try:
        answer = await anyio.to_process.run_sync(
            call_by_name, module, name, given, cancellable=True, limiter=_limiter()
        )
    except anyio.BrokenWorkerProcess as error:
        raise _died(f"{module}.{name}", error) from error
    if isinstance(answer, _Raised):
        raise _revived(answer)
    return pickle.loads(answer)  # noqa: S301 - from our own worker


def _limiter() -> anyio.CapacityLimiter:
    limiter = _limit.get(None)
    if limiter is None:
        limiter = anyio.CapacityLimiter(os.cpu_count() or 1)
        _limit.set(limiter)
    return limiter


def _pickled_arguments(arguments: dict[str, Any]) -> bytes:
    try:
        return _pickled(arguments)
    except Exception as error:
        refused = pickling.first_refused(arguments)
        if refused is None:
            raise
        name, reason = refused
        raise OperonxError(
            f"`{name}` cannot be pickled for a worker process: {reason}",
            hint='take what can be pickled, or run the op in a thread: `run_in="thread"`',
        ) from error


def _pickled(value: Any) -> bytes:
    return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def _described(error: BaseException) -> str:
    return f"{type(error).__name__}: {pickling.text_of(error)}"


def _died(what: str, error: anyio.BrokenWorkerProcess) -> WorkerDiedError:
    said = str(error)
    if said:  # it did not come so far as to call the function
        cause = f": {_described(error.__cause__)}" if error.__cause__ is not None else ""
        return WorkerDiedError(
            f"the worker process for `{what}` did not begin: {said}{cause}",
            hint="it imports the main module of the program anew: what starts runs there belongs "
            'below `if __name__ == "__main__":`',
        )
    return WorkerDiedError(
        f"the worker process ended while it ran `{what}`",
        hint="it was killed (out of memory?), crashed in native code, or the function ended it, as "
        "`os._exit` does; `retry=` begins a new one",
    )


def _revived(raised: _Raised) -> BaseException:
    """Return what was raised with the worker's traceback, or what stands for it."""
    error = revived(raised.error)
    error.add_note(f"in the worker process:\n{raised.traceback}")
    return error


# -- in the worker


def call_by_name(module: str, name: str, arguments: bytes) -> bytes | _Raised:
    """Call a function of a module; runs in the worker process."""
    try:
        value = _found(module, name)(**pickle.loads(arguments))  # noqa: S301 - from our parent
    except BaseException as error:  # noqa: BLE001 - carried over to the parent
        return _raised(error)
    try:
        return _pickled(value)
    except Exception as error:  # noqa: BLE001 - pickling calls anything
        refused = OperonxError(
            f"what it returned cannot be pickled: {_described(error)}",
            hint='return what can be pickled, or run the op in a thread: `run_in="thread"`',
        )
        refused.__cause__ = error
        return _raised(refused)


def _found(module: str, name: str) -> Callable[..., Any]:
    found: Any = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found.definition.function if isinstance(found, OpFactory) else found


def _raised(error: BaseException) -> _Raised:
    return _Raised(pickling.pack(error), "".join(traceback.format_exception(error)))
