"""`RunResult`: what a run gives."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Self

from operonx.core import pickling
from operonx.core.errors import (
    Context,
    OperonxError,
    OpError,
    did_you_mean,
    format_context,
    listed,
)

__all__ = ["RunResult", "Skip"]


@dataclass(slots=True)
class Skip:
    """That an op was skipped, and why."""

    count: int
    """At how many contexts."""
    ctx: Context
    """The first of them, in context order."""
    reason: str
    """Which branch or error decided so at the first one."""


class RunResult(Mapping[str, Any]):
    """The outputs of a run by name, and what else became of it.

    Reading an output whose op was skipped raises a `KeyError` that says why. A result can be
    pickled where its outputs can.
    """

    __slots__ = ("_missing", "_outputs", "_paths", "engine", "errors", "run_id", "skipped")

    def __init__(  # noqa: PLR0913 - engines make it, users only read it
        self,
        *,
        run_id: str,
        outputs: Mapping[str, Any],
        missing: Mapping[str, str],
        errors: list[OpError],
        skipped: Mapping[str, Skip],
        paths: Callable[[], frozenset[str]],
        engine: str,
    ) -> None:
        self.run_id: str = run_id
        self._outputs = outputs
        self._missing = missing
        self._paths = paths
        self.errors: list[OpError] = errors
        """The failures that `on_error="skip"` contained, in context order, then by op path."""
        self.skipped: Mapping[str, Skip] = skipped
        """What was skipped, by op path."""
        self.engine: str = engine
        """Which engine ran."""

    def __getitem__(self, key: str) -> Any:
        try:
            return self._outputs[key]
        except KeyError:
            raise KeyError(self._explain(key)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._outputs)

    def __len__(self) -> int:
        return len(self._outputs)

    if not TYPE_CHECKING:  # checkers shall see what is not there

        def __getattr__(self, name: str) -> NoReturn:
            if name.startswith("_"):
                raise AttributeError(name)
            raise AttributeError(
                f'a result has no `{name}`; outputs are read as `result["{name}"]`'
            )

    def _explain(self, key: str) -> str:
        if key in self._missing:
            return f"output `{key}` is not there: {self._missing[key]}"
        known = [*self._outputs, *self._missing]
        hint = did_you_mean(key, known)
        return f"no output `{key}`; there are {listed(known)}" + (f"; {hint}" if hint else "")

    def why(self, path: str) -> str:
        """Return why an op was skipped, or that it was not.

        Args:
            path: The op's path, from the root graph's name down.

        Raises:
            KeyError: If there is no such op.
        """
        paths = self._paths() | self.skipped.keys()  # of the root graph only where it failed
        if path not in paths:
            hint = did_you_mean(path, paths)
            raise KeyError(f"no op `{path}`" + (f"; {hint}" if hint else ""))
        skip = self.skipped.get(path)
        if skip is None:
            return f"`{path}` was not skipped"
        place = f" at {format_context(skip.ctx)}" if skip.ctx else ""
        times = f", and at {skip.count - 1} more" if skip.count > 1 else ""
        return f"`{path}` was skipped{place}{times}: {skip.reason}"

    # -- copies: without the engine, whose plan `paths` reads

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (_pickled(self._outputs), self._about())

    def __copy__(self) -> Self:
        return type(self)(outputs=self._outputs, **self._about())

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        about = copy.deepcopy(self._about(), memo)
        return type(self)(outputs=copy.deepcopy(self._outputs, memo), **about)

    def _about(self) -> dict[str, Any]:
        """Return what it was made of but the outputs, as values."""
        return {
            "run_id": self.run_id,
            "missing": self._missing,
            "errors": self.errors,
            "skipped": self.skipped,
            "paths": _Known(self._paths()),
            "engine": self.engine,
        }

    def __repr__(self) -> str:
        return f"RunResult({dict(self._outputs)!r})"


@dataclass(frozen=True, slots=True)
class _Known:
    """Gives the paths of a graph that is left behind."""

    paths: frozenset[str]

    def __call__(self) -> frozenset[str]:
        return self.paths


def _pickled(outputs: Mapping[str, Any]) -> bytes:
    try:
        return pickle.dumps(outputs, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        refused = pickling.first_refused(outputs)
        if refused is None:
            raise
        name, reason = refused
        raise OperonxError(
            f"output `{name}` of the result cannot be pickled: {reason}",
            hint="let the graph give what can be pickled, or take the outputs that can: "
            '`{"a": result["a"]}`',
        ) from error


def _unpickled(outputs: bytes, about: dict[str, Any]) -> RunResult:
    return RunResult(outputs=pickle.loads(outputs), **about)  # noqa: S301 - part of a pickle being read
