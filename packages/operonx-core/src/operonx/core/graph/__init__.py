"""Graphs as they are authored.

Read in this order: `parts` and `graph` (ops and edges), `branches`, `zips`, `loops`, `decorator`
(`@graph`) with `factory`, `settings` and `parameters`; then what building does: `validation` (the
checks), `analysis` (what they find out), `ordering`, `axes`, `inference` (types), `exclusion` (what
can never fire); how a graph shows itself: `show`, `mermaid`; and what an engine asks of it:
`carriers`, `replacing`.
"""
