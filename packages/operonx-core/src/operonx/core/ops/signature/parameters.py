"""What a function takes."""

from __future__ import annotations

import inspect
import sys
import typing
from collections import ChainMap
from typing import TYPE_CHECKING, Any

from operonx.core.schema import field_annotations, plain, required_keys, resolved, union_members

from .callables import functions_behind, mistake, unbound
from .model import Parameter, Role

if TYPE_CHECKING:
    from types import FrameType, FunctionType

__all__ = ["Scope", "parameters_of", "python_signature"]

_POSITIONAL_ONLY = inspect.Parameter.POSITIONAL_ONLY
_VAR_POSITIONAL = inspect.Parameter.VAR_POSITIONAL
_VAR_KEYWORD = inspect.Parameter.VAR_KEYWORD
_EMPTY = inspect.Parameter.empty


class Scope:
    """The names that the annotations of a function may use.

    Args:
        function: The function that is read.
        known: Types that are found by name even where the module imports them only for type
            checkers (`if TYPE_CHECKING`).
    """

    def __init__(self, function: object, known: tuple[type | None, ...] = ()) -> None:
        functions = functions_behind(function)
        self._owner = functions[-1] if functions else None
        self._cls = unbound(function)
        self._known = {one.__name__: one for one in known if one is not None}

    def resolve(self, annotation: object, unknown: Any = Any) -> Any:
        """Evaluate an annotation; give `unknown` where a name in it cannot be found.

        Example:
            ```python
            Scope(function).resolve("list[int]")  # list[int]
            ```
        """
        if annotation is _EMPTY:
            return unknown
        if isinstance(annotation, type) and not typing.get_args(annotation):
            return annotation
        names = self._globals()
        found = resolved(annotation, names, ChainMap(self.local(), names, self._known), _EMPTY)
        if found is _EMPTY and self._owner is not None:
            outside = ChainMap(_locals_around(self._owner), self.local(), names, self._known)
            found = resolved(annotation, names, outside, _EMPTY)
        return unknown if found is _EMPTY else found

    def local(self) -> dict[str, Any]:
        """Give the names of the enclosing functions that this one uses.

        Example:
            ```python
            Scope(function).local()  # {"Hit": Hit}
            ```
        """
        if self._owner is None:
            return {}
        parameters = getattr(self._owner, "__type_params__", ())
        names: dict[str, Any] = {one.__name__: one for one in parameters}
        cells = self._owner.__closure__ or ()
        for name, cell in zip(self._owner.__code__.co_freevars, cells, strict=False):
            try:
                names[name] = cell.cell_contents
            except ValueError:  # not assigned yet
                continue
        return names

    def _globals(self) -> dict[str, Any]:
        if self._owner is not None:
            return self._owner.__globals__
        return vars(sys.modules.get(getattr(self._cls, "__module__", ""), typing))


def _locals_around(function: FunctionType) -> dict[str, Any]:
    """Give the locals of the function that defines this one, if it still runs.

    A class made there and named only in annotations is in no closure.
    """
    frame: FrameType | None = inspect.currentframe()
    while frame is not None:
        if any(constant is function.__code__ for constant in frame.f_code.co_consts):
            return dict(frame.f_locals)
        frame = frame.f_back
    return {}


def python_signature(function: Any) -> inspect.Signature:
    """Give the signature of a callable as Python has it.

    Raises:
        TypeError: If Python knows none, as of some builtins.

    Example:
        ```python
        python_signature(lambda text: text)  # <Signature (text)>
        ```
    """
    try:
        return inspect.signature(function)
    except ValueError as error:
        what = "has no signature that Python could read"
        raise mistake(function, what, "wrap it in a `def` with named parameters") from error


def parameters_of(
    function: Any,
    signature: inspect.Signature,
    scope: Scope,
    context_type: type | None,
    stream_type: type | None,
) -> tuple[tuple[Parameter, ...], bool]:
    """Read the parameters of a callable.

    Args:
        function: Any callable.
        signature: Its signature.
        scope: The names that its annotations may use.
        context_type: The type whose parameters are handed the run.
        stream_type: The generic type whose parameters are handed a stream.

    Returns:
        The parameters, and whether it takes any other keyword.

    Raises:
        TypeError: If a parameter has no name to be given by.

    Example:
        ```python
        parameters_of(shorten, python_signature(shorten), Scope(shorten), None, None)
        ```
    """
    parameters: list[Parameter] = []
    accepts_extra = False
    for parameter in signature.parameters.values():
        _refuse_positional(function, parameter)
        annotation = scope.resolve(parameter.annotation)
        if parameter.kind is not _VAR_KEYWORD:
            role, annotation = _role(annotation, context_type, stream_type)
            parameters.append(_parameter(parameter, annotation, role))
        elif typing.get_origin(annotation) is typing.Unpack:
            parameters += _unpacked(typing.get_args(annotation)[0])
        else:
            accepts_extra = True
    return tuple(parameters), accepts_extra


def _refuse_positional(function: object, parameter: inspect.Parameter) -> None:
    name = parameter.name
    if parameter.kind is _POSITIONAL_ONLY:
        what, hint = f"takes `{name}` by position only", "remove the `/`"
    elif parameter.kind is _VAR_POSITIONAL:
        what, hint = (
            f"takes `*{name}`",
            (
                f"take one parameter that is a list, `{name}: list[...]`; "
                "a wrapper keeps the parameters of what it wraps by `functools.wraps`"
            ),
        )
    else:
        return
    if not functions_behind(function):  # a builtin cannot be changed
        hint = "wrap it in a `def` with named parameters"
    raise mistake(function, f"{what}, and ports are given by name", hint)


def _parameter(parameter: inspect.Parameter, annotation: Any, role: Role) -> Parameter:
    return Parameter(
        parameter.name,
        annotation,
        parameter.default is _EMPTY,
        parameter.default,
        parameter.kind is inspect.Parameter.KEYWORD_ONLY,
        role,
    )


def _unpacked(typed_dict: Any) -> list[Parameter]:
    """Give the parameters of `**options: Unpack[Options]`."""
    required = required_keys(typed_dict)
    fields = field_annotations(typed_dict) or {}
    return [
        Parameter(name, annotation, name in required, _EMPTY, True, "input")
        for name, annotation in fields.items()
    ]


def _role(annotation: Any, context_type: type | None, stream_type: type | None) -> tuple[Role, Any]:
    bare = plain(annotation)
    for member in union_members(bare) or (bare,):
        inner = plain(member)
        cls = typing.get_origin(inner) or inner
        if not isinstance(cls, type):
            continue
        if context_type is not None and issubclass(cls, context_type):
            return "context", annotation
        if stream_type is not None and issubclass(cls, stream_type):
            args = typing.get_args(inner)
            return "stream", args[0] if args else Any
    return "input", annotation
