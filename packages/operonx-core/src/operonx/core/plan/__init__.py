"""From a built graph to a frozen plan that an engine runs.

Read in this order: `nodes` (what a plan is), `places` (refs resolved), `lowering` (ops and graphs),
`links` (signals and gates), `implied` (what need not be waited for), `windows` (bounds on open
items), `guards`.
"""
