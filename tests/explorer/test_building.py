"""What a page gets: controls in order, ranges, starts, and the way to decode that fits."""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.test_program import model_of
from report.pages import Page
from session.runs import RICH, cli, copy_of, listing, paragraph, rich
from unweave import load_run
from unweave.curves import SCRIPTS
from unweave.data import parse_dataset
from unweave.data.codes import Coding
from unweave.errors import DataError, SpecError
from unweave.explorer import PINNED, ROOM, Source, build, read_package
from unweave.explorer.controls import controls, latent_controls
from unweave.explorer.layers import program_of
from unweave.explorer.packing import size_of
from unweave.explorer.starts import Start
from unweave.explorer.strips import POSITIONS, positions, sheet
from unweave.likelihoods import Bernoulli
from unweave.nn import DecoderBurgess, Higgins
from unweave.nn.conditions import Conditions
from unweave.plots import INACTIVE_KL
from unweave.report import explorer_frame, explorer_page
from unweave.vae import VAE

KL = np.array([0.1, 2.0, 0.5])
NAMES = ["scale", None, "pos_x, pos_y"]
NONE = np.empty((0, 3), np.float32)
CURVES = {*SCRIPTS, "curves.js"}
rng = np.random.default_rng(2)


def test_latents_come_by_kl_with_the_factors_that_they_follow():
    made = latent_controls(3, None, NONE, KL, NAMES)
    assert [control["latent"] for control in made] == [1, 2, 0]
    assert [control["name"] for control in made] == ["", "pos_x, pos_y", "scale"]
    assert [control["kl"] for control in made] == [2.0, 0.5, 0.1]
    assert {(control["low"], control["high"]) for control in made} == {(-3.0, 3.0)}


def test_sliders_reach_over_the_aggregate_posterior_and_every_start():
    mean = rng.normal(0, [0.0, 2.0, 1.0], (4_000, 3)).astype(np.float32)
    logvar = np.log(np.tile([1.0, 0.04, 0.25], (4_000, 1))).astype(np.float32)
    starts = np.array([[0, 9, 0], [0, 0, 0]], np.float32)
    made = {c["latent"]: c for c in latent_controls(3, (mean, logvar), starts, KL, NAMES)}
    for j, spread in enumerate(np.sqrt([1.0, 4.04, 1.25])):
        assert made[j]["low"] == pytest.approx(-2.576 * spread, rel=0.15)
    assert made[0]["high"] == pytest.approx(2.576, rel=0.15)
    assert made[1]["high"] == 9
    assert {(c["centre"], c["spread"]) for c in made.values()} == {(0.0, 1.0)}


def test_latents_without_noise_come_by_their_spread():
    mean = rng.normal([5, 0, 0], [1, 3, 0], (2_000, 3)).astype(np.float32)
    made = latent_controls(3, (mean, None), NONE, None, [None] * 3, deterministic=True)
    assert [control["latent"] for control in made] == [1, 0, 2]
    assert made[1]["centre"] == pytest.approx(5, abs=0.2)
    assert made[1]["low"] < 3 < 7 < made[1]["high"]
    assert made[2]["low"] < made[2]["high"]
    assert {control["kl"] for control in made} == {None}


@pytest.mark.parametrize("encoding", ["one_hot", "continuous"])
def test_labels_are_choices_of_what_the_model_is_told(encoding):
    told = Conditions(columns=(0, 2), sizes=(3, 4), encoding=encoding)
    model = model_of(DecoderBurgess(), latents=2, conditions=told)
    factors = parse_dataset(RICH).factor_space.factors
    made = controls(model, factors, None, np.empty((0, 2)), None, [None] * 2)[2:]
    assert [control["name"] for control in made] == ["shape", "orientation"]
    for place, control in enumerate(made):
        span = told.spans[place]
        assert control["at"] == 2 + span.start
        for index, option in enumerate(control["options"][1:]):
            labels = torch.full((1, 2), -1)
            labels[0, place] = index
            assert option["code"] == told.encode_known(labels)[0, span].tolist()
        assert control["options"][0]["code"] == told.neutral()[span].tolist()
    names = [option["name"] for option in made[0]["options"]]
    assert names == ["not told", "square", "ellipse", "heart"]


@pytest.mark.parametrize("inputs", ["scaled", "raw", "one_hot"])
def test_factors_of_a_decoder_alone(inputs):
    space = parse_dataset(RICH).factor_space
    given = Coding(inputs).on(space)
    model = VAE(DecoderBurgess(), (64, 64, 1), given.width, Bernoulli(), given=given)
    made = {c["name"]: c for c in controls(model, space.factors, None, NONE, None, [])}
    assert list(made) == list(space.names)
    indices = rng.integers(0, space.sizes, (5, len(space.sizes)))
    for row, code in zip(indices, given.encode(indices), strict=True):
        for k, factor in enumerate(space.factors):
            control = made[factor.name]
            value = space.values(row[None])[0, k]
            if control["kind"] == "choice":
                want = control["options"][row[k]]["code"]
            elif control["kind"] == "number":
                want = [control["scale"] * value + control["offset"]]
            else:
                turn = 2 * np.pi * (value - control["first"]) / control["period"]
                want = [np.sin(turn), np.cos(turn)]
            part = code[control["at"] : control["at"] + len(want)]
            np.testing.assert_allclose(part, want, atol=1e-6)
    kinds = {name: control["kind"] for name, control in made.items()}
    assert kinds["pos_x"] == ("choice" if inputs == "one_hot" else "number")
    assert (
        kinds["orientation"] == {"scaled": "angle", "raw": "number", "one_hot": "choice"}[inputs]
    )


def test_strips_hold_every_place_of_every_control():
    moved = positions(
        [
            {"kind": "latent", "at": 0, "low": -1.0, "high": 1.0},
            {"kind": "choice", "at": 1, "options": [{"code": [k / 40]} for k in range(41)]},
        ]
    )
    assert moved[0]["positions"] == POSITIONS
    assert [o["code"][0] for o in moved[1]["options"]][:: len(moved[1]["options"]) - 1] == [0, 1]
    start = Start(np.array([0.25, 0.5], np.float32), None, "start")

    def decode(codes):
        # Two pixels that show the code.
        return np.rint(100 * (codes + 1)).astype(np.uint8)[:, None, :, None]

    text = sheet(start, moved, decode).source
    picture = Image.open(io.BytesIO(base64.b64decode(text.partition(",")[2])))
    pixels = np.asarray(picture.convert("L"))
    assert pixels.shape == (3, 2 * 16)
    tiles = pixels.reshape(3, 16, 2)
    want = np.rint(100 * (np.linspace(-1, 1, POSITIONS) + 1))
    np.testing.assert_array_equal(tiles[0, :POSITIONS, 0], want)
    assert (tiles[0, :POSITIONS, 1] == 150).all()
    assert (tiles[1, :, 0] == 125).all()
    assert tiles[2, 0].tolist() == [125, 150]


@pytest.fixture(scope="module")
def source():
    run = load_run(rich())
    return Source(run.folder, run.config, run.model, run.dataset, run.step)


def test_a_run_is_decoded_by_the_page_itself(source):
    made = build(source, images=(3, 0))
    assert made.decoder == "javascript"
    assert made.content["rounding"] == "float16"
    first, second, mean = made.content["starts"]
    assert (first["name"], mean["name"]) == ("image 3 of the dataset", "the mean of the prior")
    assert not np.any(mean["given"])
    model, pixels = source.model, source.dataset.images(np.array([3]))
    with torch.inference_mode():
        image = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
        want = model.encode(image).mean[0].numpy()
    np.testing.assert_allclose(first["given"], want, atol=1e-5)
    shown = Image.open(io.BytesIO(base64.b64decode(first["image"].partition(",")[2])))
    np.testing.assert_array_equal(np.asarray(shown.convert("L")), pixels[0, ..., 0])
    assert first["image"] != second["image"]
    assert json.loads(json.dumps(made.content)) == made.content
    with pytest.raises(DataError, match="has images 0 to 383"):
        build(source, images=(384,))


def test_without_images_there_is_the_prior_alone(source):
    bare = Source(source.folder, source.config, source.model, None, source.step)
    content = build(bare).content
    assert [start["image"] for start in content["starts"]] == [None]
    assert {(control["low"], control["high"]) for control in content["controls"]} == {(-3.0, 3.0)}


def test_what_does_not_fit_is_shown_as_strips(source):
    small = size_of(program_of(source.model), "float16") + 149_000
    made = build(source, room=small)
    assert made.decoder == "strips"
    assert "too many for a page" in made.content["reasons"][0]
    assert len(made.content["sheets"]) == len(made.content["starts"]) >= 1
    assert made.content["starts"][0]["name"].startswith("image ")
    with pytest.raises(SpecError, match="too many for a page"):
        build(source, decoder="javascript", room=small)
    with pytest.raises(SpecError, match="decoded ahead are too large"):
        build(source, room=150_100)


def test_dense_decoders_are_too_large():
    for shape, fits in (((64, 64, 1), False), ((16, 16, 1), True)):
        program = program_of(model_of(Higgins(), shape))
        assert (size_of(program, "float16") < ROOM) is fits


def test_ways_to_decode_are_refused_with_what_to_give(source, tmp_path):
    with pytest.raises(SpecError, match="javascript"):
        build(source, decoder="javascrpt")
    with pytest.raises(SpecError, match="--onnxruntime-web"):
        build(source, decoder="onnx")
    for place in (tmp_path / "nowhere.tgz", tmp_path):
        with pytest.raises(SpecError, match=f"npm pack onnxruntime-web@{PINNED}"):
            read_package(place)
    run = load_run(rich())
    for asked in ({"decoder": "strips"}, {"images": (1,)}, {"onnxruntime_web": tmp_path}):
        with pytest.raises(SpecError, match="--without-explorer"):
            run.report(tmp_path / "page.html", explorer=False, **asked)


@pytest.mark.parametrize("form", ["file", "folder"])
def test_a_package_is_read_from_a_file_or_a_folder(tmp_path, form, caplog):
    parts = {
        "package.json": json.dumps({"name": "onnxruntime-web", "version": "1.2.3"}).encode(),
        "dist/ort.wasm.bundle.min.mjs": b"export{}",
        "dist/ort-wasm-simd-threaded.wasm": b"\0asm",
    }
    place = tmp_path / "package"
    for name, content in parts.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    if form == "file":
        with tarfile.open(tmp_path / "package.tgz", "w:gz") as archive:
            archive.add(place, "package")
        place = tmp_path / "package.tgz"
    found = read_package(place)
    assert found.version == "1.2.3"
    assert f"tested with onnxruntime-web {PINNED}" in caplog.text
    assert gzip.decompress(base64.b64decode(found.module)) == b"\0asm"
    assert gzip.decompress(base64.b64decode(found.script)) == b"export{}"


def test_the_page_is_well_formed_and_asks_for_nothing(source):
    made = build(source, decoder="strips")
    evil = "<script>alert('x')</script>\"&'"
    made.content["controls"][0]["name"] = evil
    html = explorer_page(made.decoder, made.content, evil)
    page = Page(html)
    assert "alert('x')" in page.words
    assert html.count("<script") == html.count("</script>")
    assert "<script>alert" not in html
    sliders = [one for one in page.all("input") if one["type"] == "range"]
    assert sorted(int(one["data-latent"]) for one in sliders) == list(range(source.model.latents))
    assert [one["data-role"] for one in page.all("canvas")] == ["reconstruction"]
    policy = next(one["content"] for one in page.all("meta") if "http-equiv" in one)
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy
    assert "http:" not in html.replace("http-equiv", "")
    assert "https:" not in html
    frame = explorer_frame(html)
    assert Page(frame).all("iframe")[0]["srcdoc"] == html


def test_latents_that_carry_nothing_are_grey_as_in_figures(source):
    made = build(source, decoder="strips")
    sliders = made.content["controls"]
    for place, control in enumerate(sliders):
        control["kl"] = INACTIVE_KL * (1.1 if place else 0.9)
    page = Page(explorer_page(made.decoder, made.content, "page"))
    kinds = [each["class"].split() for each in page.all("div") if "class" in each]
    shown = ["x-quiet" in kind for kind in kinds if "x-control" in kind]
    assert shown == [True] + [False] * (len(sliders) - 1)


def test_the_command_refuses_what_cannot_be_before_any_work(tmp_path):
    run = copy_of(rich(), tmp_path)
    before = listing(run)
    for flags, words in (
        (("--decoder", "wasm"), ("wasm", "javascript")),
        (("--decoder", "onnx"), ("--onnxruntime-web",)),
        (("--start-images", "1,x"), ("--start-images", "whole number")),
        (("--start-images", ","), ("--start-images", "empty")),
        (("--start-images", "384"), ("has images 0 to 383",)),
        (("--onnxruntime-web", tmp_path / "no.tgz"), ("no.tgz", "npm pack")),
        (("--without-explorer", "--start-images", "1"), ("--without-explorer",)),
    ):
        paragraph(cli("report", run, *flags), *words)
    assert listing(run) == before


def scripts_of(page):
    """Names of the scripts that a page runs."""
    return {one["data-script"] for one in page.all("script") if "data-script" in one}


def test_a_page_without_explorer_has_none_of_its_scripts(tmp_path, monkeypatch, one_figure):
    run = load_run(copy_of(rich(), tmp_path))
    monkeypatch.setattr(type(run), "evaluate", lambda *given, **named: None)
    page = Page(run.report(explorer=False).read_text("utf-8"))
    assert scripts_of(page) == CURVES
    policy = next(one["content"] for one in page.all("meta") if "http-equiv" in one)
    assert "worker-src" not in policy
    assert page.all("canvas") == []
    page = Page(run.report(images=(2,)).read_text("utf-8"))
    assert [one["data-role"] for one in page.all("canvas")] == ["reconstruction"]
    assert "Move the latents by hand" in page.words


def test_the_explorer_never_stops_a_report(tmp_path, monkeypatch, one_figure):
    monkeypatch.setattr("unweave.run.exploring.build", lambda *given, **named: 1 / 0)
    run = load_run(copy_of(rich(), tmp_path))
    monkeypatch.setattr(type(run), "evaluate", lambda *given, **named: None)
    page = Page(run.report(tmp_path / "page.html").read_text("utf-8"))
    assert "Left out: explorer. division by zero" in page.words
    assert scripts_of(page) == CURVES
