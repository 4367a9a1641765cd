"""One run of the engine, and what about it is not as the oracle says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

import anyio

from operonx.core import LoopLimitError, Operon, OpError

from .outcome import Ctx, Failure, FrameKey, Outcome

__all__ = ["PATIENCE", "Observed", "Way", "differences", "observe", "patience"]

Way: TypeAlias = Literal["plain", "arrival", "index"]
"""How a run is watched: not at all, or its frames in one order or the other."""

PATIENCE: Final = (10.0, 1.0)
"""Seconds after which a run counts as hung: the first one, and later ones, while shrinking."""


_hangs: list[Operon] = []


def patience() -> float:
    """Return the seconds that a run may take."""
    return PATIENCE[bool(_hangs)]


@dataclass(slots=True)
class Observed:
    """What one run gave."""

    failure: Failure | None = None
    result: dict[str, Any] = field(default_factory=dict[str, Any])
    frames: dict[FrameKey, Mapping[str, Any]] | None = None
    """None where the run was not watched."""
    odd: list[str] = field(default_factory=list[str])
    """What is wrong about the frames by themselves."""
    errors: list[Failure] = field(default_factory=list[Failure])
    skipped: dict[str, tuple[int, Any]] = field(default_factory=dict[str, tuple[int, Any]])


async def observe(engine: Operon, inputs: Mapping[str, Any], how: Way) -> Observed:
    """Run a graph: plainly, or watching its frames in one order or the other.

    Raises:
        TimeoutError: If it hangs.
    """
    seen = Observed(frames=None if how == "plain" else {})
    try:
        with anyio.fail_after(patience()):
            if how == "plain":
                result = await engine.run(inputs)
            else:
                result = await _watched(engine, inputs, seen, how)
    except OpError as error:
        seen.failure = _as_failure(error)
        return seen
    except TimeoutError:
        _hangs.append(engine)
        raise
    seen.result = dict(result)
    seen.errors = [_as_failure(error) for error in result.errors]
    seen.skipped = {path: (skip.count, skip.ctx) for path, skip in result.skipped.items()}
    return seen


async def _watched(
    engine: Operon, inputs: Mapping[str, Any], seen: Observed, order: Literal["arrival", "index"]
) -> Any:
    assert seen.frames is not None
    async with engine.stream(inputs, order=order) as run:
        async for frame in run:
            key = (frame.op_name, frame.ctx)
            if key in seen.frames:
                seen.odd.append(f"the frame {key} came twice")
            seen.frames[key] = dict(frame.outputs)
    if order == "index":
        seen.odd += _out_of_order(seen.frames)
    return run.result


def _out_of_order(frames: Iterable[FrameKey]) -> list[str]:
    """List frames that come after a later one of the same op."""
    by_op: dict[str, list[Ctx]] = {}
    for path, ctx in frames:
        by_op.setdefault(path, []).append(ctx)
    found: list[str] = []
    for path, contexts in by_op.items():
        deepest = max(map(len, contexts))
        # A generator's final frame, at a shorter context, comes after those of its items.
        lines = [
            (*(index for _, index in ctx), *([math.inf] if len(ctx) < deepest else []))
            for ctx in contexts
        ]
        if lines != sorted(lines):
            found.append(f"the frames of `{path}` are out of order: {contexts}")
    return found


def _as_failure(error: OpError) -> Failure:
    cause = "" if isinstance(error, LoopLimitError) else type(error.__cause__).__name__
    return Failure(type(error).__name__, error.op, error.ctx, cause)


def differences(expected: Outcome, seen: Observed) -> list[str]:
    """List what is not as it must be."""
    found = list(seen.odd)
    if seen.failure is not None or expected.failures:
        if seen.failure not in expected.failures:
            allowed = sorted(expected.failures) or "no failure"
            found.append(f"it raised {seen.failure}, must raise: {allowed}")
        return found + _frames(expected, seen, whole=False)
    result = expected.result
    if seen.frames is not None:
        result = {key: value for key, value in result.items() if key not in expected.streamed}
    if not _same(seen.result, result):
        found.append(f"the result is {seen.result}, must be {result}")
    found += _frames(expected, seen, whole=True)
    return found + _errors(expected, seen) + _skips(expected, seen)


def _same(one: Any, other: Any) -> bool:
    # `True == 1` in Python, but not in a result.
    return bool(one == other) and repr(sorted(one.items())) == repr(sorted(other.items()))


def _frames(expected: Outcome, seen: Observed, *, whole: bool) -> list[str]:
    if seen.frames is None:
        return []
    found: list[str] = []
    for key, outputs in seen.frames.items():
        if key[0] in expected.unsure and key not in expected.frames:
            continue
        if key not in expected.frames:
            found.append(f"the frame {key} must not come: {outputs}")
        elif outputs != expected.frames[key]:
            found.append(f"the frame {key} is {outputs}, must be {expected.frames[key]}")
    if whole:
        missing = expected.frames.keys() - seen.frames.keys() - expected.optional
        found += [f"the frame {key} is missing" for key in sorted(missing)]
    return found


def _errors(expected: Outcome, seen: Observed) -> list[str]:
    found: list[str] = []
    allowed = {failure for slot in expected.errors for failure in slot.any_of}
    found += [f"errors has {error}, must not" for error in seen.errors if error not in allowed]
    for slot in expected.errors:
        if not slot.optional and not slot.any_of.intersection(seen.errors):
            found.append(f"errors lacks one of {sorted(slot.any_of)}; has {seen.errors}")
    if len(seen.errors) > len(expected.errors) or len(set(seen.errors)) < len(seen.errors):
        found.append(f"errors has too many: {seen.errors}")
    if seen.errors != sorted(seen.errors, key=lambda error: (error.ctx, error.op)):
        found.append(f"errors are out of order: {seen.errors}")
    return found


def _skips(expected: Outcome, seen: Observed) -> list[str]:
    found: list[str] = []
    for path in sorted(expected.skipped.keys() | seen.skipped.keys()):
        if path in expected.unsure:
            continue
        must, got = expected.skipped.get(path), seen.skipped.get(path)
        if must != got:
            found.append(f"skipped[{path!r}] is {got}, must be {must}")
    return found
