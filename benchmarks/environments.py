"""Each contender's own interpreter: one virtual environment a contender, outside the repository.

Ours holds what `operonx-core` depends on; the code measured is the working tree's. A peer's holds
that peer, so that nothing of ours and nothing of another peer is in reach.
"""

import hashlib
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.contender import ROOT, Contender

CORE = ROOT / "packages" / "operonx-core"
PEERS = ("langgraph", "burr", "hamilton", "pydantic_graph", "haystack", "operonx_pypi")

FLOOR = Contender("floor", "benchmarks.floor", python=sys.executable)
OURS = Contender("operonx", "benchmarks.operonx", paths=(str(CORE / "src"),))
NATIVE = replace(OURS, key="operonx-native", environment={"OPERONX_BENCH_ENGINE": "rust"})


class InstallError(RuntimeError):
    """An environment could not be made; the message holds what the installer said."""


def cache_folder() -> Path:
    """Return where environments and scratch files are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "operonx-bench"


def with_environment(
    contender: Contender, announce: Callable[[str], None], python: str | None = None
) -> Contender:
    """Return the contender with an interpreter, made now if there is none yet.

    Args:
        contender: Whose environment.
        announce: Told before anything slow happens.
        python: An interpreter to use instead of an environment of its own.

    Raises:
        InstallError: The installation failed.
    """
    if contender.python:
        return contender
    if python:
        return replace(contender, python=python)
    requirements = _requirements(contender)
    folder = cache_folder() / "venvs" / contender.key
    interpreter = folder / "bin" / "python"
    stamp = folder / "operonx-bench-stamp"
    wanted = _fingerprint(contender, requirements)
    if not stamp.exists() or stamp.read_text() != wanted:
        announce(f"making the environment of {contender.key} in {folder} ...")
        venv.create(folder, clear=True, with_pip=True)
        install(interpreter, *requirements)
        stamp.write_text(wanted)
    return replace(contender, python=str(interpreter))


def install(interpreter: Path | str, *arguments: str) -> None:
    """Run `pip install`.

    Raises:
        InstallError: It failed.
    """
    command = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        msg = f"pip install {' '.join(arguments)} failed:\n{done.stderr[-2000:]}"
        raise InstallError(msg)


def _is_ours(contender: Contender) -> bool:
    return contender.package == OURS.package


def _requirements(contender: Contender) -> list[str]:
    return [str(CORE)] if _is_ours(contender) else list(contender.metadata.REQUIREMENTS)


def _fingerprint(contender: Contender, requirements: list[str]) -> str:
    """What must stay the same for an environment to be kept."""
    project = (CORE / "pyproject.toml").read_bytes() if _is_ours(contender) else b""
    return f"{sys.version}\n{requirements}\n{hashlib.sha256(project).hexdigest()}"


def peer(key: str) -> Contender:
    """Return a peer by its key."""
    return Contender(key, f"benchmarks.peers.{key}", is_peer=True)
