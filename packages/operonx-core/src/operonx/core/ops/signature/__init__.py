"""What a graph must know of a function when it is built: its parameters and its ports.

`reading.read_signature` is the way in. `model` holds what it gives, `parameters` reads what
a function takes, `results` what its return annotation tells, `literals` what the dicts in
its source tell, `callables` looks behind partials, methods and wrappers; `ending` is
`final(...)`, the last yield of a generator.
"""

from .ending import Final, final
from .model import Parameter, Port, Signature
from .reading import read_signature

__all__ = ["Final", "Parameter", "Port", "Signature", "final", "read_signature"]
