"""What `@graph(...)` takes besides a function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypedDict

from operonx.core.errors import did_you_mean, listed

if TYPE_CHECKING:
    from operonx.core.ops.policies import OnError

__all__ = ["POLICIES", "GraphSettings", "check_settings"]


POLICIES: Final = ("timeout", "concurrency", "on_error")


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


def check_settings(settings: Mapping[str, Any]) -> None:
    """Refuse a setting that graphs do not have.

    Raises:
        TypeError: If there is one.
    """
    known = ("name", *POLICIES)
    for key in settings:
        if key not in known:
            hint = did_you_mean(key, known)
            raise TypeError(
                f"a graph has no policy `{key}`; it takes {listed(known)}"
                + (f"; {hint}" if hint else "; set others on the ops inside")
            )
