"""Switches over engine bugs that are still open: what would meet one is left out while it is False.

Each says in one line what goes wrong. Turn a switch on when its bug is fixed, then take it out.
"""

from __future__ import annotations

from typing import Final

__all__ = ["GRAPH_OF_SKIPPED_STREAM", "INPUT_PASSED_ON", "OR_ELSE_ACROSS_AXES"]

GRAPH_OF_SKIPPED_STREAM: Final = False
"""oracle-18: a graph that was to fire at items of a skipped generator is not in `skipped`."""

INPUT_PASSED_ON: Final = False
"""oracle-20: `PARENT["q"] >> PARENT["b"]` in a graph that fires in a stream: AssertionError."""

OR_ELSE_ACROSS_AXES: Final = False
"""oracle-19: `plain.or_else(item)` with both skipped is not, and its stream collects to `[]`."""
