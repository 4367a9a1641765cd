"""The usual set-up of a program that runs graphs: the variables of its `.env` file."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

__all__ = ["bootstrap"]


def bootstrap(resources: str | os.PathLike[str] | None = None, *, env: bool = True) -> None:
    """Set the process up from the working directory, as a program does once at its start.

    A variable that is set already keeps its value, so calling this twice is calling it once.

    Args:
        resources: Path of a `resources.yaml`. This version has no resource hub to read it, so that
            anything but `None` raises.
        env: Whether to read `.env` from the working directory, if it is there.

    Returns:
        `None`: there is no resource hub yet.

    Raises:
        NotImplementedError: `resources` was given.
        ValueError: A line of `.env` cannot be read; nothing was set.

    Example:
        ```python
        import operonx

        operonx.bootstrap()
        ```
    """
    if resources is not None:
        msg = (
            f"`bootstrap(resources={os.fspath(resources)!r})`: this version of operonx-core has no"
            " resource hub and cannot read it; hint: leave `resources` out"
        )
        raise NotImplementedError(msg)
    if Path("resources.yaml").is_file():
        msg = (
            f"{str(Path('resources.yaml').resolve())!r} is not read: this version of operonx-core"
            " has no resource hub"
        )
        warnings.warn(msg, UserWarning, stacklevel=2)
    if env:
        _load_env(Path(".env"))


def _load_env(file: Path) -> None:
    """Set the variables of `file` that are not set yet, or none of them if it has a mistake."""
    if not file.is_file():
        return
    # Here, so that programs without a `.env` do not pay for the import.
    from dotenv import load_dotenv
    from dotenv.parser import parse_stream

    with file.open(encoding="utf-8") as lines:
        # `load_dotenv` only logs what it cannot read, and goes on without the variable.
        wrong = [binding.original.line for binding in parse_stream(lines) if binding.error]
    if wrong:
        # The line's number and not its text, which may hold a secret.
        msg = f"line {wrong[0]} of {str(file.resolve())!r} cannot be read; hint: `NAME=value`"
        raise ValueError(msg)
    load_dotenv(file, override=False, encoding="utf-8")
