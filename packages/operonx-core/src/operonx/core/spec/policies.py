"""Policies as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from operonx.core.errors import OperonxError, SpecError
from operonx.core.ops.factory import OpFactory
from operonx.core.ops.policies import NO_POLICIES, Policies, Rate, Retry
from operonx.core.spec.resolving import Resolver, path_of
from operonx.core.spec.values import read_value, write_value

if TYPE_CHECKING:
    from operonx.core.ops.function import OpDefinition

__all__ = ["read_policies", "write_policies"]

_AS_THEY_ARE = ("timeout", "concurrency", "on_error", "max_open", "run_in")


def write_policies(
    policies: Policies, function_number: Callable[[OpDefinition], int]
) -> dict[str, Any]:
    """Return the policies that an author asked for, as JSON.

    Args:
        policies: Of one op.
        function_number: Gives the number of a function in the spec, for a fallback.

    Raises:
        ValueError: If an exception class or a value has no place in a spec.
    """
    written: dict[str, Any] = {}
    for name, value in policies.asked().items():
        match name:
            case "retry":
                written[name] = _write_retry(value)
            case "rate":
                written[name] = {"count": value.count, "per": value.per}
            case "fallback" if isinstance(value, OpFactory):
                written[name] = {"function": function_number(value.definition)}
            case "fallback":
                written[name] = {"value": write_value(value, "fallback")}
            case _:
                written[name] = value
    return written


def _write_retry(retry: Retry) -> dict[str, Any]:
    default = Retry()
    written: dict[str, Any] = {"attempts": retry.attempts}
    for name in ("backoff", "jitter"):
        if getattr(retry, name) != getattr(default, name):
            written[name] = getattr(retry, name)
    if retry.on != default.on:
        written["on"] = [_write_exception(kind) for kind in retry.on]
    return written


def _write_exception(kind: type[Exception]) -> str:
    path: str | None = getattr(kind, "_spec_path", None) or path_of(kind)
    if path is None:
        raise ValueError(f"retry on `{kind.__qualname__}`, which no import finds")
    return path


def read_policies(
    data: dict[str, Any], definitions: list[OpDefinition], resolver: Resolver
) -> Policies:
    """Return the policies that JSON stands for.

    Raises:
        SpecError: If one is out of its range, or names what is not there.
    """
    given = {name: data[name] for name in _AS_THEY_ARE if name in data}
    try:
        if "retry" in data:
            given["retry"] = _read_retry(data["retry"], resolver)
        if "rate" in data:
            given["rate"] = Rate(**data["rate"])
        if "fallback" in data:
            given["fallback"] = _read_fallback(data["fallback"], definitions)
        return NO_POLICIES.but(**given)
    except (TypeError, ValueError) as error:
        if isinstance(error, OperonxError):
            raise
        raise SpecError(str(error)) from error


def _read_retry(data: dict[str, Any], resolver: Resolver) -> Retry:
    given = {**data}
    if "on" in data:
        given["on"] = tuple(_read_exception(path, resolver) for path in data["on"])
    return Retry(**given)


def _read_exception(path: str, resolver: Resolver) -> type[Exception]:
    found = resolver.find_class(path, Exception)
    if found is not None:
        return found
    # A stand-in that nobody raises: the op that might is not imported either.
    return type(path.partition(":")[2], (Exception,), {"_spec_path": path})


def _read_fallback(data: dict[str, Any], definitions: list[OpDefinition]) -> Any:
    if "value" in data:
        return read_value(data["value"], "fallback")
    number: int = data["function"]
    if not 0 <= number < len(definitions):
        raise SpecError(f"fallback: there is no function {number}")
    made: OpFactory[..., Any] = OpFactory(definitions[number], NO_POLICIES)
    return made
