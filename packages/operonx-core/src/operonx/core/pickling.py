"""How the cause of an error crosses to another process, where not everything can follow it.

What an op raised is of a stranger's class: it may hold a lock, be local to a function, or take
other arguments than those it keeps in `args`. An error must arrive all the same, so its cause
travels in an envelope of its own, and a stand-in takes the place of one that cannot.
"""

from __future__ import annotations

import pickle
import traceback
from dataclasses import dataclass

__all__ = ["CauseStandIn", "PackedCause", "pack", "unpack"]


class CauseStandIn(Exception):  # noqa: N818 - it stands for an error of any name
    """Stands for a cause that could not be pickled; it reads as that one did.

    Args:
        type_name: The bare name of its class.
        text: Its class and message, as a traceback ends with them.
    """

    def __init__(self, type_name: str, text: str) -> None:
        super().__init__(type_name, text)
        self.type_name = type_name
        self.text = text

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class PackedCause:
    """A cause on its way: its pickle, and what to say where that cannot be read."""

    pickled: bytes | None
    type_name: str
    text: str


def pack(cause: BaseException) -> PackedCause:
    """Pack a cause, whatever it holds."""
    try:
        pickled = pickle.dumps(cause)
    except Exception:  # noqa: BLE001 - whatever a stranger's class raises, the error must arrive
        pickled = None
    # Unlike `str(cause)`, this never raises.
    text = "".join(traceback.format_exception_only(cause)).strip()
    return PackedCause(pickled, type(cause).__name__, text)


def unpack(packed: PackedCause) -> BaseException:
    """Return the cause, or a stand-in where it cannot be made again here."""
    if packed.pickled is not None:
        try:
            cause = pickle.loads(packed.pickled)  # noqa: S301 - part of a pickle that is being read
        except Exception:  # noqa: BLE001 - as in `pack`; its class may not be there either
            cause = None
        if isinstance(cause, BaseException):
            return cause
    return CauseStandIn(packed.type_name, packed.text)
