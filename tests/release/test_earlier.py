"""Files that released versions wrote are read, gone on with, and mean what they meant.

`earlier/VERSION.tar.gz` holds a study with one run, and that run as `unweave push` shared it. To
add those of a version whose formats are new, carry out the `study.toml` of an earlier archive with
it, `unweave push` the run, and pack both without caches and locks; then write its numbers below.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest

import unweave
from session.runs import cli, document, lines

HERE = Path(__file__).with_name("earlier")
RUN = "study/runs/fddc5c18817a271f"

# Means of the images 0, 100 and 191, the loss of the last line, and MIG, as that version had them.
NUMBERS = {
    "0.1.0": (
        [[0.0448614, 0.3671345], [0.0346872, 0.3813703], [0.0306384, 0.3420875]],
        3349.2144,
        0.0571152,
    )
}


@pytest.fixture(params=sorted(path.name.removesuffix(".tar.gz") for path in HERE.iterdir()))
def version(request):
    return request.param


@pytest.fixture
def place(version, tmp_path, monkeypatch):
    """A folder with a copy of what that version wrote."""
    monkeypatch.setenv("UNWEAVE_ALLOW_OWN", "1")  # the networks of `release.small_networks`
    with tarfile.open(HERE / f"{version}.tar.gz") as packed:
        packed.extractall(tmp_path, filter="data")
    return tmp_path


def test_a_run_is_what_it_was(place, version):
    means, loss, mig = NUMBERS[version]
    run = unweave.load_run(place / RUN)
    assert (run.step, str(run.config.objective), run.config.seed) == (6, "beta_vae(beta=2)", 0)
    found = run.representation().mean[[0, 100, 191]]
    np.testing.assert_allclose(found, means, atol=1e-5)
    assert lines(run.folder, "train")[-1]["loss"]["model"] == pytest.approx(loss)
    stored = document(run.folder / "scores.json")["scores"]
    assert [score["unweave"] for score in stored] == [version]
    # The stored score is found, and computed anew it is the same.
    assert run.evaluate(["mig"])["mig"].value == pytest.approx(mig, abs=1e-6)
    (run.folder / "scores.json").unlink()
    assert run.evaluate(["mig"])["mig"].value == pytest.approx(mig, abs=1e-4)


def test_a_run_is_gone_on_with(place):
    longer = cli("train", "--out", place / RUN, "--resume", "--steps", "8", "--json")
    assert longer.code == 0, longer.err
    assert (longer.json["state"], longer.json["steps"]) == ("finished", 8)
    assert [line["step"] for line in lines(place / RUN, "train")] == [2, 4, 6, 8]


def test_a_study_is_finished_for_this_version_too(place):
    status = cli("study", "status", place / "study", "--json")
    assert status.code == 0, status.err
    assert status.json["counts"]["finished"] == 1
    # Its address has stayed, so that nothing is trained again.
    before = (place / RUN / "metrics.jsonl").read_bytes()
    again = cli("study", "resume", place / "study", "--executor", "serial", "--json")
    assert again.code == 0, again.err
    assert [path.name for path in (place / "study/runs").glob("[!.]*")] == [Path(RUN).name]
    assert (place / RUN / "metrics.jsonl").read_bytes() == before


def test_a_shared_run_is_pulled(place):
    pulled = unweave.pull(str(place / "shared"), out=place / "pulled")
    assert (pulled.step, pulled.config) == (6, unweave.load_run(place / RUN).config)


def test_a_later_format_is_refused(place):
    config = place / RUN / "config.json"
    config.write_text(config.read_text().replace('"format": 1', '"format": 2', 1))
    refused = cli("evaluate", place / RUN, "--metrics", "mig")
    assert refused.code == 2
    assert "format" in refused.err


def test_each_version_has_its_numbers():
    assert {path.name for path in HERE.iterdir()} == {f"{name}.tar.gz" for name in NUMBERS}
