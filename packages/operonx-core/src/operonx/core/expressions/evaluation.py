"""Expressions compiled to functions of a scope (the engine's view of where values are)."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any, TypeAlias

from operonx.core.errors import EngineError
from operonx.core.expressions.operators import (
    BINARY,
    METHODS,
    get_item,
    invert,
    negate,
    require_bool,
)
from operonx.core.expressions.refs import (
    Binary,
    Constant,
    DictOf,
    Expression,
    Item,
    ListOf,
    Method,
    Template,
    Unary,
)
from operonx.core.expressions.texts import text_of

__all__ = ["Evaluate", "LeafReader", "compile_expression", "template_fields"]

Evaluate: TypeAlias = Callable[[Any], Any]
"""A compiled expression: takes the scope of the reader, gives the value."""

LeafReader: TypeAlias = Callable[[Expression], Evaluate | None]
"""Gives the compiled form of what the plan knows where to read; None for all else."""


def compile_expression(expression: Expression, leaf: LeafReader) -> Evaluate:
    """Compile an expression.

    Args:
        expression: The tree to compile.
        leaf: Asked first for every part; what it does not know must be an operator.

    Returns:
        A function from the reader's scope to the value. It raises what the operators raise.
    """
    known = leaf(expression)
    if known is not None:
        return known
    match expression:
        case Constant(value=value):
            return lambda _scope: value
        case Binary(symbol="&" | "|" as symbol, left=left, right=right):
            return _boolean(symbol, compile_expression(left, leaf), compile_expression(right, leaf))
        case Binary(symbol=symbol, left=left, right=right):
            return _binary(BINARY[symbol], compile_expression(left, leaf), right, leaf)
        case Item(base=base, key=key):
            return _binary(get_item, compile_expression(base, leaf), key, leaf)
        case Unary(symbol=symbol, operand=operand):
            return _unary(negate if symbol == "-" else invert, compile_expression(operand, leaf))
        case _:
            return _compile_composite(expression, leaf)


def _compile_composite(expression: Expression, leaf: LeafReader) -> Evaluate:
    match expression:
        case Method(name=name, base=base, arguments=arguments):
            method = METHODS[name]
            parts = [compile_expression(part, leaf) for part in (base, *arguments)]
            return lambda scope: method(*[part(scope) for part in parts])
        case Template(text=text, fields=fields):
            compiled = {name: compile_expression(part, leaf) for name, part in fields.items()}
            return _template(text, compiled)
        case ListOf(items=items, as_tuple=as_tuple):
            parts = [compile_expression(part, leaf) for part in items]
            if as_tuple:
                return lambda scope: tuple([part(scope) for part in parts])
            return lambda scope: [part(scope) for part in parts]
        case DictOf(items=items):
            pairs = [(key, compile_expression(part, leaf)) for key, part in items.items()]
            return lambda scope: {key: part(scope) for key, part in pairs}
        case _:
            raise EngineError(f"nothing evaluates {expression!r} here")


def _binary(
    apply: Callable[[Any, Any], Any], left: Evaluate, right: Expression, leaf: LeafReader
) -> Evaluate:
    # A constant on the right is by far the commonest operand.
    if isinstance(right, Constant):
        value = right.value
        return lambda scope: apply(left(scope), value)
    other = compile_expression(right, leaf)
    return lambda scope: apply(left(scope), other(scope))


def _unary(apply: Callable[[Any], Any], operand: Evaluate) -> Evaluate:
    return lambda scope: apply(operand(scope))


def _boolean(symbol: str, left: Evaluate, right: Evaluate) -> Evaluate:
    decides = symbol == "|"

    def evaluate(scope: Any) -> bool:
        if require_bool(left(scope), symbol) is decides:
            return decides
        return require_bool(right(scope), symbol)

    return evaluate


def template_fields(text: str) -> list[str]:
    """Return the names of a template's fields, in order.

    Raises:
        ValueError: If the text is no template: a lone brace, or a field that is not a plain
            name (`{0}`, `{a.b}`, `{a!r}`, `{a:>3}`).
    """
    names: list[str] = []
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise ValueError(
            f"template: {str(error).lower()}; a brace in the text is written `{{{{` or `}}}}`"
        ) from None
    for _, field, spec, conversion in parts:
        if field is None:
            continue
        if not field.isidentifier() or spec or conversion:
            raise ValueError(
                f"template: a field is a plain name in braces, got {{{field}}}; "
                "a brace in the text is written `{{` or `}}`"
            )
        names.append(field)
    return names


def _template(text: str, fields: dict[str, Evaluate]) -> Evaluate:
    parts = [(literal, field) for literal, field, _, _ in string.Formatter().parse(text)]

    def evaluate(scope: Any) -> str:
        values = {name: text_of(part(scope), name) for name, part in fields.items()}
        return "".join(literal + (values[field] if field else "") for literal, field in parts)

    return evaluate
