"""`operonx.providers` as a package: what its beginning promises."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import requires, version

import operonx.providers as providers


def test_its_version_is_that_of_the_distribution() -> None:
    assert version("operonx-providers") == providers.__version__


def test_it_exports_what_is_there() -> None:
    public = {name for name in vars(providers) if not name.startswith("_")}
    assert {"__version__"} == {*providers.__all__, *public}


def test_it_depends_on_core_and_on_nothing_else() -> None:
    assert ["operonx-core>=0.1.0.dev0"] == requires("operonx-providers")


def test_importing_it_imports_no_sibling() -> None:
    program = (
        "import sys, operonx.providers; print(sorted(m for m in sys.modules if 'operonx' in m))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert "['operonx', 'operonx.providers']\n" == done.stdout
