"""Errors by combination against a loop over images, by names of values."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

import unweave
from analysis.test_reconstruction import pixels_of, plain_logits, subject_of
from reference.reconstruction_reference import divergence
from unweave.analysis import ReconstructionNLL
from unweave.cli.app import main
from unweave.conditions import split_of
from unweave.data import parse_dataset
from unweave.data.codes import value_name
from unweave.scores import load_scores

GRID = "dsprites(grid=(3, 1, 2, 4, 2))"
SQUARES = "shape == 'square' and pos_x > 0.5"


def scored(trained, data, objective="vae", rows=None):
    """A subject that was trained on one dataset and is scored on images of another."""
    subject = subject_of(data, objective)
    rows = subject.flat if rows is None else np.asarray(rows)
    return dataclasses.replace(subject, trained_on=parse_dataset(trained), flat=rows)


@torch.no_grad()
def by_loops(subject, names):
    """(value of the first factor, value of the second) -> mean excess, image by image."""
    dataset = subject.dataset
    logits = plain_logits(subject.model, pixels_of(subject)).double().numpy()
    found = {}
    for flat, logit in zip(subject.flat, logits, strict=True):
        image = dataset.images(np.array([flat]))[0].transpose(2, 0, 1) / 255
        pairs = zip(image.ravel().tolist(), logit.ravel().tolist(), strict=True)
        excess = math.fsum(divergence(x, y) for x, y in pairs)
        indices = dataset.factors(np.array([flat]))[0]
        key = tuple(
            value_name(factor, index)
            for name in names
            for factor, index in zip(dataset.factor_space.factors, indices, strict=True)
            if factor.name == name
        )
        found.setdefault(key, []).append(excess)
    return {key: math.fsum(each) / len(each) for key, each in found.items()}


def cells_of(matrix):
    """Names of a cell -> its value, of those that have one."""
    return {
        (row, column): matrix.values[i, k]
        for i, row in enumerate(matrix.rows)
        for k, column in enumerate(matrix.columns)
        if np.isfinite(matrix.values[i, k])
    }


@pytest.mark.parametrize("side", ["without", "only"])
@pytest.mark.parametrize("grid", [GRID, "shapes3d(grid=(1, 1, 4, 1, 3, 2))"])
def test_means_are_those_of_a_loop_over_images(side, grid):
    rule, names = SQUARES, ("shape", "pos_x")
    if grid != GRID:
        rule, names = "shape == 'capsule' and index(object_hue) >= 2", ("shape", "object_hue")
        labels = parse_dataset(grid).factor_space.factors[4].labels
        rule = rule.replace("capsule", labels[1])
    subject = scored(
        f"without(data={grid}, where={rule!r})", f"{side}(data={grid}, where={rule!r})"
    )
    matrix = ReconstructionNLL().score(subject).matrix
    assert matrix.axes == names
    assert matrix.values.shape == (3, 4)
    assert cells_of(matrix) == pytest.approx(by_loops(subject, names), rel=1e-5)
    # Two of twelve combinations were held out.
    assert np.isfinite(matrix.values).sum() == (2 if side == "only" else 10)


def test_a_part_of_the_images_leaves_cells_empty():
    trained = f"without(data={GRID}, where={SQUARES!r})"
    subject = scored(trained, trained, rows=[0, 1, 7, 12, 30])
    score = ReconstructionNLL().score(subject)
    cells = cells_of(score.matrix)
    assert cells == pytest.approx(by_loops(subject, ("shape", "pos_x")), rel=1e-5)
    assert 1 < len(cells) <= 5
    assert score.value == score.parts["excess"]


def test_one_factor_alone_has_one_row():
    rule = "pos_x > 0.5"
    subject = scored(f"without(data={GRID}, where={rule!r})", f"only(data={GRID}, where={rule!r})")
    matrix = ReconstructionNLL().score(subject).matrix
    assert (matrix.rows, matrix.axes) == (("all",), ("", "pos_x"))
    found = {column: value for (_, column), value in cells_of(matrix).items()}
    expected = {column: value for (column,), value in by_loops(subject, ("pos_x",)).items()}
    assert found == pytest.approx(expected, rel=1e-5)


def test_factors_of_a_modifier_have_no_axis():
    split = split_of("shape2ohue", "shapes3d(grid=(2, 2, 10, 1, 4, 1))", "even_wnf_hues")
    assert len(split.compared) == 4
    subject = scored(split.train_text, split.test_text, rows=[0, 1, 4])
    matrix = ReconstructionNLL().score(subject).matrix
    assert matrix.axes == ("shape", "object_hue")
    assert matrix.values.shape == (4, 10)
    assert cells_of(matrix) == pytest.approx(by_loops(subject, matrix.axes), rel=1e-5)


@pytest.mark.parametrize(
    ("trained", "data", "objective"),
    [
        # Nothing was held out.
        (GRID, GRID, "vae"),
        # Nobody knows what else there was.
        (f"only(data={GRID}, where='pos_x < 0.9')", GRID, "vae"),
        # Images of a dataset with other factors, and with other values.
        (f"without(data={GRID}, where={SQUARES!r})", "dsprites_noshape(data=" + GRID + ")", "vae"),
        (f"without(data={GRID}, where={SQUARES!r})", "dsprites(grid=(3, 1, 2, 5, 2))", "vae"),
        # Composed images are drawn anew.
        (
            f"without(data={GRID}, where={SQUARES!r})",
            f"without(data={GRID}, where={SQUARES!r})",
            "composer",
        ),
    ],
)
def test_where_there_is_no_map(trained, data, objective):
    score = ReconstructionNLL().score(scored(trained, data, objective))
    assert score.matrix is None
    assert score.value > 0


def test_decoders_of_true_factors_have_one_too():
    trained = f"without(data={GRID}, where={SQUARES!r})"
    subject = scored(trained, trained, "ground_truth_decoder")
    matrix = ReconstructionNLL().score(subject).matrix
    assert np.isfinite(matrix.values).sum() == 10
    # Every cell has as many images.
    assert np.nanmean(matrix.values) == pytest.approx(ReconstructionNLL().score(subject).value)


def test_images_of_a_run_are_told_apart_as_they_are_stored(tmp_path):
    """From a command to the file, with null where there is no image."""
    trained = f"without(data={GRID}, where={SQUARES!r})"
    unweave.train(
        trained, "vae", steps=1, batch_size=8, latents=4, threads=1, out=tmp_path / "run"
    )
    for words in (["--data", "held_out"], []):
        assert main(["evaluate", str(tmp_path / "run"), "--metrics", "reconstruction_nll", *words,
                     "--log-level", "error"]) == 0  # fmt: skip
    held, own = (row["matrix"] for row in load_scores(tmp_path / "run"))
    assert held["axes"] == own["axes"] == ["shape", "pos_x"]
    assert held["rows"] == own["rows"] == ["square", "ellipse", "heart"]
    known = [[value is not None for value in row] for row in held["values"]]
    assert known == [[False, False, True, True], [False] * 4, [False] * 4]
    other = [[value is None for value in row] for row in own["values"]]
    assert other == known
