"""The namespace of operonx: `operonx.core`, and whichever of its siblings are installed.

Core owns this file; `operonx.providers` and `operonx.telemetry` come from other distributions.
"""

from pkgutil import extend_path
from typing import TYPE_CHECKING, Any

__path__ = extend_path(__path__, __name__)

if TYPE_CHECKING:
    from operonx.core import bootstrap as bootstrap

__all__ = ["bootstrap"]

if not TYPE_CHECKING:  # hidden from checkers: else every misspelt attribute would type as Any

    def __getattr__(name: str) -> Any:
        if name == "bootstrap":
            from operonx.core import bootstrap

            globals()[name] = bootstrap
            return bootstrap
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
