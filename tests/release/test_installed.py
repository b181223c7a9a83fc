"""The wheel is installed in an empty environment, and a newcomer's first commands work there."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

from release.installed import first_lines, first_use, pythons, readme_program


@pytest.mark.slow
def test_the_first_use_of_the_wheel(environment, tmp_path):
    taken = first_use(environment, tmp_path)
    assert "five lines of Python" in taken
    sizes = environment.sizes()
    # Templates, JavaScript and code: megabytes, and no data, images or documentation.
    assert 3e6 < sizes["package"] < 8e6 < sizes["site-packages"]


def test_the_lines_are_those_of_the_readme():
    program = readme_program()
    assert 'load_dataset("dsprites")' in program
    assert first_lines(whole=True).replace("steps=100)", "steps=20_000)") == program
    small = 'load_dataset("dsprites(grid=(3, 2, 4, 8, 8))")'
    assert first_lines() == first_lines(whole=True).replace('load_dataset("dsprites")', small)


def test_pythons_are_looked_for_on_the_path_or_where_they_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_PYTHONS", sys.executable)
    assert pythons() == {sys.version_info[:2]: sys.executable}
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\necho 3 10\n")
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 127\n")
    for path in (old, broken):
        path.chmod(0o755)
    monkeypatch.setenv("UNWEAVE_PYTHONS", os.pathsep.join(map(str, (old, broken, "/nowhere"))))
    assert pythons() == {}
    monkeypatch.delenv("UNWEAVE_PYTHONS")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pythons() == {}
    shutil.copy(broken, tmp_path / "python3.12")
    (tmp_path / "python3.13").write_text("#!/bin/sh\necho 3 13\n")
    (tmp_path / "python3.13").chmod(0o755)
    assert pythons() == {(3, 13): str(tmp_path / "python3.13")}
