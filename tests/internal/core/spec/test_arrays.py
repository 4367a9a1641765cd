"""Arrays: checked, read by numpy without a copy, and back."""

from __future__ import annotations

from typing import Any

import pytest

from operonx.core import SpecError
from operonx.core.spec.arrays import Array
from operonx.core.spec.values import read_value, write_value


@pytest.mark.parametrize(
    ("dtype", "shape", "buffer"),
    [
        ("<f4", (2,), b"1234567"),
        ("<f4", (-1,), b""),
        (">f4", (1,), b"1234"),
        ("O", (1,), b"12345678"),
        ("|O8", (1,), b"12345678"),
        ("<f4", (1.0,), b"1234"),
    ],
)
def test_wrong_sizes_and_types_are_refused(dtype: str, shape: Any, buffer: bytes) -> None:
    with pytest.raises(ValueError, match=r"shape|dtype"):
        Array(dtype, shape, buffer)


@pytest.mark.parametrize(
    "data",
    [
        None,
        {"dtype": "<f4", "shape": [1], "data": "AAAAAA==", "more": 1},
        {"dtype": "<f4", "shape": [2], "data": "AAAAAA=="},
        {"dtype": "<f4", "shape": [True], "data": "AAAAAA=="},
        {"dtype": "<f4", "shape": 1, "data": "AAAAAA=="},
        {"dtype": 4, "shape": [1], "data": "AAAAAA=="},
        {"dtype": "<f4", "shape": [1], "data": "?"},
        {"dtype": "<f4", "shape": [10**400, 0], "data": "AAAA"},
    ],
)
def test_what_is_no_array_is_refused(data: Any) -> None:
    with pytest.raises(SpecError, match=r"no `\$array`"):
        read_value({"$array": data})


@pytest.mark.parametrize("dtype", ["f4", ">f8", "i2", "u8", "?", "c16", "f2"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3)])
def test_an_array_of_numpy_comes_back(dtype: str, shape: tuple[int, ...]) -> None:
    numpy: Any = pytest.importorskip("numpy")
    value = numpy.arange(numpy.prod(shape)).reshape(shape).astype(dtype)
    again = numpy.asarray(read_value(write_value(value)))
    assert value.shape == again.shape
    assert value.dtype == again.dtype.newbyteorder(value.dtype.byteorder)
    assert (value == again).all()


def test_numpy_reads_an_array_without_a_copy() -> None:
    numpy: Any = pytest.importorskip("numpy")
    array = Array("<i2", (3,), b"\1\0\2\0\3\0")
    read = numpy.asarray(array)
    assert [1, 2, 3] == read.tolist()
    assert not read.flags.owndata
    assert read.ctypes.data == numpy.frombuffer(array.buffer, "i2").ctypes.data


def test_arrays_of_objects_and_text_are_refused() -> None:
    numpy: Any = pytest.importorskip("numpy")
    for value in (numpy.array([object()]), numpy.array(["text"])):
        with pytest.raises(ValueError, match="dtype"):
            write_value(value)
