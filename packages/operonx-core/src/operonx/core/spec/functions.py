"""The functions that ops call: where an import finds them, and what a graph must know of them."""

from __future__ import annotations

import inspect
import sys
from typing import Any, Final, cast

from operonx.core.errors import OperonxError, SpecError, listed
from operonx.core.ops.decorator import op
from operonx.core.ops.factory import OpFactory
from operonx.core.ops.function import OpDefinition
from operonx.core.ops.policies import NO_POLICIES, UNSET
from operonx.core.ops.signature import Parameter, Port, Signature
from operonx.core.spec.annotation_reader import read_annotation
from operonx.core.spec.annotation_writer import written_or_any
from operonx.core.spec.resolving import Resolver, find_in, path_of

__all__ = ["Unresolved", "read_function", "write_function"]

_SETTINGS: Final = ("name", "policies", "outputs", "final", "returns", "native", "warm_up")
_HINT: Final = "define it by `@op` at the top level of a module, where an import finds it"


# -- writing


def write_function(definition: OpDefinition) -> dict[str, Any]:
    """Return a function as JSON: its import path, its native name, its signature.

    Raises:
        ValueError: If no import would find it.
    """
    signature = definition.signature
    written: dict[str, Any] = {"import": _path_of(definition)}
    if definition.native is not None:
        written["native"] = definition.native
    written["parameters"] = [_write_parameter(one) for one in signature.parameters]
    if signature.accepts_extra:
        written["extra"] = True
    if signature.ports is not None:
        written["outputs"] = [_write_port(port) for port in signature.ports]
    if signature.shape != "mapping":
        written["shape"] = signature.shape
    if signature.final:
        written["final"] = [_write_port(port) for port in signature.final]
    for name, holds in (("generator", signature.is_generator), ("async", signature.is_async)):
        if holds:
            written[name] = True
    return written


def _write_parameter(parameter: Parameter) -> dict[str, Any]:
    written = {"name": parameter.name, "type": written_or_any(parameter.annotation)}
    if parameter.role != "input":
        written["role"] = parameter.role
    if not parameter.required:
        written["required"] = False
    if parameter.keyword_only:
        written["keyword_only"] = True
    return written


def _write_port(port: Port) -> dict[str, Any]:
    return {"name": port.name, "type": written_or_any(port.annotation)}


def _path_of(definition: OpDefinition) -> str:
    if isinstance(definition.function, Unresolved):
        return definition.function.path
    for module in (definition.module, getattr(definition.function, "__module__", None)):
        name = _name_in(module, definition)
        if name is not None:
            return f"{module}:{name}"
    path = path_of(definition.function)
    if path is not None and _is_plain(definition):
        return path
    raise ValueError(f"the function `{definition.name}`, which no import finds; {_HINT}")


def _name_in(module: str | None, definition: OpDefinition) -> str | None:
    """Return the name of the factory that has a definition, in a module."""
    holder = sys.modules.get(module or "")
    if holder is None:
        return None
    own = getattr(definition.function, "__qualname__", definition.name)
    if _defines(find_in(holder, own), definition):
        return own
    found = (name for name, value in vars(holder).items() if _defines(value, definition))
    return min(found, key=lambda name: (name.startswith("_"), name), default=None)


def _is_plain(definition: OpDefinition) -> bool:
    """Tell whether `op(function)` alone gives the same op."""
    plain = op(definition.function).definition
    return all(getattr(definition, name) == getattr(plain, name) for name in _SETTINGS)


def _defines(value: object, definition: OpDefinition) -> bool:
    return isinstance(value, OpFactory) and value.definition is definition


# -- reading


class Unresolved:
    """Stands for a function that a spec names and that was not imported; engines refuse it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.__name__: str = path.partition(":")[2]

    def __call__(self, *_: object, **__: object) -> Any:
        """Refuse to run.

        Raises:
            SpecError: Always; says how to have it imported.
        """
        raise self.refusal()

    def refusal(self) -> SpecError:
        """Return the error that says how to have it imported."""
        module = self.path.partition(":")[0]
        return SpecError(
            f"`{self.path}` was not imported: nobody allowed the module `{module}`",
            hint=f'where you trust it: `GraphOp.deserialize(spec, allow=["{module}"])`',
        )


def read_function(data: dict[str, Any], resolver: Resolver) -> OpDefinition:
    """Return the function that JSON stands for: imported, or `Unresolved`.

    Raises:
        SpecError: If it is not to be found, is no op, or has other ports than the spec says.
    """
    path: str = data["import"]
    if not resolver.allows(path):
        return _unresolved(data, resolver)
    found: Any = resolver.find(path)
    definition = _definition(path, found)
    _refuse_changed(path, data, definition)
    return definition


def _definition(path: str, found: Any) -> OpDefinition:
    if isinstance(found, OpFactory):
        return cast("OpFactory[..., Any]", found).definition
    # Else a module would bring in all that it has imported: `their.module:system`.
    if not callable(found) or path_of(found) != path:
        raise SpecError(f"`{path}` is {found!r}: neither an op nor a function of that module")
    try:
        made: OpFactory[..., Any] = op(found)
        made.definition.signature  # noqa: B018 - looks at the function's parameters
    except (TypeError, ValueError, OperonxError) as error:
        raise SpecError(f"`{path}` is no op: {error}") from error
    return made.definition


def _refuse_changed(path: str, data: dict[str, Any], definition: OpDefinition) -> None:
    now = _shape(definition)
    for name, what in (("outputs", "ports"), ("final", "final ports")):
        then = [port["name"] for port in data[name]] if name in data else None
        if then != now[name]:
            raise SpecError(
                f"`{path}` changed: the spec says that it has the {what} {_said(then)}, "
                f"it has {_said(now[name])}",
                hint="serialise the graph again",
            )
    for name, what in (("generator", "yields"), ("async", "is async")):
        if data.get(name, False) != now[name]:
            says = "" if data.get(name, False) else "not "
            raise SpecError(
                f"`{path}` changed: the spec says that it {says}{what}".replace("not is", "is not"),
                hint="serialise the graph again",
            )


def _shape(definition: OpDefinition) -> dict[str, Any]:
    """Return what of a function must be as the spec says: its ports and its kind."""
    signature = definition.signature
    ports, final = signature.ports, signature.final
    return {
        "outputs": None if ports is None else [port.name for port in ports],
        "final": [port.name for port in final] or None,
        "generator": signature.is_generator,
        "async": signature.is_async,
    }


def _said(names: list[str] | None) -> str:
    return "that its results tell" if names is None else listed(names)


def _unresolved(data: dict[str, Any], resolver: Resolver) -> OpDefinition:
    function = Unresolved(data["import"])

    def refuse(_hub: object) -> None:
        raise function.refusal()

    return OpDefinition(
        function,
        function.__name__,
        NO_POLICIES,
        native=data.get("native"),
        warm_up=refuse,
        _signature=_read_signature(data, resolver),
    )


def _read_signature(data: dict[str, Any], resolver: Resolver) -> Signature:
    outputs = data.get("outputs")
    return Signature(
        parameters=tuple(_read_parameter(one, resolver) for one in data["parameters"]),
        accepts_extra=data.get("extra", False),
        ports=None if outputs is None else tuple(_read_port(one, resolver) for one in outputs),
        final=tuple(_read_port(one, resolver) for one in data.get("final", ())),
        shape=data.get("shape", "mapping"),
        is_async=data.get("async", False),
        is_generator=data.get("generator", False),
    )


def _read_parameter(data: dict[str, Any], resolver: Resolver) -> Parameter:
    required: bool = data.get("required", True)
    return Parameter(
        data["name"],
        read_annotation(data["type"], resolver),
        required,
        inspect.Parameter.empty if required else UNSET,  # known to the function only
        data.get("keyword_only", False),
        data.get("role", "input"),
    )


def _read_port(data: dict[str, Any], resolver: Resolver) -> Port:
    return Port(data["name"], read_annotation(data["type"], resolver))
