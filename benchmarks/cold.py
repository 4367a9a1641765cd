"""A program's whole first life, for the cold-start figure: import, build, one run, exit.

`python -m benchmarks.cold PACKAGE WORKLOAD SIZE`
"""

import asyncio
import sys

from benchmarks.contender import load_factory, run_once
from benchmarks.work import EXPECTED


def main() -> None:
    """Run once in this fresh interpreter.

    Raises:
        SystemExit: The result was wrong.
    """
    package, workload, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
    result = asyncio.run(run_once(load_factory(package, workload)(size)))
    if result != EXPECTED[workload](size):
        sys.exit(f"{package} gave {result!r}")


if __name__ == "__main__":
    main()
