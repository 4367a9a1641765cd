"""Graphs as they are authored.

Read in this order: `parts` and `graph` (ops and edges) with `names` and `forwarding`, `branches`,
`zips`, `loops`, `decorator` (`@graph`) with `factory`, `settings`, `parameters`, `arguments` and
`returning`; then what building does: `validation` (the checks), `analysis` (what they find out),
`ordering`, `axes`, `inference` (types), `exclusion` (what can never fire); and how a graph shows
itself: `show`, `mermaid`.
"""
