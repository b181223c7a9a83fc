"""What type checkers see of unweave in a program of a user."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import unweave
from release.installed import readme_program

# What mypy says of each line that asks it, in order.
FIRST_USE = {
    "data": "unweave.data.base.Dataset",
    "run": "unweave.run.opened.Run",
    "run.evaluate()": "unweave.scores.Scores",
    'run.evaluate()["mig"].value': "float",
    "run.report()": "pathlib.Path",
    "unweave.__version__": "str",
}

# They give a figure, an array or an animation, by the kind that is asked for: a union would make
# everyone narrow it who knows what was asked for.
PICTURES = ("plot_runs",)


def checked(program: str, folder: Path, python: Path) -> list[str]:
    """What mypy says of a program in strict mode, with the packages of an interpreter."""
    (folder / "program.py").write_text(program, encoding="utf-8")
    command = [
        sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary",
        "--hide-error-context", "--python-executable", str(python), "program.py",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.slow
def test_a_program_is_checked_against_the_installed_package(environment, tmp_path):
    names = [name for name in unweave.__all__ if name != "__version__"]
    asked = [*FIRST_USE, *(f"unweave.{name}" for name in names)]
    lines = [f"reveal_type({text})" for text in asked]
    program = "\n".join(
        [readme_program(), *lines, "unweave.trian", 'unweave.rank("a", nothing=1)']
    )
    said = checked(program, tmp_path, environment.python)
    errors = [line for line in said if ": error: " in line]
    notes = [line.split(": note: ", 1)[1] for line in said if ": note: Revealed type is " in line]
    assert len(errors) == 2, errors
    assert 'Module has no attribute "trian"' in errors[0]
    assert 'Unexpected keyword argument "nothing" for "rank"' in errors[1]
    found = [re.fullmatch(r'Revealed type is "(.*)"', note)[1] for note in notes]
    assert found[: len(FIRST_USE)] == list(FIRST_USE.values())
    for name, kind in zip(names, found[len(FIRST_USE) :], strict=True):
        assert kind.startswith(("def (", "Overload(def (")), f"unweave.{name}: {kind}"
        if name not in PICTURES:
            assert not kind.rstrip(")").endswith("-> Any"), f"unweave.{name}: {kind}"
