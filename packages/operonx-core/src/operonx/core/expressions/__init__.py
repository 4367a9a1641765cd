"""The small portable language that refs carry.

Read in this order: `symbols` (what may stand in for a value), `placeholders` (what to write where
Python wants the value), `tree` (expressions), `refs` (what they read), `walking` (through them),
`operators` (what they do), `evaluation` (compiled), `parsing` (from text), `printing` (to text),
`functions` (for typed code), `building` (which graph is open).
"""
