"""Switches over engine bugs that are still open: what would meet one is left out while it is False.

Each says in one line what goes wrong. Turn a switch on when its bug is fixed, then take it out.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "CONSUMER_FIRES_PER_ITEM",
    "EDGE_FROM_WHOLE_SKIP",
    "END_OF_FAILED_GRAPH",
    "INPUT_PASSED_ON",
    "OR_ELSE_OF_STREAM",
    "STATE_AT_LIMIT",
    "STREAM_INTO_GRAPH",
]

CONSUMER_FIRES_PER_ITEM: Final = False
"""oracle-2: a `.stream()` consumer that fires more than once per stream shares its position."""

EDGE_FROM_WHOLE_SKIP: Final = True
"""oracle-11: an edge from an op in a stream that was skipped as a whole counts as fired."""

INPUT_PASSED_ON: Final = True
"""oracle-12: `PARENT["p"] >> PARENT["o"]` in a nested graph gives None."""

STREAM_INTO_GRAPH: Final = False
"""oracle-10: a nested graph cannot be given a `.stream()`."""

OR_ELSE_OF_STREAM: Final = False
"""oracle-13: `plain.or_else(item)` is skipped although the item is there."""

END_OF_FAILED_GRAPH: Final = False
"""oracle-14: a stream that ended in a graph which failed later is handed on with its end."""

STATE_AT_LIMIT: Final = False
"""oracle-15: `loop.iterations` of a state lacks the last iteration before the limit."""
