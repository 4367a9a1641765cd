"""`operonx.core._bootstrap`: the `.env` file, and an honest word about resources."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import operonx
from operonx.core import bootstrap


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `.env` to write, in the working directory; what it sets is gone after the test."""
    monkeypatch.chdir(tmp_path)
    for name in ("OPERONX_A", "OPERONX_B"):
        # Set first: `monkeypatch` puts back only what it saw.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return tmp_path / ".env"


def test_the_variables_of_the_env_file_are_set(env_file: Path) -> None:
    env_file.write_text("OPERONX_A=1\n# a remark\nexport OPERONX_B='two words'\n")
    bootstrap()
    assert (os.environ["OPERONX_A"], os.environ["OPERONX_B"]) == ("1", "two words")


def test_a_variable_that_is_set_keeps_its_value(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPERONX_A", "")
    env_file.write_text("OPERONX_A=file\n")
    bootstrap()
    assert os.environ["OPERONX_A"] == ""


def test_a_second_call_changes_nothing(env_file: Path) -> None:
    env_file.write_text("OPERONX_A=first\n")
    bootstrap()
    env_file.write_text("OPERONX_A=second\nOPERONX_B=second\n")
    bootstrap(env=False)
    assert "OPERONX_B" not in os.environ
    bootstrap()
    assert (os.environ["OPERONX_A"], os.environ["OPERONX_B"]) == ("first", "second")


def test_env_false_reads_no_file(env_file: Path) -> None:
    env_file.write_text("OPERONX_A=1\n")
    bootstrap(env=False)
    assert "OPERONX_A" not in os.environ


def test_a_line_that_cannot_be_read_raises_and_sets_nothing(env_file: Path) -> None:
    env_file.write_text("OPERONX_A=1\nOPERONX B=secret\n")
    with pytest.raises(ValueError, match=r"line 2 of '.*\.env'") as caught:
        bootstrap()
    assert "OPERONX_A" not in os.environ
    assert "secret" not in str(caught.value)


def test_no_env_file_is_no_error(env_file: Path) -> None:
    bootstrap()
    env_file.mkdir()  # a virtual environment of that name, say
    bootstrap()


def test_resources_are_refused_by_name_and_not_ignored(env_file: Path) -> None:
    env_file.write_text("OPERONX_A=1\n")
    with pytest.raises(NotImplementedError, match=r"`bootstrap\(resources='r\.yaml'\)`.*hint: "):
        bootstrap(Path("r.yaml"))
    assert "OPERONX_A" not in os.environ


@pytest.mark.usefixtures("env_file")
def test_a_resources_file_that_is_there_is_warned_about() -> None:
    Path("resources.yaml").touch()
    with pytest.warns(UserWarning, match=r"resources\.yaml' is not read"):
        bootstrap()


def test_the_root_offers_the_same_function() -> None:
    assert operonx.bootstrap is bootstrap


def test_a_program_without_an_env_file_does_not_import_dotenv(tmp_path: Path) -> None:
    program = "import operonx, sys; operonx.bootstrap(); print('dotenv' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert done.stdout == "False\n"
