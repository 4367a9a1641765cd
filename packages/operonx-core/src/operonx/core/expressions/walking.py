"""Expressions gone through part by part, and how large they may be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

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

__all__ = ["children", "excess", "walk"]

_LEAVES: Final = frozenset({PortRef, ParentRef, Constant, ErrorRef, IterationRef, IterationsRef})
_MAX_PARTS: Final = 100_000
"""Parts of one expression, counted where they are read: `x + x` reads all of `x` twice."""


def children(expression: Expression) -> tuple[Expression, ...]:  # noqa: C901 - a case each
    """Return the expressions directly inside one."""
    match expression:
        case Item(base=base, key=key):
            return (base, key)
        case Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case Method(base=base, arguments=arguments):
            return (base, *arguments)
        case Template(fields=fields):
            return tuple(fields.values())
        case ListOf(items=items):
            return items
        case DictOf(items=mapping):
            return tuple(mapping.values())
        case OrElse(base=base, other=other):
            return (base, other)
        case Chosen():
            return expression.options()
        case Collect(base=base) | StreamOf(base=base) | Batch(base=base):
            return (base,)
        case _:
            return ()


def walk(expression: Expression) -> Iterator[Expression]:
    """Yield an expression and all in it, outermost first, each once however often it is used."""
    yield expression
    if type(expression) in _LEAVES:
        return
    seen = {id(expression)}
    open_ends = list(reversed(children(expression)))
    while open_ends:
        current = open_ends.pop()
        # A sum of a sum with itself, and so on, has few parts and endless paths to them.
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if type(current) not in _LEAVES:
            open_ends.extend(reversed(children(current)))


def excess(expression: Expression) -> str | None:
    """Say in which way an expression is too large for a graph, or None."""
    if type(expression) in _LEAVES:
        return None
    level: dict[int, Expression] = {id(expression): expression}
    for _ in range(MAX_DEPTH + 1):
        level = {id(part): part for one in level.values() for part in children(one)}
        if not level:
            break
    else:
        return f"it nests more than {MAX_DEPTH} deep"
    return f"it has more than {_MAX_PARTS:,} parts" if _parts(expression, {}) > _MAX_PARTS else None


def _parts(expression: Expression, known: dict[int, int]) -> int:
    count = known.get(id(expression))
    if count is None:
        count = 1 + sum(_parts(part, known) for part in children(expression))
        known[id(expression)] = count
    return count
