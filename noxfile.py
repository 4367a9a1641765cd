"""What is run by hand, beside tox: too long, too loud, or only to be looked at.

`nox --list` tells them; `nox -s bench -- --help` hands on what follows the dashes.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.10.16"
nox.options.default_venv_backend = "uv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["full"]

CORE, PROVIDERS, TELEMETRY = (
    f"./packages/operonx-{name}" for name in ("core", "providers", "telemetry")
)
SETS = {
    "core": [CORE],
    "providers": [CORE, PROVIDERS],
    "telemetry": [CORE, TELEMETRY],
    "all": [CORE, PROVIDERS, TELEMETRY],
}
TEST_GROUP = nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "test")
# Real wheels: else uv follows [tool.uv.sources] and installs the siblings editable.
UV = {"UV_NO_SOURCES": "1", "UV_PYTHON_DOWNLOADS": "never"}


def install_tested(session: nox.Session, *dists: str) -> None:
    """Install distributions, from their present sources, and what tests need."""
    session.install("--constraint=constraints.txt", *TEST_GROUP, *dists, env=UV)
    session.install("--no-deps", "--reinstall", *dists, env=UV)


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
@nox.parametrize("installed", list(SETS))
def full(session: nox.Session, installed: str) -> None:
    """Every set of distributions on every Python there is; core's tests with each."""
    install_tested(session, *SETS[installed])
    names = {"core": ["core"], "all": ["."]}.get(installed, ["core", installed])
    tests = ["tests/internal/test_installed_set.py", *(f"tests/internal/{n}" for n in names)]
    dists = " ".join(path.rpartition("-")[2] for path in SETS[installed])
    session.run("pytest", *tests, *session.posargs, env={"OPERONX_DISTS": dists})


@nox.session(python="3.11")
def lowest(session: nox.Session) -> None:
    """The oldest releases that our own dependencies allow: a lower bound that lies fails here."""
    files = [f"--requirements={CORE}/pyproject.toml"]
    session.install("--resolution=lowest-direct", *files, env=UV)
    session.install(*TEST_GROUP, env=UV)
    session.install("--no-deps", "--reinstall", *SETS["all"], env=UV)
    session.run("uv", "pip", "list", external=True)
    session.run("pytest", "tests/internal", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Which lines and branches the quick tests of all distributions reach."""
    install_tested(session, *SETS["all"])
    session.install("--constraint=constraints.txt", "coverage")
    session.run("coverage", "run", "-m", "pytest", "tests/internal", *session.posargs)
    session.run("coverage", "report")


@nox.session
def bench(session: nox.Session) -> None:
    """The benchmarks; see benchmarks/README.md. They make the environments that they measure."""
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def deep(session: nox.Session) -> None:
    """The generated tests with 5,000 examples each in place of 100."""
    install_tested(session, *SETS["all"])
    tests = ["tests/internal", "-m", "hypothesis", "--timeout=0", *session.posargs]
    session.run("pytest", *tests, env={"OPERONX_HYPOTHESIS_PROFILE": "deep"})


@nox.session
def soak(session: nox.Session) -> None:
    """A long stream, then every example over and over: nothing may grow. `-- 600`: ten minutes."""
    install_tested(session, CORE)
    session.run("python", "-m", "benchmarks.soak")
    session.run("python", "tests/soak/repeat.py", *(session.posargs or ["60"]))


@nox.session
def demo(session: nox.Session) -> None:
    """What a user sees: the wheels in an empty environment, and every example's output."""
    session.install("--constraint=constraints.txt", *SETS["all"], env=UV)
    for example in sorted(Path("examples").glob("*.py")):
        session.run("python", str(example))


@nox.session
def interop(session: nox.Session) -> None:
    """Tools too large for CI read what we write: Mermaid's own parser (needs Node and npm)."""
    install_tested(session, CORE)
    folder = Path(session.create_tmp())
    for file in Path("tests/interop/mermaid").iterdir():
        shutil.copy(file, folder)
    session.run("python", "tests/interop/draw.py", str(folder))
    with session.chdir(folder):
        session.run("npm", "install", "--no-package-lock", "--silent", external=True)
        drawings = sorted(str(path) for path in Path().glob("*.mmd"))
        session.run("node", "parse.mjs", *drawings, external=True)
