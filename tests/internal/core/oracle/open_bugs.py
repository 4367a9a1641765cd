"""Switches over engine bugs that are still open: what would meet one is left out while it is False.

Each says in one line what goes wrong. Turn a switch on when its bug is fixed, then take it out.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CUT_CONSUMER_IN_CONTAINED_GRAPH"]

CUT_CONSUMER_IN_CONTAINED_GRAPH: Final = False
"""oracle-21: `errors` lists the `StreamError` of a consumer cut off by its graph's own failure."""
