"""A second, naive engine, and random graphs to hold the real one against.

Read in this order: `library` (the ops that generated graphs are made of), `programs` (random
authoring programs), `axes` and `evaluator` (what such a graph must give, from the contract alone),
`outcome` (what is compared), `comparison` (the engine's run against the oracle's).
"""
