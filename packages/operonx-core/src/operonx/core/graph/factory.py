"""`@graph`: a function that authors a graph becomes a factory of graphs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Final, Generic, ParamSpec, TypeVar, Unpack, cast

from operonx.core.expressions.building import building_graph, pop_graph, push_graph
from operonx.core.expressions.naming import assigned_name, calling_frame
from operonx.core.expressions.refs import ParentRef, lift
from operonx.core.graph.arguments import bind, refuse_unknown
from operonx.core.graph.graph import GraphOp
from operonx.core.graph.loops import LoopOp
from operonx.core.graph.parameters import (
    graph_input,
    is_static,
    loop_input,
    read_parameters,
    state_of,
    static_value,
)
from operonx.core.graph.returning import write_returned
from operonx.core.graph.settings import POLICIES, GraphSettings, check_settings
from operonx.core.ops.signature.parameters import Scope

if TYPE_CHECKING:
    from types import FrameType


__all__ = ["GraphFactory"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


_MAX_SELF_NESTING: Final = 100
"""A graph function that calls itself may end by a `Static` parameter; by 100 deep it does not."""


class GraphFactory(Generic[P, R]):
    """What `@graph` makes of a function; each call inside a graph block adds a graph."""

    def __init__(
        self,
        function: Callable[..., Any],
        settings: Mapping[str, Any],
        *,
        loop: Mapping[str, Any] | None = None,
    ) -> None:
        _require_plain(function)
        self.function = function
        """The function that authors the graph."""
        self.settings: dict[str, Any] = dict(settings)
        """Name and policies."""
        self.loop_settings: dict[str, Any] | None = dict(loop) if loop is not None else None
        """`until` and `max_iterations` of a loop; None for a plain graph."""
        self._title = _title(function)
        update_wrapper(self, function, updated=())
        self._parameters: list[inspect.Parameter] | None = None
        self._annotation: Any = None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Add a graph to the one being built.

        Raises:
            TypeError: Outside a graph block, or if an argument has no place.
        """
        if building_graph() is None:
            raise TypeError(
                f"graph `{self._title}` adds to a graph: call it in a graph block, "
                "or build it alone with `.build(...)`"
            )
        return cast("R", self._make(args, dict(kwargs), calling_frame(1)))  # pyright: ignore[reportPrivateUsage]  # who calls

    def with_(self, **settings: Unpack[GraphSettings]) -> GraphFactory[P, R]:
        """Set the name and policies of one use: `name`, `timeout`, `concurrency`, `on_error`.

        Args:
            **settings: The settings to change.

        Returns:
            A factory to call with the graph's arguments.

        Raises:
            TypeError: If a setting is unknown.
        """
        check_settings(settings)
        merged = {**self.settings, **settings}
        return GraphFactory(self.function, merged, loop=self.loop_settings)

    def build(self, **static: Any) -> GraphOp:
        """Build the graph itself; its inputs are the function's parameters.

        Args:
            **static: Values of the `Static` parameters, and of inputs that shall have a default.

        Returns:
            The graph, ready for `Operon`.

        Raises:
            BuildError: If the graph is wrong.
            TypeError: If an argument is unknown, or a static one is missing.
        """
        inputs = [p for p in self._read() if not is_static(p)]
        refuse_unknown(self._title, self._read(), static)
        if self.loop_settings is not None:
            return self._build_loop(inputs, static)
        given = {p.name: graph_input(p, static) for p in inputs}
        root = GraphOp(self._own_name(), inputs=given, **self._policies())
        self._author(root, static)
        return root

    def _build_loop(self, inputs: list[inspect.Parameter], static: Mapping[str, Any]) -> GraphOp:
        given = {p.name: loop_input(p, static) for p in inputs}
        with GraphOp(self._own_name(), inputs=given) as root:
            refs = {name: ParentRef(root, name) for name in given}
            fixed = {name: value for name, value in static.items() if name not in given}
            root.add_end(self._make((), {**refs, **fixed}, None))
        return root

    def _own_name(self) -> str:
        name: str | None = self.settings.get("name")
        return self._title.strip("<>") if name is None else name

    def _policies(self) -> dict[str, Any]:
        return {key: self.settings[key] for key in POLICIES if key in self.settings}

    def _make(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType | None
    ) -> GraphOp:
        known = {p.name for p in self._read()}
        name = self.settings.get("name")
        if "name" in kwargs and "name" not in known:
            name = kwargs.pop("name")
        outputs = kwargs.pop("outputs") if "outputs" in kwargs and "outputs" not in known else None
        values = bind(self._title, self._read(), args, kwargs)
        node = self._new(name, values)
        if name is None:
            inferred = assigned_name(frame) if frame is not None else None
            node.name = self._own_name() if inferred is None else inferred
        outer: GraphOp | None = building_graph()
        assert outer is not None  # the callers looked
        outer.add_op(node)
        self._author(node, values)
        if outputs is not None:
            outer.add_outputs(node, outputs)
        return node

    def _new(self, name: str | None, values: Mapping[str, Any]) -> GraphOp:
        inputs = [p for p in self._read() if not is_static(p)]
        unknown = {key: values[key] for key in values.keys() - {p.name for p in self._read()}}
        if self.loop_settings is None:
            declared = {p.name: graph_input(p, {}) for p in inputs}
            node = GraphOp(name, inputs=declared, **self._policies())
            bound = {p.name: values[p.name] for p in inputs if p.name in values}
            node.inputs = {key: lift(value) for key, value in {**bound, **unknown}.items()}
            return node
        states = {p.name: state_of(p, values) for p in inputs}
        types = {p.name: p.annotation for p in inputs}
        loop = LoopOp(
            states, **self.loop_settings, name=name, annotations=types, **self._policies()
        )
        loop.inputs.update({key: lift(value) for key, value in unknown.items()})
        return loop

    def _author(self, node: GraphOp, values: Mapping[str, Any]) -> None:
        push_graph(node)
        try:
            self._refuse_endless(node)
            arguments = {
                p.name: static_value(node.name, p, values)
                if is_static(p)
                else ParentRef(node, p.name)
                for p in self._read()
            }
            node.factory = self.function
            returned = self.function(**arguments)
            node.returned = (self._returns(), returned)
            write_returned(node, returned)
        finally:
            pop_graph()
        node.build()

    def _refuse_endless(self, node: GraphOp) -> None:
        depth, outer = 0, node.graph
        while outer is not None:
            depth += outer.factory is self.function
            outer = outer.graph
        if depth >= _MAX_SELF_NESTING:
            raise TypeError(
                f"graph `{self._title}` is in itself, {depth} times over; "
                "to repeat ops use `GraphOp.loop(until=..., ...)` or `@graph.loop(...)`"
            )

    def _read(self) -> list[inspect.Parameter]:
        if self._parameters is None:
            self._parameters = read_parameters(self.function, self._title)
        return self._parameters

    def _returns(self) -> Any:
        if self._annotation is None:
            annotation = inspect.signature(self.function).return_annotation
            self._annotation = Scope(self.function).resolve(annotation)
        return self._annotation

    def __repr__(self) -> str:
        return f"<graph {self._title}>"


def _title(function: object) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _require_plain(function: object) -> None:
    if not callable(function):
        raise TypeError(f"`@graph` takes a function, got {function!r}")
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"graph `{_title(function)}`: write `def`; it runs once, to author ops")
    if inspect.isgeneratorfunction(function):
        raise TypeError(
            f"graph `{_title(function)}` yields; it runs once, to author ops: "
            "let a generator op in it yield, and return that"
        )
