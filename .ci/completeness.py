"""Fail if less of the public names is typed than last time: `completeness.py FLOOR PYTHON`.

A ratchet: raise FLOOR in tox.ini whenever the score has risen, until it is 1.
"""

import json
import subprocess
import sys


def main(floor: float, python: str) -> int:
    """Score the installed distributions with pyright; return an exit status."""
    command = ["pyright", "--pythonpath", python, "--ignoreexternal", "--outputjson"]
    done = subprocess.run(
        [*command, "--verifytypes", "operonx"], check=False, capture_output=True, text=True
    )
    score = float(json.loads(done.stdout)["typeCompleteness"]["completenessScore"])
    print(f"type completeness {score:.3f}, floor {floor}")
    return 0 if score >= floor else 1


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2]))
