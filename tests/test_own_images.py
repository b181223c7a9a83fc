"""Training, scoring and showing images of one's own: without factors, and with some on no grid."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import unweave
from reference.own_files import write_folder, write_table
from session.runs import cli as command
from unweave.errors import DataError, RunError, SpecError
from unweave.factors import FactorSpace
from unweave.metrics import evaluate
from unweave.metrics.label_free.unsupervised import Unsupervised
from unweave.representation import Representation

SETTINGS = {"batch_size": 16, "threads": 1, "precision": "float32", "latents": 3, "steps": 4}
COUNT = 90
FREE = ("unsupervised", "wsepin", "windin")


def squares(rng, count=COUNT):
    """Pictures of a square of a random tone at a random place, and tone, row and column."""
    images, rows = [], []
    for _ in range(count):
        tone, y, x = (int(n) for n in rng.integers(0, (3, 4, 4)))
        image = np.zeros((32, 32, 3), np.uint8)
        image[8 * y : 8 * y + 8, 8 * x : 8 * x + 8] = 80 * tone + 80
        images.append(image)
        rows.append((tone, y, x))
    return np.array(images), np.array(rows)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of photographs without factors, and one with a table of three."""
    folder = tmp_path_factory.mktemp("own")
    images, rows = squares(np.random.default_rng(0))
    names = write_folder(folder / "images", images)
    named = [(name, *row) for name, row in zip(names, rows.tolist(), strict=True)]
    write_table(folder / "factors.csv", ("file", "tone", "y", "x"), named)
    return folder


@pytest.fixture(scope="module")
def free(place):
    text = f"folder(path={str(place / 'images')!r}, size=32)"
    return unweave.train(text, "vae", out=place / "free", **SETTINGS)


@pytest.fixture(scope="module")
def labelled(place):
    text = f"folder(path={str(place / 'images')!r}, size=32, factors='../factors.csv')"
    return unweave.train(text, "vae", out=place / "labelled", **SETTINGS)


def test_without_factors_what_needs_none_is_scored_and_the_rest_said(free, caplog):
    scores = free.evaluate()
    assert tuple(scores) == ("unsupervised",)
    (message,) = (m for m in caplog.messages if "left out" in m)
    assert message.startswith("mig, sap, ")
    assert " are left out: No factors of these images are known" in message
    assert "These metrics need none: unsupervised, windin, wsepin" in message


def test_without_factors_named_scores_are_those_of_the_table(free):
    scores = free.evaluate(FREE)
    assert tuple(scores) == FREE
    table = free.representation()
    assert not table.labelled
    assert table.factors.shape == (COUNT, 0)
    mean, _ = free.encode(free.dataset.images(np.arange(COUNT)))
    np.testing.assert_allclose(table.mean, mean, atol=1e-5)
    by_arrays = evaluate(table.mean, metrics=FREE, logvar=table.logvar)
    for name in FREE:
        assert scores[name].value == by_arrays[name].value
    encoder = unweave.evaluate_encoder(free.dataset, free.encode, metrics=FREE)
    assert encoder["unsupervised"].value == pytest.approx(scores["unsupervised"].value, abs=1e-4)


def test_without_factors_a_score_that_needs_them_is_refused_before_encoding(free):
    shutil.rmtree(free.folder / "cache", ignore_errors=True)
    for names, protocol in ((("mig",), "unweave"), (("unsupervised", "sap"), "unweave")):
        with pytest.raises(DataError, match="No factors of these images are known"):
            free.evaluate(names, protocol_name=protocol)
    with pytest.raises(DataError, match="are known"):
        free.evaluate(protocol_name="dlib")
    with pytest.raises(DataError, match="full grid of factors, and none are known here"):
        free.evaluate(("unsupervised",), protocol_name="dlib")
    assert not (free.folder / "cache").exists()


def test_without_factors_a_report_shows_pictures_and_no_following(free):
    page = free.report().read_text("utf-8")
    assert "Reconstructions" in page
    assert "unsupervised" in page
    assert "No single latent clearly follows" not in page
    assert "follows" not in page
    assert not (free.folder / "figures" / "mig.png").exists()


def test_without_factors_periodic_scores_are_refused_early(place, free):
    with pytest.raises(SpecError, match="evaluate_every scores MIG, which needs factors"):
        unweave.train(free.config.dataset, "vae", out=place / "x", evaluate_every=2, **SETTINGS)
    assert not (place / "x").exists()
    unweave.train(free.config.dataset, "vae", out=place / "x", picture_every=2, **SETTINGS)
    assert list((place / "x" / "figures" / "training").glob("*.png"))


def test_without_factors_runs_are_ranked_by_udr_and_by_what_needs_none(place, free):
    other = unweave.train(free.config.dataset, "vae", out=place / "y", seed=1, **SETTINGS)
    ranking = unweave.rank([free, other], images=50)
    assert len(ranking.runs) == 2
    by_metric = unweave.rank([free, other], "unsupervised")
    values = [run.evaluate(FREE[:1])["unsupervised"].value for run in (free, other)]
    assert [entry.score for entry in by_metric.runs] == sorted(values)
    for by, protocol in (("mig", "unweave"), ("udr", "dlib")):
        with pytest.raises(DataError, match=r"[Nn]o factors of these|factors of .* are not known"):
            unweave.rank([free, other], by, protocol=protocol)


def test_without_factors_codes_alone_are_scored():
    codes = np.random.default_rng(0).normal(size=(500, 3))
    scores = evaluate(codes, metrics="unsupervised")
    table = Representation(
        mean=codes, factors=np.empty((500, 0), np.int64), factor_space=FactorSpace.unknown()
    )
    again = evaluate(table, metrics=[Unsupervised.name])
    assert scores["unsupervised"].value == again["unsupervised"].value
    # The determinant of the correlations, by hand.
    expected = -0.5 * np.log(np.linalg.det(np.corrcoef(codes.T)))
    assert scores["unsupervised"].value == pytest.approx(expected)
    for metrics in (None, "mig", "unsupervised,mig"):
        with pytest.raises(DataError, match="Factors are needed"):
            evaluate(codes, metrics=metrics)
    with pytest.raises(DataError, match="wsepin draws from posteriors"):
        evaluate(codes, metrics="wsepin")


def test_a_space_of_no_factor_has_no_names_and_is_one_value():
    space = FactorSpace.unknown()
    assert (space.names, space.sizes, space.to_list()) == ((), (), [])
    assert space == FactorSpace.unknown()
    with pytest.raises(SpecError, match="at least one factor"):
        FactorSpace(())


def test_labels_on_no_grid_are_scored_by_every_default_metric(labelled, caplog):
    assert not labelled.dataset.is_grid
    scores = labelled.evaluate()
    assert {"mig", "sap", "irs", "beta_vae", "unsupervised", "modularity"} <= set(scores)
    assert [m for m in caplog.messages if "left out" in m] == []
    assert all(np.isfinite(record.value) for record in scores.values())
    _, rows = squares(np.random.default_rng(0))
    by_arrays = evaluate(labelled.representation().mean, rows, metrics=("mig", "sap"))
    for name, score in by_arrays.items():
        assert scores[name].value == pytest.approx(score.value)


def test_labels_on_no_grid_are_refused_by_protocols_of_grids_before_encoding(labelled):
    shutil.rmtree(labelled.folder / "cache", ignore_errors=True)
    for names in (None, ("mig",), ("dci", "sap")):
        with pytest.raises(DataError, match="full grid of 48 combinations") as caught:
            labelled.evaluate(names, protocol_name="dlib")
        assert "Score it with protocol unweave" in str(caught.value)
    assert not (labelled.folder / "cache").exists()


def test_the_command_line_does_all_of_it(place, free, labelled, tmp_path):
    text = str(free.config.dataset)
    row = command("data", "prepare", text, "--json").json
    assert (row["images"], row["shape"], row["factors"], row["source"]) == (
        COUNT, [32, 32, 3], [], "own",
    )  # fmt: skip
    for run in (free, labelled):
        shown = tmp_path / f"{run.folder.name}.png"
        done = command("data", "show", str(run.config.dataset), "--out", str(shown))
        assert done.code == 0, done.err
        with Image.open(shown) as picture:
            assert picture.size[0] > 100
    scores = command("evaluate", str(free.folder), "--metrics", "unsupervised", "--json").json
    assert scores["scores"]["unsupervised"]["source"] == "own"
    assert command("data", "verify", text).code == 0
    # Nothing is trained of what is not there.
    gone = command(
        "train", "folder(path='no such')", "vae", "--steps", "2", "--out", str(tmp_path / "z")
    )
    assert gone.code == 2
    assert "no such does not exist" in gone.err
    assert not (tmp_path / "z").exists()


def test_a_run_resumes_with_its_images_and_can_be_looked_at_without_them(place):
    data = unweave.from_arrays(squares(np.random.default_rng(5))[0], name="to-be-resumed")
    folder = place / "resumed"
    unweave.train(data, "vae", out=folder, **SETTINGS)
    resumed = unweave.train(data, "vae", out=folder, resume=True, **SETTINGS | {"steps": 8})
    assert resumed.status["step"] == 8
    assert json.loads((folder / "config.json").read_text())["dataset"] == {
        "type": "stored", "key": "to-be-resumed",
    }  # fmt: skip
    shutil.rmtree(data.spec.folder())
    run = unweave.load_run(folder)
    with pytest.raises((DataError, RunError), match="Nothing is stored as 'to-be-resumed'"):
        run.evaluate()


def test_a_run_of_a_folder_that_is_gone_decodes_and_draws(place, tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path / "home"))
    moved = tmp_path / "moved"
    shutil.copytree(place / "images", moved)
    text = f"folder(path={str(moved)!r}, size=32)"
    run = unweave.train(text, "vae", out=tmp_path / "run", **SETTINGS)
    shutil.rmtree(moved)
    assert unweave.load_run(run.folder).evaluate(("unsupervised",))
    shutil.rmtree(tmp_path / "home")
    run = unweave.load_run(run.folder)
    assert run.decode(np.zeros((1, 3))).shape == (1, 32, 32, 3)
    assert (run.folder / "figures" / "traversals.png") in run.plot()
    with pytest.raises(DataError, match="moved does not exist"):
        run.evaluate(("unsupervised",))


@pytest.mark.slow
def test_real_photographs_train_and_are_scored(tmp_path):
    """Patches of the two photographs that scikit-learn has: losses fall, colours come through."""
    from sklearn.datasets import load_sample_images

    rng = np.random.default_rng(0)
    patches = []
    for photograph in load_sample_images().images:
        height, width, _ = photograph.shape
        for _ in range(1000):
            side = int(rng.integers(64, 200))
            y, x = int(rng.integers(height - side)), int(rng.integers(width - side))
            patches.append(photograph[y : y + side, x : x + side])
    write_folder(tmp_path / "patches", patches)
    text = f"folder(path={str(tmp_path / 'patches')!r})"
    run = unweave.train(text, "beta_vae", steps=400, out=tmp_path / "run", threads=2)
    lines = [json.loads(row) for row in (run.folder / "metrics.jsonl").read_text().splitlines()]
    losses = [row["loss"]["model"] for row in lines if row["event"] == "train"]
    assert losses[-1] < 0.97 * losses[0]
    assert run.report().stat().st_size > 100_000
    assert run.evaluate(("unsupervised",))["unsupervised"].value >= 0
    images = run.dataset.images(np.arange(0, 2000, 10))
    mean, _ = run.encode(images)
    decoded = run.decode(mean)
    # The mean colour of each patch, red, green and blue.
    found = [
        np.corrcoef(images[..., c].mean(axis=(1, 2)), decoded[..., c].mean(axis=(1, 2)))[0, 1]
        for c in range(3)
    ]
    assert min(found) > 0.7
