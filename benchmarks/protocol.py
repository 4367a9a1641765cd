"""The protocol between the runner and its workers: one JSON object a line, one answer a request.

Requests are `{"do": ..., ...}`:

| do      | also carries                       | answers                                          |
|---------|------------------------------------|--------------------------------------------------|
| hello   |                                    | `versions`, `python`                             |
| prepare | workload, size, seconds, expected  | `repeats`, once the result was verified and warm |
| run     | workload, size                     | `wall`, `cpu`: seconds a run                     |
| build   | workload, size                     | `wall`, `cpu`: seconds a build                   |
| stall   | workload, size                     | `wall`, `cpu`, `stall`, `first_stall`: seconds   |
| memory  | workload, size, warm_size          | `bytes`: how far the resident set grew           |
| forget  |                                    | nothing                                          |

An answer with `error` says what went wrong instead; the runner then stops trusting that worker.
"""

import json
from collections.abc import Mapping
from typing import Any, BinaryIO

Message = Mapping[str, Any]


def write_message(stream: BinaryIO, message: Message) -> None:
    """Write one message and flush."""
    stream.write(json.dumps(message).encode() + b"\n")
    stream.flush()


def parse_message(line: bytes) -> dict[str, Any]:
    """Parse one line."""
    message = json.loads(line)
    if not isinstance(message, dict):
        msg = f"expected a JSON object, got {line!r}"
        raise TypeError(msg)
    return message
