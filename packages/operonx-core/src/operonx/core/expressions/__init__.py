"""The small portable language that refs carry.

Read in this order: `symbols` (what may stand in for a value), `refs` (the tree), `walking` (through
it), `operators` (what they do), `evaluation` (compiled), `parsing` (from text), `printing` (to
text), `functions` (for typed code), `building` (which graph is open).
"""
