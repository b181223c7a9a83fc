"""What is drawn of results, and what of it cannot be."""

import numpy as np
import pytest
from PIL import Image

from results.made import made, score, series
from unweave.errors import SpecError
from unweave.results import choose, collect, summarise
from unweave.results import figures as module
from unweave.results.directions import higher_is_better
from unweave.results.figures import draw


@pytest.fixture
def runs(tmp_path):
    for beta in (1.0, 2.0, 4.0):
        for objective in ("beta_vae", "beta_tcvae"):
            for seed in range(6):
                shift = 0.1 if (objective == "beta_vae") == (beta == 1.0) else 0.0
                made(
                    tmp_path / "runs" / f"{objective}-{beta:g}-{seed}",
                    score("mig", 0.3 + 0.01 * seed + shift),
                    score("sap", 0.2 + 0.02 * (5 - seed) + shift),
                    score("test_losses", 90 - 10 * shift + seed),
                    objective={"type": objective, "beta": beta}, seed=seed,
                )  # fmt: skip
    return tmp_path / "runs"


@pytest.fixture
def drawn(monkeypatch):
    """What each kind of figure was asked to show."""
    calls = {}
    for name in ("violins", "rank_lines", "correlation_matrix"):
        real = getattr(module, name)

        def spy(*given, _real=real, _name=name, **named):
            calls.setdefault(_name, []).append((given, named))
            return _real(*given, **named)

        monkeypatch.setattr(module, name, spy)
    return calls


def test_every_figure_is_written_and_shows_the_scores(runs, drawn, tmp_path):
    results = collect([runs])
    fields = ["objective.type", "objective.beta"]
    paths, notes = draw(results, summarise(results, fields), tmp_path / "out")
    assert [path.name for path in paths] == [
        "violins-mig.png", "violins-sap.png", "violins-test_losses.png", "correlations.png",
        "ranks.png", "ranks-over-objective.beta.png",
    ]  # fmt: skip
    assert notes == []
    for path in paths:
        with Image.open(path) as picture:
            assert min(picture.size) > 200
            assert len(np.unique(np.asarray(picture.convert("L")))) > 10
    ((panels,), _) = drawn["violins"][0]
    assert list(panels) == [""]
    assert list(panels[""])[:2] == ["beta_tcvae, beta=1", "beta_tcvae, beta=2"]
    assert panels[""]["beta_vae, beta=1"] == pytest.approx(0.4 + 0.01 * np.arange(6))
    # beta_vae is better at 1, and beta_tcvae at 2 and 4, by every metric; less loss is better.
    ((over, lines, places), _) = drawn["rank_lines"][1]
    assert (list(lines), list(places)) == (["beta_tcvae", "beta_vae"], ["1", "2", "4"])
    assert list(over) == ["mig", "sap", "test_losses"]
    for ranks in over.values():
        assert ranks.tolist() == [[2, 1, 1], [1, 2, 2]]
    ((_, names), _) = drawn["correlation_matrix"][0]
    assert names == ["mig", "sap", "test_losses"]


def test_a_rank_takes_two_and_ties_share_it():
    ranks = module._ranked(np.array([[0.5, np.nan, 0.2], [0.7, np.nan, 0.2], [np.nan, 1.0, 0.1]]))
    assert ranks.tolist()[0] == [2, pytest.approx(np.nan, nan_ok=True), 1]
    assert np.isnan(ranks[:, 1]).all()
    assert ranks[:, 2].tolist() == [1, 1, 3]


def test_from_dataset_to_dataset_ranks_stand_in_one_panel(tmp_path, drawn):
    for data, order in (("dsprites", 1), ("shapes3d", -1)):
        for beta in (1.0, 2.0):
            for seed in range(3):
                made(
                    tmp_path / "runs" / f"{data}-{beta:g}-{seed}",
                    score("mig", 0.5 + 0.1 * order * beta + 0.01 * seed, data=data),
                    score("sap", 0.1 * beta, data=data),
                    dataset=data, beta=beta, seed=seed,
                )  # fmt: skip
    results = collect([tmp_path / "runs"])
    paths, _ = draw(results, summarise(results), tmp_path / "out")
    assert [path.name for path in paths] == [
        "violins-mig.png", "violins-sap.png", "correlations-1-dsprites.png",
        "correlations-2-shapes3d.png", "ranks.png", "ranks-over-dataset.png",
    ]  # fmt: skip
    ((panels,), _) = drawn["violins"][0]
    # A panel a dataset, which its groups do not say again.
    assert {name: list(panel) for name, panel in panels.items()} == {
        name: ["beta_vae(beta=1)", "beta_vae(beta=2)"] for name in ("dsprites", "shapes3d")
    }
    ((ranks, lines, metrics), _) = drawn["rank_lines"][0]
    assert (list(ranks), len(lines), metrics) == (["dsprites", "shapes3d"], 2, ["mig", "sap"])
    ((over, _, places), _) = drawn["rank_lines"][1]
    assert list(places) == ["dsprites", "shapes3d"]
    assert {name: table.tolist() for name, table in over.items()} == {
        "mig": [[2, 1], [1, 2]], "sap": [[2, 2], [1, 1]],
    }  # fmt: skip


def test_two_settings_of_a_metric_are_two_places_of_ranks(tmp_path, drawn):
    for beta in (1.0, 2.0):
        rows = [score("mig", beta), score("mig", -beta, text="mig(bins=5)"), score("sap", beta)]
        made(tmp_path / "runs" / f"{beta:g}", *rows, beta=beta)
    results = collect([tmp_path / "runs"])
    draw(results, summarise(results), tmp_path / "out")
    ((ranks, _, places), _) = drawn["rank_lines"][0]
    assert list(places) == ["mig [mig]", "mig [mig(bins=5)]", "sap"]
    assert ranks[""].tolist() == [[2, 1, 2], [1, 2, 1]]


def test_scores_whose_names_are_cut_to_the_same_have_pictures_of_their_own(tmp_path):
    parts = {"x" * 70 + end: 0.1 for end in "abc"}
    made(tmp_path / "runs" / "a", score("mig", 0.1, parts=parts))
    results = collect([tmp_path / "runs"], parts=None)
    paths, _ = draw(results, summarise(results), tmp_path / "out")
    assert len({path.name for path in paths}) == len(paths) == 4
    assert sum("xxxx" in path.name for path in paths) == 3


def test_too_many_panels_are_not_drawn_but_said(tmp_path, drawn, monkeypatch):
    # Seventy pictures of violins are not what is looked at here.
    monkeypatch.setattr(module, "violins", lambda *given, **named: None)
    monkeypatch.setattr(module, "save", lambda picture, path: path)
    for beta in (1.0, 2.0):
        for latents in (4, 6):
            rows = [score(f"m{k}", beta * latents) for k in range(70)]
            made(tmp_path / "runs" / f"{beta}{latents}", *rows, beta=beta, latents=latents)
    results = choose(collect([tmp_path / "runs"]), metrics=None)
    summary = summarise(results, ["objective.beta", "latents"])
    _, notes = draw(results, summary, tmp_path / "out")
    assert any("ranks-over-latents is not drawn: 420 lines" in note for note in notes)
    assert any("correlations is not drawn: 70 scores" in note for note in notes)
    assert len(drawn["rank_lines"]) == 1


def test_circumstances_have_panels_of_their_own(tmp_path, drawn):
    for seed in range(4):
        rows = [score("mig", 0.1), score("mig", 0.9, protocol="dlib/1")]
        made(tmp_path / "runs" / str(seed), *rows, seed=seed)
    results = collect([tmp_path / "runs"])
    paths, _ = draw(results, summarise(results), tmp_path / "out")
    ((panels,), _) = drawn["violins"][0]
    assert {name: panel["beta_vae(beta=4)"] for name, panel in panels.items()} == {
        "dlib/1": [0.9] * 4,
        "unweave/1": [0.1] * 4,
    }
    # Of one group there is no rank; two constant scores have a dash.
    assert [path.name for path in paths] == ["violins-mig.png", "correlations.png"]


def test_what_cannot_be_told_apart_is_not_drawn_but_said(tmp_path):
    for k in range(20):
        series(tmp_path / "runs" / str(k), [0.1], beta=float(k))
    for k in range(20):
        series(tmp_path / "runs" / f"s{k}", [0.1], metric="sap", beta=float(k), threads=2)
    results = collect([tmp_path / "runs"])
    paths, notes = draw(results, summarise(results), tmp_path / "out")
    assert {path.name for path in paths} == {"violins-mig.png", "violins-sap.png"}
    assert any("ranks is not drawn: 20 lines" in note for note in notes)
    assert any("No correlations are drawn" in note for note in notes)


def test_figures_of_chosen_scores_only(runs, tmp_path):
    results = choose(collect([runs]), metrics=["mig"])
    paths, notes = draw(results, summarise(results, ["objective.type"]), tmp_path / "out")
    assert [path.name for path in paths] == ["violins-mig.png"]
    assert len(notes) == 1


def test_a_file_in_the_way_is_an_error(runs, tmp_path):
    results = collect([runs])
    (tmp_path / "out").write_text("")
    with pytest.raises(SpecError, match="--plots takes a folder"):
        draw(results, summarise(results), tmp_path / "out")


@pytest.mark.parametrize(
    ("quantity", "higher"),
    [
        ("mig", True),
        ("dci.completeness", True),
        ("unsupervised", False),
        ("test_losses", False),
        ("test_losses.kl", False),
        ("seconds", False),
        ("images_per_second", True),
        ("unheard_of", True),
    ],
)
def test_directions(quantity, higher):
    assert higher_is_better(quantity) is higher
