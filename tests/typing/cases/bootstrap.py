"""`operonx.bootstrap` is typed, though it is found by a `__getattr__`; a misspelling is not."""

import operonx
from operonx.core import bootstrap

operonx.bootstrap("resources.yaml", env=True)
operonx.bootstrap(environment=True)  # E: mypy=call-arg pyright=reportCallIssue
operonx.bootstrapp()  # E: mypy=attr-defined pyright=reportAttributeAccessIssue pyright=reportUnknownMemberType
bootstrap(3)  # E: mypy=arg-type pyright=reportArgumentType
