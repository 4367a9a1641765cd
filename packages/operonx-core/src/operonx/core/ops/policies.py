"""Policies: what is done around a firing, as data on the op.

They apply in this order: `timeout` bounds one attempt, `retry` makes the attempts, then comes
`fallback`, then `on_error`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, TypeAlias, TypedDict, cast

from operonx.core.errors import did_you_mean
from operonx.core.expressions.refs import Operators

__all__ = [
    "NO_POLICIES",
    "POLICY_NAMES",
    "UNSET",
    "OnError",
    "Policies",
    "PolicyOptions",
    "Rate",
    "Retry",
    "RunIn",
    "Unset",
]

OnError: TypeAlias = Literal["raise", "skip"]
RunIn: TypeAlias = Literal["auto", "inline", "thread", "process"]


class Unset:
    """The type of `UNSET`: told apart from None, which is a value like any other."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()
_MOST_DOUBLINGS: Final = 60
"""Of a back-off: one of a nanosecond has grown to a life's length by then."""
_TUPLE: Final = cast("type[Any]", tuple)


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a failed firing is tried again, and when.

    Example:
        ```python
        fetch.with_(retry=Retry(attempts=5, backoff=0.2, jitter=0.1, on=(TimeoutError,)))(url=u)
        ```
    """

    attempts: int = 3
    """Attempts in all, the first one included."""
    backoff: float = 0.0
    """Seconds before the second attempt; doubled before each further one."""
    jitter: float = 0.0
    """At most this many seconds, drawn at random, are added to each back-off."""
    on: tuple[type[Exception], ...] = (Exception,)
    """Exception classes that are worth another attempt; all else fails at once."""

    def __post_init__(self) -> None:
        _require(
            _is_count(self.attempts), f"Retry(attempts={self.attempts!r}): a whole number from 1"
        )
        _require(_is_seconds(self.backoff), f"Retry(backoff={self.backoff!r}): seconds, 0 or more")
        _require(_is_seconds(self.jitter), f"Retry(jitter={self.jitter!r}): seconds, 0 or more")
        # Types are checked here as well, for those who check none before.
        given: Any = self.on
        on: Sequence[Any] = given if isinstance(given, _TUPLE) else (given,)
        object.__setattr__(self, "on", tuple(on))
        if not on or not all(isinstance(kind, type) and issubclass(kind, Exception) for kind in on):
            raise TypeError(f"Retry(on={self.on!r}): takes a tuple of exception classes")

    def delay(self, failed: int, draw: float) -> float:
        """Return the seconds to wait after `failed` attempts; `draw` is from [0, 1)."""
        doublings = min(failed - 1, _MOST_DOUBLINGS)
        return float(self.backoff * 2**doublings + self.jitter * draw)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` attempts begin in any `per` seconds, over the whole run."""

    count: int
    per: float = 1.0

    def __post_init__(self) -> None:
        _require(_is_count(self.count), f"Rate({self.count!r}): a whole number from 1")
        _require(_is_seconds(self.per) and self.per > 0, f"Rate(per={self.per!r}): seconds above 0")


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies of one op. What is None (or UNSET) is not asked for."""

    retry: Retry | None = None
    timeout: float | None = None
    """Seconds that one attempt may take (of a generator: each wait for a yield)."""
    fallback: Any = UNSET
    """A value of the op's ports, or an op of the same inputs and ports."""
    concurrency: int | None = None
    """Firings of this op at one time, over the whole run."""
    rate: Rate | None = None
    on_error: OnError = "raise"
    max_open: int | None = None
    """Open items of one firing of this generator; None takes the engine's."""
    run_in: RunIn = "auto"
    cache: Any = None
    """Reserved: refused at build."""

    def __post_init__(self) -> None:
        if not isinstance(cast("object", self.retry), Retry | None):
            raise TypeError(f"retry={self.retry!r}: takes a `Retry(attempts=...)`")
        if not isinstance(cast("object", self.rate), Rate | None):
            raise TypeError(f"rate={self.rate!r}: takes a `Rate(n, per=seconds)`")
        if isinstance(self.fallback, Operators):
            raise TypeError(
                f"fallback={self.fallback!r}: takes a value or an `@op` function, no op of a graph"
            )
        _require(
            self.timeout is None or (_is_seconds(self.timeout) and self.timeout > 0),
            f"timeout={self.timeout!r}: takes seconds above 0",
        )
        _require(
            self.concurrency is None or _is_count(self.concurrency),
            f"concurrency={self.concurrency!r}: takes a whole number from 1",
        )
        _require(
            self.max_open is None or _is_count(self.max_open),
            f"max_open={self.max_open!r}: takes a whole number from 1",
        )
        _require(
            self.on_error in ("raise", "skip"), f'on_error={self.on_error!r}: "raise" or "skip"'
        )
        _require(
            self.run_in in ("auto", "inline", "thread", "process"),
            f'run_in={self.run_in!r}: "auto", "inline", "thread" or "process"',
        )

    def but(self, **changes: Any) -> Policies:
        """Return these policies with some changed.

        Raises:
            TypeError: If there is no policy of a name.
            ValueError: If a value is out of its range.
        """
        if not changes:
            return self
        for name in changes:
            if name not in POLICY_NAMES:
                hint = did_you_mean(name, POLICY_NAMES) or did_you_mean(name, _SETTINGS)
                raise TypeError(f"there is no policy `{name}`" + (f"; {hint}" if hint else ""))
        return replace(self, **changes)

    def asked(self, defaults: Policies | None = None) -> dict[str, Any]:
        """Return what differs from the defaults, by name; None: from what asks for nothing."""
        return {
            name: value
            for name in _ORDER
            if (value := getattr(self, name))
            is not (default := getattr(defaults or NO_POLICIES, name))
            and (default is UNSET or value != default)  # a fallback's `==` is its own
        }


_ORDER: Final = tuple(field.name for field in fields(Policies))
POLICY_NAMES: Final = frozenset(_ORDER)
"""The names of all policies."""
_SETTINGS: Final = ("name", "outputs", "final", "returns", "rust", "warm_up")
"""What `@op` takes besides policies."""


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_seconds(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)


class PolicyOptions(TypedDict, total=False):
    """What `op.with_(...)` takes, so that type checkers see a misspelt policy."""

    name: str
    """The op's name in the graph."""
    retry: Retry | None
    """How often a failed firing is tried again."""
    timeout: float | None
    """Seconds that one attempt may take; None: no limit."""
    fallback: Any
    """A value of the op's ports, or an op of the same inputs and ports."""
    concurrency: int | None
    """Firings of the op at one time, over the whole run; None: no limit."""
    rate: Rate | None
    """How many attempts may begin in a time; None: no limit."""
    on_error: OnError
    """`"skip"` turns a failure into a skip."""
    max_open: int | None
    """Open items of one firing of a generator; None: the engine's."""
    run_in: RunIn
    """Where a plain `def` runs."""
    cache: Any
    """Reserved."""


NO_POLICIES: Final = Policies()
"""What an op has that asks for nothing."""
