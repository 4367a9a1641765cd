"""`Operon`: a graph made ready to run, any number of times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

import anyio

from operonx.core.engine.carriers import carriers
from operonx.core.engine.handle import RunHandle, RunStream
from operonx.core.engine.hosting import loop_is_running
from operonx.core.engine.linking import LinkedPlan
from operonx.core.engine.misuse import SaysHowToRun, no_graph
from operonx.core.engine.replacing import replacements
from operonx.core.engine.scheduler import Run
from operonx.core.engine.sifting import Sifter, port_names
from operonx.core.errors import InputError, RunStateError, did_you_mean, listed
from operonx.core.expressions.building import building_graph
from operonx.core.expressions.printing import show_value
from operonx.core.graph.factory import GraphFactory
from operonx.core.graph.graph import GraphOp
from operonx.core.plan.lowering import compile_plan
from operonx.core.schema import said_of, validator

if TYPE_CHECKING:
    from operonx.core.engine.result import RunResult

__all__ = ["Operon"]


class Operon(SaysHowToRun):
    """An engine for one graph. Serves any number of runs at a time, on asyncio and on trio.

    Args:
        graph: A built graph, or a `@graph` factory, whose parameters become the inputs.
        engine: `"python"`, or `"auto"`: the best engine installed that can run the graph.
        hub: The resource hub that ops find in `RunContext.hub` and are warmed up with.
        replace: Functions, ops or mocks by op path, to run in their place; for tests. A graph
            is replaced by replacing the ops in it.
        max_open: Items of one generator firing that may be open at one time, where the op says
            nothing itself.

    Raises:
        TypeError: If `graph` is no graph, or an argument is of the wrong kind.
        ValueError: If `engine` or a path in `replace` is unknown.
        Exception: What the warm-up of an op raises, so that what could never run fails here.

    Example:
        ```python
        engine = Operon(g)
        result = await engine.run({"name": "ada"})
        print(result["text"])
        ```
    """

    def __init__(
        self,
        graph: GraphOp | GraphFactory[..., Any],
        engine: Literal["auto", "python"] = "auto",
        *,
        hub: Any = None,
        replace: Mapping[str, Any] | None = None,
        max_open: int = 256,
    ) -> None:
        if isinstance(graph, GraphFactory):
            graph = graph.build()
        if not isinstance(cast("object", graph), GraphOp):
            raise TypeError(no_graph(graph))
        if graph.graph is not None:
            raise TypeError(f"graph `{graph.path}` is part of another; run `{graph.graph.name}`")
        if graph.analysis is None:
            raise TypeError(f"graph `{graph.name}` is not built: leave its block first")
        if engine not in ("auto", "python"):
            raise ValueError(f"engine={engine!r}: there are `auto`, `python`")
        if not _is_count(max_open):
            raise ValueError(f"max_open={max_open!r}: takes a whole number from 1")
        self.graph = graph
        """The graph that it runs."""
        replaced = replacements(graph, {} if replace is None else replace)
        self._plan = compile_plan(graph)
        self._linked = LinkedPlan(self._plan, hub=hub, max_open=max_open, replaced=replaced)
        for one in graph.walk():
            if one.path not in replaced:
                one.warm_up(hub)
        assert graph.analysis is not None  # compile_plan looked
        self._inputs = graph.analysis.inputs
        self._checks = [
            (name, given.required, validator(given.annotation))
            for name, given in self._inputs.items()
        ]

    # -- running

    async def run(self, inputs: Mapping[str, Any] | None = None) -> RunResult:
        """Run the graph to its end.

        Args:
            inputs: Values by input name.

        Returns:
            The outputs by name, with what else became of the run.

        Raises:
            InputError: If an input is missing, unknown or of the wrong type.
            OpError: If an op failed.
        """
        return await Run(self._linked, self._checked(inputs)).execute()

    def run_sync(self, inputs: Mapping[str, Any] | None = None) -> RunResult:
        """Run the graph from code that is not async, on an event loop of its own.

        Args:
            inputs: Values by input name.

        Raises:
            RunStateError: If called where an event loop is running.
            InputError: If an input is missing, unknown or of the wrong type.
            OpError: If an op failed.
        """
        _refuse_running_loop()
        return anyio.run(self.run, inputs)

    def stream(
        self,
        inputs: Mapping[str, Any] | None = None,
        ports: Iterable[str] | None = None,
        order: Literal["arrival", "index"] = "arrival",
    ) -> RunStream:
        """Run the graph and watch its frames as they come.

        Args:
            inputs: Values by input name.
            ports: Names of outputs: only frames that carry one come, cut to these. An output that
                is computed from refs (`collect(...)`, `first_of(...)`, `x * 2`), an input handed
                on, or what a loop leaves with is in no frame.
            order: `"index"` orders each op's frames by context.

        Returns:
            A stream of frames; use it as `async with ... as run:`, or iterate it at once. Leaving
            the iteration before its end cancels the run.

        Raises:
            InputError: If an input is missing, unknown or of the wrong type.
            TypeError: If `ports` is no list of names.
            ValueError: If a port is no output of the graph, or one that no frame carries, or
                `order` is unknown.
            RunStateError: If no event loop is running.
        """
        if order not in ("arrival", "index"):
            raise ValueError(f'order={order!r}: takes "arrival" or "index"')
        wanted = None if ports is None else self._wanted(ports)
        run = Run(self._linked, self._checked(inputs), streamed=True)
        if wanted is not None or order == "index":
            run.sifter = Sifter(wanted, in_order=order == "index")
            run.sifter.set_up(run)
        return RunStream(run)

    def start(self, inputs: Mapping[str, Any] | None = None) -> RunHandle:
        """Begin a run beside the caller.

        Args:
            inputs: Values by input name.

        Returns:
            A handle to await, watch, question, stop or cancel the run. Dropping it cancels it.
            Iterating it gives the frames from then on: begin before anything is awaited to get
            them all.

        Raises:
            InputError: If an input is missing, unknown or of the wrong type.
            RunStateError: If no event loop is running.
        """
        return RunHandle(Run(self._linked, self._checked(inputs)))

    # -- inputs and outputs

    def _checked(self, inputs: Mapping[str, Any] | None) -> dict[str, Any]:
        if inputs is not None and not isinstance(cast("object", inputs), Mapping):
            raise TypeError(f"inputs={show_value(inputs)}: takes a mapping of values by input name")
        outer = building_graph()
        if outer is not None:
            raise RunStateError(
                f"the block of graph `{outer.name}` is open: ops would join it when called",
                hint="leave the block before running a graph",
            )
        given = dict(inputs or {})
        problems: list[str] = []
        for name, required, check in self._checks:
            if name in given:
                problem = check(given[name])
                if problem is not None:
                    problem = said_of(name, given[name], check, problem)
                    problems.append(f"input `{name}`: {problem}")
            elif required:
                problems.append(f"input `{name}` is missing")
        if len(given) > len(self._inputs) or problems or any(k not in self._inputs for k in given):
            self._refuse(given, problems)
        return given

    def _refuse(self, given: Mapping[str, Any], problems: list[str]) -> None:
        missing = [name for name in self._inputs if name not in given]
        hints: list[str] = []
        for name in given:
            if name not in self._inputs:
                problems.append(f"there is no input `{name}`")
                hint = did_you_mean(str(name), missing or self._inputs)
                if hint is not None:
                    hints.append(hint)
        if problems:
            takes = listed(self._inputs, "no inputs")
            raise InputError(
                f"graph `{self.graph.name}`: {'; '.join(problems)}; it takes {takes}",
                hint="; ".join(hints) or None,
            )

    def _wanted(self, ports: Iterable[str]) -> dict[str, dict[str, str]]:
        outputs = list(self._plan.outputs)
        wanted: dict[str, dict[str, str]] = {}
        for name in port_names(ports):
            if name not in outputs:
                hint = did_you_mean(name, outputs)
                raise ValueError(
                    f"ports: graph `{self.graph.name}` has no output `{name}`; "
                    f"it has {listed(outputs)}" + (f"; {hint}" if hint else "")
                )
            for path, port in carriers(self.graph, name):
                wanted.setdefault(path, {})[port] = name
        return wanted

    def __repr__(self) -> str:
        return f"<Operon {self.graph.name}: {len(self._plan.nodes)} nodes>"


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _refuse_running_loop() -> None:
    if loop_is_running():
        raise RunStateError(
            "`run_sync` was called where an event loop is running",
            hint="write `await engine.run(...)`",
        )
