"""`@graph`: a function that authors a graph becomes a factory of graphs."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Generic,
    ParamSpec,
    TypeAlias,
    TypeVar,
    cast,
    get_type_hints,
    overload,
)

from operonx.core.errors import listed
from operonx.core.expressions.building import building_graph, pop_graph, push_graph
from operonx.core.expressions.refs import Operators, ParentRef, lift
from operonx.core.graph.graph import GraphInput, GraphOp
from operonx.core.graph.loops import LoopOp, State
from operonx.core.ops.base import Op
from operonx.core.ops.naming import assigned_name

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["GraphFactory", "Static", "graph"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class _StaticMark:
    def __repr__(self) -> str:
        return "Static"


_STATIC = _StaticMark()
Static: TypeAlias = Annotated[T, _STATIC]
"""`Static[int]`: a parameter of a `@graph` function that stays a Python value."""

_POLICIES = ("timeout", "concurrency", "on_error")


class GraphFactory(Generic[P, R]):
    """What `@graph` makes of a function; each call inside a graph block adds a graph."""

    def __init__(
        self,
        function: Callable[..., Any],
        settings: Mapping[str, Any],
        *,
        loop: Mapping[str, Any] | None = None,
    ) -> None:
        self.function = function
        self.settings: dict[str, Any] = dict(settings)
        self.loop_settings: dict[str, Any] | None = dict(loop) if loop is not None else None
        update_wrapper(self, function, updated=())
        self._parameters: list[inspect.Parameter] | None = None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Add a graph to the one being built.

        Raises:
            TypeError: Outside a graph block, or if an argument has no place.
        """
        if building_graph() is None:
            raise TypeError(
                f"graph `{self.function.__name__}` adds to a graph: call it in a graph block, "
                "or build it alone with `.build(...)`"
            )
        return cast("R", self._make(args, dict(kwargs), sys._getframe(1)))  # pyright: ignore[reportPrivateUsage]  # who calls

    def with_(self, **settings: Any) -> GraphFactory[P, R]:
        """Set the name and policies of one use: `name`, `timeout`, `concurrency`, `on_error`.

        Raises:
            TypeError: If a setting is unknown.
        """
        _check_settings(settings)
        merged = {**self.settings, **settings}
        return GraphFactory(self.function, merged, loop=self.loop_settings)

    def build(self, **static: Any) -> GraphOp:
        """Build the graph itself; its inputs are the function's parameters.

        Args:
            **static: Values of the `Static` parameters, and refs' defaults if you want others.

        Raises:
            BuildError: If the graph is wrong.
            TypeError: If an argument is unknown, or a static one is missing.
        """
        name = self.settings.get("name") or self.function.__name__
        inputs = [p for p in self._read() if not _is_static(p)]
        self._check_arguments(static)
        if self.loop_settings is not None:
            return self._build_loop(name, inputs, static)
        given = {p.name: _graph_input(p, static) for p in inputs}
        settings = {key: self.settings[key] for key in _POLICIES if key in self.settings}
        root = GraphOp(name, inputs=given, **settings)
        self._author(root, static)
        return root

    def _build_loop(
        self, name: str, inputs: list[inspect.Parameter], static: Mapping[str, Any]
    ) -> GraphOp:
        given = {p.name: _graph_input(p, static) for p in inputs}
        with GraphOp(name, inputs=given) as root:
            refs: dict[str, Any] = {p.name: ParentRef(root, p.name) for p in inputs}
            node = self._make((), {**static, **refs}, None)
            root.add_end(node)
        return root

    def _make(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType | None
    ) -> GraphOp:
        parameters = self._read()
        known = {p.name for p in parameters}
        name = self.settings.get("name")
        if "name" in kwargs and "name" not in known:
            name = kwargs.pop("name")
        outputs = kwargs.pop("outputs") if "outputs" in kwargs and "outputs" not in known else None
        values = _bind(self.function.__name__, parameters, args, kwargs)
        inferred = assigned_name(frame) if frame is not None else None
        node = self._new(name, values)
        if name is None:
            node.name = inferred or self.function.__name__
        outer: GraphOp | None = building_graph()
        assert outer is not None  # the callers looked
        outer.add_op(node)
        self._author(node, values)
        if outputs is not None:
            outer.add_outputs(node, outputs)
        return node

    def _new(self, name: str | None, values: Mapping[str, Any]) -> GraphOp:
        settings = {key: self.settings[key] for key in _POLICIES if key in self.settings}
        inputs = [p for p in self._read() if not _is_static(p)]
        if self.loop_settings is None:
            node = GraphOp(name, inputs={p.name: _graph_input(p, {}) for p in inputs}, **settings)
            unknown = [key for key in values if key not in {p.name for p in self._read()}]
            bound = {p.name for p in inputs} | set(unknown)
            node.inputs = {key: lift(value) for key, value in values.items() if key in bound}
            return node
        states: dict[str, Any] = {}
        for parameter in inputs:
            default = parameter.default if parameter.default is not parameter.empty else State()
            state = default if isinstance(default, State) else State(default)
            if parameter.name in values:
                state = State(values[parameter.name], state.reducer)
            states[parameter.name] = state
        types = {p.name: p.annotation for p in inputs}
        loop = LoopOp(**self.loop_settings, name=name, annotations=types, **settings, **states)
        # What is no parameter is reported with all other mistakes.
        known = {p.name for p in self._read()}
        loop.inputs |= {key: lift(value) for key, value in values.items() if key not in known}
        return loop

    def _author(self, node: GraphOp, values: Mapping[str, Any]) -> None:
        push_graph(node)
        try:
            arguments = {
                p.name: _static_value(node.name, p, values)
                if _is_static(p)
                else ParentRef(node, p.name)
                for p in self._read()
            }
            _forward(node, self.function(**arguments))
        finally:
            pop_graph()
        node.build()

    def _read(self) -> list[inspect.Parameter]:
        if self._parameters is None:
            self._parameters = _read_parameters(self.function)
        return self._parameters

    def _check_arguments(self, given: Mapping[str, Any]) -> None:
        known = [p.name for p in self._read()]
        for key in given:
            if key not in known:
                raise TypeError(
                    f"graph `{self.function.__name__}` has no parameter `{key}`; "
                    f"it has {listed(known, 'none')}"
                )


def _read_parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        hints = get_type_hints(function, include_extras=True)
    except Exception:  # noqa: BLE001 - a hint that cannot be resolved says nothing, as in `@op`
        hints = {}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
            parameter.POSITIONAL_ONLY,
        ):
            raise TypeError(
                f"graph `{function.__name__}`: parameter `{parameter}` has no name to bind; "
                "a graph's inputs are named parameters"
            )
        parameters.append(parameter.replace(annotation=hints.get(parameter.name, Any)))
    return parameters


def _is_static(parameter: inspect.Parameter) -> bool:
    return _STATIC in getattr(parameter.annotation, "__metadata__", ())


def _static_value(name: str, parameter: inspect.Parameter, values: Mapping[str, Any]) -> Any:
    if parameter.name in values:
        value = values[parameter.name]
        if isinstance(value, Operators):
            raise TypeError(
                f"graph `{name}`: `{parameter.name}` is static: it takes a Python value, "
                f"got {value!r}"
            )
        return value
    if parameter.default is parameter.empty:
        raise TypeError(f"graph `{name}`: static parameter `{parameter.name}` needs a value")
    return parameter.default


def _graph_input(parameter: inspect.Parameter, given: Mapping[str, Any]) -> GraphInput:
    default = given.get(parameter.name, parameter.default)
    if isinstance(default, State):
        default = default.initial
    required = default is parameter.empty
    return GraphInput(parameter.name, parameter.annotation, required, None if required else default)


def _bind(
    name: str, parameters: list[inspect.Parameter], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    positional = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    if len(args) > len(positional):
        raise TypeError(
            f"graph `{name}` takes {listed(positional, 'nothing')} by position, "
            f"got {len(args)} arguments"
        )
    values = dict(zip(positional, args, strict=False))
    for key, value in kwargs.items():
        if key in values:
            raise TypeError(f"graph `{name}`: argument `{key}` is given twice")
        values[key] = value
    return values


def _forward(node: GraphOp, returned: object) -> None:
    if returned is None:
        return
    if isinstance(returned, Op):
        node.add_end(returned)
    elif isinstance(returned, Mapping):
        for key, value in cast("Mapping[object, object]", returned).items():
            if not isinstance(key, str):
                raise TypeError(f"graph `{node.name}` returned {key!r} as the name of an output")
            node.add_output(key, lift(value))
    elif isinstance(returned, Operators):
        node.add_output("result", lift(returned))
    else:
        raise TypeError(
            f"graph `{node.name}` returned {returned!r}; a graph function returns an op, a ref, "
            "or a dict of outputs"
        )


def _check_settings(settings: Mapping[str, Any]) -> None:
    for key in settings:
        if key not in ("name", *_POLICIES):
            raise TypeError(
                f"a graph has no policy `{key}`; it takes name, timeout, concurrency, on_error"
            )


class _GraphDecorator:
    """`@graph`, `@graph(...)` and `@graph.loop(...)`."""

    @overload
    def __call__(self, function: Callable[P, R], /) -> GraphFactory[P, R]: ...
    @overload
    def __call__(self, /, **settings: Any) -> Callable[[Callable[P, R]], GraphFactory[P, R]]: ...
    def __call__(self, function: Callable[..., Any] | None = None, /, **settings: Any) -> Any:
        """Turn a function into a factory of graphs.

        Its parameters are `PARENT` refs (one annotated `Static[int]` stays a Python value). It may
        return a dict of outputs, a ref, or an op whose outputs are all forwarded.

        Args:
            function: The function that authors the graph.
            **settings: `name`, `timeout` (seconds), `concurrency`, `on_error`.

        Example:
            ```python
            @graph
            def answer(question: str):
                found = search(query=question)
                return {"text": reply(question=question, passages=found["passages"])["text"]}
            ```
        """
        _check_settings(settings)

        def decorate(function: Callable[P, R]) -> GraphFactory[P, R]:
            return GraphFactory(function, settings)

        return decorate if function is None else decorate(function)

    def loop(
        self, *, until: Any, max_iterations: int = 1000, **settings: Any
    ) -> Callable[[Callable[P, R]], GraphFactory[P, R]]:
        """Turn a function into a factory of loops: its parameters are the state.

        Args:
            until: As in `GraphOp.loop`.
            max_iterations: As in `GraphOp.loop`.
            **settings: `name`, `timeout`, `concurrency`, `on_error`.
        """
        _check_settings(settings)
        loop = {"until": until, "max_iterations": max_iterations}
        return lambda function: GraphFactory(function, settings, loop=loop)


graph: _GraphDecorator = _GraphDecorator()
