"""Other engines, each in its own environment: what a user would pick instead of ours.

Each is written from its public documentation, in the way that documentation recommends; where it
offers a faster way as plainly, that way. `benchmarks.contender` says what a package here holds.
"""
