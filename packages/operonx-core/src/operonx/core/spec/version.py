"""Which versions of the spec there are.

The number goes up with every change that a reader of the version before would misread or refuse;
there is one version at a time, and a reader names the versions that it reads.
"""

from __future__ import annotations

from typing import Any, Final

from operonx.core.errors import SpecError

__all__ = ["SCHEMA_VERSION", "require_version"]

SCHEMA_VERSION: Final = 1


def require_version(version: Any) -> None:
    """Refuse a spec of another version.

    Raises:
        SpecError: If it is one.
    """
    if version is True or version != SCHEMA_VERSION:
        newer = isinstance(version, int) and version > SCHEMA_VERSION
        raise SpecError(
            f"schema_version {version!r}: this operonx reads version {SCHEMA_VERSION}",
            hint="install a newer operonx-core" if newer else "serialise the graph again",
        )
