"""The shape of a spec, as pydantic models. `schema.json` is made from them.

A model refuses what it does not know, so that nothing in a spec is silently passed over. What only
looking at the whole can tell, such as whether an op that is read exists, is left to `reading`.

Read in this order: `types`, `expressions`, `functions`, `ops`, `graphs`, which has the whole.
"""
