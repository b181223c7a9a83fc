"""Analyses of a run: asked for by name, kept with their provenance, shown like other scores."""

from __future__ import annotations

import numpy as np
import pytest

import unweave
from report.pages import Page
from session.runs import (
    MINI,
    RICH,
    RICH_IMAGES,
    TINY,
    cli,
    copy_of,
    document,
    listing,
    paragraph,
    rich,
    tensors,
    train,
)
from unweave.analysis import Subject, TestLosses
from unweave.errors import DataError, RunError, SpecError
from unweave.figures import latent_names
from unweave.metrics import metrics_of
from unweave.metrics.protocols import protocol
from unweave.training.checkpoint import save_tensors

SMALL = "dsprites(grid=(3, 1, 1, 4, 4))"


@pytest.fixture
def run(tmp_path):
    return unweave.load_run(copy_of(rich(MINI), tmp_path))


@pytest.fixture
def no_encoding(monkeypatch):
    """What asks for codes of the whole dataset fails."""
    rich(MINI)  # which is scored while it is trained, if no test has asked for it yet

    def refuse(*arguments):
        raise AssertionError("the dataset was encoded")

    monkeypatch.setattr("unweave.encoding.encode_rows", refuse)


def test_they_do_not_run_unasked(run):
    assert "test_losses" not in run.evaluate(data=SMALL)


@pytest.mark.usefixtures("no_encoding")
def test_alone_they_need_no_codes_of_the_dataset(run):
    scores = run.evaluate(("test_losses",), data=SMALL)
    assert list(scores) == ["test_losses"]
    assert not (run.folder / "cache").exists()
    assert document(run.folder / "scores.json")["scores"] == [scores["test_losses"].to_dict()]


def test_beside_metrics_in_the_order_asked_for(run):
    scores = run.evaluate(("test_losses", "mig"), data=SMALL)
    assert list(scores) == ["test_losses", "mig"]
    rows = document(run.folder / "scores.json")["scores"]
    assert [row["metric"] for row in rows] == ["test_losses", "mig"]
    assert scores["mig"].value == run.evaluate(("mig",), data=SMALL)["mig"].value


def test_the_subject_is_the_run(run):
    dataset = unweave.load_dataset(SMALL)
    subject = Subject(
        model=run.model,
        parts={},
        objective=run.config.objective,
        setup=run.config.setup,
        dataset=dataset,
        flat=np.arange(len(dataset)),
        num_train=1152,  # a quarter of 1,536 images is held out
        trained_on=run.config.dataset,
        trained=lambda most: pytest.fail("test losses need no codes"),
        codes="sampled",
        seed=7,
    )
    found = run.evaluate(("test_losses",), data=SMALL, codes="sampled", seed=7)["test_losses"]
    assert found.score == TestLosses().score(subject)


def test_a_held_out_part(tmp_path):
    run = unweave.load_run(copy_of(rich(), tmp_path))
    found = run.evaluate(("test_losses",), part="holdout")["test_losses"]
    assert (found.samples, found.part) == (RICH_IMAGES // 4, "holdout")
    whole = run.evaluate(("test_losses",))["test_losses"]
    train_part = run.evaluate(("test_losses",), part="train")["test_losses"]
    for name in ("recon", "kl"):
        mixed = 0.25 * found.parts[name] + 0.75 * train_part.parts[name]
        assert whole.parts[name] == pytest.approx(mixed, rel=1e-5)
    assert len(document(run.folder / "scores.json")["scores"]) == 3


def test_the_images_that_were_left_out_of_the_training(tmp_path):
    rule = "shape == 'square' and pos_x > 0.5"
    part, rest = (f'{view}(data={RICH}, where="{rule}")' for view in ("without", "only"))
    unweave.train(part, "vae", steps=2, out=tmp_path / "run", **TINY)
    run = unweave.load_run(tmp_path / "run")
    names = ("test_losses", "mig")
    found = run.evaluate(names, data="held_out")
    assert {(record.data, record.samples) for record in found.values()} == {(rest, 64)}
    named = run.evaluate(names, data=rest)
    assert [each.to_dict() for each in named.values()] == [r.to_dict() for r in found.values()]
    assert run.evaluate(names)["test_losses"].value != found["test_losses"].value
    given = ["--metrics", "test_losses,mig", "--data", "held_out", "--json"]
    printed = cli("evaluate", run.folder, *given).json["scores"]
    assert printed == {name: found[name].to_dict() for name in names}
    codes = run.representation(data="held_out")
    assert codes.factor_space == unweave.load_dataset(rest).factor_space


@pytest.mark.usefixtures("no_encoding")
def test_the_command_of_the_published_protocol(tmp_path):
    folder = copy_of(rich(MINI), tmp_path)
    given = ["evaluate", folder, "--metrics", "test_losses", "--protocol", "disvae"]
    score = cli(*given, "--json").json["scores"]["test_losses"]
    assert list(score["parts"]) == ["loss", "recon", "kl", "mi", "tc", "dw_kl"]
    assert score["value"] == score["parts"]["loss"]
    assert score["text"] == "test_losses(compat=disvae)"
    assert (score["protocol"], score["samples"], score["codes"]) == ("disvae/1", 1000, "mean")
    assert (score["data"], score["step"], score["unit"]) == (MINI, 24, "nats an image")
    assert document(folder / "scores.json")["scores"] == [score]
    spoken = cli(*given)
    assert spoken.code == 0
    head, *parts = spoken.out.splitlines()
    assert "protocol disvae/1" in head
    assert "1,000 images" in head
    assert [row.split()[0] for row in parts] == list(score["parts"])
    assert all(row.endswith(" nats an image") for row in parts)


def test_the_discriminator_is_that_of_the_run(tmp_path):
    train(tmp_path / "run", "factor_vae(gamma=3)", steps=2, latents=3)
    run = unweave.load_run(tmp_path / "run")
    found = run.evaluate(("test_losses",), data=SMALL)["test_losses"].parts
    assert found["loss"] == pytest.approx(found["recon"] + found["kl"] + 3 * found["tc"])
    weights = run.parts["discriminator"].state_dict()
    for name, value in tensors(tmp_path / "run").items():
        if name.startswith("part/discriminator/"):
            assert value.equal(weights[name.removeprefix("part/discriminator/")])
    # Half of the first 1,000 images of the 1,536.
    published = run.evaluate(("test_losses",), protocol_name="disvae")["test_losses"]
    assert published.samples == 500
    # Weights from elsewhere may be those of the model alone.
    state = {k: v for k, v in tensors(tmp_path / "run").items() if k.startswith("model/")}
    path = tmp_path / "run" / "checkpoint" / "state.safetensors"
    save_tensors(path, state, step=2, seconds=0.0)
    alone = unweave.load_run(tmp_path / "run").evaluate(("test_losses",), data=SMALL)
    assert alone["test_losses"].parts == {name: found[name] for name in ("recon", "kl")}
    assert alone["test_losses"].value == found["recon"] + found["kl"]


def test_a_page_shows_them_and_has_its_table_of_latents_too(run, request):
    run.evaluate(("test_losses",), protocol_name="disvae")
    assert latent_names(run.folder, 4, run.step) == [None] * 4
    assert run.plot("mig") == []
    request.getfixturevalue("one_figure")
    page = Page(run.report().read_text(encoding="utf-8"))
    rows = document(run.folder / "scores.json")["scores"]
    assert {row["metric"] for row in rows} >= {"test_losses", "mig"}
    assert "nats an image" in page.words
    assert "disvae/1" in page.words
    assert "Which latent follows which factor" in page.sections
    assert any(row[0] == "recon" and row[1].endswith(" nats an image") for row in page.rows)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"metric_names": ("test_loss",)}, SpecError, "Did you mean test_losses"),
        ({"metric_names": ("test_losses",) * 2}, SpecError, "twice"),
        ({"metric_names": ("test_losses",), "protocol_name": "disvae", "codes": "sampled"},
         SpecError, "codes must be mean"),
        ({"metric_names": ("test_losses",), "protocol_name": "disvae", "part": "holdout"},
         SpecError, "part must be all"),
        ({"metric_names": ("mig",), "protocol_name": "disvae"}, SpecError, "does not define mig"),
        ({"metric_names": ("test_losses",), "part": "train", "data": MINI}, RunError, "own data"),
        ({"part": "holdout", "data": "held_out"}, RunError, "own data"),
        ({"data": "held_out"}, SpecError, "Nothing is held out of dsprites"),
        ({"data": "dsprits"}, SpecError, "dsprites"),
        ({"data": "shapes3d"}, DataError, "images of shape"),
    ],
)  # fmt: skip
def test_what_is_refused_writes_nothing(run, arguments, error, words):
    before = listing(run.folder)
    with pytest.raises(error, match=words):
        run.evaluate(**arguments)
    assert listing(run.folder) == before


@pytest.mark.usefixtures("no_encoding")
@pytest.mark.parametrize(
    ("metrics", "more", "words"),
    [
        ("mig_sampled", ["--protocol", "disvae"], "draws 10,000 images of each value"),
        ("test_losses,aam", ["--protocol", "disvae"], "shape has only 512 a value"),
        ("aam", ["--protocol", "disvae", "--part", "holdout"], "1,536 rows, and these 384 rows"),
        ("mig", ["--data", "dsprites(grid=(1, 1, 1, 1, 1))"], "every factor is constant"),
        ("mig_sampled", ["--data", "dsprites(grid=(1, 1, 1, 1, 1))"], "every factor is constant"),
    ],
)
def test_images_that_no_codes_can_save_are_refused_before_they_are_encoded(
    tmp_path, metrics, more, words
):
    folder = copy_of(rich(MINI), tmp_path)
    before = listing(folder)
    paragraph(cli("evaluate", folder, "--metrics", metrics, *more), words)
    assert listing(folder) == before


def test_a_single_latent_is_refused_before_its_images_are_encoded(tmp_path, request):
    train(tmp_path / "run", "vae", steps=2, latents=1)
    request.getfixturevalue("no_encoding")
    before = listing(tmp_path / "run")
    for names in ("mig", "mig_sampled", "aam"):
        result = cli("evaluate", tmp_path / "run", "--metrics", names, "--protocol", "full")
        paragraph(result, "compares two latents")
    assert listing(tmp_path / "run") == before


def test_protocols_stand_beside_each_other(tmp_path):
    folder = copy_of(rich(MINI), tmp_path)
    for protocol_name in ("unweave", "full"):
        given = ["--metrics", "mig_sampled,aam", "--protocol", protocol_name, "--data", SMALL]
        found = cli("evaluate", folder, *given, "--json").json["scores"]
        assert list(found) == ["mig_sampled", "aam"]
    rows = document(folder / "scores.json")["scores"]
    assert [(row["text"], row["protocol"]) for row in rows] == [
        ("mig_sampled", "unweave/1"),
        ("aam", "unweave/1"),
        ("mig_sampled(components=all)", "full/1"),
        ("aam(components=all)", "full/1"),
    ]


@pytest.mark.skipif(
    bool(metrics_of(protocol("disvae"), None)), reason="the protocol scores something unasked"
)
def test_a_protocol_that_scores_nothing_unasked_says_what_it_has(tmp_path):
    result = cli("evaluate", rich(MINI), "--protocol", "disvae")
    paragraph(result, "disvae/1", "--metrics", "test_losses")


def test_they_are_listed_with_the_metrics():
    rows = {row["name"]: row for row in cli("metrics", "--json").json["metrics"]}
    row = rows["test_losses"]
    assert (row["family"], rows["mig"]["family"]) == ("analysis", "metric")
    assert row["higher_is_better"] is False
    assert row["range"] == [None, None]
    assert row["protocols"] == {
        "unweave/1": "test_losses",
        "disvae/1": "test_losses(compat=disvae)",
    }
