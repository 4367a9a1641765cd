"""`Array`: numbers in a buffer, as they cross between runtimes and stand in a spec."""

from __future__ import annotations

import math
import re
import sys
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any, Final, cast

__all__ = ["Array", "array_of"]

_DTYPE: Final = re.compile(r"\|[biu]1|<[iu][248]|<f[248]|<c(?:8|16)")


@dataclass(frozen=True, slots=True)
class Array:
    """Numbers of one type in a buffer, row by row; `numpy.asarray` reads it without a copy.

    The types are those of numpy's array interface protocol (version 3), little-endian.

    Args:
        dtype: The type of the numbers: `"<f4"`, `"<i8"`, `"|b1"`, ...
        shape: How many there are in each dimension.
        buffer: The numbers, row by row.

    Raises:
        ValueError: If the type is unknown, or the buffer is not as long as the shape says.

    Example:
        ```python
        Array("<f4", (2,), struct.pack("<2f", 1.0, 2.0))
        ```
    """

    dtype: str
    shape: tuple[int, ...]
    buffer: bytes

    def __post_init__(self) -> None:
        if _DTYPE.fullmatch(self.dtype) is None:
            raise ValueError(f"dtype {self.dtype!r}: there are `<f4`, `<i8`, `|u1`, `|b1` and such")
        if any(size < 0 for size in self.shape):
            raise ValueError(f"shape {self.shape}: sizes are 0 or more")
        if any(type(size) is not int for size in self.shape):
            raise ValueError(f"shape {self.shape}: sizes are whole numbers")
        wanted = math.prod(self.shape) * int(self.dtype[2:])
        if len(self.buffer) != wanted:
            raise ValueError(
                f"an array of {self.dtype} and shape {self.shape} has {wanted} bytes, "
                f"got {len(self.buffer)}"
            )

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return {
            "version": 3,
            "typestr": self.dtype,
            "shape": self.shape,
            "data": self.buffer,
        }

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON, the buffer in base64 (RFC 4648)."""
        return {
            "dtype": self.dtype,
            "shape": list(self.shape),
            "data": b64encode(self.buffer).decode(),
        }

    @classmethod
    def from_json(cls, data: Any) -> Array:
        """Read what `as_json` gave.

        Raises:
            ValueError: If it is anything else.
        """
        if not isinstance(data, dict) or set(cast("dict[str, Any]", data)) != {
            "dtype",
            "shape",
            "data",
        }:
            raise ValueError("takes `dtype`, `shape` and `data`")
        fields = cast("dict[str, Any]", data)
        shape: list[Any] = fields["shape"]
        is_text = isinstance(fields["dtype"], str) and isinstance(fields["data"], str)
        if not is_text or type(shape) is not list or any(type(size) is not int for size in shape):
            raise ValueError("`dtype` and `data` are text, `shape` a list of whole numbers")
        return cls(fields["dtype"], tuple(shape), b64decode(fields["data"], validate=True))


def array_of(value: Any) -> Array | None:
    """Return an `Array` of a value that is one, or numpy's; else None.

    Raises:
        ValueError: If it is an array of what has no type here, such as text or objects.
    """
    if isinstance(value, Array):
        return value
    numpy = sys.modules.get("numpy")  # who has an array has imported it
    if numpy is None or type(value) is not numpy.ndarray:
        return None
    ordered = numpy.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
    return Array(ordered.dtype.str, value.shape, ordered.tobytes())
