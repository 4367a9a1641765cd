"""The errors of operonx, all of them.

```
OperonxError
├── BuildError          a graph is wrong; `.issues` lists every mistake found
├── InputError          a run was given inputs that the graph does not take
├── OpError             an op failed while running; `.op`, `.ctx`, `.inputs`, `__cause__`
│   └── LoopLimitError  a loop's `until` was still false after `max_iterations`
├── OutputError         an op returned something else than its ports
├── ExpressionError     an expression met a value that it is not defined for
├── StreamError         a stream's sides or end are not what its reader needs
├── NoAnswerError       `RunContext.ask` had nobody to ask
├── WorkerDiedError     a worker process ended, or could not begin
├── RemoteError         stands for an exception of another process that could not be pickled
├── RunStateError       a run was used in a way that its state forbids
└── EngineError         operonx itself is at fault: please report it

OperonxWarning
├── BlockingOpWarning   an `async def` op blocked the event loop
└── AbandonedThreadWarning  a thread did not answer its cancelling in time
```

Every error keeps how to mend it apart from what happened, in `.hint`; both are shown.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

from operonx.core import pickling

__all__ = [
    "AbandonedThreadWarning",
    "BlockingOpWarning",
    "BuildError",
    "BuildIssue",
    "Context",
    "EngineError",
    "ExpressionError",
    "InputError",
    "LoopLimitError",
    "NoAnswerError",
    "OpError",
    "OperonxError",
    "OperonxWarning",
    "OutputError",
    "RemoteError",
    "RunStateError",
    "StreamError",
    "WorkerDiedError",
    "did_you_mean",
    "format_context",
    "listed",
    "revived",
]

Context: TypeAlias = tuple[tuple[str, int], ...]
"""Where in a run something happened: `(axis, index)` steps; the root is `()`."""


class OperonxError(Exception):
    """Base of all errors raised by operonx.

    Args:
        message: What happened and where.
        hint: How to mend it, or None where there is nothing to say.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message

    # Exceptions are copied by calling their class with `args`; ours take other arguments.

    def __reduce__(self) -> tuple[Any, ...]:
        cause = self.__cause__
        packed = None if cause is None else pickling.pack(cause)
        return _unborn, (type(self), self.args), (self.__dict__, packed, self.__suppress_context__)

    def __setstate__(self, state: Any) -> None:
        kept, packed, suppressed = state
        self.__dict__.update(kept)
        self.__cause__: BaseException | None = None if packed is None else revived(packed)
        self.__suppress_context__ = suppressed

    def __copy__(self) -> Self:
        copied: Self = _unborn(type(self), self.args)
        copied.__dict__.update(self.__dict__)
        copied.__cause__ = self.__cause__
        copied.__suppress_context__ = self.__suppress_context__
        return copied


def _unborn(cls: type[Any], args: tuple[Any, ...]) -> Any:
    """Make an error without its `__init__`, to be given the state of another."""
    return cls.__new__(cls, *args)


@dataclass(frozen=True, slots=True)
class BuildIssue:
    """One mistake in a graph."""

    op: str
    """Path of the op that the mistake is at."""
    message: str
    """What is wrong, with the ref or port concerned."""
    hint: str | None = None
    """How to mend it."""
    ref: str | None = None
    """The ref, port or keyword concerned, as it was written."""

    def __str__(self) -> str:
        tail = f"\n    hint: {self.hint}" if self.hint else ""
        return f"{self.op}: {self.message}{tail}"


class BuildError(OperonxError):
    """A graph is wrong. All mistakes found are in `issues`, and in the message."""

    def __init__(self, issues: Sequence[BuildIssue]) -> None:
        self.issues: tuple[BuildIssue, ...] = tuple(issues)
        """Every mistake found, in the order of the graph."""
        count = "1 mistake" if len(issues) == 1 else f"{len(issues)} mistakes"
        lines = "\n".join(f"  {issue}" for issue in issues)
        super().__init__(f"the graph has {count}:\n{lines}")


class InputError(OperonxError, ValueError):
    """The inputs of a run are missing, unknown or of the wrong type."""


class OutputError(OperonxError, TypeError):
    """An op's result does not have the shape of its ports."""


class ExpressionError(OperonxError, TypeError):
    """An expression met values that it is not defined for, as in `1 < "a"`."""


class StreamError(OperonxError):
    """A stream ended early, or two zipped streams have unequal lengths."""


class NoAnswerError(OperonxError):
    """`RunContext.ask` was called where nobody can answer."""


class WorkerDiedError(OperonxError):
    """The worker process of an op ended before the op did, or could not begin."""


class RemoteError(OperonxError):
    """Stands for an exception of another process that could not be pickled to come from there.

    Args:
        type_name: The bare name of its class.
        text: Its message.
    """

    def __init__(self, type_name: str, text: str) -> None:
        self.type_name = type_name
        super().__init__(
            f"{type_name}: {text}" if text else type_name,
            hint="the exception itself could not be pickled to come back, so neither `retry=` nor "
            "`except` knows its class: define it in a module, with its arguments in `args`",
        )


def revived(packed: pickling.PackedError) -> BaseException:
    """Return an exception that came from another process, or what stands for it."""
    try:
        return pickling.unpack(packed)
    except Exception as reason:  # noqa: BLE001 - unpickling calls anything
        error = RemoteError(packed.type_name, packed.text)
        error.__cause__ = reason
        for note in packed.notes:
            error.add_note(note)
        return error


class RunStateError(OperonxError, RuntimeError):
    """A run was used in a way that its state forbids."""


class EngineError(OperonxError):
    """A fault of operonx itself; please report it with the message."""


class OpError(OperonxError):
    """An op failed. The original exception is `__cause__`.

    Args:
        op: Full path of the op that failed.
        ctx: The context of the firing.
        cause: What the op raised.
        inputs: The firing's inputs by port, redacted and shortened, as text.
        hint: How to mend it; of none that of the cause.
        output: The output of a graph that could not be computed, with what is written to it.
    """

    def __init__(
        self,
        op: str,
        ctx: Context,
        cause: BaseException,
        inputs: Mapping[str, str] | None = None,
        *,
        hint: str | None = None,
        output: str | None = None,
    ) -> None:
        self.op = op
        self.ctx = ctx
        self._output = output
        self.inputs: dict[str, str] = dict(inputs or {})
        self.__cause__: BaseException | None = cause
        # An operonx error brings its own hint; saying it twice would bury it.
        self.cause_message: str = _message_of(cause)
        inner_hint = cause.hint if isinstance(cause, OperonxError) else None
        super().__init__(self._describe(cause), hint=hint or inner_hint)

    def _describe(self, cause: BaseException) -> str:
        place = f" at {format_context(self.ctx)}" if self.ctx else ""
        given = ", ".join(f"{name}={text}" for name, text in self.inputs.items())
        inputs = f" (inputs: {given})" if given else ""
        if self._output is not None:
            inputs = f" (output {self._output})"
        return f"op `{self.op}`{place} failed: {type(cause).__name__}: {self.cause_message}{inputs}"


def _message_of(cause: BaseException) -> str:
    return cause.message if isinstance(cause, OperonxError) else pickling.text_of(cause)


class LoopLimitError(OpError):
    """A loop's `until` was still false after `max_iterations` iterations.

    `.inputs` is the state after the last one, redacted and shortened, as text.
    """

    def _describe(self, cause: BaseException) -> str:
        del cause  # its message is all that there is
        place = f" at {format_context(self.ctx)}" if self.ctx else ""
        state = ", ".join(f"{name}={text}" for name, text in self.inputs.items())
        after = f" (state: {state})" if state else ""
        return f"loop `{self.op}`{place}: {self.cause_message}{after}"


class OperonxWarning(UserWarning):
    """Base of the warnings that operonx gives."""


class BlockingOpWarning(OperonxWarning):
    """An `async def` op kept the event loop from running; make it a `def`, or await."""


class AbandonedThreadWarning(OperonxWarning):
    """A plain `def` op ignored its cancelling; its thread was left to itself.

    Look at `RunContext.cancelled` in long-running functions.
    """


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Give "did you mean `x`?" for the known name nearest to `name`, or None."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean `{matches[0]}`?" if matches else None


def listed(names: Iterable[str], empty: str = "none") -> str:
    """Write names as "`a`, `b`", or `empty` where there are none."""
    return ", ".join(f"`{name}`" for name in names) or empty


def format_context(ctx: Context) -> str:
    """Write a context as `g.items[3] / g.pages[0]`."""
    return " / ".join(f"{axis}[{index}]" for axis, index in ctx)
