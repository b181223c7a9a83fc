"""Models that are told labels, scored on both sides of a condition by what images truly show."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch

import unweave
from generalise.runs import SMALL
from session.runs import cli, folder_for_runs
from unweave.analysis import FactorErrors, factor_errors
from unweave.analysis.batches import scored_batch
from unweave.conditions import split_of
from unweave.conditions.recovering import recover
from unweave.data.samplers import Permuted
from unweave.errors import DataError
from unweave.generalise import figures as drawn
from unweave.generalise import read_run
from unweave.objectives import Needs
from unweave.run.subjects import subject_of
from unweave.studies.planning import plan

HEART = "shape == 'heart' and pos_x > 0.5"
SETTINGS = {"steps": 3, "batch_size": 8, "latents": 6, "threads": 1, "precision": "float32"}
FLAGS = [f"--{name.replace('_', '-')}={value}" for name, value in SETTINGS.items()]
WHOLE = unweave.load_dataset(SMALL)
CASES = [
    ("cvae(labels=(shape, pos_x))", "shape2tx"),
    ("cvae(labels=(shape, pos_x))", HEART),
    ("cvae(labels=(shape, pos_x), encoding=continuous)", HEART),
    ("ifcvae(labels=(shape, pos_x))", "shape2tx"),
    ("ifcvae(labels=(shape, pos_x))", HEART),
    # All of the blank side is known but for where it is, which is not told.
    ("cvae", "blank_side"),
]
cases = pytest.mark.parametrize(("objective", "condition"), CASES)


@functools.cache
def trained(objective, condition):
    """A run of a few steps, scored and drawn by the command; not to be changed."""
    folder = folder_for_runs() / "run"
    result = cli(
        "generalise", "run", "--data", SMALL, "--condition", condition, "--objective", objective,
        "--out", folder, "--without-probe", "--log-level", "warning", "--json", *FLAGS,
    )  # fmt: skip
    assert result.code == 0
    assert "warning" not in result.err
    return unweave.load_run(folder)


def shown(dataset, flat):
    """What images show, by name of the factor: names where values have some, else values."""
    space, rows = dataset.factor_space, dataset.factors(flat)
    return {
        factor.name: [(factor.labels or factor.values)[index] for index in column]
        for factor, column in zip(space.factors, rows.T, strict=True)
    }


def numbers_of(run, words):
    """Labels as the networks take them, from names and values by loops, (B, width)."""
    space, conditions = run.config.dataset.factor_space, run.model.conditions
    rows = []
    for image in range(len(next(iter(words.values())))):
        row = []
        for column in conditions.columns:
            factor = space.factors[column]
            known = list(factor.labels or factor.values)
            place = known.index(words[factor.name][image])
            if conditions.encoding == "one_hot":
                row += [float(place == other) for other in range(len(known))]
            else:
                row.append(place / (len(known) - 1))
        rows.append(row)
    return torch.tensor(rows)


@torch.inference_mode()
def made_of(run, dataset, flat):
    """Pixels of images, what a model makes of them with the labels that they truly have."""
    pixels = torch.tensor(dataset.images(flat) / 255.0, dtype=torch.float32).permute(0, 3, 1, 2)
    told = numbers_of(run, shown(dataset, flat))
    if "label_encoder" in run.parts:
        scores = run.parts["label_encoder"](pixels)
        spans = run.model.conditions.spans
        seen = torch.cat([scores[:, span].softmax(dim=1) for span in spans], dim=1)
        mean = run.model.encode(pixels).mean
    else:
        seen, mean = told, run.model.encode(pixels, told).mean
    return pixels, told, run.model.decode(mean, seen)


def nll(pixels, logits):
    """Cross-entropy of pixels, nats an image, in float64."""
    x, a = pixels.double().numpy(), logits.double().numpy()
    p = 1 / (1 + np.exp(-a))
    return -(x * np.log(p) + (1 - x) * np.log1p(-p)).sum(axis=(1, 2, 3)).mean()


@cases
def test_the_command_tells_a_model_the_labels_that_images_have(objective, condition):
    run = trained(objective, condition)
    found = read_run(run.folder)
    split = split_of(condition, SMALL)
    apart = split.in_distribution(run.config.holdout, run.config.seed)[1]
    sides = {"in_distribution": apart, "held_out": split.held_out}
    assert run.parts.keys() == ({"label_encoder", "auxiliary"} if "ifcvae" in objective else set())
    for region, flat in sides.items():
        scores = found.scores[region]
        assert scores.keys() == {"reconstruction_nll", "factor_r2"}
        pixels, _, logits = made_of(run, WHOLE, flat)
        assert scores["reconstruction_nll"]["nll"] == pytest.approx(nll(pixels, logits), rel=1e-5)


@cases
def test_test_losses_of_held_out_images_are_those_of_their_labels(objective, condition):
    run = trained(objective, condition)
    held = split_of(condition, SMALL).held_out
    pixels, told, logits = made_of(run, WHOLE, held)
    for data in ("held_out", split_of(condition, SMALL).test_text):
        losses = run.evaluate(("test_losses",), data=data)["test_losses"].parts
        assert losses["recon"] == pytest.approx(nll(pixels, logits), rel=1e-5)
        if "ifcvae" not in objective:
            continue
        with torch.inference_mode():
            scores = run.parts["label_encoder"](torch.sigmoid(logits)).double().numpy()
        expected = 0.0
        for span in run.model.conditions.spans:
            each = np.exp(scores[:, span])
            share = each / each.sum(axis=1, keepdims=True)
            expected -= np.log((share * told[:, span].numpy()).sum(axis=1)).mean()
        assert losses["label_agreement"] == pytest.approx(expected, rel=1e-4)


def test_all_images_of_the_whole_can_be_scored(monkeypatch):
    run = trained("cvae(labels=(shape, pos_x))", HEART)
    pixels, _, logits = made_of(run, WHOLE, np.arange(len(WHOLE)))
    found = run.evaluate(("reconstruction_nll",), data=SMALL)["reconstruction_nll"]
    assert found.parts["nll"] == pytest.approx(nll(pixels, logits), rel=1e-5)
    assert found.samples == len(WHOLE)


@pytest.mark.parametrize("objective", ["vae", "cvae(labels=(pos_x,))", "ifcvae"])
@pytest.mark.parametrize("data", ["held_out", SMALL])
def test_a_probe_is_asked_of_values_of_the_whole(monkeypatch, objective, data):
    run = unweave.train(
        split_of(HEART, SMALL).train_text, objective, out=folder_for_runs() / "run", **SETTINGS
    )
    asked = []

    def steps(self, true, told):
        asked.append(true)
        return np.zeros(true.shape)

    monkeypatch.setattr(factor_errors.Alike, "steps", steps)
    dataset = WHOLE if data == SMALL else unweave.load_dataset(split_of(HEART, SMALL).test_text)
    FactorErrors(steps=1, batch_size=4).score(subject_of(run, dataset))
    words = shown(dataset, np.arange(len(dataset)))
    for name, column in zip(WHOLE.factor_space.names, asked[0].T, strict=True):
        factor = WHOLE.factor_space.factors[WHOLE.factor_space.position(name)]
        known = list(factor.labels or factor.values)
        assert [known[index] for index in column] == words[name]


def check_pictures(monkeypatch, run, whole):
    """Reconstructions that are drawn are those of the images with the labels that they have."""
    given = []
    monkeypatch.setattr(
        drawn.plots, "held_out_reconstructions", lambda *words: given.append(words)
    )
    drawn.compared_reconstructions([read_run(run.folder)], ["one"])
    images, (decoded,) = given[0][:2]
    pixels = whole.images(np.arange(len(whole)))
    flat = np.array([int((pixels == image).all(axis=(1, 2, 3)).argmax()) for image in images])
    numbers = numbers_of(run, shown(whole, flat))
    scaled = torch.tensor(images / 255.0, dtype=torch.float32).permute(0, 3, 1, 2)
    with torch.inference_mode():
        mean = run.model.encode(scaled, numbers).mean
        expected = torch.sigmoid(run.model.decode(mean, numbers)).permute(0, 2, 3, 1).numpy()
    assert np.abs(decoded - 255 * expected).max() <= 1


@cases
def test_pictures_of_what_was_held_out_show_it_with_its_labels(monkeypatch, objective, condition):
    run = trained(objective, condition)
    assert (run.folder / "figures" / "held_out.png").is_file()
    check_pictures(monkeypatch, run, WHOLE)


def test_pictures_are_told_labels_that_the_whole_numbers_in_another_way(monkeypatch):
    """Five of 32 positions take part at all."""
    data = "dsprites(grid=(3, 1, 1, 32, 4))"
    split = split_of("shape2tx", data, "sparse_posX")
    run = unweave.train(
        split.train_text, "cvae(labels=(shape, pos_x))", out=folder_for_runs() / "run", **SETTINGS
    )
    assert run.config.dataset.factor_space.sizes[3] == 5
    check_pictures(monkeypatch, run, unweave.load_dataset(data))
    pixels, _, logits = made_of(run, unweave.load_dataset(data), split.held_out)
    found = run.evaluate(("reconstruction_nll",), data="held_out")["reconstruction_nll"]
    assert found.parts["nll"] == pytest.approx(nll(pixels, logits), rel=1e-5)


class TestValuesThatWereNotTrainedOn:
    BLANK = split_of("blank_side", SMALL)
    WORDS = (
        r"cannot be told pos_x 0\.\d+, .*, 1 of .*so nothing is learnt of it. Name other labels"
    )

    def test_a_run_is_refused_on_them_and_has_all_other_scores(self):
        run = unweave.train(
            self.BLANK.train_text, "cvae(labels=(shape, pos_x))", out=folder_for_runs() / "run",
            **SETTINGS,
        )  # fmt: skip
        for name in ("test_losses", "reconstruction_nll", "factor_errors"):
            for data in ("held_out", SMALL):
                with pytest.raises(DataError, match=self.WORDS):
                    run.evaluate((name,), data=data)
        result = cli("evaluate", run.folder, "--metrics", "test_losses", "--data", "held_out")
        assert (result.code, result.out) == (2, "")
        assert "cannot be told pos_x" in " ".join(result.err.split())
        # Codes are encoded without labels.
        assert run.evaluate(("factor_r2", "mig"), data="held_out")["factor_r2"].samples == 384
        assert recover(run.config.dataset).condition.name == "blank_side"
        with pytest.raises(DataError, match=self.WORDS):
            drawn._reconstructed(run, WHOLE, np.arange(4))

    def test_a_study_is_refused_before_it_trains(self):
        study = {
            "train": {"dataset": self.BLANK.train_text, "steps": 1},
            "sweep": [{"grid": {"objective": ["cvae", "ifcvae(labels=(pos_x,))"]}}],
            "evaluate": {"metrics": ["test_losses"], "data": "held_out"},
        }
        with pytest.raises(DataError, match=rf"The run with objective=ifcvae.*{self.WORDS}"):
            plan(study_of(study))
        study["sweep"][0]["grid"]["objective"].pop()
        assert len(plan(study_of(study))) == 1

    def test_labels_of_terms_count_where_terms_are_computed(self):
        run = unweave.train(
            self.BLANK.train_text, "vae + label_agreement(labels=(pos_x,))",
            out=folder_for_runs() / "run", **SETTINGS,
        )  # fmt: skip
        with pytest.raises(DataError, match=self.WORDS):
            run.evaluate(("test_losses",), data="held_out")
        assert run.evaluate(("reconstruction_nll",), data="held_out")

    def test_methods_that_compare_factors_take_any_values(self):
        run = unweave.train(
            self.BLANK.train_text, "group_vae_labels", out=folder_for_runs() / "run", **SETTINGS
        )
        assert np.isfinite(run.evaluate(("test_losses",), data="held_out")["test_losses"].value)


def study_of(form):
    from unweave.studies.reading import study_of as read

    return read(form, "told")


@functools.cache
def few_labels(labeller):
    return unweave.train(
        split_of(HEART, SMALL).train_text,
        f"s2_vae(images=300, labeller={labeller})",
        out=folder_for_runs() / "run",
        **SETTINGS,
    )


@pytest.mark.parametrize("labeller", ["perfect", "permuted", "binned(bins=3)", "partial"])
def test_few_labels_of_held_out_images_are_those_of_training(labeller):
    """An image is labelled as images with the same values were that were trained on."""
    run = few_labels(labeller)
    term = run.config.objective.expand().terms["supervised"]
    few = term.labelled.few(run.dataset)
    known = {}
    for flat, labels in zip(few.flat, few.labels, strict=True):
        words = shown(run.dataset, [flat])
        for name, label in zip(few.names, labels, strict=True):
            assert known.setdefault((name, words[name][0]), label) == label
    dataset = unweave.load_dataset(split_of(HEART, SMALL).test_text)
    subject = subject_of(run, dataset)
    rows = np.arange(0, len(dataset), 3)
    batch = scored_batch(subject, Needs(labelled=term.labelled), rows, rows[:0], 0)
    words = shown(dataset, rows)
    for name, column in zip(few.names, batch.labelled.labels.T.tolist(), strict=True):
        assert column == [known[name, word] for word in words[name]]
    if labeller == "permuted":
        assert isinstance(term.labelled.labeller, Permuted)
    assert np.isfinite(run.evaluate(("test_losses",), data="held_out")["test_losses"].value)
