"""Errors that are pickled or copied come back whole, whatever their cause holds."""

from __future__ import annotations

import concurrent.futures
import copy
import multiprocessing
import pickle
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from operonx.core import BuildError, BuildIssue, CancelledRunError, LoopLimitError, OpError, errors
from operonx.core.errors import OperonxError, RemoteError

CTX = (("g.items", 3),)


def made(cls: type[OperonxError], cause: BaseException) -> OperonxError:
    """Make an error of any of our classes, with a cause, a hint and a note."""
    error: OperonxError
    if issubclass(cls, OpError):
        error = cls("g.a", CTX, cause, {"x": "1"}, hint="mend it")
    elif issubclass(cls, BuildError):
        error = cls([BuildIssue("g.a", "no port `x`", "say y", "x"), BuildIssue("g", "empty")])
    elif issubclass(cls, RemoteError):
        error = cls("Local", "it broke")
    else:
        error = cls("it broke", hint="mend it")
    error.__cause__ = cause
    error.add_note("seen on Monday")
    return error


CLASSES = [
    *[
        cls
        for cls in vars(errors).values()
        if isinstance(cls, type) and issubclass(cls, OperonxError)
    ],
    CancelledRunError,
]


def pickled(error: Any, protocol: int | None = None) -> Any:
    return pickle.loads(pickle.dumps(error, protocol))  # noqa: S301


COPIES: dict[str, Callable[[Any], Any]] = {
    **{
        f"protocol {number}": partial(pickled, protocol=number)
        for number in range(2, pickle.HIGHEST_PROTOCOL + 1)
    },
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "twice": lambda error: pickled(pickled(error)),
}


@pytest.fixture(params=[*COPIES.values()], ids=[*COPIES])
def copied(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    found: Callable[[Any], Any] = request.param
    return found


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_comes_back_whole(
    cls: type[OperonxError], copied: Callable[[Any], Any]
) -> None:
    error = made(cls, ValueError("boom", 7))
    other: Any = copied(error)
    assert other is not error
    assert cls is type(other)
    assert str(error) == str(other)
    assert error.args == other.args
    assert ["seen on Monday"] == other.__notes__
    cause: Any = other.__cause__
    assert (ValueError, ("boom", 7)) == (type(cause), cause.args)
    assert other.__suppress_context__
    assert vars(error) == vars(other)


def test_an_op_error_keeps_its_place(copied: Callable[[Any], Any]) -> None:
    other = copied(made(LoopLimitError, RuntimeError("no end")))
    assert ("g.a", CTX, {"x": "1"}, "mend it") == (other.op, other.ctx, other.inputs, other.hint)
    assert "no end" == other.cause_message


def test_an_error_without_a_cause_gets_none(copied: Callable[[Any], Any]) -> None:
    other = copied(errors.StreamError("it broke"))
    assert other.__cause__ is None
    assert not other.__suppress_context__


class HoldsLock(Exception):  # noqa: N818 - it reads as what it is
    """Cannot be pickled."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.lock = threading.Lock()


class TakesTwo(Exception):  # noqa: N818 - it reads as what it is
    """Can be pickled, and not made again: the classic mistake."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")


class BrokenText(HoldsLock):
    """Cannot even be read."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("cause", "message", "reason"),
    [
        (HoldsLock("boom"), "HoldsLock: boom", "cannot pickle"),
        (TakesTwo(3, "boom"), "TakesTwo: 3: boom", "missing 1 required positional argument"),
        (
            BrokenText("boom"),
            "BrokenText: <its message cannot be shown: `__str__` raised RuntimeError>",
            "cannot pickle",
        ),
        (HoldsLock(""), "HoldsLock", "cannot pickle"),
    ],
)
@pytest.mark.parametrize("way", [name for name in COPIES if name != "copy"])
def test_a_remote_error_stands_for_a_cause_that_cannot_follow(
    cause: Exception, message: str, reason: str, way: str
) -> None:
    stand_in = COPIES[way](made(OperonxError, cause)).__cause__
    assert RemoteError is type(stand_in)
    assert (message, type(cause).__name__) == (stand_in.message, stand_in.type_name)
    assert "could not be pickled" in (stand_in.hint or "")
    assert reason in str(stand_in.__cause__)


def test_the_notes_of_a_cause_that_cannot_follow_do() -> None:
    cause = HoldsLock("boom")
    cause.add_note("seen on Tuesday")
    stand_in: Any = pickled(made(OperonxError, cause)).__cause__
    assert ["seen on Tuesday"] == stand_in.__notes__


def test_a_copy_keeps_a_cause_that_cannot_be_pickled() -> None:
    error = made(OperonxError, HoldsLock("boom"))
    assert copy.copy(error).__cause__ is error.__cause__


def test_errors_in_errors_are_pickled_once_each() -> None:
    error = made(OperonxError, ValueError("innermost"))
    for _ in range(12):
        error = made(OperonxError, error)
    data = pickle.dumps(error)
    assert len(data) < 20_000  # doubling at each level, it would be millions
    inner: BaseException | None = pickle.loads(data)  # noqa: S301
    for _ in range(13):
        assert isinstance(inner, OperonxError)
        inner = inner.__cause__
    assert "innermost" == str(inner)


def fail() -> None:
    raise made(OpError, HoldsLock("boom"))


def test_an_error_leaves_a_process_pool_and_the_pool_goes_on() -> None:
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as pool:
        with pytest.raises(OpError, match=r"op `g.a` at g.items\[3\] failed") as caught:
            pool.submit(fail).result()
        assert 1 == pool.submit(int, "1").result()
    assert ("g.a", CTX) == (caught.value.op, caught.value.ctx)
