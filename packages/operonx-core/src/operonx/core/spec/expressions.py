"""Expressions as JSON, and back. An op is named by its name, which is unique in its graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from operonx.core.errors import SpecError, did_you_mean, listed
from operonx.core.expressions.functions import template
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
from operonx.core.spec.values import read_value, write_value

if TYPE_CHECKING:
    from operonx.core.graph.graph import GraphOp
    from operonx.core.ops.base import Op

__all__ = ["ExpressionReader", "ExpressionWriter"]


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


class ExpressionReader:
    """Reads the expressions of one graph, whose ops are there already.

    Args:
        graph: The graph.
        batches: What `ExpressionWriter.batches` had.
        choices: What `ExpressionWriter.choices` had.
    """

    def __init__(
        self, graph: GraphOp, batches: list[dict[str, Any]], choices: list[dict[str, Any]]
    ) -> None:
        self._graph = graph
        self._batches: dict[str, Batch] = {}
        self._choices: dict[int, Choice] = {}
        # What is read leaves these, so that what reads itself is found out.
        self._unread_batches = {data["name"]: data for data in batches}
        self._unread_choices = dict(enumerate(choices))

    def read(self, data: dict[str, Any], graph: GraphOp | None = None) -> Expression:
        """Return the expression that JSON stands for.

        Args:
            data: What `ExpressionWriter.write` gave.
            graph: The graph whose inputs `PARENT` means, if another: a loop's `until`.

        Raises:
            SpecError: If it names an op, batch or choice that is not there.
        """
        kind: str = data["kind"]
        match kind:
            case "value":
                return Constant(_value(data["value"]))
            case "port":
                return PortRef(self.op(data["op"]), data["port"])
            case "input":
                return ParentRef(graph or self._graph, data["key"])
            case "iteration":
                return IterationRef(graph or self._graph)
            case "iterations":
                return IterationsRef(self.op(data["loop"]), data["port"])
            case "error":
                return ErrorRef(self.op(data["op"]))
            case "batch":
                return self._batch(data["name"])
            case "chosen":
                return Chosen(self._choice(data["choice"]), data.get("port"))
            case "case":
                return self._case(data)
            case _:
                return _OPERATIONS[kind](data, lambda part: self.read(part, graph), self)

    def op(self, name: str) -> Op:
        """Return the op of a name.

        Raises:
            SpecError: If there is none.
        """
        found = self._graph.op(name)
        if found is None:
            known = [one.name for one in self._graph.ops]
            raise SpecError(
                f"graph `{self._graph.path}` has no op `{name}`; it has {listed(known)}",
                hint=did_you_mean(name, known),
            )
        return found

    def _batch(self, name: str) -> Batch:
        if name not in self._batches:
            data = self._unread_batches.pop(name, None)
            if data is None:
                raise self._lacks(f"batch `{name}`")
            batch = Batch(self.read(data["of"]), data["size"], name)
            batch.graph = self._graph
            self._batches[name] = batch
        return self._batches[name]

    def _choice(self, number: int) -> Choice:
        if number not in self._choices:
            data = self._unread_choices.pop(number, None)
            if data is None:
                raise self._lacks(f"choice {number}")
            options = tuple(self._option(one) for one in data["options"])
            self._choices[number] = Choice(options, race=data["takes"] == "race")
        return self._choices[number]

    def _lacks(self, what: str) -> SpecError:
        return SpecError(f"graph `{self._graph.path}` has no {what}, or it reads itself")

    def _option(self, data: dict[str, Any]) -> Any:
        return self.op(data["op"]) if data["kind"] == "op" else self.read(data)

    def _case(self, data: dict[str, Any]) -> Expression:
        switch = self.op(data["switch"])
        if not isinstance(switch, SwitchOp):
            raise SpecError(f"op `{switch.path}` is no switch, so it has no cases to read")
        read: Expression = switch[data["port"]]
        return read


def _value(data: Any) -> Any:
    try:
        return read_value(data)
    except ValueError as error:
        raise SpecError(str(error)) from error


Read = Callable[[dict[str, Any]], Expression]


def _read_template(data: dict[str, Any], read: Read, _reader: ExpressionReader) -> Expression:
    fields = {name: read(one) for name, one in data["fields"].items()}
    made: Any = template(data["text"], **fields)
    return made


def _read_list(data: dict[str, Any], read: Read, _reader: ExpressionReader) -> Expression:
    items = tuple(read(one) for one in data["items"])
    return ListOf(items, as_tuple=data["kind"] == "tuple")


def _read_collect(data: dict[str, Any], read: Read, reader: ExpressionReader) -> Expression:
    per = reader.op(data["per"]) if "per" in data else None
    return Collect(read(data["of"]), per)


def _read_method(data: dict[str, Any], read: Read, _reader: ExpressionReader) -> Expression:
    return Method(data["name"], read(data["of"]), tuple(map(read, data["arguments"])))


_OPERATIONS: Final[dict[str, Callable[[dict[str, Any], Read, ExpressionReader], Expression]]] = {
    "item": lambda data, read, _: Item(read(data["of"]), read(data["key"])),
    "unary": lambda data, read, _: Unary(data["symbol"], read(data["of"])),
    "binary": lambda data, read, _: Binary(data["symbol"], read(data["left"]), read(data["right"])),
    "dict": lambda data, read, _: DictOf({_value(key): read(one) for key, one in data["items"]}),
    "or_else": lambda data, read, _: OrElse(read(data["of"]), read(data["other"])),
    "stream": lambda data, read, _: StreamOf(read(data["of"])),
    "template": _read_template,
    "list": _read_list,
    "tuple": _read_list,
    "collect": _read_collect,
    "method": _read_method,
}
