"""Expressions: immutable trees, made by operators while a graph is authored.

An expression is data: it is checked, printed and serialised, and each runtime compiles it. One
module, however long: operators make these classes, and these classes have operators. What an
expression reads is in `refs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from operonx.core.expressions.building import building_graph
from operonx.core.expressions.naming import assigned_name, calling_frame
from operonx.core.expressions.placeholders import Placeholder
from operonx.core.expressions.symbols import PLAIN, holds_refs

__all__ = [
    "MAX_DEPTH",
    "Batch",
    "Binary",
    "Collect",
    "Constant",
    "DictOf",
    "Expression",
    "Item",
    "ListOf",
    "Method",
    "Operators",
    "OrElse",
    "StreamOf",
    "Unary",
    "lift",
    "require_op",
]


MAX_DEPTH: Final = 100
"""How deep an expression may nest: every runtime compiles, prints and stores it recursively."""


class Operators(Placeholder):
    """What refs and single-port ops can do; each gives a new expression."""

    __slots__ = ()
    if TYPE_CHECKING:

        def __hash__(self) -> int:
            """Tell refs apart by identity, though `==` makes a new one."""
            ...

    else:
        __hash__ = object.__hash__  # a method in Python would slow building down
    # Without this numpy would spread `array == ref` over its elements.
    __array_ufunc__: None = None

    def _ref(self) -> Expression:
        raise NotImplementedError

    # -- comparison and arithmetic

    def __eq__(self, other: object) -> Any:
        return Binary("==", self._ref(), lift(other))

    def __ne__(self, other: object) -> Any:
        return Binary("!=", self._ref(), lift(other))

    def __lt__(self, other: object) -> Expression:
        return Binary("<", self._ref(), lift(other))

    def __le__(self, other: object) -> Expression:
        return Binary("<=", self._ref(), lift(other))

    def __gt__(self, other: object) -> Expression:
        return Binary(">", self._ref(), lift(other))

    def __ge__(self, other: object) -> Expression:
        return Binary(">=", self._ref(), lift(other))

    def __add__(self, other: object) -> Expression:
        return Binary("+", self._ref(), lift(other))

    def __radd__(self, other: object) -> Expression:
        return Binary("+", lift(other), self._ref())

    def __sub__(self, other: object) -> Expression:
        return Binary("-", self._ref(), lift(other))

    def __rsub__(self, other: object) -> Expression:
        return Binary("-", lift(other), self._ref())

    def __mul__(self, other: object) -> Expression:
        return Binary("*", self._ref(), lift(other))

    def __rmul__(self, other: object) -> Expression:
        return Binary("*", lift(other), self._ref())

    def __truediv__(self, other: object) -> Expression:
        return Binary("/", self._ref(), lift(other))

    def __rtruediv__(self, other: object) -> Expression:
        return Binary("/", lift(other), self._ref())

    def __floordiv__(self, other: object) -> Expression:
        return Binary("//", self._ref(), lift(other))

    def __rfloordiv__(self, other: object) -> Expression:
        return Binary("//", lift(other), self._ref())

    def __mod__(self, other: object) -> Expression:
        return Binary("%", self._ref(), lift(other))

    def __rmod__(self, other: object) -> Expression:
        return Binary("%", lift(other), self._ref())

    def __neg__(self) -> Expression:
        return Unary("-", self._ref())

    # -- booleans

    def __and__(self, other: object) -> Expression:
        return Binary("&", self._ref(), _boolean_operand(other, "&"))

    def __rand__(self, other: object) -> Expression:
        return Binary("&", _boolean_operand(other, "&"), self._ref())

    def __or__(self, other: object) -> Expression:
        return Binary("|", self._ref(), _boolean_operand(other, "|"))

    def __ror__(self, other: object) -> Expression:
        return Binary("|", _boolean_operand(other, "|"), self._ref())

    # -- methods

    def len(self) -> Expression:
        """Give the number of items of a list, dict or text."""
        return Method("len", self._ref(), ())

    def contains(self, value: object) -> Expression:
        """Give whether a list has the item, a dict the key, or a text the part."""
        return Method("contains", self._ref(), (lift(value),))

    def is_none(self) -> Expression:
        """Give whether the value is None."""
        return Method("is_none", self._ref(), ())

    def flatten(self) -> Expression:
        """Give a list of lists as one list, one level."""
        return Method("flatten", self._ref(), ())

    def or_else(self, value: object) -> Expression:
        """Give `value` (or ref) at every context where this was skipped."""
        return OrElse(self._ref(), lift(value))

    def collect(self, per: object = None) -> Expression:
        """Wait for the end of the stream and give its items as a list, in index order.

        Args:
            per: An op: remove all axes below those of its ports, into one flat list.
                None removes the last axis.

        Raises:
            TypeError: If `per` is no op.
        """
        return Collect(self._ref(), require_op(per))

    def stream(self) -> Expression:
        """Hand the stream itself to an op whose parameter is a `Stream[T]`."""
        return StreamOf(self._ref())

    def batch(self, size: int) -> Expression:
        """Give the stream as one of lists of `size` items, the last one maybe shorter."""
        return Batch(self._ref(), size, assigned_name(calling_frame(1)))


def _boolean_operand(value: object, symbol: str) -> Expression:
    operand = lift(value)
    if isinstance(operand, Constant) and not isinstance(operand.value, bool):
        raise TypeError(
            f"`{symbol}` joins booleans, got {operand.value!r}; `{symbol}` binds closer than "
            f'comparisons, so add parentheses: `(a["n"] == 1) {symbol} b["ok"]`'
        )
    return operand


class Expression(Operators):
    """A value that will be there when the graph runs."""

    __slots__ = ()

    def _ref(self) -> Expression:
        return self

    def __getitem__(self, key: object) -> Expression:
        if isinstance(key, slice):
            raise TypeError(f"{self!r} cannot be sliced: let an op do it, `return items[:3]`")
        return Item(self, lift(key))

    def __invert__(self) -> Expression:
        return Unary("~", self)

    def __rshift__(self, target: object) -> object:
        """Write this value to an output: `a["text"] >> PARENT["answer"]`."""
        if isinstance(target, Expression):
            return target._written(self)
        raise _no_output(self, target)

    def _written(self, value: Expression) -> Expression:
        raise _no_output(value, self)

    def __repr__(self) -> str:
        from operonx.core.expressions.printing import show  # the printer knows all the classes

        return show(self)


def _no_output(value: Expression, target: object) -> TypeError:
    return TypeError(
        f"`{value!r} >> {target!r}`: a ref is written to `PARENT[...]`; "
        "to order ops write `op >> op`, to read a ref pass it as an argument"
    )


class Constant(Expression):
    """A Python value."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value: object = value


class Item(Expression):
    """`base[key]`."""

    __slots__ = ("base", "key")

    def __init__(self, base: Expression, key: Expression) -> None:
        self.base: Expression = base
        self.key: Expression = key


class Unary(Expression):
    """`-x` or `~x`."""

    __slots__ = ("operand", "symbol")

    def __init__(self, symbol: str, operand: Expression) -> None:
        self.symbol: str = symbol
        self.operand: Expression = operand


class Binary(Expression):
    """`left symbol right`."""

    __slots__ = ("left", "right", "symbol")

    def __init__(self, symbol: str, left: Expression, right: Expression) -> None:
        self.symbol: str = symbol
        self.left: Expression = left
        self.right: Expression = right


class Method(Expression):
    """`base.name(*arguments)` of the portable methods."""

    __slots__ = ("arguments", "base", "name")

    def __init__(self, name: str, base: Expression, arguments: tuple[Expression, ...]) -> None:
        self.name: str = name
        self.base: Expression = base
        self.arguments: tuple[Expression, ...] = arguments


class ListOf(Expression):
    """A list or tuple that holds refs."""

    __slots__ = ("as_tuple", "items")

    def __init__(self, items: tuple[Expression, ...], *, as_tuple: bool = False) -> None:
        self.items: tuple[Expression, ...] = items
        self.as_tuple: bool = as_tuple


class DictOf(Expression):
    """A dict whose values hold refs."""

    __slots__ = ("items",)

    def __init__(self, items: Mapping[Any, Expression]) -> None:
        self.items: dict[Any, Expression] = dict(items)


class OrElse(Expression):
    """`base.or_else(other)`."""

    __slots__ = ("base", "other")

    def __init__(self, base: Expression, other: Expression) -> None:
        self.base: Expression = base
        self.other: Expression = other


class Collect(Expression):
    """`base.collect(per=...)`."""

    __slots__ = ("base", "per")

    def __init__(self, base: Expression, per: Any) -> None:
        self.base: Expression = base
        self.per: Any = per


class StreamOf(Expression):
    """`base.stream()`."""

    __slots__ = ("base",)

    def __init__(self, base: Expression) -> None:
        self.base: Expression = base


class Batch(Expression):
    """`base.batch(size)`: one ref is one axis.

    `name` is that of the variable it was assigned to; where there is none, or an op has it, the
    graph gives one when it is built.
    """

    __slots__ = ("base", "graph", "name", "size")

    def __init__(self, base: Expression, size: int, name: str | None = None) -> None:
        if not _is_count(size):
            raise ValueError(f"`.batch(size)` takes a whole number from 1, got {size!r}")
        self.base: Expression = base
        self.size: int = size
        self.name: str | None = name
        self.graph: Any = building_graph()


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def require_op(per: object) -> Any:
    """Return the `per` of a `collect`, an op or None.

    Raises:
        TypeError: If it is anything else.
    """
    if per is None or (isinstance(per, Operators) and not isinstance(per, Expression)):
        return per
    raise TypeError(f"per= takes an op, got {per!r}")


def lift(value: Any) -> Expression:
    """Give any value as an expression; lists, tuples and dicts that hold refs become refs.

    Raises:
        TypeError: If a ref is where it could not be followed: in a set, a key, an object; or if
            the value is a piece of authoring (`PARENT`, `END`, `~op`) that has no value.
        ValueError: If lists that hold refs nest too deeply.
    """
    if isinstance(value, Operators):
        return value._ref()  # pyright: ignore[reportPrivateUsage] - of this module
    if type(value) in PLAIN or not holds_refs(value):
        return Constant(value)
    return _lifted(value, 0)


# Typed so that a value which is one of them stays `Any`.
_CONTAINERS: Final = cast("tuple[type[Any], ...]", (list, tuple, dict))
_DICT: Final = cast("type[Any]", dict)


def _lifted(value: Any, depth: int) -> Expression:
    if isinstance(value, Operators):
        return value._ref()  # pyright: ignore[reportPrivateUsage] - of this module
    if not isinstance(value, _CONTAINERS) or not holds_refs(value):
        return Constant(value)
    if depth > MAX_DEPTH:
        raise ValueError(
            f"a `{type(value).__name__}` nested more than {MAX_DEPTH} deep holds refs; "
            "let an op build it"
        )
    if isinstance(value, _DICT):
        return DictOf({key: _lifted(item, depth + 1) for key, item in value.items()})
    items = tuple(_lifted(item, depth + 1) for item in value)
    return ListOf(items, as_tuple=isinstance(value, tuple))
