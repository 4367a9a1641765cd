"""Random authoring programs, as text: a failing example is a program to run as it stands.

`programs()` is a Hypothesis strategy. An author keeps, for every ref there is, its axes and the
arms it needs, so that most programs build; those that do not must fail with a `BuildError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

import operonx.core
from operonx.core import GraphOp

from . import library
from .blocks import BlockSteps
from .steps import BranchSteps, FailureSteps, PlainSteps, StreamSteps
from .writing import Block, Draw, Ref

__all__ = ["Author", "Features", "Program", "programs"]

_INPUTS = {"p": "int", "q": "int", "items": "list"}


@dataclass(frozen=True)
class Features:
    """What programs may use."""

    streams_only: bool = False
    """Leave out what opens, joins and closes no stream, for tests of windows."""
    containing: bool = False
    """Have many graphs with `on_error="skip"` that open streams, for tests of their ends."""
    steps: int = 8
    """Of the root block, at most."""


@dataclass(frozen=True)
class Program:
    """An authoring program and the inputs of one run."""

    text: str
    inputs: Mapping[str, Any]

    def build(self) -> GraphOp:
        """Run the program; it leaves its graph as `g`."""
        scope: dict[str, Any] = {**vars(operonx.core), **vars(library)}
        exec(compile(self.text, "<program>", "exec"), scope)  # noqa: S102 - our own text
        graph = scope["g"]
        assert isinstance(graph, GraphOp)
        return graph

    def __repr__(self) -> str:
        return f"Program of inputs {dict(self.inputs)!r}:\n{self.text}"


class Author(PlainSteps, StreamSteps, FailureSteps, BranchSteps, BlockSteps):
    """Writes one program."""

    def __init__(self, draw: Draw, features: Features) -> None:
        super().__init__(draw)
        self.features = features
        if features.containing:
            self.containing_ops, self.containing_graphs = 40, 85

    def step(self) -> None:
        """Write one step, chosen by weight."""
        steps = self._steps()
        choice = self.integer(0, sum(weight for weight, _ in steps) - 1)
        for weight, one in steps:
            if choice < weight:
                one()
                return
            choice -= weight

    def _steps(self) -> list[tuple[int, Callable[[], None]]]:
        steps: list[tuple[int, Callable[[], None]]] = [
            (5, self.generator), (2, self.each), (3, self.collecting), (3, self.consumer),
            (2, self.batched), (2, self.zipped), (3, self.merge), (2, self.edge),
        ]  # fmt: skip
        if not self.features.streams_only:
            steps = [
                (6, self.plain), *steps, (1, self.chain), (1, self.fan), (4, self.branch),
                (2, self.failing), (2, self.routed),
            ]  # fmt: skip
        if self.features.containing:
            steps += [(3, self.generator), (3, self.consumer), (2, self.batched), (2, self.zipped)]
        if self.block.depth < 2:
            steps += [(8 if self.features.containing else 2, self.nested), (2, self.loop)]
        return steps

    def author(self) -> Program:
        """Write the root block, and draw the inputs of a run."""
        refs = [Ref(f'PARENT["{key}"]', (), kind) for key, kind in _INPUTS.items()]
        self.block = Block(0, refs)
        for _ in range(self.integer(1, self.features.steps)):
            self.step()
        self.close()
        body = "\n".join(f"    {line}" for line in self.block.lines)
        inputs = {
            "p": self.integer(0, 90),
            "q": self.integer(0, 90),
            "items": [self.integer(0, 90) for _ in range(self.integer(0, 3))],
        }
        return Program(f'with GraphOp(name="g", inputs={list(_INPUTS)}) as g:\n{body}\n', inputs)


@st.composite
def programs(draw: Callable[[st.SearchStrategy[Any]], Any], features: Features) -> Program:
    """Draw programs."""
    return Author(draw, features).author()
