"""Strongly connected components of a directed graph: Tarjan's algorithm (1972).

It has a stack of its own instead of recursion, as plans may be deep.
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["components"]


def components(edges: list[list[int]]) -> list[int]:
    """Return for every vertex the number of its component."""
    search = _Search(edges)
    for start in range(len(edges)):
        if search.index[start] == -1:
            search.visit(start)
    return search.component


class _Search:
    """Tarjan's depth-first search, one root at a time."""

    def __init__(self, edges: list[list[int]]) -> None:
        size = len(edges)
        self.edges = edges
        self.index = [-1] * size
        self.low = [0] * size
        self.component = [-1] * size
        self.stack: list[int] = []
        self.counter = 0
        self.found = 0

    def visit(self, start: int) -> None:
        """Search from one vertex that was not seen yet."""
        work = [self._enter(start)]
        while work:
            vertex, successors = work[-1]
            for other in successors:
                if self.index[other] == -1:
                    work.append(self._enter(other))
                    break
                if self.component[other] == -1:
                    self.low[vertex] = min(self.low[vertex], self.index[other])
            else:
                work.pop()
                if work:
                    above = work[-1][0]
                    self.low[above] = min(self.low[above], self.low[vertex])
                self._leave(vertex)

    def _enter(self, vertex: int) -> tuple[int, Iterator[int]]:
        self.index[vertex] = self.low[vertex] = self.counter
        self.counter += 1
        self.stack.append(vertex)
        return vertex, iter(self.edges[vertex])

    def _leave(self, vertex: int) -> None:
        if self.low[vertex] != self.index[vertex]:
            return
        while True:
            member = self.stack.pop()
            self.component[member] = self.found
            if member == vertex:
                break
        self.found += 1
