"""What a training would cost, held against what it does cost."""

from __future__ import annotations

import pytest
import torch

from session.runs import BATCH, IMAGES, MINI, TINY, cli, flags, listing, paragraph, rich, train
from unweave.errors import SpecError
from unweave.estimate import estimate
from unweave.run import load_run
from unweave.settings import make_config


def config(objective="vae", **settings):
    return make_config(MINI, objective, **{"steps": 100, **TINY, **settings})


def test_parameters_images_epochs():
    costs = estimate(config())
    assert costs["parameters"] == {"model": 502_005}
    assert costs["images"] == 100 * BATCH
    assert costs["epochs"] == pytest.approx(100 * BATCH / IMAGES)
    assert (costs["threads"], costs["device"], costs["precision"]) == (1, "cpu", "float32")
    assert any("ConvTranspose2d" in line for line in costs["layers"])


def test_a_second_batch_and_a_discriminator():
    costs = estimate(config("factor_vae"))
    assert costs["parameters"] == {"model": 502_005, "discriminator": 4_017_002}
    assert costs["images"] == 2 * 100 * BATCH
    assert costs["epochs"] == pytest.approx(100 * BATCH / IMAGES)


def test_held_out_images_make_longer_epochs():
    assert estimate(config(holdout=0.5))["epochs"] == pytest.approx(2 * 100 * BATCH / IMAGES)


def test_time_grows_with_the_steps():
    costs = estimate(config(steps=1000))
    assert costs["seconds_per_step"] > 0
    assert costs["seconds"] == pytest.approx(1000 * costs["seconds_per_step"])
    # A step of few images: between a tenth of a millisecond and, on a loaded machine, seconds.
    assert 1e-4 < costs["seconds_per_step"] < 10


def test_disk_is_about_what_a_run_takes(tmp_path):
    settings = {"steps": 20, "log_every": 2, "snapshot_every": 10}
    train(tmp_path / "run", "vae", **settings)
    files = (path for path in (tmp_path / "run").rglob("*") if path.is_file())
    taken = sum(path.stat().st_size for path in files)
    assert estimate(config(**settings))["disk_bytes"] == pytest.approx(taken, rel=0.05)


def test_the_address_is_that_of_the_run():
    """Automatic settings are resolved, as they would be by a training."""
    run = load_run(rich())
    assert estimate(run.config)["address"] == run.config.address


def test_nothing_is_written_and_no_dataset_is_needed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path / "home"))
    costs = estimate(config())
    assert costs["dataset_ready"] is False
    assert costs["dataset_missing"] is None
    assert listing(tmp_path) == {}


def test_a_device_that_is_not_there():
    if torch.cuda.device_count() > 99:
        pytest.skip("this machine has a hundred GPUs")
    with pytest.raises(SpecError, match="cuda:99"):
        estimate(config(device="cuda:99"))


def test_files_that_must_be_fetched_by_hand_are_said_to_be_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path))
    given = ("train", "celeba", "vae", "--steps", 2, *flags(**TINY), "--dry-run")
    shown = cli(*given)
    assert shown.code == 0
    (line,) = [line for line in shown.out.splitlines() if line.startswith("dataset: ")]
    for words in ("cannot be trained yet", "Accept the terms at", "data prepare celeba --from"):
        assert words in line
    missing = cli(*given, "--json").json["dataset_missing"]
    assert missing in line
    # As the training itself would say.
    assert missing in paragraph(cli(*given[:-1]))
