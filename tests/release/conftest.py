"""The archives of this checkout, and an environment with the wheel alone."""

from __future__ import annotations

import shutil

import pytest

from release.archives import ROOT, build, snapshot, wheel_of
from release.installed import install, pythons


@pytest.fixture(scope="package")
def checkout(tmp_path_factory):
    """A copy of the checkout, which nobody changes while archives are built of it."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("Releases are made of a checkout with git.")
    return snapshot(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="package")
def archives(checkout, tmp_path_factory):
    """Wheel and sdist."""
    return build(checkout, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="package")
def wheel_of_sdist(archives, tmp_path_factory):
    """The wheel that is built from the sdist."""
    return wheel_of(archives.sdist, tmp_path_factory.mktemp("unpacked"))


@pytest.fixture(scope="package", params=["oldest", "newest"])
def environment(request, archives, tmp_path_factory):
    """The wheel in an environment of the oldest and of the newest Python that is found."""
    found = sorted(pythons().items())
    if not found or (request.param == "newest" and len(found) == 1):
        pytest.skip(f"No Python for it is on PATH or in UNWEAVE_PYTHONS; found: {found}.")
    _, python = found[0 if request.param == "oldest" else -1]
    folder = tmp_path_factory.mktemp(request.param)
    yield install(python, archives.wheel, folder)
    # Gigabytes, where PyTorch comes with what NVIDIA cards need.
    shutil.rmtree(folder)
