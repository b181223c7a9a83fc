"""`unweave data prepare`, stopped and called again."""

import json

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
