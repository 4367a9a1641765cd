"""The arguments of a call of a `@graph` function, by the name of its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operonx.core.errors import did_you_mean, listed

if TYPE_CHECKING:
    import inspect
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["bind", "refuse_unknown"]


def bind(
    title: str,
    parameters: Sequence[inspect.Parameter],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the arguments of a call by name, also those that have no parameter.

    Raises:
        TypeError: If there are too many, or one is given twice.
    """
    positional = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    if len(args) > len(positional):
        raise TypeError(
            f"graph `{title}` takes {listed(positional, 'nothing')} by position, "
            f"got {len(args)} arguments"
        )
    values = dict(zip(positional, args, strict=False))
    for key, value in kwargs.items():
        if key in values:
            raise TypeError(f"graph `{title}`: argument `{key}` is given twice")
        values[key] = value
    return values


def refuse_unknown(
    title: str, parameters: Sequence[inspect.Parameter], given: Iterable[str]
) -> None:
    """Refuse values for what is no parameter of the graph function `title`.

    Raises:
        TypeError: If there is one.
    """
    known = [p.name for p in parameters]
    for key in given:
        if key not in known:
            hint = did_you_mean(key, known)
            raise TypeError(
                f"graph `{title}` has no parameter `{key}`; "
                f"it has {listed(known, 'none')}" + (f"; {hint}" if hint else "")
            )
