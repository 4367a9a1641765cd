"""Benchmarks: every shape of the performance table, one command, one interleaved run.

Reading order: `work` (what is computed), `catalogue` (which shapes, which figures), `floor/` and
`operonx/` (the same work without and with our engine), `peers/` (with other engines, each in its
own environment), `worker` (a process that measures one contender), `runner` (who is measured when),
`report` (ratios, targets, verdicts). `README.md` explains the method.
"""
