"""`unweave data prepare`, stopped and called again."""

import errno
import json
from pathlib import Path

import numpy as np

from unweave.cli import main
from unweave.data import Dsprites, parse_dataset
from unweave.data.pixels.manifest import BLOCK
from unweave.data.pixels.store import Store

TEXT = "dsprites(grid=(3, 6, 40, 4, 4))"


def test_what_was_stopped_is_gone_on_with(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path))
    spec = parse_dataset(TEXT)
    rows = np.concatenate(list(spec.encoded_blocks(0, {}, None)))
    asked = []

    def stopped(self, first, details, progress):
        asked.append(first)
        yield rows[first : len(rows) if first else BLOCK + 100]
        if first == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(Dsprites, "encoded_blocks", stopped)
    assert main(["data", "prepare", TEXT]) == 130
    said = capsys.readouterr()
    assert said.out == ""
    assert "the same command goes on" in said.err
    assert not spec.folder().exists()
    assert main(["data", "prepare", TEXT, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ready"]
    assert asked == [0, BLOCK]
    np.testing.assert_array_equal(Store.open(spec.folder()).rows, rows)


def test_a_cache_below_a_closed_folder_is_named(tmp_path, monkeypatch, capsys):
    # As a folder that may not be entered does it, which the superuser may.
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path / "closed" / "cache"))
    exists = Path.exists

    def closed(path):
        if path.is_relative_to(tmp_path / "closed" / "cache"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return exists(path)

    monkeypatch.setattr(Path, "exists", closed)
    for command in (["data", "prepare", TEXT], ["data", "list"]):
        assert main(command) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith("error: ")
        assert str(tmp_path / "closed" / "cache") in said.err
        assert "UNWEAVE_HOME" in said.err
