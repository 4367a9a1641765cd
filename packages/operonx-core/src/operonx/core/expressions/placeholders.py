"""What stands for a value that is not there yet, and says what to write where Python wants one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

from operonx.core.expressions.building import building_graph
from operonx.core.expressions.symbols import Symbol

__all__ = ["Placeholder"]


class Placeholder(Symbol):
    """A value while the graph is built: Python can neither test, count, iterate nor print it."""

    __slots__ = ()

    def __getattr__(self, name: str) -> NoReturn:
        # Only what is not there ends here; `hasattr` and protocols want this very class.
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError(f"{self!r} has no `{name}`: {self._instead_of(name)}")

    def _instead_of(self, name: str) -> str:
        return (
            f'to read a key write `ref["{name}"]`; methods are `.len()`, `.contains(v)`, '
            "`.is_none()`, `.flatten()`, `.or_else(v)`, `.collect()`, `.stream()`, `.batch(n)`; "
            "for anything else write an op"
        )

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"{self!r} has no value while the graph is built, so Python cannot decide on it; "
            "write `if_(ref, op).else_(op)` for `if`, `(x) & (y)` for `and`, `|` for `or`, "
            "`~ref` for `not`, `(a < x) & (x < b)` for `a < x < b`, an op for `max` and the like"
        )

    def __int__(self) -> int:
        self._refuse_number("int")

    def __float__(self) -> float:
        self._refuse_number("float")

    def __index__(self) -> int:  # noqa: PLE0305 - it raises
        self._refuse_number("an index or a count")

    def __round__(self, digits: object = None) -> NoReturn:
        self._refuse_number("round")

    def __abs__(self) -> NoReturn:
        self._refuse_number("abs")

    def _refuse_number(self, what: str) -> NoReturn:
        raise TypeError(
            f"{self!r} has no value while the graph is built, so Python cannot use it for {what}; "
            "write an op that takes it"
        )

    def __contains__(self, value: object) -> NoReturn:
        raise TypeError(f"write `{self!r}.contains({value!r})` instead of `in`")

    def __len__(self) -> int:
        raise TypeError(f"write `{self!r}.len()` instead of `len(...)`")

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(
            f"{self!r} has no items while the graph is built; fan out with `each(ref)` "
            "instead of a Python `for`, unpack with `ref[0]`, `ref[1]`"
        )

    def __str__(self) -> str:
        self._refuse_text()
        return repr(self)

    def __format__(self, spec: str) -> str:
        self._refuse_text()
        return format(repr(self), spec)

    def _refuse_text(self) -> None:
        if building_graph() is not None:
            raise TypeError(
                f"{self!r} has no text while the graph is built; write "
                '`template("... {x}", x=ref)` instead of an f-string or `str()`; '
                "to look at it, `print(repr(...))`"
            )
