"""Figures show what the run folder and the model say."""

from __future__ import annotations

import dataclasses
import signal

import numpy as np
import pytest

import unweave
from session.runs import MINI, RICH, RICH_IMAGES, Watcher, copy_of, document, lines, rich
from unweave import plots
from unweave.errors import SpecError
from unweave.figures import FIGURES, Look, draw, followed_factors, latent_names, walked
from unweave.metrics import Matrix, Score
from unweave.pictures import probe_indices, traverse
from unweave.plots.traversals import order_by_kl
from unweave.rundir import write_json
from unweave.scores import ScoreRecord, save_scores


@pytest.fixture
def drawn(monkeypatch):
    """What the figures hand to the plots, by the name of the plot."""
    calls = {}
    for name in ("traversals", "reconstructions", "loss_curves", "kl_curves"):

        def fake(*arguments, _name=name, **keywords):
            calls[_name] = (arguments, keywords)
            return "figure"

        monkeypatch.setattr(plots, name, fake)
    return calls


@pytest.fixture
def run(tmp_path):
    return unweave.load_run(copy_of(rich(), tmp_path))


def figure(kind, run):
    return draw(kind, run.folder, run.config, run.model, run.dataset)


def record(matrix, parts, **changes):
    columns = ("shape", "scale", "pos_x")[: matrix.shape[1]]
    rows = tuple(f"z{j}" for j in range(len(matrix)))
    score = Score(0.5, parts, Matrix(values=matrix, rows=rows, columns=columns, label="nats"))
    fields = {
        "metric": "mig", "score": score, "text": "mig", "protocol": "unweave/1",
        "data": "dsprites", "source": "rendered", "part": "all", "codes": "mean",
        "samples": 10, "seed": 0, "step": 24, "unweave": "0",
    }  # fmt: skip
    return ScoreRecord(**{**fields, **changes})


class TestTraversals:
    def test_the_last_kl_orders_the_latents(self, run, drawn):
        assert figure("traversals", run) == "figure"
        (images, values), keywords = drawn["traversals"]
        kl = lines(run.folder, "train")[-1]["kl"]
        np.testing.assert_array_equal(keywords["kl"], kl)
        assert order_by_kl(keywords["kl"]) == sorted(range(4), key=lambda j: -kl[j])
        assert images.shape == (4, 9, 64, 64, 1)
        np.testing.assert_allclose(values, np.linspace(-2, 2, 9))
        z = np.zeros((1, 4))
        z[0, 2] = values[7]
        expected = 255 * run.decode(z)[0]
        assert np.abs(images[2, 7] - expected).max() <= 1

    def test_of_many_latents_those_of_the_highest_kl_are_drawn(self, run, drawn, monkeypatch):
        monkeypatch.setattr(walked, "SHOWN_LATENTS", 2)
        figure("traversals", run)
        (images, values), keywords = drawn["traversals"]
        kl = lines(run.folder, "train")[-1]["kl"]
        shown = sorted(sorted(range(4), key=lambda j: -kl[j])[:2])
        assert keywords["latents"] == shown
        np.testing.assert_array_equal(keywords["kl"], [kl[j] for j in shown])
        every = traverse(run.model, np.zeros(4, np.float32), values)
        np.testing.assert_array_equal(images, every[shown])
        (run.folder / "metrics.jsonl").unlink()
        figure("traversals", run)
        assert drawn["traversals"][1]["latents"] == [0, 1]

    def test_latents_have_no_names_without_scores(self, run, drawn):
        figure("traversals", run)
        assert drawn["traversals"][1]["labels"] == [None] * 4

    def test_a_run_without_lines_is_not_ordered(self, run, drawn):
        (run.folder / "metrics.jsonl").unlink()
        figure("traversals", run)
        assert drawn["traversals"][1]["kl"] is None


class TestLatentNames:
    MATRIX = np.array([[0.5, 0.0, 0.9], [0.4, 0.3, 0.0], [0.0, 0.1, 0.1]])

    def test_only_where_it_is_clear(self, tmp_path):
        parts = {"shape": 0.05, "scale": 0.2, "pos_x": 0.7}
        save_scores(tmp_path, (record(self.MATRIX, parts),))
        assert latent_names(tmp_path, 3) == ["pos_x", "scale", None]

    def test_the_border_is_clear(self, tmp_path):
        parts = {"shape": 0.1, "scale": 0.0999, "pos_x": 0.0}
        save_scores(tmp_path, (record(self.MATRIX, parts),))
        assert latent_names(tmp_path, 3) == ["shape", None, None]

    def test_one_latent_may_follow_two(self, tmp_path):
        parts = {"shape": 0.3, "scale": 0.0, "pos_x": 0.7}
        save_scores(tmp_path, (record(self.MATRIX, parts),))
        assert latent_names(tmp_path, 3) == ["shape, pos_x", None, None]

    def test_the_newest_score_counts(self, tmp_path):
        clear, unclear = ({"shape": gap, "scale": 0.0, "pos_x": 0.0} for gap in (0.5, 0.0))
        save_scores(tmp_path, (record(self.MATRIX, clear),))
        save_scores(tmp_path, (record(self.MATRIX, unclear, seed=1),))
        assert latent_names(tmp_path, 3) == [None, None, None]

    def test_scores_of_other_weights_name_nothing(self, tmp_path):
        save_scores(tmp_path, (record(self.MATRIX, {"pos_x": 0.7}, step=37),))
        assert latent_names(tmp_path, 3, step=37) == ["pos_x", None, None]
        assert latent_names(tmp_path, 3, step=40) == [None, None, None]

    def test_a_run_that_stopped_between_two_lines_has_its_scores_drawn(self, tmp_path):
        folder = tmp_path / "run"
        stop = Watcher(at={6: lambda: signal.raise_signal(signal.SIGINT)})
        stopped = unweave.train(
            RICH, "vae", steps=9, log_every=5, batch_size=8, latents=4, out=folder, watch=stop
        )
        assert stopped.step in (6, 7)
        assert [row["step"] for row in lines(folder, "train")] == [5]
        stopped.report()
        assert (folder / "figures" / "mig.png").is_file()

    def test_a_factor_that_does_not_vary_has_no_part(self, tmp_path):
        save_scores(tmp_path, (record(self.MATRIX, {"pos_x": 0.7}),))
        assert latent_names(tmp_path, 3) == ["pos_x", None, None]

    def test_a_name_stands_at_its_latent(self, run, drawn):
        matrix = np.zeros((4, 3))
        matrix[2, 1] = 1.0
        parts = {"shape": 0, "scale": 0.9, "pos_x": 0}
        save_scores(run.folder, (record(matrix, parts, data=str(run.config.dataset)),))
        figure("traversals", run)
        assert drawn["traversals"][1]["labels"] == [None, None, "scale", None]

    def test_scores_on_another_dataset_name_nothing(self, run, drawn):
        matrix = np.zeros((4, 3))
        matrix[2, 1] = 1.0
        save_scores(run.folder, (record(matrix, {"scale": 0.9}, data="dsprites"),))
        assert latent_names(run.folder, 4) == [None, None, "scale", None]
        assert latent_names(run.folder, 4, data=MINI) == [None] * 4
        figure("traversals", run)
        assert drawn["traversals"][1]["labels"] == [None] * 4
        assert figure("mig", run) is None


def test_which_latent_follows_which_factor_in_words():
    matrix = np.array([[0.5, 0.0, 0.0], [0.45, 0.75, 0.0]])
    text = followed_factors(record(matrix, {"shape": 0.05, "scale": 0.7}))
    assert text.splitlines() == [
        "shape is followed by no latent alone (gap 0.05: z0 0.50, z1 0.45 nats).",
        "scale is followed by z1 (gap 0.70).",
        "pos_x does not vary.",
    ]


def test_reconstructions_are_of_the_model(run, drawn):
    assert figure("reconstructions", run) == "figure"
    (originals, decoded), _ = drawn["reconstructions"]
    flat = probe_indices(20, RICH_IMAGES, 3)
    np.testing.assert_array_equal(originals, run.dataset.images(flat))
    expected = 255 * run.decode(run.encode(originals)[0])
    assert np.abs(decoded - expected).max() <= 1


def test_loss_curves_are_the_lines_of_the_metrics(run, drawn):
    assert figure("loss_curves", run) == "figure"
    (history, units), _ = drawn["loss_curves"]
    rows = lines(run.folder, "train")
    assert set(history) == {
        "model loss",
        "reconstruction",
        "mutual_information",
        "total_correlation",
        "dimension_kl",
    }
    for name, (steps, values) in history.items():
        np.testing.assert_array_equal(steps, [4, 8, 12, 16, 20, 24])
        expected = [
            row["loss"]["model"] if name == "model loss" else row["raw"][name] for row in rows
        ]
        np.testing.assert_array_equal(values, expected)
        assert units[name] == "nats an image"


def test_kl_curves_are_the_lines_of_the_metrics(run, drawn):
    figure("kl", run)
    (steps, kl), _ = drawn["kl_curves"]
    assert list(steps) == [4, 8, 12, 16, 20, 24]
    np.testing.assert_array_equal(kl, [row["kl"] for row in lines(run.folder, "train")])


def test_what_there_is_nothing_to_draw_from_is_left_out(run):
    (run.folder / "metrics.jsonl").unlink()
    for kind in ("loss_curves", "kl", "mig"):
        assert figure(kind, run) is None
    write_json(run.folder / "scores.json", {"format": 1, "scores": []})
    assert figure("mig", run) is None


def test_the_table_says_what_was_scored(run):
    score = run.evaluate(part="holdout")["mig"]
    drawn = figure("mig", run)
    title = drawn.axes[0].get_title(loc="center") + drawn.axes[0].get_title(loc="left")
    text = title + " ".join(str(item.get_text()) for item in drawn.texts)
    for words in (f"MIG {score.value:.3f}", "unweave/1", f"{RICH_IMAGES // 4} rendered images"):
        assert words in text
    assert document(run.folder / "scores.json")["scores"]


def test_every_figure_is_drawn(run):
    run.evaluate()
    # No labels are told to this model, it has no group of matrices, and other scores.
    missing = {"conditions", "attribute_traversals", "lie_walks", "generators"}
    missing |= {"group_reconstructions"}
    scored = {row["metric"] for row in document(run.folder / "scores.json")["scores"]}
    tables = {"dci", "dci_lasso", "dci_forest", "dci_hist", "dci_per_tree", "sap"}
    missing |= (tables | {"sap_continuous"}) - scored
    missing |= set() if any(name.startswith("dci") for name in scored) else {"hinton", "dci_bars"}
    usual = {name for name, kind in FIGURES.items() if kind.usual}
    assert {path.stem for path in run.plot()} == usual - missing
    moving = {kind.file(name) for name, kind in FIGURES.items() if kind.animated}
    moving -= {"gif_attribute_traversals.gif"}
    drawn = {path.name for path in run.plot("all", animations=True)}
    assert drawn == {f"{name}.png" for name in usual - missing} | moving


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rows": 0}, "rows must be from 1"),
        ({"cols": 1000}, "cols must be from 1"),
        ({"range": 0.0}, "range must be above 0"),
        ({"upsample": 0}, "upsample must be from 1"),
        ({"indices": (3, -1)}, "one is -1"),
        ({"start": "middle"}, "prior, posterior"),
        ({"layout": "dvae"}, "unweave, disvae"),
    ],
)
def test_no_picture_can_look_like_this(settings, message):
    with pytest.raises(SpecError, match=message):
        Look(**settings)


def test_what_is_asked_for_is_what_differs_from_the_defaults():
    assert Look().asked == ()
    assert Look(rows=3, seed=0, labels=False).asked == ("rows", "labels", "seed")


def test_every_kind_heeds_fields_that_there_are():
    known = {field.name for field in dataclasses.fields(Look)}
    for kind in FIGURES.values():
        assert set(kind.heeds) <= known
        assert kind.about.endswith(".")
