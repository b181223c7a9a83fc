"""The conda environment has the packages of pyproject.toml, with the same lower bounds."""

from __future__ import annotations

import re
import tomllib

import pytest
import yaml

from release.archives import ROOT

# conda-forge calls these otherwise; its matplotlib without `-base` brings Qt as well.
ON_CONDA = {"torch": "pytorch", "matplotlib": "matplotlib-base"}


@pytest.fixture(scope="module")
def environment():
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_packages_and_lower_bounds_are_those_of_the_project(environment, project):
    wanted = [f"python{project['requires-python']}", "pip"]
    for text in project["dependencies"]:
        name, bound = re.fullmatch(r"([a-z0-9_-]+)(>=[\d.]+)", text).groups()
        wanted.append(f"{ON_CONDA.get(name, name)}{bound}")
    assert environment["dependencies"] == wanted


def test_it_is_named_and_takes_one_channel(environment, project):
    assert environment["name"] == project["name"]
    # A second one would mix builds that do not fit together.
    assert environment["channels"] == ["conda-forge"]
