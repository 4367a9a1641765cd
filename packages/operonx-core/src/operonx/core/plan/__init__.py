"""From a built graph to a frozen plan that an engine runs.

Read in this order: `nodes` (what a plan is), `places` (where values are), `lowering` (the walk over
the ops) with `scopes` (a graph while it is lowered). What lowers an op is in `calls`, `branches`,
`zips`, `nested` or `loops`; what lowers a ref in `values`, `choices` or `streams`; what an op waits
for besides in `ordering` and `endings`. Then `links` (signals and gates), `implied` (what need not
be waited for), `windows` (bounds on open items), `guards`.
"""
