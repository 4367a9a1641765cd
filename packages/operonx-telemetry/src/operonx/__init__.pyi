# Dev-only: lets pyright merge the editable source roots. Never shipped.
from operonx.core import bootstrap as bootstrap

__all__ = ["bootstrap"]
