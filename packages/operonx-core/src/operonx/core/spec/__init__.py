"""A graph as data: what `graph.serialize()` gives and `GraphOp.deserialize()` reads.

The spec holds a graph as it was authored, not a compiled form: each runtime compiles its own plan.
Read in this order: `model` (the shape, as pydantic models) and `validation`, `values` and
`annotations` (what stands in it), `expression_writer` and `expression_reader` (refs), `functions`
(which functions ops call), `writing`, `reading`.

Nothing here imports a module of a user's before `resolving` was told that it may.
"""
