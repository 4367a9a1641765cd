"""Expressions to JSON. An op is named by its name, which is unique in its graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operonx.core.expressions.refs import (
    Batch,
    Binary,
    Choice,
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
from operonx.core.graph.branches import SwitchOp
from operonx.core.spec.values import write_value

if TYPE_CHECKING:
    from operonx.core.graph.graph import GraphOp

__all__ = ["ExpressionWriter"]


class ExpressionWriter:
    """Writes the expressions of one graph.

    What is one thing however often it is read, a batch and a `first_of`, is written once, in
    `batches` and `choices`.
    """

    def __init__(self, graph: GraphOp) -> None:
        self.batches: list[dict[str, Any]] = []
        """The batches, each before those that read it."""
        self.choices: list[dict[str, Any]] = []
        """The choices, likewise."""
        self._numbers: dict[Choice, int] = {}
        self._batches: set[Batch] = set()
        self._switches = {
            op.choice: op.name for op in graph.ops if isinstance(op, SwitchOp) and op.choice
        }

    def write(self, expression: Expression) -> dict[str, Any]:
        """Return an expression as JSON.

        Raises:
            ValueError: If a constant in it has no place in a spec.
        """
        match expression:
            case Constant(value=value):
                return {"kind": "value", "value": write_value(value)}
            case PortRef(op=op, port=port):
                return {"kind": "port", "op": op.name, "port": port}
            case ParentRef(key=key):
                return {"kind": "input", "key": key}
            case IterationRef():
                return {"kind": "iteration"}
            case IterationsRef(loop=loop, port=port):
                return {"kind": "iterations", "loop": loop.name, "port": port}
            case ErrorRef(op=op):
                return {"kind": "error", "op": op.name}
            case Chosen():
                return self._chosen(expression)
            case Batch():
                return self._batch(expression)
            case _:
                return self._operation(expression)

    def _operation(self, expression: Expression) -> dict[str, Any]:
        write = self.write
        match expression:
            case Item(base=base, key=key):
                return {"kind": "item", "of": write(base), "key": write(key)}
            case Unary(symbol=symbol, operand=operand):
                return {"kind": "unary", "symbol": symbol, "of": write(operand)}
            case Binary(symbol=symbol, left=left, right=right):
                sides = {"left": write(left), "right": write(right)}
                return {"kind": "binary", "symbol": symbol, **sides}
            case Method(name=name, base=base, arguments=arguments):
                given = [write(one) for one in arguments]
                return {"kind": "method", "name": name, "of": write(base), "arguments": given}
            case Template(text=text, fields=fields):
                filled = {name: write(one) for name, one in fields.items()}
                return {"kind": "template", "text": text, "fields": filled}
            case ListOf(items=items, as_tuple=as_tuple):
                kind = "tuple" if as_tuple else "list"
                return {"kind": kind, "items": [write(one) for one in items]}
            case DictOf(items=mapping):
                pairs = [[write_value(key), write(one)] for key, one in mapping.items()]
                return {"kind": "dict", "items": pairs}
            case _:
                return self._of_streams(expression)

    def _of_streams(self, expression: Expression) -> dict[str, Any]:
        write = self.write
        match expression:
            case OrElse(base=base, other=other):
                return {"kind": "or_else", "of": write(base), "other": write(other)}
            case Collect(base=base, per=per):
                limit = {} if per is None else {"per": per.name}
                return {"kind": "collect", "of": write(base), **limit}
            case StreamOf(base=base):
                return {"kind": "stream", "of": write(base)}
            case _:
                raise ValueError(f"{expression!r}, which has no place in a spec")

    def _batch(self, batch: Batch) -> dict[str, Any]:
        if batch not in self._batches:
            self._batches.add(batch)
            of = self.write(batch.base)
            self.batches.append({"name": batch.name, "of": of, "size": batch.size})
        return {"kind": "batch", "name": batch.name}

    def _chosen(self, chosen: Chosen) -> dict[str, Any]:
        port = {} if chosen.port is None else {"port": chosen.port}
        switch = self._switches.get(chosen.choice)
        if switch is not None:
            return {"kind": "case", "switch": switch, **port}
        number = self._numbers.get(chosen.choice)
        if number is None:
            options = [self._option(one) for one in chosen.choice.options]
            number = self._numbers[chosen.choice] = len(self.choices)
            taken = "race" if chosen.choice.race else "first_of"
            self.choices.append({"takes": taken, "options": options})
        return {"kind": "chosen", "choice": number, **port}

    def _option(self, option: Any) -> dict[str, Any]:
        if isinstance(option, Expression):
            return self.write(option)
        return {"kind": "op", "op": option.name}
