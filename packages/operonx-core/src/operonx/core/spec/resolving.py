"""From an import path, `package.module:name`, to what it names: only where the caller allows it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from operonx.core.errors import SpecError

__all__ = ["Resolver", "find_in", "path_of"]

_KNOWN_TYPES: Final = frozenset(
    {"builtins", "collections", "collections.abc", "datetime", "decimal", "pathlib", "uuid"}
)
"""Modules of Python whose classes may be named as types without being allowed."""
_OWN: Final = "operonx.core"


class Resolver:
    """Imports what a spec names, from modules that the caller allowed and from none else.

    Args:
        allow: Names of modules; a package allows the modules in it.

    Raises:
        TypeError: If `allow` is no list of names.
    """

    def __init__(self, allow: Iterable[str] = ()) -> None:
        if isinstance(allow, str):
            raise TypeError(f"allow={allow!r}: takes a list of module names, `allow=[{allow!r}]`")
        self._allowed = (*allow, _OWN)
        if not all(isinstance(name, str) for name in self._allowed):  # pyright: ignore[reportUnnecessaryIsInstance] - of callers who check no types
            raise TypeError(f"allow={allow!r}: takes a list of module names")

    def allows(self, path: str) -> bool:
        """Return whether the module of an import path may be imported."""
        module = path.partition(":")[0]
        return any(module == name or module.startswith(f"{name}.") for name in self._allowed)

    def find(self, path: str) -> Any:
        """Return what a path names.

        Raises:
            SpecError: If it cannot be imported, or there is no such name.
        """
        name, _, attributes = path.partition(":")
        try:
            module = import_module(name)
        except Exception as error:
            raise SpecError(
                f"`{path}` cannot be imported: {type(error).__name__}: {error}",
                hint=f"install what has the module `{name}`, or put it on the path",
            ) from error
        found = find_in(module, attributes)
        if found is None or isinstance(found, ModuleType):
            raise SpecError(
                f"module `{name}` has no `{attributes}`",
                hint="it was there when the spec was written: look whether it was renamed",
            )
        return found

    def find_class(self, path: str, base: type = object) -> type | None:
        """Return the class that a path names, or None where it may not be imported.

        Raises:
            SpecError: If it is no class, or none of `base`.
        """
        module = path.partition(":")[0]
        if module not in _KNOWN_TYPES and not self.allows(path):
            return None
        found = self.find(path)
        if not isinstance(found, type) or not issubclass(found, base):
            raise SpecError(f"`{path}` is {found!r}, no class of `{base.__name__}`")
        return found


def find_in(module: ModuleType, attributes: str) -> Any:
    """Return what a dotted name means in a module, or None.

    It leads to what stands in classes, and not into the modules that a module has imported: those
    nobody allowed.
    """
    first, *others = attributes.split(".")
    found: Any = getattr(module, first, None)
    for name in others:
        if not isinstance(found, type):
            return None
        found = getattr(found, name, None)
    return found


def path_of(found: object) -> str | None:
    """Return the import path of a class or function, or None where no import would find it."""
    module, name = getattr(found, "__module__", None), getattr(found, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str):
        return None
    holder = sys.modules.get(module)
    if holder is None or find_in(holder, name) is not found:
        return None
    return f"{module}:{name}"
