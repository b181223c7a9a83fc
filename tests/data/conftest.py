"""A cache folder of its own for each test."""

import pytest


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    monkeypatch.setenv("UNWEAVE_HOME", str(folder))
    return folder
