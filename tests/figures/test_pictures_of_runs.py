"""Pictures of runs show what their models make of images and latents, as is asked for."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch
from PIL import Image

import unweave
from session.runs import RICH, cli, copy_of, folder_for_runs, lines, paragraph, rich, train
from unweave import plots
from unweave.errors import DataError, RunError, SpecError
from unweave.figures import FIGURES, Look, asked_kinds, draw, unheeded
from unweave.figures.chosen import SHOWN_IMAGES
from unweave.pictures import probe_indices
from unweave.rundir import read_json, write_json

PIXELS = {"labels": False}


@pytest.fixture(scope="module")
def run():
    return unweave.load_run(rich())


def picture(run, kind, **look):
    dataset = run.dataset
    return draw(kind, run.folder, run.config, run.model, dataset, run.step, Look(**look))


def levels(run, codes, **told):
    return np.floor(255 * run.decode(np.asarray(codes, np.float32), **told) + 0.5)


def tiles(canvas, side=64, top=0):
    """Images of a canvas with 2 pixels between them, (rows, cols, side, side)."""
    rows, cols = (canvas.shape[0] - top - 2) // (side + 2), (canvas.shape[1] - 2) // (side + 2)
    return np.stack(
        [
            [
                canvas[
                    top + 2 + r * (side + 2) : top + 2 + r * (side + 2) + side,
                    2 + c * (side + 2) : 2 + c * (side + 2) + side,
                    0,
                ]
                for c in range(cols)
            ]
            for r in range(rows)
        ]
    )


def near(made, expected):
    """Whether two pictures differ by roundings alone."""
    assert made.shape == expected.shape
    return np.abs(made.astype(int) - expected).max() <= 1


class TestImages:
    def test_those_that_are_asked_for_come_first(self, run):
        shown = tiles(picture(run, "data_samples", indices=(300, 4), rows=2, cols=3))
        drawn = [i for i in probe_indices(SHOWN_IMAGES, 384, 3).tolist() if i not in (300, 4)]
        flat = np.array([300, 4, *drawn[:4]])
        expected = run.dataset.images(flat)[..., 0].reshape(2, 3, 64, 64)
        np.testing.assert_array_equal(shown, expected)

    def test_all_pictures_show_the_same_ones(self, run):
        many = tiles(picture(run, "data_samples", rows=5, cols=10)).reshape(-1, 64, 64)
        pairs = picture(run, "reconstructions", rows=1, cols=6, **PIXELS)
        np.testing.assert_array_equal(tiles(pairs)[0], many[:6])
        walk = picture(run, "reconstruct_traverse", cols=4, **PIXELS)
        np.testing.assert_array_equal(tiles(walk)[0], many[:4])
        assert not (many[:20] == many[20:40]).all()
        assert len({image.tobytes() for image in many}) > 40

    def test_of_another_seed_they_are_others(self, run):
        one, other = (picture(run, "data_samples", seed=seed) for seed in (0, 1))
        assert (one != other).any()

    def test_pixels_are_repeated(self, run):
        small, large = (picture(run, "samples", rows=2, cols=2, upsample=n) for n in (1, 3))
        expected = tiles(small).repeat(3, axis=2).repeat(3, axis=3)
        np.testing.assert_array_equal(tiles(large, 192), expected)

    def test_of_few_images_the_rest_is_empty(self, run):
        assert picture(run, "data_samples", rows=30, cols=20).shape == (
            30 * 66 + 2,
            20 * 66 + 2,
            3,
        )

    def test_images_that_there_are_not(self, run):
        with pytest.raises(DataError, match="indices must be below 384"):
            picture(run, "data_samples", indices=(384,))
        with pytest.raises(SpecError, match="indices name 3 images, and the picture has room"):
            picture(run, "data_samples", indices=(1, 2, 3), rows=1, cols=2)


class TestWalks:
    def test_from_the_code_of_an_image(self, run):
        canvas = picture(run, "traversals", start="posterior", indices=(9,), cols=5, **PIXELS)
        mean = run.encode(run.dataset.images(np.array([9])))[0][0]
        kl = lines(run.folder, "train")[-1]["kl"]
        shown = tiles(canvas)
        for row, latent in enumerate(sorted(range(4), key=lambda j: -kl[j])):
            codes = np.tile(mean, (5, 1))
            codes[:, latent] = np.linspace(-2, 2, 5)
            assert near(shown[row], levels(run, codes)[..., 0])

    def test_words_say_columns_and_rows(self, run):
        figure = picture(run, "traversals", start="posterior", range=0.475, cols=3)
        heads = [text.get_text() for text in figure.axes[0].get_xticklabels()]
        assert heads == ["\N{MINUS SIGN}1.96 σ", "mean", "+1.96 σ"]

    def test_reconstructions_stand_over_walks_of_the_first_image(self, run):
        canvas = picture(run, "reconstruct_traverse", rows=2, cols=5, **PIXELS)
        top = tiles(canvas)[:2]
        flat = probe_indices(SHOWN_IMAGES, 384, 3)[:5]
        images = run.dataset.images(flat)
        mean = run.encode(images)[0]
        np.testing.assert_array_equal(top[0], images[..., 0])
        assert near(top[1], levels(run, mean)[..., 0])
        kl = lines(run.folder, "train")[-1]["kl"]
        walks = tiles(canvas, top=2 * 66 + 2 + 6)
        for row, latent in enumerate(sorted(range(4), key=lambda j: -kl[j])[:2]):
            codes = np.tile(mean[0], (5, 1))
            codes[:, latent] = np.linspace(-2, 2, 5)
            assert near(walks[row], levels(run, codes)[..., 0])

    def test_frames_go_there_and_back(self, run):
        film = picture(run, "gif_traversals", rows=2, cols=3, **PIXELS)
        assert film.frames.shape == (28, 66 + 2 + 6 + 2 * 66 + 2, 3 * 66 + 2, 3)
        for step in range(1, 14):
            np.testing.assert_array_equal(film.frames[14 + step], film.frames[14 - step])
        means = run.encode(run.dataset.images(probe_indices(SHOWN_IMAGES, 384, 3)[:3]))[0]
        first = int(np.argmax(lines(run.folder, "train")[-1]["kl"]))
        for frame in (0, 5, 14):
            codes = means.copy()
            codes[:, first] = np.linspace(-2, 2, 15)[frame]
            assert near(tiles(film.frames[frame], top=74)[0], levels(run, codes)[..., 0])

    def test_a_cycle_starts_at_the_image(self, run):
        film = picture(run, "gif_traversals", rows=2, cols=3, cycle="std_gaussian", **PIXELS)
        assert len(film.frames) == 20
        assert film.milliseconds == 100
        flat = probe_indices(SHOWN_IMAGES, 384, 3)[:3]
        expected = levels(run, run.encode(run.dataset.images(flat))[0])[..., 0]
        shown = tiles(film.frames[0], top=74)
        assert near(shown[0], expected)
        assert near(shown[1], expected)

    def test_words_leave_the_pixels_as_they_are(self, run):
        plain = picture(run, "gif_traversals", rows=2, cols=3, **PIXELS).frames
        worded = picture(run, "gif_traversals", rows=2, cols=3).frames
        height, width = plain.shape[1:3]
        np.testing.assert_array_equal(worded[:, -height:, -width:], plain)


class TestSamples:
    def test_they_spread_as_the_prior(self, run, monkeypatch):
        codes = []
        monkeypatch.setattr(
            "unweave.figures.decoded.decode",
            lambda model, z, told, truncate: codes.append(z) or np.zeros((len(z), 4, 4, 1), "u1"),
        )
        picture(run, "samples", rows=50, cols=50)
        assert codes[0].shape == (2500, 4)
        assert np.abs(codes[0].mean(0)).max() < 0.1
        assert np.abs(codes[0].std(0) - 1).max() < 0.05


class TestTraining:
    def test_snapshots_follow_each_other(self, run):
        film = picture(run, "training", rows=4, cols=3, **PIXELS)
        steps = [int(path.stem[5:]) for path in sorted(run.folder.glob("snapshots/*"))]
        assert steps == [9, 18]
        assert len(film.frames) == len(steps) + 3
        assert (film.frames[0] != film.frames[1]).any()
        np.testing.assert_array_equal(film.frames[1], film.frames[-1])

    def test_the_last_weights_are_those_of_the_run(self, tmp_path):
        folder = tmp_path / "run"
        train(folder, dataset=RICH, latents=3, steps=4, snapshot_every=2)
        run = unweave.load_run(folder)
        film = picture(run, "training", cols=3, **PIXELS)
        z = np.zeros((3, 3, 3))
        for latent in range(3):
            z[latent, :, latent] = [-2, 0, 2]
        expected = levels(run, z.reshape(9, 3))[..., 0].reshape(3, 3, 64, 64)
        assert near(tiles(film.frames[1]), expected)

    def test_without_snapshots_its_pictures_do(self, run, tmp_path):
        copied = unweave.load_run(copy_of(run.folder, tmp_path))
        for path in copied.folder.glob("snapshots/*"):
            path.unlink()
        assert picture(copied, "training") is None
        drawn = copied.folder / "figures" / "training"
        for step, shape in ((24, (30, 40, 3)), (48, (34, 38, 3))):
            plots.save(np.full(shape, step, np.uint8), drawn / f"step-{step:07d}.png")
        film = picture(copied, "training", **PIXELS)
        assert film.frames.shape == (5, 34, 40, 3)
        assert (film.frames[0, :30, :40] == 24).all()
        assert (film.frames[1, :34, :38] == 48).all()
        assert (film.frames[1, :, 38:] == 255).all()
        higher = picture(copied, "training").frames.shape[1] - 34
        assert 20 < higher < 50


@pytest.fixture(scope="module")
def lie():
    folder = folder_for_runs() / "lie"
    network = "lie_group(sizes=(9, 4), latents=(2, 2), init=0.4)"
    result = train(
        folder, "lie_group_vae", dataset=RICH, latents=4, steps=3, architecture=network, seed=1
    )
    assert result.code == 0, result.err
    return unweave.load_run(folder)


class TestLieWalks:
    def test_generators_move_the_element_of_the_image(self, lie):
        canvas = picture(lie, "lie_walks", indices=(7,), cols=3, range=1.5, **PIXELS)
        mean = lie.encode(lie.dataset.images(np.array([7])))[0][0].astype(np.float64)
        blocks = [block.detach().double().numpy() for block in lie.model.decoder.generators()]
        elements = [
            scipy.linalg.expm(np.tensordot(mean[2 * k : 2 * k + 2], block, 1))
            for k, block in enumerate(blocks)
        ]
        kl = lines(lie.folder, "train")[-1]["kl"]
        shown = tiles(canvas, top=66 + 2 + 6)
        for row, latent in enumerate(sorted(range(4), key=lambda j: -kl[j])):
            block, own = divmod(latent, 2)
            for column, t in enumerate((-1.5, 0, 1.5)):
                moved = list(elements)
                moved[block] = scipy.linalg.expm(t * blocks[block][own]) @ elements[block]
                features = np.concatenate([each.ravel() for each in moved]).astype(np.float32)
                with torch.no_grad():
                    logits = lie.model.decoder.image(torch.from_numpy(features)[None])
                expected = np.floor(255 * torch.sigmoid(logits)[0, 0].numpy() + 0.5)
                assert near(shown[row, column], expected)

    def test_features_are_decoded_past_the_latents(self, lie):
        canvas = picture(lie, "group_reconstructions", indices=(7, 300), cols=3, **PIXELS)
        flat = np.array([7, 300, probe_indices(SHOWN_IMAGES, 384, 1)[0]])
        images = lie.dataset.images(flat)
        shown = tiles(canvas)
        np.testing.assert_array_equal(shown[0], images[..., 0])
        assert near(shown[1], levels(lie, lie.encode(images)[0])[..., 0])
        with torch.no_grad():
            given = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
            logits = lie.model.decoder.image(lie.model.trunk(given))
        assert near(shown[2], np.floor(255 * torch.sigmoid(logits)[:, 0].numpy() + 0.5))
        assert (shown[1] != shown[2]).any()

    def test_other_models_have_none(self, run):
        assert picture(run, "lie_walks") is None
        assert picture(run, "group_reconstructions") is None
        with pytest.raises(SpecError, match="generators of a Lie group"):
            run.picture("lie_walks")

    def test_there_are_no_quantiles(self, lie):
        with pytest.raises(SpecError, match="range must be at least"):
            picture(lie, "lie_walks", range=0.3)


@pytest.fixture(scope="module", params=["cvae", "ifcvae"])
def told(request):
    folder = folder_for_runs() / request.param
    objective = f"{request.param}(labels=('shape', 'scale'))"
    result = train(folder, objective, dataset=RICH, latents=3, steps=3, seed=2)
    assert result.code == 0, result.err
    return unweave.load_run(folder)


class TestAttributes:
    def test_one_label_after_the_other_changes_and_then_one_latent(self, told):
        canvas = picture(told, "attribute_traversals", indices=(200,), rows=2, cols=5, **PIXELS)
        image = told.dataset.images(np.array([200]))
        shape, scale = told.dataset.factors(np.array([200]))[0, :2].tolist()
        z = told.encode(image, labels=[shape, scale])[0]
        step = 66 + 2 + 6
        first = tiles(canvas)[0]
        np.testing.assert_array_equal(first[0], image[0, ..., 0])
        assert near(first[1], levels(told, z, labels=[shape, scale])[0, ..., 0])
        for block, labels in enumerate(
            ([[0, scale], [1, scale], [2, scale]], [[shape, 0], [shape, 1]]), 1
        ):
            row = tiles(canvas, top=block * step)[0]
            for column, each in enumerate(labels):
                assert near(row[column], levels(told, z, labels=each)[0, ..., 0])
        kl = lines(told.folder, "train")[-1]["kl"]
        walks = tiles(canvas, top=3 * step)
        for row, latent in enumerate(sorted(range(3), key=lambda j: -kl[j])[:2]):
            codes = np.tile(z, (5, 1))
            codes[:, latent] = np.linspace(-2, 2, 5)
            assert near(walks[row], levels(told, codes, labels=[shape, scale])[..., 0])

    def test_labels_and_latents_move_at_once(self, told):
        film = picture(told, "gif_attribute_traversals", rows=2, cols=3, **PIXELS)
        # An image, two labels, two latents; there and back.
        assert film.frames.shape == (28, 66 + 2 + 6 + 4 * 66 + 2, 3 * 66 + 2, 3)
        for step in range(1, 14):
            np.testing.assert_array_equal(film.frames[14 + step], film.frames[14 - step])
        flat = probe_indices(SHOWN_IMAGES, 384, 2)[:3]
        images, factors = told.dataset.images(flat), told.dataset.factors(flat)[:, :2]
        codes = np.concatenate(
            [told.encode(image[None], labels=label.tolist())[0]
             for image, label in zip(images, factors, strict=True)]
        )  # fmt: skip
        kl = lines(told.folder, "train")[-1]["kl"]
        first = int(np.argmax(kl))
        for frame, shape, scale in ((0, 0, 0), (6, 1, 0), (14, 2, 1)):
            shown = tiles(film.frames[frame], top=74)
            for column in range(3):
                z, (own, size) = codes[column : column + 1], factors[column].tolist()
                by_shape = levels(told, z, labels=[shape, size])[0, ..., 0]
                by_scale = levels(told, z, labels=[own, scale])[0, ..., 0]
                walked = z.copy()
                walked[:, first] = np.linspace(-2, 2, 15)[frame]
                by_latent = levels(told, walked, labels=[own, size])[0, ..., 0]
                for row, expected in enumerate((by_shape, by_scale, by_latent)):
                    assert near(shown[row, column], expected)

    def test_its_rows_and_columns_have_names(self, told):
        figure = picture(told, "attribute_traversals")
        words = {text.get_text() for text in figure.axes[0].texts}
        assert {"image", "shape", "scale", "square", "ellipse", "heart", "0.5", "1"} <= words

    def test_samples_have_labels(self, told):
        assert picture(told, "samples", rows=2, cols=2).shape == (2 * 66 + 2, 2 * 66 + 2, 3)


class TestSeveralRuns:
    def test_rows_are_runs_or_objectives(self, run, lie, tmp_path):
        made = unweave.plot_runs(
            [run, lie.folder], "traversals", out=tmp_path / "a.png",
            look=Look(rows=2, cols=3, labels=False),
        )  # fmt: skip
        panels = [picture(one, "traversals", rows=2, cols=3, **PIXELS) for one in (run, lie)]
        height, width = panels[0].shape[:2]
        assert made.shape == (2 * height + 3 * 7, width + 2 * 7, 3)
        for place, panel in enumerate(panels):
            top = 7 + place * (height + 7)
            np.testing.assert_array_equal(made[top : top + height, 7 : 7 + width], panel)
        np.testing.assert_array_equal(
            np.asarray(Image.open(tmp_path / "a.png").convert("RGB")), made
        )

    def test_words_tell_runs_of_one_objective_apart(self, run, lie, tmp_path, monkeypatch):
        told = []

        def run_grid(panels, places, rows, columns):
            told.append(rows)
            return panels[0]

        monkeypatch.setattr("unweave.plots.run_grid", run_grid)
        other = copy_of(run.folder, tmp_path)
        form = read_json(other / "config.json")
        for seed in (7, form["seed"]):
            write_json(other / "config.json", form | {"seed": seed})
            unweave.plot_runs([run, other, lie.folder], "samples", look=Look(rows=1, cols=1))
        unweave.plot_runs(
            [other, copy_of(run.folder, tmp_path / "further")], "samples", look=Look(rows=1)
        )
        assert [text.splitlines()[-1] for text in told.pop()] == [
            f"{tmp_path.name}/copy",
            "further/copy",
        ]
        ends = [[text.splitlines()[-1] for text in rows] for rows in told]
        assert ends[0][:2] == [f"seed {form['seed']}", "seed 7"]
        # Of the same seed, too, their folders do.
        assert ends[1][:2] == [run.folder.name, "copy"]
        for rows in told:
            assert rows[0].splitlines()[:-1] == rows[1].splitlines()[:-1]
            assert "seed" not in rows[2]

    def test_what_cannot_be_shown_of_several(self, run, lie, tmp_path):
        with pytest.raises(SpecError, match=r"samples, data_samples.*not of 'kl'"):
            unweave.plot_runs([run, lie], "kl")
        with pytest.raises(SpecError, match=r"traversals is written as \.png"):
            unweave.plot_runs([run, lie], "traversals", out=tmp_path / "a.gif")
        with pytest.raises(RunError, match="There is no run"):
            unweave.plot_runs([])
        with pytest.raises(SpecError, match="generators of a Lie group"):
            unweave.plot_runs([lie, run], "lie_walks")


class TestAsking:
    def test_all_are_the_usual_ones(self):
        usual = tuple(name for name, kind in FIGURES.items() if kind.usual)
        assert asked_kinds(()) == asked_kinds(("all",)) == usual
        assert set(asked_kinds((), animations=True)) - set(usual) == {
            "gif_traversals",
            "gif_attribute_traversals",
            "training",
        }
        assert asked_kinds(("mig", "kl", "mig")) == ("kl", "mig")
        assert set(asked_kinds(("all", "training"))) == {*usual, "training"}
        with pytest.raises(SpecError, match="Did you mean traversals"):
            asked_kinds(("traversal",))

    def test_what_a_kind_does_not_heed_is_told(self):
        look = Look(rows=3, start="prior")
        (note,) = unheeded(("samples", "traversals"), look)
        assert note.startswith("The figure samples does not heed start; it heeds rows, cols")
        assert unheeded(("all",), look) == []
        (note,) = unheeded(("gif_traversals",), Look(cycle="minmax", range=3))
        assert "range makes no difference" in note


class TestCommand:
    @pytest.fixture
    def folder(self, run, tmp_path):
        return copy_of(run.folder, tmp_path)

    def test_figures_as_they_are_asked_for(self, folder):
        result = cli(
            "plot", folder, "traversals", "gif_traversals", "kl", "--rows", 2, "--cols", 3,
            "--posterior", "--indices", "5,8", "--no-labels", "--upsample", 2, "--format", "webp",
            "--json",
        )  # fmt: skip
        assert result.code == 0, result.err
        figures = folder / "figures"
        names = ("traversals.png", "gif_traversals.webp", "kl.png")
        assert result.json == {"figures": [str(figures / name) for name in names]}
        with Image.open(figures / "traversals.png") as still:
            assert still.size == (3 * 130 + 2, 2 * 130 + 2)
        with Image.open(figures / "gif_traversals.webp") as moving:
            assert moving.size == (3 * 130 + 2, 130 + 2 + 6 + 2 * 130 + 2)
            assert moving.n_frames == 28
        assert not (figures / "gif_traversals.gif").exists()

    def test_what_a_kind_does_not_heed_is_said(self, folder, caplog):
        assert cli("plot", folder, "samples", "--posterior", "--rows", 1).code == 0
        assert "The figure samples does not heed start" in caplog.text

    def test_one_figure_elsewhere(self, folder, tmp_path):
        out = tmp_path / "there" / "samples.png"
        before = sorted(folder.rglob("*"))
        result = cli("plot", folder, "samples", "--out", out)
        assert (result.code, result.out) == (0, f"{out}\n")
        assert out.is_file()
        assert sorted(folder.rglob("*")) == before

    def test_several_runs(self, folder, tmp_path):
        out = tmp_path / "runs.gif"
        result = cli(
            "plot", folder, rich(), "gif_traversals", "--rows", 1, "--cols", 1, "--out", out
        )
        assert result.code == 0, result.err
        with Image.open(out) as moving:
            assert moving.n_frames == 28
        assert read_json(folder / "status.json")["state"] == "finished"

    @pytest.mark.parametrize(
        ("flags", "words"),
        [
            (("traversal",), ("traversal", "Did you mean traversals")),
            (("samples", "--rows", "0"), ("rows must be from 1",)),
            (("samples", "--rows", "two"), ("--rows", "whole number")),
            (("samples", "--upsample", "0"), ("upsample must be from 1",)),
            (("samples", "--indices", ","), ("--indices is empty",)),
            (("samples", "--layout", "dvae"), ("unweave, disvae",)),
            (("gif_traversals", "--cycle", "round"), ("std_gaussian",)),
            (("traversals", "--prior", "--posterior"), ("exclude each other",)),
            (("traversals", "--labels", "--no-labels"), ("exclude each other",)),
            (("samples", "kl", "--out", "a.png"), ("--out is a file for one figure",)),
            (("samples", "--out", "a.gif"), ("samples is written as .png",)),
            (("gif_traversals", "--out", "a.png"), (".gif or .webp or .mp4",)),
            (("gif_traversals", "--format", "avi"), ("Unknown format 'avi'",)),
            (("lie_walks",), ("generators of a Lie group",)),
        ],
    )
    def test_what_cannot_be_is_refused(self, flags, words):
        paragraph(cli("plot", rich(), *flags), *words)

    def test_several_runs_need_one_kind_and_a_file(self, folder):
        paragraph(cli("plot", rich(), folder, "traversals"), "--out FILE")
        paragraph(cli("plot", rich(), folder, "--out", "a.png"), "one kind")

    def test_what_there_is_nothing_to_draw_from_is_said(self, folder):
        (folder / "metrics.jsonl").unlink()
        result = cli("plot", folder, "kl", "conditions")
        assert result.code == 0
        assert "nothing to draw kl from. It needs records of its training" in result.err
        assert "nothing to draw conditions from. It needs a decoder that is told" in result.err
