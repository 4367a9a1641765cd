"""The text form of expressions: `until="count >= 3 and done"`.

The text is read as Python's grammar and translated part by part; what has no part in the
expression language is refused. Nothing is ever evaluated from it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from operonx.core.expressions.operators import METHODS
from operonx.core.expressions.refs import (
    Binary,
    Constant,
    Expression,
    Item,
    ListOf,
    Method,
    Unary,
)

__all__ = ["parse_expression"]

_BINARY: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_CONSTANTS = (bool, int, float, str, type(None))


def parse_expression(text: str, name: Callable[[str], Expression]) -> Expression:
    """Read an expression from text.

    Args:
        text: For instance `"count >= 3 and items.len() > 0"`. `and`, `or`, `not` and `in` are
            words for `&`, `|`, `~` and `.contains`.
        name: Gives the ref that a bare name stands for.

    Returns:
        The expression.

    Raises:
        ValueError: If the text is no expression of the language; says which part.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
        return _translate(tree.body, name)
    except SyntaxError as error:
        raise ValueError(f"{text!r} is no expression: {error.msg}") from error
    except RecursionError:
        raise ValueError("the expression is nested too deeply") from None


def _translate(  # noqa: C901 - a case each
    node: ast.expr, name: Callable[[str], Expression]
) -> Expression:
    match node:
        case ast.Name(id=identifier):
            return name(identifier)
        case ast.Constant(value=value) if isinstance(value, _CONSTANTS):
            return Constant(value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Unary("-", _translate(operand, name))
        case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=operand):
            return Unary("~", _translate(operand, name))
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _BINARY:
            return Binary(_BINARY[type(operator)], _translate(left, name), _translate(right, name))
        case ast.BoolOp(op=operator, values=values):
            symbol = "&" if isinstance(operator, ast.And) else "|"
            return _chain(symbol, [_translate(value, name) for value in values])
        case ast.Compare():
            return _compare(node, name)
        case ast.Subscript(value=base, slice=key):
            return Item(_translate(base, name), _translate(key, name))
        case ast.List(elts=items):
            return ListOf(tuple(_translate(item, name) for item in items))
        case ast.Call(func=ast.Attribute(value=base, attr=method), args=arguments, keywords=[]):
            return _method(method, base, arguments, name)
        case _:
            raise ValueError(f"`{ast.unparse(node)}` has no place in an expression")


def _compare(node: ast.Compare, name: Callable[[str], Expression]) -> Expression:
    operands = [_translate(part, name) for part in (node.left, *node.comparators)]
    parts: list[Expression] = []
    for operator, left, right in zip(node.ops, operands, operands[1:], strict=False):
        parts.append(_comparison(operator, left, right))
    return _chain("&", parts)


def _comparison(operator: ast.cmpop, left: Expression, right: Expression) -> Expression:
    match operator:
        case ast.In():
            return Method("contains", right, (left,))
        case ast.NotIn():
            return Unary("~", Method("contains", right, (left,)))
        case ast.Is() | ast.IsNot() if isinstance(right, Constant) and right.value is None:
            test = Method("is_none", left, ())
            return test if isinstance(operator, ast.Is) else Unary("~", test)
        case _ if type(operator) in _BINARY:
            return Binary(_BINARY[type(operator)], left, right)
        case _:
            raise ValueError("`is` compares with None only; write `==`")


def _chain(symbol: str, parts: list[Expression]) -> Expression:
    result = parts[0]
    for part in parts[1:]:
        result = Binary(symbol, result, part)
    return result


def _method(
    method: str, base: ast.expr, arguments: list[ast.expr], name: Callable[[str], Any]
) -> Expression:
    wanted = 1 if method == "contains" else 0
    if method not in METHODS or len(arguments) != wanted:
        known = ", ".join(sorted(METHODS))
        raise ValueError(f"no method `.{method}` with {len(arguments)} arguments; known: {known}")
    return Method(
        method, _translate(base, name), tuple(_translate(part, name) for part in arguments)
    )
