"""The checkout itself: what must be said the same in several places, and how files are named."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = ("core", "providers", "telemetry")
FRAGMENT = re.compile(
    r"(core|providers|telemetry|rust)/\d+\.(added|changed|fixed|removed|breaking)\.md"
)


@pytest.mark.parametrize("name", NAMES)
def test_a_distribution_has_the_licence_of_the_whole(name: str) -> None:
    licence = (ROOT / "LICENSE").read_text()
    assert licence == (ROOT / "packages" / f"operonx-{name}" / "LICENSE").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_an_extra_brings_something(name: str) -> None:
    file = ROOT / "packages" / f"operonx-{name}" / "pyproject.toml"
    project = tomllib.loads(file.read_text())["project"]
    assert all(project.get("optional-dependencies", {}).values())


def test_a_changelog_fragment_is_named_after_its_issue_and_type() -> None:
    folder = ROOT / "changelog.d"
    files = {str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file()}
    kept = {"README.md"} | {file for file in files if file.endswith("/.gitkeep")}
    assert [] == [file for file in sorted(files - kept) if not FRAGMENT.fullmatch(file)]


def test_a_changelog_fragment_is_one_sentence() -> None:
    for file in (ROOT / "changelog.d").glob("*/*.md"):
        text = file.read_text().strip()
        assert text.endswith("."), f"{file.name} must be a sentence"
        assert "\n\n" not in text, f"{file.name} must be one paragraph"


def test_every_constraint_is_a_pin_and_names_no_place() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins
    assert [] == [pin for pin in pins if not re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .+)?", pin)]


def test_a_decision_is_numbered_once_and_fits_on_a_page() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    numbers = [file.name[:4] for file in files]
    assert sorted(set(numbers)) == numbers
    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", file.name) for file in files)
    assert [] == [f.name for f in files if len(f.read_text().splitlines()) > 60]
