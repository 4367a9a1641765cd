"""How an exception crosses to another process, where not everything can follow it.

What an op raised is of a stranger's class: it may hold a lock, be local to a function, or take
other arguments than those it keeps in `args`. An error must arrive all the same, so its cause
travels in an envelope of its own, with what to say where it cannot be made again.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["PackedError", "first_refused", "pack", "text_of", "unpack"]


@dataclass(frozen=True, slots=True)
class PackedError:
    """An exception on its way: its pickle, and what to say where that cannot be read."""

    pickled: bytes | None
    refusal: str
    """Why it could not be pickled, where it could not."""
    type_name: str
    text: str
    notes: tuple[str, ...]


def pack(error: BaseException) -> PackedError:
    """Pack an exception, whatever it holds."""
    pickled, refusal = None, ""
    try:
        pickled = pickle.dumps(error)
    except Exception as reason:  # noqa: BLE001 - whatever a stranger's class raises, it must arrive
        refusal = _described(reason)
    notes: list[object] = getattr(error, "__notes__", [])
    texts = tuple(note for note in notes if isinstance(note, str))
    return PackedError(pickled, refusal, type(error).__name__, text_of(error), texts)


def unpack(packed: PackedError) -> BaseException:
    """Return the exception.

    Raises:
        Exception: Whatever making it again here raises.
        pickle.PickleError: If it could not be pickled, or comes back as something else.
    """
    if packed.pickled is None:
        raise pickle.PicklingError(packed.refusal)
    error = pickle.loads(packed.pickled)  # noqa: S301 - from our own worker, or in a pickle being read
    if not isinstance(error, BaseException):
        raise pickle.UnpicklingError("it came back as something else")
    return error


def first_refused(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the name of the first value that cannot be pickled, and why; None: each one can."""
    for name, value in values.items():
        try:
            pickle.dumps(value)
        except Exception as reason:  # noqa: BLE001 - pickling calls anything
            return name, _described(reason)
    return None


def _described(error: BaseException) -> str:
    return f"{type(error).__name__}: {text_of(error)}"


def text_of(error: BaseException) -> str:
    """Return the message of an exception, or that it has none that can be shown."""
    try:
        return str(error)
    except Exception as reason:  # noqa: BLE001 - a fault of the user's class must not hide the op's
        return f"<its message cannot be shown: `__str__` raised {type(reason).__name__}>"
