"""The Python engine.

Read in this order: `instances` (what a run is made of), `scheduler` (`Run`: signals, draining,
failures), `linking` (which node does what), then the kinds: `calling` and `calls` (functions),
`generators`, `streams`, `choices`, `graphs`, `loops`, `outputs`; what bounds them: `guarding`,
`turns`, `threads`, `cancelling`; and what comes out: `frames`, `sifting`, `questions`, `result`,
`handle`.
"""
