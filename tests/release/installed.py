"""A wheel in an empty environment: how it is installed, and what a first use is there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from release.archives import ROOT

OLDEST = (3, 11)

# The five lines of README.md train for a long while; here they only have to come to their end.
_LONG, _SHORT = "steps=20_000", "steps=100"
# Scores of all of dSprites take minutes on a busy machine.
_LARGE, _SMALL = '"dsprites"', '"dsprites(grid=(3, 2, 4, 8, 8))"'

# `unweave demo` as it is, but for the length of its training and the size of its dataset.
_SHORT_DEMO = """
import dataclasses, sys
import unweave.demo
from unweave.cli import main

whole = unweave.demo.preset("demo")
short = dataclasses.replace(
    whole, dataset="dsprites(grid=(3, 2, 4, 8, 8))", settings={**whole.settings, "steps": 20}
)
unweave.demo.preset = lambda name: short
sys.exit(main(["demo"]))
"""

_CODES = """
import numpy as np
codes = np.stack(np.meshgrid(*map(np.arange, (3, 4, 5)), indexing="ij"), -1).reshape(-1, 3)
np.savez("codes.npz", codes=codes.astype(np.float32), factors=codes)
"""


@dataclass(frozen=True)
class Environment:
    """An environment with nothing in it but a wheel and what it depends on.

    Attributes:
        folder: Of the environment.
        python: Its interpreter.
        seconds: What the installation took.
    """

    folder: Path
    python: Path
    seconds: float

    @property
    def site_packages(self) -> Path:
        """Where packages lie."""
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        return Path(_run([self.python, "-c", code], cwd=self.folder).strip())

    def sizes(self) -> dict[str, int]:
        """Bytes of the package, of its compiled files in it, and of all of site-packages."""
        packages = self.site_packages
        every = [path for path in packages.rglob("*") if path.is_file()]
        ours = [path for path in every if packages / "unweave" in path.parents]
        return {
            "package": _bytes(path for path in ours if path.suffix != ".pyc"),
            "compiled": _bytes(path for path in ours if path.suffix == ".pyc"),
            "site-packages": _bytes(every),
        }


def pythons() -> dict[tuple[int, int], str]:
    """Interpreters that unweave allows, by version.

    They are those that UNWEAVE_PYTHONS names, a list as PATH is, or else python3.11 to python3.19
    and python3 on PATH.
    """
    named = os.environ.get("UNWEAVE_PYTHONS")
    candidates = (
        named.split(os.pathsep)
        if named
        else [f"python3.{minor}" for minor in range(OLDEST[1], 20)] + ["python3"]
    )
    found: dict[tuple[int, int], str] = {}
    for candidate in candidates:
        path = shutil.which(candidate)
        if path is not None and (version := _version(path)) is not None and version >= OLDEST:
            found.setdefault(version, path)
    return found


def install(python: str, wheel: Path, folder: Path) -> Environment:
    """A new environment with the wheel, and what it depends on at the tested versions."""
    begun = time.monotonic()
    _run([python, "-m", "venv", folder], cwd=ROOT)
    inside = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    _run(
        [inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--constraint", ROOT / "constraints.txt", wheel.resolve()],
        cwd=folder,
    )  # fmt: skip
    _run([inside, "-m", "pip", "check", "--disable-pip-version-check"], cwd=folder)
    return Environment(folder, inside, time.monotonic() - begun)


def readme_program() -> str:
    """The program of README.md."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [program] = re.findall(r"^```python\n(.*?)^```$", readme, re.S | re.M)
    return program


def first_lines(*, whole: bool = False) -> str:
    """The program of README.md, with fewer steps and, unless it is whole, fewer images."""
    program = readme_program()
    for long, short in [(_LONG, _SHORT), *([] if whole else [(_LARGE, _SMALL)])]:
        if program.count(long) != 1:
            raise ValueError(f"The program of README.md has not {long} once:\n{program}")
        program = program.replace(long, short)
    return program


def first_use(
    environment: Environment,
    place: Path,
    *,
    whole: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, float]:
    """What README.md asks a newcomer to type; seconds that each took.

    Args:
        environment: Where the wheel is installed.
        place: An empty folder to do it in.
        whole: The demo as it is, and all images in the lines of README.md, for minutes each.
        say: Told what was done, and for how long.

    Raises:
        RuntimeError: A command failed, or did not do what it promises.
    """
    unweave = environment.python.with_name("unweave")
    demo = [unweave, "demo"] if whole else [environment.python, "-c", _SHORT_DEMO]
    python = environment.python
    # What each command is called, its words, and what its output must have.
    steps: list[tuple[str, Sequence[str | Path], str]] = [
        ("unweave --version", [unweave, "--version"], r"^unweave \d+\.\d+"),
        ("unweave --help", [unweave, "--help"], r"(?is)^usage.*train.*evaluate"),
        ("make codes", [python, "-c", _CODES], ""),
        ("unweave score", [unweave, "score", "codes.npz", "--json"], r'(?s)"mig".*"value"'),
        ("unweave demo", demo, r"(?m)^mig +0\.[\d]+(.|\n)*^Report: .*report\.html$"),
        ("five lines of Python", [python, "-c", first_lines(whole=whole)], r"(?m)^mig +0\.\d+"),
    ]
    taken = {}
    for name, command, wanted in steps:
        begun = time.monotonic()
        said = _run(command, cwd=place, variables=_folders_of_its_own(place))
        if not re.search(wanted, said):
            raise RuntimeError(f"{name} has no {wanted!r} in what it says:\n{said}")
        taken[name] = time.monotonic() - begun
        say(f"  {name}: {taken[name]:.1f} s")
    _check_left(environment, place)
    return taken


def _check_left(environment: Environment, place: Path) -> None:
    """Look at what the first use has left: scores are numbers, pages are whole.

    Raises:
        RuntimeError: Something is not there, or the package did not come from the environment.
    """
    runs = sorted(path for path in (place / "runs").iterdir() if path.is_dir())
    if len(runs) != 2:
        raise RuntimeError(
            f"There should be two runs, but there are {[run.name for run in runs]}."
        )
    for run in runs:
        page = (run / "report.html").read_text(encoding="utf-8")
        if "data:image/png;base64," not in page or "</html>" not in page:
            raise RuntimeError(f"{run.name}/report.html is no whole page.")
        scores = json.loads((run / "scores.json").read_text(encoding="utf-8"))["scores"]
        if not {"mig", "sap", "factor_vae"} <= {score["metric"] for score in scores}:
            raise RuntimeError(f"{run.name}/scores.json has not the scores of a protocol.")
    code = "import unweave; print(unweave.__file__)"
    where = Path(_run([environment.python, "-c", code], cwd=place).strip())
    if environment.site_packages not in where.parents:
        raise RuntimeError(f"unweave was taken from {where}.")


def _folders_of_its_own(place: Path) -> dict[str, str]:
    return {"UNWEAVE_HOME": str(place / "home"), "UNWEAVE_RUNS": str(place / "runs")}


def _version(python: str) -> tuple[int, int] | None:
    """Major and minor version; None of what does not run, such as a shim of nothing."""
    code = "import ensurepip, sys, venv; print(*sys.version_info[:2])"
    try:
        done = subprocess.run(
            [python, "-c", code], capture_output=True, text=True, check=False, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    major, minor = done.stdout.split()
    return int(major), int(minor)


def _run(
    command: Sequence[str | Path], *, cwd: Path, variables: Mapping[str, str] | None = None
) -> str:
    """Standard output of a command that sees no other packages than its environment's."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV") and name[:8] != "UNWEAVE_"
    }
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        cwd=cwd,
        env=inherited | dict(variables or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        shown = " ".join(word if "\n" not in word else "..." for word in words)
        raise RuntimeError(f"{shown} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def _bytes(paths: object) -> int:
    return sum(path.stat().st_size for path in paths)  # type: ignore[attr-defined]
