"""Expressions as text, the way an author would write them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, cast

from operonx.core import redaction
from operonx.core.expressions.refs import (
    MAX_DEPTH,
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

__all__ = ["show", "show_value"]

_LIMIT: Final = 60
_MAX_READ: Final = 2000
_MAX_SHOWN: Final = 400
"""Parts of an expression that are written out; a text of more says nothing to anyone."""
# Typed so that a value which is one of them stays `Any`.
_LISTS: Final = cast("tuple[type[Any], ...]", (list, tuple))
_DICT: Final = cast("type[Any]", dict)


def show_value(value: Any, limit: int = _LIMIT) -> str:
    """Write a value on one line, cut at `limit` characters, without secrets; never raises."""
    # A repr costs as much as its value is long, so long containers are cut before it.
    if isinstance(value, str) and len(value) > limit:
        text = redaction.shortened(value, limit)
        return f"{text[:-3]!r}..." if text.endswith("...") else repr(text)
    if isinstance(value, bytes) and len(value) > limit:
        return redaction.shortened(f"{value[:_MAX_READ]!r}", limit)
    if isinstance(value, _LISTS) and len(value) > limit:
        return f"<{type(value).__name__} of {len(value)}>"
    if isinstance(value, _DICT) and len(value) > limit:
        return f"<dict of {len(value)}>"
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - an object's broken repr must not hide the real error
        return f"<{type(value).__name__}, whose repr raised {type(error).__name__}>"
    return redaction.shortened(text, limit)


def show(expression: Expression) -> str:
    """Write an expression as Python source, as in `a["n"] + 1`; of a huge one the outer parts."""
    return _Printer().text(expression, 0)


class _Printer:
    """Writes one expression, until it has written enough."""

    def __init__(self) -> None:
        self.left = _MAX_SHOWN

    def text(self, expression: Expression, depth: int) -> str:
        self.left -= 1
        if depth > MAX_DEPTH or self.left < 0:
            return "..."
        match expression:
            case Constant(value=value):
                return show_value(value)
            case PortRef(op=op, port=port):
                return f'{op.name}["{port}"]'
            case ParentRef(key=key):
                return f'PARENT["{key}"]'
            case IterationRef():
                return "PARENT.iteration"
            case IterationsRef(loop=loop, port=port):
                return f'{loop.name}.iterations["{port}"]'
            case ErrorRef(op=op):
                return f"{op.name}.error"
            case _:
                return self._operation(expression, depth + 1)

    def _operation(self, expression: Expression, depth: int) -> str:
        match expression:
            case Unary(symbol=symbol, operand=operand):
                return f"{symbol}{self._inner(operand, depth)}"
            case Binary(symbol=symbol, left=left, right=right):
                return f"{self._inner(left, depth)} {symbol} {self._inner(right, depth)}"
            case Item(base=base, key=Constant(value=str() as key)):
                return f'{self._inner(base, depth)}["{key}"]'
            case Item(base=base, key=key):
                return f"{self._inner(base, depth)}[{self.text(key, depth)}]"
            case Method(name=name, base=base, arguments=arguments):
                return f"{self._inner(base, depth)}.{name}({self._joined(arguments, depth)})"
            case Template(text=text, fields=fields):
                named = [f", {name}={self.text(one, depth)}" for name, one in fields.items()]
                return f"template({show_value(text)}{''.join(named)})"
            case ListOf(items=items, as_tuple=True):
                comma = "," if len(items) == 1 else ""
                return f"({self._joined(items, depth)}{comma})"
            case ListOf(items=items):
                return f"[{self._joined(items, depth)}]"
            case DictOf(items=mapping):
                pairs = [self._pair(key, one, depth) for key, one in mapping.items()]
                return f"{{{', '.join(pairs)}}}"
            case _:
                return self._of_streams(expression, depth)

    def _of_streams(self, expression: Expression, depth: int) -> str:
        match expression:
            case OrElse(base=base, other=other):
                return f"{self._inner(base, depth)}.or_else({self.text(other, depth)})"
            case Chosen(choice=choice, port=port):
                options = [
                    self.text(one, depth) if isinstance(one, Expression) else str(one.name)
                    for one in choice.options
                ]
                name = "race" if choice.race else "first_of"
                return f"{name}({', '.join(options)})" + (f'["{port}"]' if port else "")
            case Collect(base=base, per=per):
                of = "" if per is None else f"per={per.name}"
                return f"{self._inner(base, depth)}.collect({of})"
            case StreamOf(base=base):
                return f"{self._inner(base, depth)}.stream()"
            case Batch(base=base, size=size):
                return f"{self._inner(base, depth)}.batch({size})"
            case _:
                return f"<{type(expression).__name__}>"

    def _pair(self, key: object, value: Expression, depth: int) -> str:
        if isinstance(value, Constant) and redaction.is_secret(str(key), value.value):
            return f"{key!r}: {redaction.REDACTED}"
        return f"{key!r}: {self.text(value, depth)}"

    def _joined(self, expressions: Iterable[Expression], depth: int) -> str:
        return ", ".join(self.text(one, depth) for one in expressions)

    def _inner(self, expression: Expression, depth: int) -> str:
        text = self.text(expression, depth)
        return f"({text})" if isinstance(expression, (Binary, Unary)) else text
