"""The types of expressions, as far as annotations tell them, and where they cannot be right."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, Union, get_args, get_origin

from operonx.core.errors import did_you_mean, listed
from operonx.core.expressions.refs import (
    Batch,
    Binary,
    Chosen,
    Collect,
    Constant,
    DictOf,
    ErrorRef,
    Expression,
    Item,
    IterationRef,
    IterationsRef,
    ListOf,
    Method,
    OrElse,
    ParentRef,
    PortRef,
    StreamOf,
    Template,
    Unary,
)
from operonx.core.schema import field_annotations, is_typed_dict, plain, type_name
from operonx.core.streaming import Stream

if TYPE_CHECKING:
    from operonx.core.graph.parts import GraphInput

__all__ = ["Report", "TypeReader", "is_stream_type", "stream_type"]

Report: TypeAlias = Callable[[Expression, str, str], None]
"""Takes the part that cannot be right, what is wrong with it, and a hint."""

_NUMBERS: Final = (int, float)
_ARITHMETIC: Final = ("+", "-", "*", "/", "//", "%")


def is_stream_type(annotation: object) -> bool:
    """Tell whether a value of this type is a stream itself."""
    return annotation is Stream or get_origin(annotation) is Stream


def stream_type(item: Any) -> Any:
    """Give `Stream[item]`."""
    try:
        return Stream[item]
    except TypeError:  # an annotation that is no type
        return Stream


class TypeReader:
    """Reads the types of a graph's expressions.

    Args:
        inputs: The graph's inputs, by name.
        report: Told of each part that no value could satisfy.
    """

    def __init__(self, inputs: dict[str, GraphInput], report: Report | None = None) -> None:
        self._inputs = inputs
        self._report = report
        self._known: dict[Expression, Any] = {}

    def type_of(self, expression: Expression) -> Any:
        """Return the type of an expression's value, `Any` where it is not known."""
        match expression:
            case PortRef(op=op, port=port):
                return _port_type(op, port)
            case ParentRef(key=key):
                return self._inputs[key].annotation if key in self._inputs else Any
            case Constant(value=value):
                return type(value)
            case _:
                if expression not in self._known:
                    self._known[expression] = self._read(expression)
                return self._known[expression]

    def _read(self, expression: Expression) -> Any:
        match expression:
            case Binary():
                return self._binary(expression)
            case Unary(symbol=symbol, operand=operand):
                found = self.type_of(operand)
                return bool if symbol == "~" else found if _kind(found) in _NUMBERS else Any
            case Item():
                return self._item(expression)
            case Method():
                return self._method(expression)
            case Template(fields=fields):
                for part in fields.values():
                    self.type_of(part)
                return str
            case ListOf() | DictOf():
                return self._container(expression)
            case _:
                return self._ref(expression)

    def _ref(self, expression: Expression) -> Any:
        match expression:
            case Collect(base=base) | Batch(base=base):
                return list[self.type_of(base)]  # type: ignore[misc]  # a type made at run time
            case StreamOf(base=base):
                return stream_type(self.type_of(base))
            case OrElse(base=base, other=other):
                return _union([self.type_of(base), self.type_of(other)])
            case Chosen():
                return _union(map(self.type_of, expression.options()))
            case IterationRef():
                return int
            case IterationsRef(loop=loop, port=port):
                return _port_type(loop, port)
            case ErrorRef():
                return dict[str, Any]
            case _:
                return Any

    # -- operators

    def _binary(self, expression: Binary) -> Any:
        left, right = self.type_of(expression.left), self.type_of(expression.right)
        if expression.symbol not in _ARITHMETIC:
            return bool
        one, other = _kind(left), _kind(right)
        if one in _NUMBERS and other in _NUMBERS:
            return int if one is other is int and expression.symbol != "/" else float
        if expression.symbol == "+" and one is other and one in (str, list):
            return left if left == right else one
        return Any

    def _method(self, expression: Method) -> Any:
        base = self.type_of(expression.base)
        for part in expression.arguments:
            self.type_of(part)
        if expression.name == "flatten":
            return list[_item_type(_item_type(base))]  # type: ignore[misc]  # made at run time
        return int if expression.name == "len" else bool

    def _item(self, expression: Item) -> Any:
        base = plain(self.type_of(expression.base))
        self.type_of(expression.key)
        cls = get_origin(base) or base
        if is_typed_dict(cls):
            return self._field(expression, base, expression.key)
        if cls is str:
            return str
        return _item_type(base) if cls in (list, dict) else Any

    def _field(self, expression: Item, typed_dict: Any, key: Expression) -> Any:
        if not isinstance(key, Constant):
            return Any
        fields = field_annotations(typed_dict) or {}
        if key.value not in fields:
            what = f"`{type_name(typed_dict)}` has no key {key.value!r}; it has {listed(fields)}"
            hint = did_you_mean(str(key.value), fields) or "read a key that it has"
            self._say(expression, what, hint)
        return fields.get(str(key.value), Any)

    def _container(self, expression: ListOf | DictOf) -> Any:
        if isinstance(expression, DictOf):
            values = _union([self.type_of(part) for part in expression.items.values()])
            return dict[Any, values]  # type: ignore[valid-type]  # a type made at run time
        types = [self.type_of(part) for part in expression.items]
        if expression.as_tuple:
            return tuple[tuple(types)]  # type: ignore[misc]  # as above
        return list[_union(types)]  # type: ignore[misc]  # as above

    def _say(self, part: Expression, what: str, hint: str) -> None:
        if self._report is not None:
            self._report(part, what, hint)


def _port_type(op: Any, port: str) -> Any:
    for one in op.all_ports():
        if one.name == port:
            return one.annotation
    return Any


def _kind(annotation: Any) -> type | None:
    """Return the class that all values of an annotation have, or None."""
    bare = plain(annotation)
    cls = get_origin(bare) or bare
    return cls if isinstance(cls, type) else None


def _item_type(annotation: Any) -> Any:
    args = get_args(plain(annotation))
    return args[-1] if args else Any


def _union(annotations: Iterable[Any]) -> Any:
    known = list(annotations)
    if not known or any(one is Any for one in known):
        return Any
    try:
        return Union[tuple(known)]  # noqa: UP007 - a tuple of members
    except TypeError:  # an annotation that is no type
        return Any
