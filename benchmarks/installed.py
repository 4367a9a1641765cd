"""Print what is installed beside this interpreter, as JSON; run by file name, imports nothing."""

import json
import re
from importlib.metadata import distributions
from pathlib import Path

#: What every virtual environment starts with.
TOOLS = {"pip", "setuptools", "wheel"}


def main() -> None:
    """Count distributions and the bytes of their files."""
    names, size = set(), 0
    for distribution in distributions():
        name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
        if name in TOOLS or name in names:
            continue
        names.add(name)
        paths = (Path(str(distribution.locate_file(file))) for file in distribution.files or ())
        size += sum(path.stat().st_size for path in paths if path.is_file())
    print(json.dumps({"bytes": size, "dists": len(names)}))


if __name__ == "__main__":
    main()
