"""`@graph`: a function that authors a graph becomes a factory of graphs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Generic,
    ParamSpec,
    TypeAlias,
    TypedDict,
    TypeVar,
    Unpack,
    cast,
    overload,
)

from operonx.core.errors import did_you_mean, listed
from operonx.core.expressions.building import building_graph, pop_graph, push_graph
from operonx.core.expressions.naming import assigned_name, calling_frame
from operonx.core.expressions.refs import Operators, ParentRef, lift
from operonx.core.graph.branches import BranchOp
from operonx.core.graph.graph import GraphInput, GraphOp
from operonx.core.graph.loops import LoopOp, State
from operonx.core.ops.base import Op
from operonx.core.ops.policies import UNSET
from operonx.core.ops.signature.parameters import Scope

if TYPE_CHECKING:
    from types import FrameType

    from operonx.core.ops.policies import OnError

__all__ = ["GraphFactory", "GraphSettings", "Static", "graph"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class _StaticMark:
    def __repr__(self) -> str:
        return "Static"


_STATIC = _StaticMark()
Static: TypeAlias = Annotated[T, _STATIC]
"""`Static[int]`: a parameter of a `@graph` function that stays a Python value."""

_POLICIES: Final = ("timeout", "concurrency", "on_error")
_NAMELESS: Final = (
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.VAR_KEYWORD,
    inspect.Parameter.POSITIONAL_ONLY,
)
_MAX_SELF_NESTING: Final = 100
"""A graph function that calls itself may end by a `Static` parameter; by 100 deep it does not."""


class GraphSettings(TypedDict, total=False):
    """What `@graph(...)` and `factory.with_(...)` take, so that checkers see a misspelling."""

    name: str
    """The graph's name."""
    timeout: float | None
    """Seconds that one firing of the whole graph may take; None: no limit."""
    concurrency: int | None
    """Firings of the whole graph at one time; None: no limit."""
    on_error: OnError
    """`"skip"` turns a failure inside into a skip of the graph."""


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
        _check_settings(settings)
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
        inputs = [p for p in self._read() if not _is_static(p)]
        self._refuse_unknown(static)
        if self.loop_settings is not None:
            return self._build_loop(inputs, static)
        given = {p.name: _graph_input(p, static) for p in inputs}
        root = GraphOp(self._own_name(), inputs=given, **self._policies())
        self._author(root, static)
        return root

    def _build_loop(self, inputs: list[inspect.Parameter], static: Mapping[str, Any]) -> GraphOp:
        given = {p.name: _graph_input(p, static) for p in inputs}
        with GraphOp(self._own_name(), inputs=given) as root:
            refs = {name: ParentRef(root, name) for name in given}
            fixed = {name: value for name, value in static.items() if name not in given}
            root.add_end(self._make((), {**refs, **fixed}, None))
        return root

    def _own_name(self) -> str:
        name: str | None = self.settings.get("name")
        return self._title.strip("<>") if name is None else name

    def _policies(self) -> dict[str, Any]:
        return {key: self.settings[key] for key in _POLICIES if key in self.settings}

    def _make(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], frame: FrameType | None
    ) -> GraphOp:
        known = {p.name for p in self._read()}
        name = self.settings.get("name")
        if "name" in kwargs and "name" not in known:
            name = kwargs.pop("name")
        outputs = kwargs.pop("outputs") if "outputs" in kwargs and "outputs" not in known else None
        values = self._bind(args, kwargs)
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
        inputs = [p for p in self._read() if not _is_static(p)]
        unknown = {key: values[key] for key in values.keys() - {p.name for p in self._read()}}
        if self.loop_settings is None:
            declared = {p.name: _graph_input(p, {}) for p in inputs}
            node = GraphOp(name, inputs=declared, **self._policies())
            bound = {p.name: values[p.name] for p in inputs if p.name in values}
            node.inputs = {key: lift(value) for key, value in {**bound, **unknown}.items()}
            return node
        states = {p.name: _state(p, values) for p in inputs}
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
                p.name: _static_value(node.name, p, values)
                if _is_static(p)
                else ParentRef(node, p.name)
                for p in self._read()
            }
            node.factory = self.function
            returned = self.function(**arguments)
            node.returned = (self._returns(), returned)
            _forward(node, returned)
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
            self._parameters = _read_parameters(self.function, self._title)
        return self._parameters

    def _returns(self) -> Any:
        if self._annotation is None:
            annotation = inspect.signature(self.function).return_annotation
            self._annotation = Scope(self.function).resolve(annotation)
        return self._annotation

    def _refuse_unknown(self, given: Mapping[str, Any]) -> None:
        known = [p.name for p in self._read()]
        for key in given:
            if key not in known:
                hint = did_you_mean(key, known)
                raise TypeError(
                    f"graph `{self._title}` has no parameter `{key}`; "
                    f"it has {listed(known, 'none')}" + (f"; {hint}" if hint else "")
                )

    def _bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        positional = [p.name for p in self._read() if p.kind is not p.KEYWORD_ONLY]
        if len(args) > len(positional):
            raise TypeError(
                f"graph `{self._title}` takes {listed(positional, 'nothing')} by position, "
                f"got {len(args)} arguments"
            )
        values = dict(zip(positional, args, strict=False))
        for key, value in kwargs.items():
            if key in values:
                raise TypeError(f"graph `{self._title}`: argument `{key}` is given twice")
            values[key] = value
        return values

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


def _read_parameters(function: Callable[..., Any], name: str) -> list[inspect.Parameter]:
    scope = Scope(function)
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in _NAMELESS:
            raise TypeError(
                f"graph `{name}`: parameter `{parameter}` has no name to bind; "
                "a graph's inputs are named parameters"
            )
        parameters.append(parameter.replace(annotation=scope.resolve(parameter.annotation)))
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
        default = parameter.empty if default.initial is UNSET else default.initial
    required = default is parameter.empty
    return GraphInput(parameter.name, parameter.annotation, required, None if required else default)


def _state(parameter: inspect.Parameter, values: Mapping[str, Any]) -> State:
    default = State() if parameter.default is parameter.empty else parameter.default
    state = default if isinstance(default, State) else State(default)
    return State(values[parameter.name], state.reducer) if parameter.name in values else state


def _forward(node: GraphOp, returned: object) -> None:
    if returned is None:
        return
    if isinstance(returned, BranchOp):
        raise TypeError(
            f"graph `{node.name}` returned the branch `{returned.name}`, which stands for no "
            f"value; {returned.value_hint()}"
        )
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
    known = ("name", *_POLICIES)
    for key in settings:
        if key not in known:
            hint = did_you_mean(key, known)
            raise TypeError(
                f"a graph has no policy `{key}`; it takes {listed(known)}"
                + (f"; {hint}" if hint else "; set others on the ops inside")
            )


class _GraphDecorator:
    """`@graph`, `@graph(...)` and `@graph.loop(...)`."""

    @overload
    def __call__(self, function: Callable[P, R], /) -> GraphFactory[P, R]: ...
    @overload
    def __call__(
        self, /, **settings: Unpack[GraphSettings]
    ) -> Callable[[Callable[P, R]], GraphFactory[P, R]]: ...
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
        self, *, until: Any, max_iterations: int = 1000, **settings: Unpack[GraphSettings]
    ) -> Callable[[Callable[P, R]], GraphFactory[P, R]]:
        """Turn a function into a factory of loops: its parameters are the state.

        Args:
            until: As in `GraphOp.loop`.
            max_iterations: As in `GraphOp.loop`.
            **settings: `name`, `timeout` (seconds), `concurrency`, `on_error`.

        Returns:
            A decorator that makes the factory.

        Example:
            ```python
            @graph.loop(until="score >= 0.9", max_iterations=5)
            def improve(text: str, score: float = 0.0):
                better = rewrite(text=text)
                return {"text": better["text"], "score": judge(text=better["text"])}
            ```
        """
        _check_settings(settings)
        loop = {"until": until, "max_iterations": max_iterations}
        return lambda function: GraphFactory(function, settings, loop=loop)


graph: _GraphDecorator = _GraphDecorator()
