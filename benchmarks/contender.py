"""What a contender is: a package that says how each workload is done, and where it may run.

A contender's `__init__` holds data only, so that the runner can read it without its libraries:

- `TITLE`: its column in the table
- `REQUIREMENTS`: what to install into its own environment (empty: none needed)
- `IMPORT`: the statement whose import time is measured
- `WORKLOADS`: workload name to `"module:factory"`, the module within the package
- `MISSING`: name of a workload or a measure to the reason why it is not there

A factory takes the size, builds, and returns a callable without arguments that makes one run and
returns the result or an awaitable of it.
"""

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Run = Callable[[], Any]
Factory = Callable[[int], Run]

#: The repository's root: `benchmarks` is imported from here by every worker.
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Contender:
    """One column of the table."""

    key: str
    """Its name on the command line and in the record."""
    package: str
    """The package with its metadata and factories."""
    python: str = ""
    """The interpreter that runs it; empty until its environment is there."""
    paths: tuple[str, ...] = ()
    """Folders put before everything else on its import path."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of its workers."""
    is_peer: bool = False
    """Whether it gets the shorter time limit and only light cases."""

    @property
    def metadata(self) -> Any:  # a module, whose attributes the docstring above lists
        """The package's `__init__`."""
        return importlib.import_module(self.package)

    def missing(self, workload: str, measure: str) -> str | None:
        """Return why a workload is not there or cannot be measured so, or `None` if it can."""
        reasons: Mapping[str, str] = self.metadata.MISSING
        if measure in reasons:
            return reasons[measure]
        if workload in reasons or (workload and workload not in self.metadata.WORKLOADS):
            return reasons.get(workload, "not written")
        return None


def load_factory(package: str, workload: str) -> Factory:
    """Import the factory of a workload.

    Raises:
        KeyError: The contender has no such workload.
    """
    module, _, name = importlib.import_module(package).WORKLOADS[workload].partition(":")
    factory: Factory = getattr(importlib.import_module(f"{package}.{module}"), name)
    return factory


async def run_once(run: Run) -> Any:  # whatever the contender gives
    """Make one run of a sync or async contender."""
    result = run()
    return await result if inspect.isawaitable(result) else result
