"""What objects show of themselves: the numbers that they have, well-formed, at no cost."""

from __future__ import annotations

import base64
import inspect
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import unweave
from notebooks.reading import read
from reference.score_records import record_of
from results.made import score, series
from session.runs import RICH, RICH_IMAGES, copy_of, rich
from unweave import metrics, results, spec
from unweave.data import DatasetSpec, parse_dataset
from unweave.factors import Factor, FactorSpace
from unweave.metrics import Matrix, Score
from unweave.metrics.interval import over_draws
from unweave.objectives import parse_objective
from unweave.ranking.result import GroupScore, Ranked, Ranking
from unweave.representation import Representation
from unweave.scores import Scores, load_scores
from unweave.studies import StudyFolder, plan, study_of, survey
from unweave.training import TrainConfig

NASTY = "<img src=x onerror=alert(1)>"
MATRIX = Matrix(
    values=np.array([[0.5, 0.0, 0.25], [0.25, 0.75, 0.0]]),
    rows=("z0", "z1"),
    columns=("shape", "scale", "pos_x"),
    label="mutual information (nats)",
)


def record(**changes):
    return record_of(MATRIX, **{"step": 1500, **changes})


class TestScores:
    def test_each_score_is_a_row_with_its_value(self):
        many = Scores(
            tuple(
                record(metric=f"metric{k}", score=Score(k / 7, unit="nats" * (k == 2)))
                for k in range(5)
            )
        )
        found = read(many._repr_html_())
        assert found.column("value") == {f"metric{k}": f"{k / 7:.4f}" for k in range(5)}
        assert found.column("unit")["metric2"] == "nats"
        assert "protocol unweave/1; dsprites, rendered, part all, 737,280 images" in found.text

    def test_what_stands_behind_a_score(self):
        found = read(Scores((record(),))._repr_html_())
        assert found.tables[0] == [["metric", "value"], ["mig", "0.2500"]]
        assert found.tables[1] == [
            ["", "shape", "scale", "pos_x"],
            ["z0", "0.500", "0.000", "0.250"],
            ["z1", "0.250", "0.750", "0.000"],
            ["gap", "0.125", "0.500", "-"],
        ]
        assert found.of("details") == [{"open": None}]

    def test_an_interval_stands_beside_its_score(self):
        given = over_draws((0.2, 0.25, 0.3))
        both = Scores((record(score=Score(0.25, interval=given)), record(metric="sap")))
        found = read(both._repr_html_())
        assert found.column("95 % over draws") == {
            "mig": f"{given.low:.4f} to {given.high:.4f}", "sap": "",
        }  # fmt: skip
        assert "95 % over 3 draws" in found.text

    def test_a_record_says_all_that_it_is_compared_by(self):
        found = read(record(score=Score(0.25, unit="nats"), precision="bfloat16")._repr_html_())
        assert found.text.startswith("mig = 0.2500 nats")
        facts = dict(found.tables[-1])
        assert facts == {
            "metric": "mig(bins=20)",
            "protocol": "unweave/1",
            "data": "dsprites (rendered), part all",
            "images": "737,280",
            "codes": "mean",
            "precision": "bfloat16",
            "seed": "0",
            "step": "1,500",
            "unweave": "0.1.0",
        }

    def test_a_score_of_arrays(self):
        grid = np.indices((4, 5)).reshape(2, -1).T
        mig = metrics.evaluate(grid, factor_sizes=(4, 5), metrics="mig")["mig"]
        found = read(mig._repr_html_())
        assert found.text.startswith(f"{mig.value:.4f}")
        assert found.tables[0][1][1:] == [f"{value:.3f}" for value in mig.matrix.values[0]]
        parts = Score(0.5, {"a": 1.25, "b": 2.0}, unit="nats", units={"b": "bits"})
        assert read(parts._repr_html_()).tables == [
            [["part", "value", "unit"], ["a", "1.2500", "nats"], ["b", "2.0000", "bits"]]
        ]
        assert "mutual information (nats)" in read(MATRIX._repr_html_()).text

    def test_names_are_escaped_and_nothing_raises(self):
        odd = Matrix(np.array([[np.nan]]), (NASTY,), (NASTY,), NASTY, axes=(NASTY, ""))
        strange = record(
            metric=NASTY, text=NASTY, data=NASTY,
            score=Score(float("nan"), {NASTY: float("inf")}, odd, unit=NASTY),
        )  # fmt: skip
        for shown in (strange, Scores((strange, record())), strange.score, odd):
            found = read(shown._repr_html_())
            assert found.of("img") == []
            assert NASTY in found.text
        assert "No scores" in read(Scores(())._repr_html_()).text

    def test_no_torch_is_loaded_for_them(self):
        program = """if True:
            import sys
            from unweave.metrics import evaluate
            scores = evaluate([[0, 0], [0, 1], [1, 0], [1, 1]], factor_sizes=(2, 2), metrics="mig")
            assert "1.0000" in scores["mig"]._repr_html_()
            print([name for name in ("torch", "matplotlib", "IPython") if name in sys.modules])
        """
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """A run with scores and two figures."""
    run = unweave.load_run(copy_of(rich(), tmp_path_factory.mktemp("shown")))
    run.evaluate(("mig", "sap"))
    run.plot("reconstructions", "traversals", "kl")
    return run


class TestRun:
    def test_it_says_what_it_is_and_how_far_it_came(self, scored):
        found = read(unweave.load_run(scored.folder)._repr_html_())
        facts = dict(found.tables[0])
        assert facts["objective"] == "beta_tcvae(beta=2)"
        assert facts["dataset"] == RICH
        assert facts["state"].startswith("finished, step 24 of 24")
        rows = {row["metric"]: row for row in load_scores(scored.folder)}
        assert found.column("value", 1) == {
            name: f"{row['value']:.4f}" for name, row in rows.items()
        }
        assert [image["alt"] for image in found.of("img")] == ["reconstructions", "traversals"]

    def test_its_pictures_are_small(self, scored):
        shown = scored._repr_html_()
        assert len(shown) < 100_000
        for image in read(shown).of("img"):
            content = base64.b64decode(image["src"].partition(",")[2])
            with Image.open(io.BytesIO(content)) as opened:
                assert opened.width <= 420
                assert image["style"] == f"width: {opened.width}px"

    def test_nothing_is_opened_encoded_or_written(self, scored, monkeypatch):
        def refuse(*args, **kwargs):
            raise AssertionError("this costs something")

        monkeypatch.setattr("unweave.run.trained_run.load_tensors", refuse)
        monkeypatch.setattr(DatasetSpec, "open", refuse)
        monkeypatch.setattr("unweave.run.trained_run.cached_posteriors", refuse)
        before = sorted(scored.folder.rglob("*"))
        assert "cannot be shown" not in unweave.load_run(scored.folder)._repr_html_()
        assert sorted(scored.folder.rglob("*")) == before

    def test_a_run_that_has_nothing_yet(self):
        found = read(unweave.load_run(rich())._repr_html_())
        assert "No scores yet: run.evaluate()" in found.text
        assert found.of("img") == []

    @pytest.mark.parametrize(
        "content", ["", "{", "[]", "7", '{"format": 1}', "\0", '{"state": []}']
    )
    def test_damaged_files_are_said_and_never_raise(self, scored, tmp_path, content):
        folder = copy_of(scored.folder, tmp_path)
        for name in ("status.json", "scores.json", "figures/traversals.png"):
            (folder / name).write_text(content)
        run = unweave.load_run(folder)
        found = read(run._repr_html_())
        assert dict(found.tables[0])["objective"] == "beta_tcvae(beta=2)"
        assert repr(run).startswith("<Run ")
        for gone in ("status.json", "scores.json", "checkpoint/state.safetensors"):
            (folder / gone).unlink()
        assert "not known" in read(run._repr_html_()).text
        assert "missing or damaged" in repr(run)

    @pytest.mark.parametrize(
        "rows",
        [[{}], [{"metric": None, "value": "a"}], [{"metric": NASTY, "value": 1, "interval": {}}],
         [{"metric": "mig", "value": None, "interval": {"low": None, "high": 1}}]],
    )  # fmt: skip
    def test_scores_of_another_kind_never_raise(self, scored, tmp_path, rows):
        folder = copy_of(scored.folder, tmp_path)
        (folder / "scores.json").write_text(json.dumps({"format": 1, "scores": rows}))
        assert read(unweave.load_run(folder)._repr_html_()).of("script") == []

    def test_a_score_that_was_computed_again_is_among_the_newest(self, scored, tmp_path):
        folder = copy_of(scored.folder, tmp_path)
        rows = [score(f"m{k}", 0.1, step=1) for k in range(13)] + [score("m0", 0.9, step=2)]
        (folder / "scores.json").write_text(json.dumps({"format": 1, "scores": rows}))
        table = read(unweave.load_run(folder)._repr_html_()).tables[1]
        assert [row[0] for row in table] == ["score", *(f"m{k}" for k in range(2, 13)), "m0"]
        assert "0.9000" in table[-1]

    def test_a_killed_run_is_interrupted(self, scored, tmp_path):
        folder = copy_of(scored.folder, tmp_path)
        status = json.loads((folder / "status.json").read_text()) | {"state": "running"}
        (folder / "status.json").write_text(json.dumps(status))
        found = read(unweave.load_run(folder)._repr_html_())
        assert dict(found.tables[0])["state"].startswith("interrupted")


class TestFigures:
    def test_paths_show_their_pictures(self, scored):
        drawn = scored.plot("kl")
        assert drawn == [scored.folder / "figures" / "kl.png"]
        assert isinstance(drawn, list)
        (image,) = read(drawn._repr_html_()).of("img")
        content = base64.b64decode(image["src"].partition(",")[2])
        assert content == drawn[0].read_bytes()

    def test_what_is_gone_or_too_large_is_named(self, tmp_path, monkeypatch):
        gone, large = tmp_path / f"{NASTY}.png".replace("/", ""), tmp_path / "large.png"
        large.write_bytes(b"0" * 100)
        monkeypatch.setattr("unweave.plots.shown._ROOM", 99)
        found = read(unweave.plots.Drawn([gone, large])._repr_html_())
        assert found.of("img") == []
        assert gone.name in found.text
        assert "large.png: too large to be shown here" in found.text
        assert read(unweave.plots.Drawn([])._repr_html_()).text == "No figures"

    def test_a_chart_shows_itself_once(self, scored):
        figure = scored.picture("kl")
        content, size = figure._repr_png_()
        # The second drawing of a figure may differ from its first one here and there.
        assert content == unweave.plots.png(scored.picture("kl"))
        with Image.open(io.BytesIO(content)) as opened:
            assert opened.width / size["width"] == pytest.approx(160 / 96, rel=0.01)
        shows = [name for name in ("_repr_html_", "_repr_mimebundle_") if _shows(figure, name)]
        assert shows == []

    def test_pixels_show_themselves(self, scored):
        picture = scored.picture("samples", unweave.figures.Look(layout="disvae"))
        assert isinstance(picture, np.ndarray)
        with Image.open(io.BytesIO(picture._repr_png_())) as opened:
            np.testing.assert_array_equal(np.asarray(opened), picture)
        height, width, channels = picture.shape
        assert repr(picture) == f"<Picture of {height} x {width} pixels, {channels} channels>"
        # What is computed of it is what it would be of a plain array.
        for other in (picture[0], picture[:2, :2], picture + 1, picture.mean(axis=2)):
            assert type(other) is np.ndarray
        assert picture.sum() == np.asarray(picture).sum()
        assert picture.astype(float)._repr_png_() is None

    def test_several_runs_show_themselves(self, scored):
        picture = unweave.plot_runs([scored, rich()], "reconstructions")
        with Image.open(io.BytesIO(picture._repr_png_())) as opened:
            assert (opened.height, opened.width) == picture.shape[:2]

    def test_an_animation_shows_itself(self, scored):
        film = scored.picture("gif_traversals")
        (image,) = read(film._repr_html_()).of("img")
        content = base64.b64decode(image["src"].partition(",")[2])
        with Image.open(io.BytesIO(content)) as opened:
            assert opened.n_frames == len(film.frames)
            assert (opened.height, opened.width) == film.frames.shape[1:3]
        assert f"{len(film.frames)} frames" in repr(film)


def _shows(shown, name):
    method = getattr(shown, name, None)
    return method is not None and method() is not None


class TestExplorer:
    def test_it_is_the_frame_and_tells_of_other_ways(self, scored, tmp_path):
        explorer = scored.explorer(height=500)
        assert explorer._repr_html_() == explorer.html == scored.explorer_html(height=500)
        found = read(explorer.html)
        (frame,) = found.of("iframe")
        assert frame["srcdoc"] == explorer.page
        assert frame["sandbox"] == "allow-scripts"
        assert "height: 500px" in frame["style"]
        words = repr(explorer)
        assert ".save('explorer.html')" in words
        assert f"{len(explorer.html.encode()) / 1e6:.1f} MB" in words
        saved = explorer.save(tmp_path / "explorer.html")
        assert saved.read_text("utf-8") == explorer.page

    def test_a_run_does_not_hold_it(self, scored):
        assert "<iframe" not in scored._repr_html_()

    def test_wrong_wishes_are_refused(self, scored):
        with pytest.raises(unweave.errors.SpecError, match="Unknown decoder"):
            scored.explorer(decoder="jax")


class TestData:
    def test_a_dataset_shows_images_and_factors(self):
        data = unweave.load_dataset(RICH)
        found = read(data._repr_html_())
        (image,) = found.of("img")
        with Image.open(io.BytesIO(base64.b64decode(image["src"].partition(",")[2]))) as opened:
            pixels = np.asarray(opened)
        first = pixels[:, :64]
        every = data.images(np.arange(RICH_IMAGES))[..., 0]
        assert (every == first).all(axis=(1, 2)).any()
        assert f"{RICH_IMAGES} of 64 x 64 pixels, grey" in found.text
        assert found.column("values", 1) == {
            "shape": "3", "scale": "2", "orientation": "4", "pos_x": "4", "pos_y": "4",
        }  # fmt: skip
        assert found.column("", 1)["shape"] == "square, ellipse, heart"

    def test_a_dataset_that_is_not_there_is_not_made(self, monkeypatch, tmp_path):
        monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path))
        part = "only(data=dsprites, where=\"shape == 'heart'\")"
        for text in ("dsprites", "cars3d", "shapes3d", "celeba", part):
            assert text in read(parse_dataset(text)._repr_html_()).text
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("text", ["folder(path='/nowhere')", "arrays(path='/nowhere.npz')"])
    def test_one_whose_files_are_gone_says_so(self, text):
        assert "nowhere" in read(parse_dataset(text)._repr_html_()).text

    def test_factors(self):
        space = FactorSpace((Factor("hue", 10), Factor("a", 2, labels=("<b>", "&"))))
        found = read(space._repr_html_())
        assert found.text.startswith("2 factors, 20 combinations")
        assert found.column("") == {"hue": "0, 1, 2, ..., 9", "a": "<b>, &"}
        assert "No factor" in read(FactorSpace.unknown()._repr_html_()).text

    def test_a_table_of_codes(self):
        rng = np.random.default_rng(0)
        mean = rng.normal(2, 3, (120_000, 2)).astype(np.float32)
        logvar = np.full_like(mean, -1.0)
        factors = np.zeros((len(mean), 1), np.int64)
        table = Representation(mean, factors, FactorSpace((Factor("a", 1),)), logvar)
        found = read(table._repr_html_())
        some = mean[::3].astype(float)
        assert found.column("mean", 1) == {f"z{j}": f"{some[:, j].mean():.3f}" for j in (0, 1)}
        kl = 0.5 * (some**2 + np.exp(-1.0) - 1 + 1).mean(axis=0)
        assert found.column("KL (nats)", 1) == {f"z{j}": f"{kl[j]:,.3f}" for j in (0, 1)}
        assert "one row in 3" in found.text


class TestConfigurations:
    def test_every_component_shows_its_fields(self):
        shown = 0
        for name, cls in spec.members(spec.Component).items():
            try:
                made = spec.build(cls, {})
            except unweave.errors.SpecError:
                continue
            found = read(made._repr_html_())
            assert name in found.text
            shown += 1
        assert shown > 150

    def test_a_component_says_what_was_set(self):
        found = read(parse_objective("beta_vae(beta=6)").items[0]._repr_html_())
        assert found.column("value") == {"beta": "6"}
        assert found.column("") == {"beta": "set"}

    def test_an_objective_is_a_table_of_its_terms(self):
        found = read(parse_objective("factor_vae(gamma=7)")._repr_html_())
        weights = found.column("weight")
        assert weights == {"reconstruction": "1", "kl": "1", "density_ratio_tc": "7"}
        assert "With a loss of its own: discriminator" in found.text
        warm = "beta_vae(beta=linear(start=0, stop=4, steps=100))"
        assert "linear(start=0" in read(parse_objective(warm)._repr_html_()).column("weight")["kl"]

    def test_a_configuration(self):
        run = unweave.load_run(rich())
        assert isinstance(run.config, TrainConfig)
        found = read(run.config._repr_html_())
        assert found.column("value", 1)["steps"] == "24"
        assert found.column("", 1)["latents"] == "set"
        assert found.column("", 1)["clip norm"] == ""
        assert run.config.command in found.text


class TestMany:
    def test_tables_of_results(self, tmp_path):
        series(tmp_path, [0.125, 0.25, 0.5], beta=1.0)
        series(tmp_path, [0.75], beta=10.0)
        for k, folder in enumerate(sorted(tmp_path.iterdir())):
            form = json.loads((folder / "scores.json").read_text())
            form["scores"].append(score("sap", 0.1 * k))
            (folder / "scores.json").write_text(json.dumps(form))
        collected = results.collect([tmp_path])
        found = read(collected._repr_html_())
        assert found.text.startswith("8 scores of runs")
        values = [row[found.tables[0][0].index("value")] for row in found.tables[0][1:]]
        assert values[::2] == ["0.1250", "0.2500", "0.5000", "0.7500"]
        summary = results.summarise(collected, ("objective",))
        found = read(summary._repr_html_())
        assert found.column("mig")["beta_vae(beta=1)"] == "0.292 ± 0.191"
        sheet = results.lay_out(summary, "stats")
        assert len(read(sheet._repr_html_()).tables[0]) == 1 + len(sheet.rows)
        pairs = results.correlate(collected)
        found = read(pairs._repr_html_())
        assert found.column("rho") == {"mig": f"{pairs.pairs[0].rho:.4f}"}

    def test_long_tables_are_cut(self, tmp_path):
        sheet = results.Sheet(columns=("a", "b"), rows=tuple((str(k), k) for k in range(130)))
        found = read(sheet._repr_html_())
        assert len(found.tables[0]) == 101
        assert "and 30 more rows" in found.text

    def test_a_ranking(self):
        ranking = Ranking(
            "udr", "unweave/1", True, RICH, "all",
            (Ranked("runs/<a>", 0.75, 1, "vae", 0.5, 1.0), Ranked("runs/b", 0.25, 0, "vae")),
            (GroupScore("vae", 2, 0.5, 0.25, 0.75),),
        )  # fmt: skip
        found = read(ranking._repr_html_())
        assert found.tables[0][1:] == [
            ["1", "0.7500", "0.5000 to 1.0000", "1", "runs/<a>", "vae"],
            ["2", "0.2500", "", "0", "runs/b", "vae"],
        ]
        assert found.tables[1][1:] == [["vae", "2", "0.5000", "0.2500 to 0.7500"]]

    def test_a_study_and_its_folder(self, tmp_path):
        study = study_of(
            {
                "about": NASTY,
                "seeds": 3,
                "train": {"dataset": RICH, "objective": "beta_vae", "steps": 2},
                "sweep": [{"grid": {"objective.beta": [1, 4]}}],
            },
            "sweep",
        )
        found = read(study._repr_html_())
        assert found.text.startswith("Study sweep, 6 runs")
        assert found.column("values", 1) == {"objective.beta": "2", "seed": "3"}
        folder = StudyFolder(tmp_path)
        assert "Folder of a study" in read(folder._repr_html_()).text
        folder.write(study, plan(study))
        folder.events.add("begun", engine="serial", items=6, slots=1)
        key = folder.keys()[0]
        folder.events.add("started", key=key)
        folder.events.add("failed", key=key, message=NASTY, final=True)
        found = read(folder._repr_html_())
        assert found.column("items", 1) == {"failed": "1"}
        assert NASTY in found.text
        found = read(survey(folder)._repr_html_())
        assert found.column("state", 1)[key] == "failed"
        assert found.column("steps", 1)[key] == "0/2"
        (tmp_path / "state.jsonl").write_text("[]\n[]\n")
        assert "damaged" in read(folder._repr_html_()).text


def test_every_class_that_shows_itself_is_named_here():
    # Whoever adds one adds a test.
    root = Path(inspect.getfile(unweave)).parent
    found = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if "def _repr_" in path.read_text("utf-8")
    }
    assert found == {
        "data/base.py",
        "execution/folder.py",
        "factors.py",
        "metrics/base.py",
        "objectives/objective.py",
        "plots/animation.py",
        "plots/shown.py",
        "population/rounds.py",
        "population/views.py",
        "ranking/result.py",
        "representation.py",
        "results/correlation.py",
        "results/grouping.py",
        "results/layouts.py",
        "results/table.py",
        "run/exploring.py",
        "run/trained_run.py",
        "scores.py",
        "spec/component.py",
        "studies/overview.py",
        "studies/spec.py",
        "training/config.py",
    }
