"""The report of runs in headless Chromium, from a file: every way to decode, hands and keys."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from explorer.pages import CHROMIUM, Browsed, browser
from session.runs import MINI, TINY
from unweave import load_run, train
from unweave.explorer import PINNED

pytest.importorskip("playwright")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
    # Playwright leaves its event loop to the interpreter.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.usefixtures("one_figure"),
]

WIDTHS = {"desktop": (1200, 900), "phone": (360, 740)}
PACKAGE = Path(
    os.environ.get("UNWEAVE_ONNXRUNTIME_WEB") or Path(sys.prefix) / f"onnxruntime-web-{PINNED}.tgz"
)
DECODERS = [
    "javascript",
    pytest.param(
        "onnx",
        marks=pytest.mark.skipif(not PACKAGE.exists(), reason="there is no onnxruntime-web"),
    ),
    "strips",
]


@pytest.fixture(scope="module")
def chromium():
    with browser() as launched:
        yield launched


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs by name, trained once."""
    made = {}

    def run(name, objective="beta_vae(beta=2)", dataset=MINI, **settings):
        if name not in made:
            out = tmp_path_factory.mktemp("explored") / name
            settings = {**TINY, "batch_size": 32, "steps": 60, **settings}
            train(dataset, objective, out=out, **settings)
            made[name] = load_run(out)
        return made[name]

    return run


def page_of(run, tmp_path, decoder="auto", **settings):
    if decoder == "onnx":
        settings["onnxruntime_web"] = PACKAGE
    path = run.report(tmp_path / "page.html", decoder=decoder, **settings)
    assert path.stat().st_size <= 10_000_000
    return path


def check(browsed, run, **settings):
    """The picture is what the model gives for what the sliders stand for."""
    want = 255 * run.decode(browsed.code()[None], **settings)[0]
    found = browsed.pixels().astype(float)
    np.testing.assert_allclose(found, np.broadcast_to(want, found.shape), atol=2, rtol=0)
    return found


@pytest.mark.parametrize("size", WIDTHS)
@pytest.mark.parametrize("decoder", DECODERS)
def test_sliders_change_the_picture_as_the_model_does(chromium, runs, tmp_path, decoder, size):
    run = runs("plain")
    path = page_of(run, tmp_path, decoder)
    width, height = WIDTHS[size]
    with Browsed(chromium, path, width, height) as browsed:
        assert browsed.decoder == decoder
        assert browsed.page.evaluate("document.documentElement.scrollWidth") <= width
        latents = list(browsed.sliders())
        assert sorted(latents) == list(range(run.config.latents))
        kl = [
            float(text.split()[-2])
            for text in browsed.page.locator("label small").all_inner_texts()
        ]
        assert kl == sorted(kl, reverse=True)
        if decoder != "strips":
            check(browsed, run)
        changed = 0
        for latent in latents[:4]:
            for part in (0, 0.3, 1):
                before = browsed.pixels()
                low, high = browsed.ends(latent)
                browsed.move(f"[data-latent='{latent}']", low + part * (high - low))
                if decoder == "strips":
                    check_strip(browsed, run, latent)
                else:
                    check(browsed, run)
                changed += (browsed.pixels() != before).any()
        assert changed >= 8
        browsed.page.click("[data-start='1']")
        if decoder != "strips":
            check(browsed, run)
            browsed.page.click("[data-action=random]")
            check(browsed, run)
        assert browsed.noise == []
    assert "http:" not in path.read_text("utf-8")


def check_strip(browsed, run, moved):
    """One slider is at one of its places, and the others are at the start."""
    content = browsed.page.evaluate(
        "JSON.parse(document.querySelector('[data-part=content]').textContent)"
    )
    code = np.array(content["starts"][0]["given"], np.float32)
    code[moved] = browsed.sliders()[moved]
    want = 255 * run.decode(code[None])[0]
    found = browsed.pixels().astype(float)
    np.testing.assert_allclose(found, np.broadcast_to(want, found.shape), atol=2, rtol=0)


@pytest.mark.parametrize("decoder", DECODERS)
def test_the_first_picture_is_there_within_two_seconds(chromium, runs, tmp_path, decoder):
    path = page_of(runs("plain"), tmp_path, decoder)
    seconds = []
    for _ in range(3):
        with Browsed(chromium, path) as browsed:
            seconds.append(browsed.seconds)
    assert min(seconds) < 2


def test_keys_and_buttons(chromium, runs, tmp_path):
    run = runs("plain")
    with Browsed(chromium, page_of(run, tmp_path)) as browsed:
        begin, picture = browsed.sliders(), browsed.pixels()
        first, second = list(begin)[:2]
        browsed.press(f"[data-latent='{first}']", "ArrowRight", "ArrowRight")
        moved = browsed.sliders()
        assert moved[first] > begin[first]
        assert {j for j in begin if moved[j] != begin[j]} == {first}
        check(browsed, run)
        browsed.press("[data-role=reconstruction]", "ArrowLeft", "ArrowUp", "Shift+ArrowUp")
        moved = browsed.sliders()
        low, high = browsed.ends(second)
        assert moved[second] == pytest.approx(min(high, begin[second] + 0.06 * (high - low)))
        check(browsed, run)
        browsed.page.select_option("[data-axis=x]", str(3))
        third = list(begin)[3]
        browsed.press("[data-role=reconstruction]", "ArrowRight")
        assert browsed.sliders()[third] != begin[third]
        # All of it can be reached by keys alone, and what has the focus can be seen.
        browsed.press("[data-action=reset]", "Enter")
        assert browsed.sliders() == begin
        np.testing.assert_array_equal(browsed.pixels(), picture)
        browsed.press("[data-action=random]", "Space")
        assert all(browsed.sliders()[j] != begin[j] for j in begin)
        check(browsed, run)
        assert browsed.noise == []


@pytest.mark.parametrize("decoder", ["javascript", "strips"])
def test_fingers_and_the_mouse_move_two_latents(chromium, runs, tmp_path, decoder):
    run = runs("plain")
    path = page_of(run, tmp_path, decoder)
    with Browsed(chromium, path, 360, 740, has_touch=True, is_mobile=True) as browsed:
        begin, picture = browsed.sliders(), browsed.pixels()
        across, up = list(begin)[:2]
        browsed.middle()
        scrolled = browsed.page.evaluate("scrollY")
        browsed.touch(40, 60)
        moved = browsed.sliders()
        assert browsed.page.evaluate("scrollY") == scrolled
        want = {up} if decoder == "strips" else {across, up}
        assert want <= {j for j in begin if abs(moved[j] - begin[j]) > 0.2}
        assert (browsed.pixels() != picture).any()
        if decoder == "javascript":
            check(browsed, run)
            box = browsed.page.locator("[data-role=reconstruction]").bounding_box()
            for latent, part in ((across, 40 / box["width"]), (up, 60 / box["height"])):
                low, high = browsed.ends(latent)
                end = min(high, begin[latent] + part * (high - low))
                assert moved[latent] == pytest.approx(end, abs=0.02 * (high - low))
        assert browsed.noise == []
    with Browsed(chromium, path) as browsed:
        begin = browsed.sliders()
        browsed.drag(-60, 0)
        assert browsed.sliders()[across] < begin[across]


def test_the_page_is_dark_where_it_is_asked_to_be(chromium, runs, tmp_path):
    path = page_of(runs("plain"), tmp_path)
    shades = {}
    for scheme in ("light", "dark"):
        with Browsed(chromium, path, color_scheme=scheme) as browsed:
            shades[scheme] = browsed.page.evaluate("""() => {
                const style = (one) => getComputedStyle(document.querySelector(one));
                const level = (colour) => colour.match(/\\d+/g).slice(0, 3)
                    .reduce((sum, n) => sum + Number(n), 0) / 765;
                return [level(style('body').backgroundColor), level(style('.explorer h2').color),
                    level(style('.x-buttons button').backgroundColor),
                    level(style('.x-buttons button').color)];
            }""")
    page, ink, button, words = zip(shades["light"], shades["dark"], strict=True)
    assert page[0] > 0.9 > 0.2 > page[1]
    assert button[0] > 0.9 > 0.2 > button[1]
    assert ink[0] < 0.2 < 0.8 < ink[1]
    assert words[0] < 0.2 < 0.8 < words[1]


@pytest.mark.parametrize("decoder", DECODERS[:2])
def test_labels_are_told(chromium, runs, tmp_path, decoder):
    run = runs("told", "cvae", latents=4)
    with Browsed(chromium, page_of(run, tmp_path, decoder)) as browsed:
        assert browsed.page.locator("select[data-label] option").all_inner_texts() == [
            "not told", "square", "ellipse", "heart",
        ]  # fmt: skip
        pictures = []
        for place, shape in ((1, "square"), (3, "heart")):
            browsed.move("select[data-label]", place)
            pictures.append(check(browsed, run, labels={"shape": shape}))
        assert (pictures[0] != pictures[1]).any()
        browsed.move("select[data-label]", 0)
        check(browsed, run)
        assert browsed.noise == []


def test_factors_are_given(chromium, runs, tmp_path):
    run = runs("given", "ground_truth_decoder", architecture="decoder_burgess")
    with Browsed(chromium, page_of(run, tmp_path)) as browsed:
        factors = {"shape": "heart", "scale": 0.8, "orientation": 1.0, "pos_x": 0.25, "pos_y": 0.6}
        options = browsed.page.locator("select[data-label] option").all_inner_texts()
        browsed.move("select[data-label]", options.index("heart"))
        for name, value in list(factors.items())[1:]:
            browsed.move(f"[data-factor={name}]", value)
        want = 255 * run.render(factors)[0]
        found = browsed.pixels().astype(float)
        np.testing.assert_allclose(found, np.broadcast_to(want, found.shape), atol=2, rtol=0)
        assert browsed.noise == []


@pytest.mark.parametrize(
    ("architecture", "decoder", "settings"),
    [
        ("lie_group(latents=(4, 6), sizes=(16, 25))", "javascript", {}),
        ("lie_group(generators=commuting)", "javascript", {}),
        ("mpcnn", "javascript", {}),
        ("pbt_vae", "javascript", {}),
        ("simple_conv64", "javascript", {}),
    ],
)
def test_decoders_of_other_kinds(chromium, runs, tmp_path, architecture, decoder, settings):
    run = runs(architecture, architecture=architecture, **{"steps": 20, **settings})
    with Browsed(chromium, page_of(run, tmp_path)) as browsed:
        assert browsed.decoder == decoder
        check(browsed, run)
        for latent in range(3):
            browsed.move(f"[data-latent='{latent}']", browsed.ends(latent)[latent % 2])
            check(browsed, run)
        # Slow decoders have gone to a worker by now, and give the same.
        browsed.page.wait_for_selector("section.explorer[data-milliseconds]")
        browsed.move("[data-latent='3']", 0.5)
        check(browsed, run)
        browsed.page.click("[data-action=random]")
        check(browsed, run)
        assert browsed.noise == []


def test_a_decoder_that_is_too_large_is_shown_as_strips(chromium, runs, tmp_path):
    colour = "shapes3d(grid=(2, 2, 2, 2, 2, 2))"
    run = runs("colour", dataset=colour, architecture="higgins", steps=2, batch_size=8)
    with Browsed(chromium, page_of(run, tmp_path)) as browsed:
        assert browsed.decoder == "strips"
        assert "weights, too many" in browsed.page.inner_text(".x-note")
        latent = next(iter(browsed.sliders()))
        browsed.move(f"[data-latent='{latent}']", browsed.ends(latent)[1])
        check_strip(browsed, run, latent)


def test_a_frame_of_another_page(chromium, runs, tmp_path):
    run = runs("plain")
    place = tmp_path / "notebook.html"
    place.write_text(f"<!DOCTYPE html><body>{run.explorer_html()}</body>", "utf-8")
    context = chromium.new_context()
    try:
        page = context.new_page()
        page.goto(place.as_uri())
        frame = page.frame_locator("iframe")
        frame.locator("body[data-ready=true]").wait_for(state="attached", timeout=60_000)
        assert frame.locator("[data-latent]").count() == run.config.latents
    finally:
        context.close()


def test_the_pinned_package_is_the_one_that_make_fetches():
    makefile = (Path(__file__).resolve().parents[2] / "Makefile").read_text("utf-8")
    assert f"ONNXRUNTIME_WEB := {PINNED}\n" in makefile
