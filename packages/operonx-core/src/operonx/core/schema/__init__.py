"""Annotations as the graph uses them: how they read, what fits them, what may be wired to what.

- `names`: an annotation as text, for messages.
- `annotations`: what an annotation means below its wrappers.
- `fields`: the fields that a class declares.
- `assignability`: whether an output may be wired to an input.
- `messages`: what is said of a value that does not fit.
- `validation`: checks of values against annotations, without ever converting them.

Nothing here imports pydantic before an annotation asks for it.
"""

from .annotations import is_one_of, is_typed_dict, plain, resolved, union_members
from .assignability import assignable
from .containers import Check
from .fields import field_annotations, required_keys
from .messages import said_of
from .names import type_name
from .validation import validator

__all__ = [
    "Check",
    "assignable",
    "field_annotations",
    "is_one_of",
    "is_typed_dict",
    "plain",
    "required_keys",
    "resolved",
    "said_of",
    "type_name",
    "union_members",
    "validator",
]
