"""What `@op` makes of a function: a factory of ops, that stays a function outside a graph block."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, Unpack, cast

from operonx.core.errors import listed
from operonx.core.expressions.building import building_graph
from operonx.core.expressions.naming import assigned_name, calling_frame
from operonx.core.expressions.refs import Operators, lift
from operonx.core.ops.function import FuncOp, OpDefinition

if TYPE_CHECKING:
    from operonx.core.ops.policies import Policies, PolicyOptions

__all__ = ["OpFactory"]

P = ParamSpec("P")
R = TypeVar("R")


class OpFactory(Generic[P, R]):
    """What `@op` makes of a function.

    Called inside a graph block it adds an op to the graph, whose arguments are refs or constants;
    outside it calls the function.
    """

    def __init__(
        self, definition: OpDefinition, policies: Policies, name: str | None = None
    ) -> None:
        self.definition = definition
        self.policies = policies
        self.name = name
        update_wrapper(self, definition.function, updated=())

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Add an op to the open graph; outside a graph block, call the function."""
        graph = building_graph()
        if graph is None:
            _refuse_refs(self.definition.name, (*args, *kwargs.values()))
            return cast("R", self.definition.function(*args, **kwargs))
        return cast("R", self._add_to(graph, args, dict(kwargs), calling_frame(1)))

    def with_(self, **policies: Unpack[PolicyOptions]) -> OpFactory[P, R]:
        """Set the name and policies of one use.

        Args:
            **policies: `name=`, and any of `retry`, `timeout`, `fallback`, `concurrency`,
                `rate`, `on_error`, `max_open`, `run_in`.

        Returns:
            A factory to call with the op's arguments.

        Raises:
            TypeError: If a policy is unknown or of the wrong type.
            ValueError: If a policy's value is out of its range.

        Example:
            ```python
            translate.with_(name="de", timeout=10.0)(text=PARENT["text"])
            ```
        """
        changes: dict[str, Any] = {**policies}
        name = changes.pop("name", self.name)
        return OpFactory(self.definition, self.policies.but(**changes), name)

    def _add_to(
        self, graph: Any, args: tuple[Any, ...], kwargs: dict[str, Any], frame: Any
    ) -> FuncOp:
        parameters = self.definition.inputs
        name, outputs = self.name, None
        if "name" in kwargs and "name" not in parameters:
            name = kwargs.pop("name")
        if "outputs" in kwargs and "outputs" not in parameters:
            outputs = kwargs.pop("outputs")
        named = name is not None
        if name is None:
            name = assigned_name(frame) or self.definition.name
        node = FuncOp(self.definition, name, {}, self.policies, named=named)
        graph.add_op(node)
        _bind(graph, node, args, kwargs)
        if outputs is not None:
            graph.add_outputs(node, outputs)
        return node

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        if instance is None:
            return self
        # A method's op: the instance is bound, as it would be for the function itself.
        bound = self.definition.function.__get__(instance, owner)
        definition = OpDefinition(
            bound,
            self.definition.name,
            self.definition.policies,
            self.definition.outputs,
            self.definition.final,
            self.definition.returns,
        )
        made: OpFactory[..., Any] = OpFactory(definition, self.policies, self.name)
        return made

    def __repr__(self) -> str:
        return f"<op {self.definition.name}>"


def _refuse_refs(name: str, arguments: Iterable[object]) -> None:
    for value in arguments:
        if isinstance(value, Operators):
            raise TypeError(
                f"op `{name}` was called outside a graph block, where it is a plain function, "
                f"with the ref {value!r}; call it inside the block"
            )


def _bind(graph: Any, node: FuncOp, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Set an op's inputs; what Python would refuse in a call is reported with everything else."""
    if args:
        parameters = node.definition.inputs.values()
        positional = [one.name for one in parameters if not one.keyword_only]
        if len(args) > len(positional):
            takes = f"takes {listed(positional, 'nothing')} by position"
            graph.report(node, f"it {takes}, got {len(args)} arguments", hint="pass it by name")
        for key, value in zip(positional, args, strict=False):
            node.inputs[key] = lift(value)
    for key, value in kwargs.items():
        if key in node.inputs:
            graph.report(node, f"input `{key}` is given twice, by position and by name", ref=key)
        node.inputs[key] = lift(value)
