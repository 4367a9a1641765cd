"""The small portable language that refs carry.

Read in this order: `refs` (the tree), `operators` (what they do), `evaluation` (compiled),
`parsing` (from text), `printing` (to text), `functions` (for typed code), `building` (which
graph is open).
"""
