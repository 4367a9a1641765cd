"""Graphs as they are authored.

Read in this order: `graph` (ops and edges), `branches`, `zips`, `loops`, `factory` (`@graph`),
then what building does: `validation` goes through the checks of `references`, `streams`,
`bindings` (with `parameters`), `policies` and `outputs`, which stand on `analysis` (order, axes,
types) and `exclusion` (what can never fire); and how a graph shows itself: `show`, `mermaid`.
"""
