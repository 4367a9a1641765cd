"""`yield final(...)`: what a generator gives once, after its items."""

from __future__ import annotations

from typing import Any

__all__ = ["Final", "final"]


class Final(dict[str, Any]):
    """The values of a generator's final ports, by port."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"final({', '.join(f'{name}={value!r}' for name, value in self.items())})"


def final(**ports: Any) -> Final:
    """Give the values that a generator ends with, to be yielded once and last.

    They are outputs of the op as a whole, not of one of its items.

    Args:
        **ports: Values by port.

    Returns:
        What to yield.

    Example:
        ```python
        def speak(prompt: str):
            for token in model(prompt):
                yield {"delta": token}
            yield final(text=..., usage=...)
        ```
    """
    return Final(ports)
