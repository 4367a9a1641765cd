"""Expressions out of JSON. An op is named by its name, which is unique in its graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

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
    Unary,
)
from operonx.core.expressions.tree import MAX_DEPTH
from operonx.core.graph.branches import SwitchOp
from operonx.core.spec.values import read_value

if TYPE_CHECKING:
    from operonx.core.graph.graph import GraphOp
    from operonx.core.ops.base import Op

__all__ = ["ExpressionReader"]


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
        self._depth = 0
        # What is read leaves these, so that what reads itself is found out.
        self._unread_batches = {data["name"]: data for data in batches}
        self._unread_choices = dict(enumerate(choices))

    def read(self, data: dict[str, Any]) -> Expression:
        """Return the expression that JSON stands for.

        Args:
            data: What `ExpressionWriter.write` gave.

        Raises:
            SpecError: If it names an op, batch or choice that is not there, or nests too deeply.
        """
        self._depth += 1
        if self._depth > MAX_DEPTH + 1:  # the outermost is not in another
            raise SpecError(f"an expression nested more than {MAX_DEPTH} deep")
        read = self._read(data)
        self._depth -= 1
        return read

    def _read(self, data: dict[str, Any]) -> Expression:
        kind: str = data["kind"]
        match kind:
            case "value":
                return Constant(read_value(data["value"]))
            case "port":
                return PortRef(self.op(data["op"]), data["port"])
            case "input":
                return ParentRef(self._graph, data["key"])
            case "iteration":
                return IterationRef(self._graph)
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
                return _OPERATIONS[kind](data, self.read, self)

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

    def require_all_read(self) -> None:
        """Refuse batches and choices that nothing in the graph reads.

        Raises:
            SpecError: If there is one: it would be lost.
        """
        for name in self._unread_batches:
            raise SpecError(f"graph `{self._graph.path}`: nobody reads batch `{name}`")
        for number in self._unread_choices:
            raise SpecError(f"graph `{self._graph.path}`: nobody reads choice {number}")

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


def _key(data: Any) -> Any:
    key = read_value(data)
    try:
        hash(key)
    except TypeError as error:
        raise SpecError(f"a key of a dict: {error}") from error
    return key


Read = Callable[[dict[str, Any]], Expression]


def _read_template(data: dict[str, Any], read: Read, _reader: ExpressionReader) -> Expression:
    fields = {name: read(one) for name, one in data["fields"].items()}
    try:
        return cast("Expression", template(data["text"], **fields))
    except (TypeError, ValueError) as error:
        raise SpecError(f"a template: {error}") from error


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
    "dict": lambda data, read, _: DictOf({_key(key): read(one) for key, one in data["items"]}),
    "or_else": lambda data, read, _: OrElse(read(data["of"]), read(data["other"])),
    "stream": lambda data, read, _: StreamOf(read(data["of"])),
    "template": _read_template,
    "list": _read_list,
    "tuple": _read_list,
    "collect": _read_collect,
    "method": _read_method,
}
