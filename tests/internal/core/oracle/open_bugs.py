"""Switches over engine bugs that are still open: what would meet one is left out while it is False.

Each says in one line what goes wrong. Turn a switch on when its bug is fixed, then take it out.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "CONSUMER_FIRES_PER_ITEM",
    "FIRST_OF_OWN_ERROR",
    "GRAPHS_IN_SKIPPED",
]

GRAPHS_IN_SKIPPED: Final = False
"""oracle-1: skipped graphs and loops are not in `result.skipped`."""

CONSUMER_FIRES_PER_ITEM: Final = False
"""oracle-2: a `.stream()` consumer that fires more than once per stream shares its position."""

FIRST_OF_OWN_ERROR: Final = False
"""oracle-4: `first_of(item, what reads the generator's error)` hangs where the window is full."""
