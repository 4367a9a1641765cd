"""The Python engine.

Read in this order: `state` (what a run is made of), `signals` (what decides that a node fires),
`draining` (what fires it), `scheduler` (`Run`), `containment` (what a failure does), `linking`
(which node does what), then the kinds: `calling` and `calls` (functions), `generators`, `streams`
with `collecting`, `derived`, `batches`, `zips` and `endings`, `choices`, `graphs`, `loops`,
`outputs`; what bounds them: `guarding`, `turns`, `threads`, `cancelling`; and what comes out:
`frames`, `sifting`, `questions`, `outcome`, `result`, `handle`.
"""
