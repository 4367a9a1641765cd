"""Switches over engine bugs that are still open: what would meet one is left out while it is False.

Each says in one line what goes wrong. Turn a switch on when its bug is fixed, then take it out.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "CONSUMER_FIRES_PER_ITEM",
    "EDGE_FROM_WHOLE_SKIP",
    "INPUT_PASSED_ON",
    "STREAM_INTO_GRAPH",
]

CONSUMER_FIRES_PER_ITEM: Final = False
"""oracle-2: a `.stream()` consumer that fires more than once per stream shares its position."""

EDGE_FROM_WHOLE_SKIP: Final = False
"""oracle-11: an edge from an op in a stream that was skipped as a whole counts as fired."""

INPUT_PASSED_ON: Final = False
"""oracle-12: `PARENT["p"] >> PARENT["o"]` in a nested graph gives None."""

STREAM_INTO_GRAPH: Final = False
"""oracle-10: a nested graph cannot be given a `.stream()`."""
