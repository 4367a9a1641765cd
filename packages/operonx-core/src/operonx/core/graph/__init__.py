"""Graphs as they are authored.

Read in this order: `graph` (ops and edges), `branches`, `zips`, `loops`, `factory` (`@graph`),
then what building does: `validation` (the checks), `analysis` (order, axes, types),
`exclusion` (what can never fire), and how a graph shows itself: `show`, `mermaid`.
"""
