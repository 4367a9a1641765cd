"""`read_signature`: parameters, ports and kind of a function."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from operonx.core.errors import listed
from operonx.core.schema import plain, type_name

from .callables import functions_behind, is_async, is_generator, mistake, unbound
from .literals import SourceFacts, may_end, source_facts
from .model import Port, Shape, Signature
from .parameters import Scope, parameters_of, python_signature
from .results import UNKNOWN, Told, awaited_type, item_type, told_by, value_type

if TYPE_CHECKING:
    from types import FunctionType

__all__ = ["read_signature"]


def read_signature(
    function: Any,
    *,
    outputs: Sequence[str] | Mapping[str, Any] | None = None,
    final: Sequence[str] | Mapping[str, Any] | None = None,
    returns: str | None = None,
    context_type: type | None = None,
    stream_type: type | None = None,
) -> Signature:
    """Read what a graph must know of a function before it runs.

    The ports are those of `outputs` or `returns`; else what the return annotation tells; else
    the keys of the dicts that the function's own statements return or yield; else open.

    Args:
        function: A function of any kind, a partial, a bound method, a callable object, a class.
        outputs: Names of the ports, or their types by name.
        final: The same for the ports of `yield final(...)`.
        returns: Make the whole result one port of this name.
        context_type: The type whose parameters are handed the run.
        stream_type: The generic type whose parameters are handed a stream.

    Returns:
        The signature. Nothing in it is cached.

    Raises:
        TypeError: If a parameter cannot be given by name, the dicts of the source disagree, or
            the arguments contradict the function; the message says where and how to mend it.

    Example:
        ```python
        def shorten(text: str, limit: int = 80) -> str: ...

        read_signature(shorten).ports  # (Port(name="result", annotation=str),)
        ```
    """
    reader = _Reader(function, Scope(function, (context_type, stream_type)))
    parameters, accepts_extra = parameters_of(
        function, reader.signature, reader.scope, context_type, stream_type
    )
    ports, shape = reader.ports(outputs, returns)
    ends = reader.final(final)
    twice = {port.name for port in ports or ()} & {port.name for port in ends}
    if twice:
        what = f"yields {listed(sorted(twice))} both with its items and with `final(...)`"
        raise mistake(function, what, "rename one of the two")
    return Signature(
        parameters=parameters,
        accepts_extra=accepts_extra,
        ports=ports,
        final=ends,
        shape=shape,
        is_async=reader.is_async,
        is_generator=reader.is_generator,
        whole=reader.whole(),
    )


class _Reader:
    """Reads the results of one function."""

    def __init__(self, function: Any, scope: Scope) -> None:
        if not callable(function):
            msg = f"an op is made of a function, got a `{type(function).__name__}`"
            raise TypeError(msg)
        self.function = function
        self.signature = python_signature(function)
        self.scope = scope
        self.functions = functions_behind(function)
        self._read: dict[FunctionType, SourceFacts | None] = {}
        self.is_async = is_async(function)
        self.is_generator = is_generator(function)
        if not self.is_generator and any(map(is_generator, self.functions)):
            what = "wraps a generator but is none itself, so that its items would not stream"
            raise mistake(function, what, "let the wrapper `yield`, as in `yield from ...`")

    def ports(
        self, outputs: Sequence[str] | Mapping[str, Any] | None, returns: str | None
    ) -> tuple[tuple[Port, ...] | None, Shape]:
        annotation = self._annotation()
        if returns is not None:
            return self._whole(outputs, returns, annotation)
        told = told_by(annotation, self.scope.local())
        if outputs is not None:
            return self._declared(outputs, annotation, told)
        return told or self._literal(annotation) or (None, "mapping")

    def whole(self) -> Any:
        annotation = self._annotation()
        return Any if annotation is UNKNOWN else annotation

    def _annotation(self) -> Any:
        """Give the type of one result, or in a generator of one item."""
        outer = unbound(self.function)
        if inspect.isclass(outer):
            return outer
        annotation = self.scope.resolve(self.signature.return_annotation, unknown=UNKNOWN)
        if self.is_generator:
            return item_type(annotation)
        return awaited_type(annotation) if self.is_async else annotation

    def _whole(self, outputs: object, returns: object, annotation: Any) -> Told:
        if outputs is not None:
            what = "has both `outputs=` and `returns=`"
            raise self._mistake(what, "`outputs=` names the keys of a dict, `returns=` a value")
        if not isinstance(returns, str) or not returns:
            what = f"has `returns={returns!r}`"
            raise self._mistake(what, 'write a name: `returns="text"`')
        return (Port(returns, Any if annotation is UNKNOWN else annotation),), "value"

    def _declared(
        self, outputs: Sequence[str] | Mapping[str, Any], annotation: Any, told: Told | None
    ) -> Told:
        ports = self._named("outputs", outputs)
        if not ports:
            return (), "none"
        if told is None or plain(annotation) is Any:
            hint = value_type(annotation)
            return _typed(ports, {port.name: hint for port in ports}), "mapping"
        names, own = {port.name for port in ports}, {port.name: port.annotation for port in told[0]}
        if told[1] in ("none", "value") or names != own.keys():
            what = f"has `outputs=` {listed(sorted(names))} and gives `{type_name(annotation)}`"
            hint = "`outputs=` names the keys of a dict; `returns=` names a whole value"
            raise self._mistake(what, hint)
        return _typed(ports, own), told[1]

    def _literal(self, annotation: Any) -> Told | None:
        """Give what the dicts in the source tell, of a wrapper those of what it wraps."""
        for facts in filter(None, map(self._facts, self.functions)):
            if facts.gives_nothing:
                return (), "none"
            keys = self._agreed(facts.keys, "dicts", "outputs")
            if keys is not None:
                hint = value_type(annotation)
                return tuple(Port(key, hint) for key in keys), "mapping"
            if facts.keys:  # `{**values}`: what it wraps would tell no more
                return None
        return None

    def final(self, given: Sequence[str] | Mapping[str, Any] | None) -> tuple[Port, ...]:
        """Give the ports that a generator ends with."""
        if given is not None and not self.is_generator:
            what = "has `final=` and is no generator"
            raise self._mistake(what, "only what yields can end with `yield final(...)`")
        if given is not None:
            return self._named("final", given)
        ending = filter(may_end, self.functions) if self.is_generator else ()
        for facts in filter(None, map(self._facts, ending)):
            if any(names is None for _, names in facts.final):
                what = "yields `final(...)` with ports that its source does not tell"
                raise self._mistake(what, "name them: `@op(final=[...])`")
            keys = self._agreed(facts.final, "`final(...)`", "final")
            if keys is not None:
                return tuple(Port(key, Any) for key in keys)
        return ()

    def _facts(self, function: FunctionType) -> SourceFacts | None:
        if function not in self._read:
            self._read[function] = source_facts(function)
        return self._read[function]

    def _agreed(
        self, found: Sequence[tuple[int, tuple[str, ...] | None]], what: str, option: str
    ) -> tuple[str, ...] | None:
        """Give the keys that all literals have, or None where one does not tell its own."""
        known = [(line, keys) for line, keys in found if keys is not None]
        if not known or len(known) < len(found):
            return None
        first = known[0]
        for line, keys in known:
            if set(keys) != set(first[1]):
                one, other = listed(first[1], "no keys"), listed(keys, "no keys")
                message = f"gives {what} that disagree: {one} in line {first[0]}, {other} in {line}"
                hint = f"give the same ports everywhere, or name them: `@op({option}=[...])`"
                raise self._mistake(message, hint)
        return first[1]

    def _named(self, option: str, given: object) -> tuple[Port, ...]:
        """Give the ports that `outputs=` or `final=` names."""
        what = f"has `{option}={given!r}`"
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise self._mistake(what, f'write a list of names: `{option}=["text"]`')
        written = list(cast("Iterable[object]", given))
        names = [name for name in written if isinstance(name, str) and name]
        if len(set(names)) < len(written):
            raise self._mistake(what, "write different names, as strings")
        hints: Mapping[str, Any] = {}
        if isinstance(given, Mapping):
            hints = cast("Mapping[str, Any]", given)
        return tuple(Port(name, self.scope.resolve(hints.get(name, Any))) for name in names)

    def _mistake(self, what: str, hint: str) -> TypeError:
        return mistake(self.function, what, hint)


def _typed(ports: tuple[Port, ...], hints: Mapping[str, Any]) -> tuple[Port, ...]:
    """Fill in the types of ports that were named without."""
    return tuple(
        Port(port.name, hints[port.name]) if port.annotation is Any else port for port in ports
    )
