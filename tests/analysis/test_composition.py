"""Composed images by what was trained on, against slow NumPy and a model that makes no error."""

from __future__ import annotations

import dataclasses
import logging

import numpy as np
import pytest
import torch
from torch import nn

import unweave
from reference import composition_reference
from session.runs import MINI, TINY, cli, document, listing, paragraph
from unweave.analysis import ComposedImages, Subject
from unweave.data import load_dataset, parse_dataset
from unweave.data.samplers import Composition, CompositionRegimes
from unweave.data.samplers.composition_regimes import REGIMES
from unweave.errors import DataError, SpecError
from unweave.likelihoods import Bernoulli
from unweave.nn import Burgess
from unweave.nn.composition import make_operator
from unweave.nn.initialise import construct
from unweave.objectives import Setup, parse_objective
from unweave.splits import keyed_generator
from unweave.vae import VAE

GRID = "dsprites(grid=(3, 2, 1, 4, 3))"
SQUARES = "shape == 'square' and pos_x > 0.5"
HOLE = f"without(data={GRID}, where={SQUARES!r})"
SIDE = f"without(data={GRID}, where='pos_x > 0.5')"
CELL = (
    f"without(data={GRID}, where=\"shape == 'heart' and index(scale) == 1 and index(pos_x) == 2 "
    'and index(pos_y) == 1")'
)
COLOURS = f"without(data=color_dsprites(data={GRID}), where={SQUARES!r})"
QUANTITIES = ("excess", "copied", "nll", "floor", "mse")
SEED = 5


class _Recognise(nn.Module):
    """From an image to the number of the nearest of a bank, (B, 1)."""

    def __init__(self, bank):
        super().__init__()
        self.register_buffer("bank", bank)
        self.unused = nn.Parameter(torch.zeros(()))

    def forward(self, images):
        return torch.cdist(images.flatten(1), self.bank).argmin(1, keepdim=True).float()


class _Look(nn.Module):
    """From the number of an image to its factor indices, all but certain."""

    def __init__(self, codes):
        super().__init__()
        self.register_buffer("codes", codes)

    def forward(self, features):
        mean = self.codes[features[:, 0].long()]
        return torch.cat([mean, torch.full_like(mean, -20)], dim=1)


class _Draw(nn.Module):
    """From factor indices to the logits of the image that has them."""

    def __init__(self, bank, space):
        super().__init__()
        self.register_buffer("bank", bank)
        self.space = space

    def forward(self, z):
        rows = self.space.ravel(z.round().long().numpy())
        return (100 * self.bank[rows] - 50).reshape(-1, 1, 64, 64)


def perfect(whole):
    """A model whose latent k is the index of factor k, and whose images are those of the data."""
    dataset = load_dataset(whole)
    rows = np.arange(len(dataset))
    bank = torch.from_numpy(dataset.images(rows).reshape(len(rows), -1) / 255).float()
    codes = torch.from_numpy(dataset.factors(rows)).float()
    model = VAE(Burgess(), (64, 64, 1), 5, Bernoulli())
    model.trunk, model.head = _Recognise(bank), _Look(codes)
    model.decoder = _Draw(bank, dataset.factor_space)
    return model.eval()


def subject_of(text, model, operator, objective="composer(operator=fixint)", **changes):
    spec = parse_dataset(text)
    dataset = spec.open()
    given = {
        "model": model,
        "parts": {"operator": operator},
        "objective": parse_objective(objective),
        "setup": Setup(
            architecture=Burgess(),
            image_shape=spec.image_shape,
            latents=model.latents,
            dataset=text,
            factors=spec.factor_space,
        ),
        "dataset": dataset,
        "flat": np.arange(len(dataset)),
        "num_train": len(dataset),
        "trained_on": spec,
        "trained": lambda most: pytest.fail("it needs no table of codes"),
        "seed": SEED,
    }
    return Subject(**(given | changes))


@pytest.fixture(scope="module")
def model():
    return perfect(GRID)


def of_perfect(text, model, **changes):
    return subject_of(text, model, make_operator("fixint", 5, 5), **changes)


def names_of(parts, ending):
    """Factors of each regime that have a part of their own, by regime."""
    found = {}
    for name in parts:
        regime, _, rest = name.partition(".")
        if rest.endswith(f".{ending}"):
            found.setdefault(regime, []).append(rest.partition(".")[0])
    return {regime: tuple(names) for regime, names in found.items()}


@pytest.mark.parametrize("codes", ["mean", "sampled"])
def test_a_disentangled_model_composes_what_it_has_never_seen(model, codes):
    subject = of_perfect(HOLE, model, codes=codes)
    score = ComposedImages(triplets=150).score(subject)
    assert score.value == pytest.approx(0, abs=1e-9)
    for regime in REGIMES:
        for name in ("excess", "nll", "floor", "mse"):
            assert score.parts[f"{regime}.{name}"] == pytest.approx(0, abs=1e-9)
        # That nothing is changed is seen: hundreds of pixels are wrong, each by 50 nats.
        assert score.parts[f"{regime}.copied"] > 1000
    assert score.parts["id_ood.gap"] == score.value
    assert names_of(score.parts, "excess") == {
        "id_id": ("shape", "scale", "pos_x", "pos_y"),
        "id_ood": ("shape", "pos_x"),
        "ood_ood": ("scale", "pos_x", "pos_y"),
    }
    assert (score.unit, score.units) == (
        "nats an image",
        {f"{regime}.mse": "" for regime in REGIMES},
    )


def test_an_entangled_model_is_told_from_it(model):
    """Where the operator takes another factor than asked for, nothing is composed rightly."""
    turned = make_operator("fixint", 5, 5)
    forward = turned.forward
    turned.forward = lambda r, s, action: forward(r, s, action.roll(1, dims=1))
    parts = ComposedImages(triplets=60).score(subject_of(HOLE, model, turned)).parts
    assert min(parts[f"{regime}.excess"] for regime in REGIMES) > 1000


def drawn_of(subject, rule, triplets):
    """Triplets of the whole by regime, as they are keyed."""
    whole = subject.trained_on.data.open()
    regimes = CompositionRegimes(whole, rule)
    for regime in REGIMES:
        rng = keyed_generator(SEED, f"composition, {regime}")
        yield regime, whole, regimes.draw(regime, triplets, rng)


@pytest.mark.parametrize("text", [HOLE, COLOURS])
@pytest.mark.parametrize(
    "objective", ["composer", "composer(operator=fixint, reconstruct=True, beta=3) + dip_i"]
)
def test_every_part_is_that_of_slow_numpy(text, objective):
    triplets = 6
    spec = parse_dataset(text)
    model = VAE.create(
        Burgess(), spec.image_shape, 6, Bernoulli(), torch.Generator().manual_seed(2)
    ).eval()
    with torch.no_grad():
        model.head.weight[:6] *= 20
    name = "fixint" if "fixint" in objective else "linear"
    operator = construct(
        lambda: make_operator(name, 6, 5), torch.Generator().manual_seed(3)
    ).eval()
    subject = subject_of(text, model, operator, objective)
    analysis = ComposedImages(triplets=triplets)
    score = analysis.score(subject)
    weights = [each.detach().double().numpy() for each in operator.parameters()]
    formula = getattr(composition_reference, name)

    @torch.no_grad()
    def decode(code):
        return model.decode(torch.from_numpy(code[np.newaxis]).float())[0].double().numpy()

    targets = []
    for regime, whole, drawn in drawn_of(subject, SQUARES, triplets):
        rows = np.arange(len(whole))
        images = whole.images(rows).transpose(0, 3, 1, 2) / 255
        with torch.no_grad():
            codes = model.encode(torch.from_numpy(images).float()).mean.double().numpy()
        expected = composition_reference.errors(
            drawn,
            images,
            whole.factors(rows),
            codes,
            lambda r, s, action: formula(r, s, action, weights),
            decode,
            whole.factor_space.names,
        )
        own = {name: value for name, value in score.parts.items() if name.startswith(regime)}
        own.pop(f"{regime}.gap", None)
        assert set(own) == {f"{regime}.{name}" for name in expected}
        for name, value in expected.items():
            assert own[f"{regime}.{name}"] == pytest.approx(value, rel=1e-5), (regime, name)
        targets.append(drawn[:, 2])
        assert (expected["floor"] > 1) == (text == COLOURS)
    gaps = {
        regime: score.parts[f"{regime}.excess"] - score.parts["id_id.excess"]
        for regime in REGIMES[1:]
    }
    assert {regime: score.parts[f"{regime}.gap"] for regime in gaps} == gaps
    assert score.value == gaps["id_ood"]
    np.testing.assert_array_equal(analysis.rows(subject), np.concatenate(targets))


def test_images_that_are_neither_have_no_part_in_it(model):
    """Those that a subset of the rest lacks are no references, transforms or targets."""
    text = f"subset(data={HOLE}, images=40, seed=1)"
    subject = of_perfect(text, model)
    rows = ComposedImages(triplets=400).rows(subject).reshape(3, 400)
    whole = load_dataset(GRID)
    square = unweave.load_dataset(f"only(data={GRID}, where={SQUARES!r})").spec.part().rows
    trained = parse_dataset(HOLE).part().rows[parse_dataset(text).part().rows]
    assert set(rows[0]) <= set(trained.tolist())
    assert set(rows[1:].ravel()) <= set(square.tolist())
    assert len(whole) - len(square) > len(set(trained.tolist()))
    assert ComposedImages(triplets=40).score(subject).value == pytest.approx(0, abs=1e-9)


def said_by(caplog, subject, triplets=40):
    """A score, and what was logged."""
    with caplog.at_level(logging.WARNING, logger="unweave"):
        caplog.clear()
        score = ComposedImages(triplets=triplets).score(subject)
    return score, [record.getMessage() for record in caplog.records]


def half(model):
    """Composes by the mean of both codes, so that errors are not 0."""
    operator = make_operator("fixint", 5, 5)
    operator.forward = lambda reference, transform, action: (reference + transform) / 2
    return operator


def test_regimes_without_triplets_are_left_out_and_said(caplog, model):
    score, said = said_by(caplog, subject_of(SIDE, model, half(model)))
    assert {name.partition(".")[0] for name in score.parts} == {"id_id", "ood_ood"}
    assert score.value == score.parts["ood_ood.gap"] != 0
    assert score.value == score.parts["ood_ood.excess"] - score.parts["id_id.excess"]
    assert len(said) == 2
    assert "id_ood is left out: " in said[0]
    assert "no triplets id_ood of shape, scale, pos_x, pos_y" in said[0]
    assert "the value is the gap of ood_ood" in said[1]

    score, said = said_by(caplog, subject_of(CELL, model, half(model)))
    assert {name.partition(".")[0] for name in score.parts} == {"id_id", "id_ood"}
    assert score.value == score.parts["id_ood.gap"]
    assert [("ood_ood is left out: " in line) for line in said] == [True]


@pytest.mark.parametrize(
    "text", [GRID, f"correlated(data={GRID}, pairs=((pos_x, shape),), strength=0.01)"]
)
def test_where_nothing_is_held_out_there_is_one_regime(caplog, model, text):
    score, said = said_by(caplog, subject_of(text, model, half(model)))
    assert {name.partition(".")[0] for name in score.parts} == {"id_id"}
    assert score.value == score.parts["id_id.excess"] > 0
    assert len(said) == 1
    assert "no images are known to be held out of" in said[0]
    # Each is as likely, whatever the odds of the training.
    rows = ComposedImages(triplets=500).rows(of_perfect(text, model))
    drawn = Composition().draw(
        load_dataset(GRID), 500, keyed_generator(SEED, "composition, id_id")
    )
    lines = ComposedImages(triplets=500).rows(of_perfect(GRID, model))
    np.testing.assert_array_equal(lines, drawn[:, 2])
    np.testing.assert_array_equal(rows, lines)


@pytest.mark.parametrize(
    ("text", "objective", "factors"),
    [
        # What was asked for.
        (HOLE, "composer(operator=fixint, sampler=composition(factors=(pos_y, shape)))",
         {"id_id": {"pos_y", "shape"}, "id_ood": {"shape"}, "ood_ood": {"pos_y"}}),
        # One position is left in training, and several are held out.
        (f"without(data={GRID}, where='index(pos_x) > 0')", "composer(operator=fixint)",
         {"id_id": {"shape", "scale", "pos_y"}, "ood_ood": {"shape", "scale", "pos_y"}}),
        # Positions go together in training, so that neither was ever taken.
        (f"without(data={GRID}, where='abs(index(pos_x) - index(pos_y)) > 0')",
         "composer(operator=fixint)",
         {"id_id": {"shape", "scale"}, "ood_ood": {"shape", "scale"}}),
    ],
)  # fmt: skip
def test_only_factors_are_taken_that_were_trained_to_be(model, text, objective, factors):
    subject = of_perfect(text, model, objective=objective)
    parts = ComposedImages(triplets=80).score(subject).parts
    found = {regime: set(names) for regime, names in names_of(parts, "excess").items()}
    assert found == factors


def test_draws_go_by_the_seed(model):
    rows = [
        ComposedImages(triplets=50).rows(of_perfect(HOLE, model, seed=seed)) for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(rows[0], rows[1])
    assert (rows[0] != rows[2]).any()
    told = []
    subject = of_perfect(HOLE, model, progress=lambda *given: told.append(given))
    ComposedImages(triplets=100).score(subject)
    assert told == [("composing", done, 300) for done in (64, 100, 164, 200, 264, 300)]


def test_errors_that_are_not_finite_are_refused():
    broken = perfect(GRID)
    broken.decoder.bank = torch.full_like(broken.decoder.bank, torch.nan)
    with pytest.raises(DataError, match=r"composition: .* is not finite"):
        ComposedImages(triplets=10).score(of_perfect(HOLE, broken))


def test_what_it_is_not_meant_for_is_refused(model):
    subject = of_perfect(HOLE, model)
    whole = load_dataset(GRID)
    analysis = ComposedImages(triplets=5)
    with pytest.raises(DataError, match="has no weights"):
        analysis.rows(dataclasses.replace(subject, parts={}))
    with pytest.raises(DataError, match="leave out --data and --part"):
        analysis.rows(dataclasses.replace(subject, dataset=whole, flat=np.arange(len(whole))))
    with pytest.raises(DataError, match="leave out --data and --part"):
        analysis.rows(dataclasses.replace(subject, flat=np.arange(9)))
    with pytest.raises(SpecError, match="composition needs a composer"):
        analysis.rows(dataclasses.replace(subject, objective=parse_objective("vae")))


# Runs


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    data = f"without(data={MINI}, where={SQUARES!r})"
    return unweave.train(
        data, "composer(operator=mlp)", steps=3, latents=5, holdout=0.1, out=folder, **TINY
    )


@pytest.fixture
def few(monkeypatch):
    """Fewer triplets than the protocol draws."""
    monkeypatch.setattr("unweave.analysis.composition._BATCH", 1000)
    few = {"unweave": (ComposedImages(triplets=30),)}
    monkeypatch.setattr("unweave.analysis.protocols.ANALYSES", few)


@pytest.mark.usefixtures("few")
def test_a_run_is_scored_by_its_own_data(run):
    scores = run.evaluate(("composition",))
    record = scores["composition"]
    assert (record.samples, record.part, record.codes) == (90, "all", "mean")
    assert (record.text, record.protocol) == ("composition(triplets=30)", "unweave/1")
    parts = record.parts
    assert record.value == parts["id_ood.gap"]
    for regime in REGIMES:
        assert all(np.isfinite(parts[f"{regime}.{name}"]) for name in QUANTITIES)
        assert parts[f"{regime}.excess"] > 0
    saved = document(run.folder / "scores.json")["scores"]
    assert [row for row in saved if row["metric"] == "composition"] == [record.to_dict()]
    # Each error is that of the image which the run composes.
    whole = load_dataset(MINI)
    rng = keyed_generator(0, "composition, ood_ood")
    drawn = CompositionRegimes(whole, SQUARES).draw("ood_ood", 30, rng)
    images = whole.images(drawn.T.reshape(-1)).reshape(3, 30, 64, 64, 1)
    found = run.compose(images[0], images[1], Composition().actions(whole, drawn))
    error = np.square(found - images[2] / 255).mean()
    assert parts["ood_ood.mse"] == pytest.approx(error, rel=1e-4)
    again = unweave.load_run(run.folder).evaluate(("composition",), codes="sampled")
    assert again["composition"].parts["id_id.nll"] != parts["id_id.nll"]
    assert again["composition"].parts["id_id.floor"] == parts["id_id.floor"]


def test_what_cannot_be_asked_writes_nothing(run, tmp_path, monkeypatch):
    def refuse(*arguments):
        raise AssertionError("images were encoded")

    monkeypatch.setattr("unweave.encoding.encode_rows", refuse)
    before = listing(run.folder)
    given = ("evaluate", run.folder, "--metrics", "mig,composition")
    paragraph(cli(*given, "--part", "holdout"), "part must be all for composition")
    paragraph(cli(*given, "--data", MINI), "leave out --data and --part")
    assert listing(run.folder) == before
    other = unweave.train(MINI, "vae", steps=1, out=tmp_path / "run", latents=3, **TINY)
    before = listing(other.folder)
    paragraph(
        cli("evaluate", other.folder, "--metrics", "mig,composition"),
        "composition needs a composer",
        "and vae is none",
        "unweave train DATASET composer",
    )
    assert listing(other.folder) == before
