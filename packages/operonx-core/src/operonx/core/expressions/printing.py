"""Expressions as text, the way an author would write them."""

from __future__ import annotations

from typing import Any, Final, cast

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

__all__ = ["show", "show_value"]

_LIMIT = 60
# Typed so that a value which is one of them stays `Any`.
_LISTS: Final = cast("tuple[type[Any], ...]", (list, tuple))
_DICT: Final = cast("type[Any]", dict)


def show_value(value: Any, limit: int = _LIMIT) -> str:
    """Write a value on one line, cut at `limit` characters; never raises."""
    # A repr costs as much as its value is long, so long containers are cut before it.
    if isinstance(value, (str, bytes)) and len(value) > limit:
        value = value[:limit]
        return f"{value!r}..."
    if isinstance(value, _LISTS) and len(value) > limit:
        return f"<{type(value).__name__} of {len(value)}>"
    if isinstance(value, _DICT) and len(value) > limit:
        return f"<dict of {len(value)}>"
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - an object's broken repr must not hide the real error
        return f"<{type(value).__name__}, whose repr raised {type(error).__name__}>"
    return text if len(text) <= limit else f"{text[:limit]}..."


def show(expression: Expression) -> str:
    """Write an expression as Python source, as in `a["n"] + 1`."""
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
        case Unary(symbol=symbol, operand=operand):
            return f"{symbol}{_inner(operand)}"
        case Binary(symbol=symbol, left=left, right=right):
            return f"{_inner(left)} {symbol} {_inner(right)}"
        case _:
            return _show_composite(expression)


def _show_composite(expression: Expression) -> str:
    match expression:
        case Item(base=base, key=key):
            return f"{_inner(base)}[{show(key)}]"
        case Method(name=name, base=base, arguments=arguments):
            return f"{_inner(base)}.{name}({', '.join(map(show, arguments))})"
        case Template(text=text, fields=fields):
            named = "".join(f", {name}={show(value)}" for name, value in fields.items())
            return f"template({show_value(text)}{named})"
        case ListOf(items=items, as_tuple=as_tuple):
            inner = ", ".join(map(show, items))
            return f"({inner})" if as_tuple else f"[{inner}]"
        case DictOf(items=items):
            inner = ", ".join(f"{key!r}: {show(value)}" for key, value in items.items())
            return f"{{{inner}}}"
        case _:
            return _show_stream(expression)


def _show_stream(expression: Expression) -> str:
    match expression:
        case OrElse(base=base, other=other):
            return f"{_inner(base)}.or_else({show(other)})"
        case Chosen(choice=choice, port=port):
            options = ", ".join(
                show(o) if isinstance(o, Expression) else o.name for o in choice.options
            )
            name = "race" if choice.race else "first_of"
            return f"{name}({options})" + (f'["{port}"]' if port else "")
        case Collect(base=base, per=per):
            return f"{_inner(base)}.collect({'' if per is None else f'per={per.name}'})"
        case StreamOf(base=base):
            return f"{_inner(base)}.stream()"
        case Batch(base=base, size=size):
            return f"{_inner(base)}.batch({size})"
        case _:
            return f"<{type(expression).__name__}>"


def _inner(expression: Expression) -> str:
    text = show(expression)
    return f"({text})" if isinstance(expression, (Binary, Unary)) else text
