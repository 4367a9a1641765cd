"""Which versions of the spec there are.

The number goes up with every change that a reader of the version before would misread or refuse;
there is one version at a time, and a reader names the version that it reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from operonx.core.errors import SpecError

__all__ = ["SCHEMA_VERSION", "require_version"]

SCHEMA_VERSION: Final = 1


def require_version(spec: Mapping[str, Any]) -> None:
    """Refuse a spec of another version.

    Raises:
        SpecError: If it is one, or says none.
    """
    if "schema_version" not in spec:
        raise SpecError(
            "this is no spec: it has no `schema_version`",
            hint="a spec is what `graph.serialize()` gives",
        )
    version = spec["schema_version"]
    if type(version) is not int or version != SCHEMA_VERSION:
        newer = type(version) is int and version > SCHEMA_VERSION
        raise SpecError(
            f"schema_version {version!r}: this operonx reads version {SCHEMA_VERSION}",
            hint="install a newer operonx-core" if newer else "serialise the graph again",
        )
