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
from typing import Any, Final, NamedTuple

import anyio
import anyio.abc
import anyio.lowlevel
import anyio.to_process

from operonx.core import pickling
from operonx.core.errors import OperonxError, WorkerDiedError, revived
from operonx.core.ops.factory import OpFactory

__all__ = ["call_by_name", "call_in_process"]

_limit: anyio.lowlevel.RunVar[anyio.CapacityLimiter] = anyio.lowlevel.RunVar("operonx_processes")
"""The limit on worker processes: one per core. Like the workers, it belongs to one event loop."""


class _UnguardedError(OperonxError):
    """A run began while a worker imported the main module, which is to define and not to start."""

    def __init__(self) -> None:
        super().__init__("the main module of the program starts a run where it is imported")


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
    main = sys.modules.get("__main__")
    if main is None:  # as in a worker that still imports it
        raise _UnguardedError
    given = _pickled_arguments(arguments)
    # A worker knows the program's main module by this name, and so do the classes that it pickles.
    sys.modules.setdefault("__mp_main__", main)
    try:
        answer = await anyio.to_process.run_sync(
            call_by_name, module, name, given, cancellable=True, limiter=_limiter()
        )
    except anyio.BrokenWorkerProcess as error:
        await _close_worker(error)
        raise _died(f"{module}.{name}", error) from _cause_of(error)
    except anyio.get_cancelled_exc_class() as error:
        await _close_worker(error)
        raise
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


async def _close_worker(error: BaseException) -> None:
    """Wait for the end of a worker that was killed.

    Where the event loop ends before its worker does, both warn of what was left open. Nobody hands
    the worker out, so it is looked for where it was waited for.
    """
    for frame, _ in traceback.walk_tb(error.__traceback__):
        for value in list(frame.f_locals.values()):
            if isinstance(value, anyio.abc.Process):
                with anyio.CancelScope(shield=True):
                    await value.aclose()


def _cause_of(error: anyio.BrokenWorkerProcess) -> BaseException | None:
    """Return why a worker did not begin, where its message does not tell all of it."""
    cause = error.__cause__
    return None if _is_unguarded(cause) else cause


def _is_unguarded(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, _UnguardedError):
        error = error.__cause__
    return error is not None


def _died(what: str, error: anyio.BrokenWorkerProcess) -> WorkerDiedError:
    if str(error):  # it did not come so far as to call the function
        why = _UnguardedError() if _is_unguarded(error) else error.__cause__ or error
        said = why.message if isinstance(why, _UnguardedError) else _described(why)
        return WorkerDiedError(
            f"the worker process for `{what}` did not begin: {said}",
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
        function, given = _found(module, name), _unpickled(arguments)
        value = function(**given)
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
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (AttributeError, ModuleNotFoundError) as error:
        raise OperonxError(
            f"a worker process finds no `{module}.{name}`: {_described(error)}", hint=_TOP
        ) from error
    return found.definition.function if isinstance(found, OpFactory) else found


def _unpickled(arguments: bytes) -> dict[str, Any]:
    try:
        given: dict[str, Any] = pickle.loads(arguments)  # noqa: S301 - from our parent
    except Exception as error:
        raise OperonxError(
            f"the inputs cannot be made again in a worker process: {_described(error)}", hint=_TOP
        ) from error
    return given


_TOP: Final = (
    "define ops, and the classes of what they take, at the top of a module, in the main one above "
    '`if __name__ == "__main__":`; a worker imports the module anew, and nothing below that line'
)


def _raised(error: BaseException) -> _Raised:
    return _Raised(pickling.pack(error), "".join(traceback.format_exception(error)))
