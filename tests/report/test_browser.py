"""Curves and maps of a report in headless Chromium, from a file: mouse, fingers, keys, paper."""

from __future__ import annotations

import contextlib
import json
import math
import re

import numpy as np
import pytest

from explorer.pages import CHROMIUM, browser
from report.conftest import CONFIG, SCORE, write
from unweave.report import write_report

pytest.importorskip("playwright")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
    # Playwright leaves its event loop to the interpreter.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

WIDTHS = {"desktop": (1200, 900), "phone": (390, 800)}
STEPS = range(50, 3001, 50)
TIP = re.compile(r"step ([\d,]+): (?:(\S+) )?(-?[\d,.]+(?:e[-+]\d+)?)( nats| images/s)?")
DCI = SCORE | {"metric": "dci", "parts": {}, "matrix": SCORE["matrix"] | {
    "values": [[0.5, 0.25, 0.125], [0.25, 0.75, 0.0625], [0.375, 0.5, 0.875]],
    "label": "importance",
}}  # fmt: skip


def record(step):
    """A line of means: a start that stands far out, and a term that is negative."""
    draw = np.random.default_rng(step).normal(size=8)
    raw = {"reconstruction": 90 + 1500 * math.exp(-step / 60) + draw[0],
           "total_correlation": 1 + abs(draw[1]), "novel": -0.25 + 0.01 * draw[2]}  # fmt: skip
    weighted = raw | {"total_correlation": 6 * raw["total_correlation"]}
    return {
        "event": "train", "step": step, "images_per_second": 2000 + draw[3], "lr": 1e-3 / step,
        "loss": {"model": sum(weighted.values()), "discriminator": 0.7 + 0.01 * draw[4]},
        "raw": raw, "weighted": weighted, "kl": [2.5 + draw[5], 0.001, 1 + abs(draw[6])],
    }  # fmt: skip


def scores(step):
    return {"event": "scores", "step": step, "samples": 100,
            "scores": {"mig": step / 6000, "dci": 0.5 - step / 12000}}  # fmt: skip


def rows():
    for step in STEPS:
        yield record(step)
        if step % 1000 == 0:
            yield scores(step)


ROWS = list(rows())


def logged(title, name, step):
    """What a chart must tell of a step, from the rows themselves."""
    event = "scores" if title == "Scores" else "train"
    (row,) = (row for row in ROWS if row["step"] == step and row["event"] == event)
    if title == "Scores":
        return row["scores"][name]
    if title == "KL of each latent":
        return row["kl"][int(name[1:])]
    if title == "The loss and its weighted terms":
        return row["loss"]["model"] if name == "loss" else row["weighted"][name]
    plain = {"Loss": row["loss"]["model"], "Loss of discriminator": row["loss"]["discriminator"],
             "Learning rate": row["lr"], "Speed": row["images_per_second"]}  # fmt: skip
    if title in plain:
        return plain[title]
    return row["weighted" if name == "weighted" else "raw"][title]


TITLES = ["Loss", "Loss of discriminator", "reconstruction", "total_correlation", "novel",
          "The loss and its weighted terms", "KL of each latent", "Scores", "Learning rate",
          "Speed"]  # fmt: skip


@pytest.fixture(scope="module")
def chromium():
    with browser() as launched:
        yield launched


@pytest.fixture
def path(run):
    """A page of 60 records and three times scores."""
    write(run, "config.json", CONFIG | {"phases": [{"start": 1500, "values": {}}]})
    write(run, "scores.json", {"format": 1, "scores": [SCORE, DCI]})
    text = "".join(json.dumps(row) + "\n" for row in ROWS)
    (run / "metrics.jsonl").write_text(text, encoding="utf-8")
    return write_report(run)


@contextlib.contextmanager
def opened(chromium, path, size="desktop", **options):
    """The page; at the end nothing has been asked for, and nothing stood in the console."""
    width, height = WIDTHS[size]
    context = chromium.new_context(viewport={"width": width, "height": height}, **options)
    page, noise, address = context.new_page(), [], path.resolve().as_uri()
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("request", lambda request: noise.append(request.url))
    try:
        page.goto(address)
        if options.get("java_script_enabled", True):
            page.wait_for_selector("[data-curves][data-state=drawn]", timeout=60_000)
        yield page
        asked = [each for each in noise if each != address and not each.startswith("data:")]
        assert asked == []
    finally:
        context.close()


def chart(page, title):
    return page.locator(".u-chart").filter(has=page.locator(f"h3 .name:text-is('{title}')"))


def plot(page, title):
    found = chart(page, title).locator(".u-plot")
    found.scroll_into_view_if_needed()
    return found, found.bounding_box()


def tip(page, title):
    """Step, name of the curve and value of the words beside the pointer."""
    step, name, value, _ = TIP.fullmatch(
        chart(page, title).locator(".u-tip").inner_text()
    ).groups()
    return int(step.replace(",", "")), name, float(value.replace(",", ""))


def drag(page, box, begin, end):
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + begin * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + (begin + end) / 2 * box["width"], y)
    page.mouse.move(box["x"] + end * box["width"], y)
    page.mouse.up()


def steps_shown(page):
    first, last = page.locator(".u-tools input[type=number]").all()
    return int(first.input_value()), int(last.input_value())


@pytest.mark.parametrize("size", WIDTHS)
def test_charts_tell_the_logged_values(chromium, path, size):
    with opened(chromium, path, size) as page:
        assert page.locator(".u-chart h3 .name").all_inner_texts() == TITLES
        told = set()
        for title in TITLES:
            _, box = plot(page, title)
            for across, down in ((0.35, 0.2), (0.62, 0.5), (0.97, 0.8)):
                page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
                step, name, value = tip(page, title)
                assert value == pytest.approx(logged(title, name, step), rel=1e-5)
                told.add((title, name, step))
                if name is not None:
                    # The legend tells all curves at this step, to fewer digits.
                    button = chart(page, title).locator("button").filter(has_text=name).first
                    assert button.inner_text().startswith(name)
            assert len({step for which, _, step in told if which == title}) == 3
        # The nearest curve is told: not always the same.
        assert len({name for title, name, _ in told if title == "KL of each latent"}) > 1
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[size][0]


def test_a_path_has_a_point_for_each_record_and_phases_are_marked(chromium, path):
    with opened(chromium, path) as page:
        for title, count in (("KL of each latent", 3), ("Loss", 1), ("total_correlation", 2)):
            paths = [each.get_attribute("d") for each in chart(page, title).locator("path").all()]
            assert [len(re.findall("[ML]", path)) for path in paths] == [len(STEPS)] * count
        assert chart(page, "Scores").locator("path").count() == 2
        assert page.locator(".phase").count() == len(TITLES)
        # A start that would flatten the rest is cut, which the chart says.
        assert "\N{UPWARDS ARROW} from 7" in chart(page, "reconstruction").inner_text()
        assert chart(page, "novel").locator("text", has_text="from").count() == 0


def test_the_legend_switches_curves(chromium, path):
    with opened(chromium, path) as page:
        kl = chart(page, "KL of each latent")
        button = kl.get_by_role("button", name=re.compile("^z2"))
        assert button.get_attribute("aria-pressed") == "true"
        button.click()
        assert button.get_attribute("aria-pressed") == "false"
        assert kl.locator("path").count() == 2
        assert button.locator(".value").inner_text() == ""
        button.press("Enter")
        assert kl.locator("path").count() == 3
        kl.get_by_role("button", name=re.compile("^z0")).dblclick()
        assert kl.locator("path").count() == 1
        assert kl.locator("button[aria-pressed=true]").all_inner_texts()[0].startswith("z0")
        _, box = plot(page, "KL of each latent")
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 5)
        assert tip(page, "KL of each latent")[1] == "z0"
        terms = chart(page, "The loss and its weighted terms")
        terms.get_by_role("button", name="None").click()
        assert terms.locator("path").count() == 0
        assert "No curve is switched on." in terms.inner_text()
        terms.get_by_role("button", name="All").click()
        assert terms.locator("path").count() == 4
        # Other charts keep theirs.
        assert chart(page, "total_correlation").locator("path").count() == 2


def test_a_part_of_the_training_is_shown_in_all_charts(chromium, path):
    with opened(chromium, path) as page:
        assert steps_shown(page) == (50, 3000)
        whole = page.get_by_role("button", name="Whole training")
        assert whole.is_disabled()
        found, box = plot(page, "Loss")
        drag(page, box, 0.5, 0.75)
        first, last = steps_shown(page)
        assert 1000 < first < 1700 < 2000 < last < 2500
        for title in ("Loss", "KL of each latent"):
            _, box = plot(page, title)
            for across in (0.2, 0.98):
                page.mouse.move(box["x"] + across * box["width"], box["y"] + box["height"] / 2)
                step, name, value = tip(page, title)
                assert first - 50 <= step <= last + 50
                assert value == pytest.approx(logged(title, name, step), rel=1e-5)
        found.dblclick()
        assert steps_shown(page) == (50, 3000)
        # The same with numbers, and back with the button.
        page.get_by_label("Steps", exact=True).fill("1000")
        page.get_by_label("Steps", exact=True).press("Enter")
        assert steps_shown(page) == (1000, 3000)
        page.get_by_label("to", exact=True).fill("1200")
        page.get_by_label("to", exact=True).press("Enter")
        assert steps_shown(page) == (1000, 1200)
        whole.click()
        assert steps_shown(page) == (50, 3000)
        # A click alone changes nothing.
        found.click()
        assert steps_shown(page) == (50, 3000)


def test_keys_go_from_record_to_record_and_zoom(chromium, path):
    with opened(chromium, path) as page:
        found, _ = plot(page, "Loss")
        found.focus()
        for key, step in (("ArrowLeft", 3000), ("ArrowLeft", 2950), ("PageUp", 2450),
                          ("ArrowRight", 2500), ("Home", 50), ("End", 3000),
                          ("PageUp", 2500)):  # fmt: skip
            found.press(key)
            assert tip(page, "Loss")[0] == step
            told = found.get_attribute("aria-valuetext")
            assert told.startswith(f"step {step:,}: ")
            value = float(re.search(r": ([\d.,]+) nats", told)[1].replace(",", ""))
            assert value == pytest.approx(logged("Loss", None, step), rel=1e-5)
            assert found.get_attribute("aria-valuenow") == str(step)
        found.press("+")
        first, last = steps_shown(page)
        assert first > 800
        assert last - first == pytest.approx(2940 / 2, rel=0.2)
        assert first < 2500 < last
        found.press("-")
        found.press("-")
        assert steps_shown(page) == (50, 3000)
        found.press("+")
        found.press("0")
        assert steps_shown(page) == (50, 3000)


def test_logarithmic_scales_where_values_are_positive(chromium, path):
    with opened(chromium, path) as page:
        before = chart(page, "reconstruction").locator("path").get_attribute("d")
        page.get_by_label("log values").check()
        assert chart(page, "reconstruction").locator("path").get_attribute("d") != before
        ticks = chart(page, "Learning rate").locator("text[text-anchor=end]").all_text_contents()
        values = [float(text) for text in ticks if "e" in text]
        assert len(values) >= 2
        assert (np.diff(np.log10(values)) > 0.2).all()
        # A cut is not needed, and what is not positive stays as it was, which it says.
        assert chart(page, "reconstruction").locator("text", has_text="from").count() == 0
        assert "linear, as values are not all positive" in chart(page, "novel").inner_text()
        page.get_by_label("log steps").check()
        _, box = plot(page, "Loss")
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        step, name, value = tip(page, "Loss")
        # The middle of 50 to 3000 by their logarithms is 387.
        assert 250 <= step <= 600
        assert value == pytest.approx(logged("Loss", name, step), rel=1e-5)


def test_fingers_read_values_and_zoom(chromium, path):
    with opened(chromium, path, "phone", has_touch=True, is_mobile=True) as page:
        _, box = plot(page, "Loss")
        x, y = box["x"] + 0.7 * box["width"], box["y"] + box["height"] / 2
        page.touchscreen.tap(x, y)
        step, name, value = tip(page, "Loss")
        assert value == pytest.approx(logged("Loss", name, step), rel=1e-5)
        assert 1500 < step < 2500
        session = page.context.new_cdp_session(page)
        for kind, apart in (("touchStart", 30), ("touchMove", 60), ("touchMove", 90)):
            points = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart / 3, "y": y, "id": 1}]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        first, last = steps_shown(page)
        assert last - first == pytest.approx(2950 / 3, rel=0.25)
        assert first < step < last
        assert page.evaluate("visualViewport.scale") == 1
        page.get_by_role("button", name="Whole training").tap()
        assert steps_shown(page) == (50, 3000)


def test_maps_are_read_cell_by_cell(chromium, path):
    with opened(chromium, path) as page:
        table = page.get_by_role("grid", name="Importance of each latent for each factor")
        told = page.locator(".map-of", has=page.locator("[data-map=dci]")).locator(".map-told")
        assert told.inner_text().startswith("Point at a cell")
        cell = table.get_by_role("gridcell").nth(4)
        cell.hover()
        assert told.inner_text() == "z1 and scale, importance: 0.75, the most of all latents"
        page.mouse.move(1, 1)
        assert told.inner_text().startswith("Point at a cell")
        # One stop of the tabulator, and from there by arrows.
        assert table.locator("[tabindex='0']").count() == 1
        table.get_by_role("gridcell").first.focus()
        for key, words in (("ArrowRight", "z0 and scale, importance: 0.25"),
                           ("ArrowDown", "z1 and scale, importance: 0.75, the most"),
                           ("End", "z1 and position_x, importance: 0.0625"),
                           ("ArrowDown", "z2 and position_x, importance: 0.875, the most"),
                           ("ArrowDown", "z2 and position_x"),
                           ("Home", "z2 and shape, importance: 0.375"),
                           ("ArrowLeft", "z2 and shape")):  # fmt: skip
            page.keyboard.press(key)
            assert told.inner_text().startswith(words)
            assert table.locator("[tabindex='0']").count() == 1
        heads = table.get_by_role("columnheader").all_inner_texts()
        assert heads == ["latent", "shape", "scale", "position_x"]
        assert table.get_by_role("rowheader").all_inner_texts() == ["z0", "z1", "z2"]


def test_without_scripts_there_are_pictures_and_tables(chromium, path):
    with opened(chromium, path, java_script_enabled=False) as page:
        picture = page.get_by_role("heading", name="KL of each latent during training")
        assert picture.is_visible()
        assert page.locator(".u-chart").count() == 0
        assert page.locator("[data-map=mig] td.best").count() == 3
        assert page.get_by_role("cell", name="0.12 most").is_visible()
    with opened(chromium, path) as page:
        assert page.get_by_role("heading", name="KL of each latent during training").count() == 0


@pytest.mark.parametrize("size", WIDTHS)
def test_every_control_has_a_name_and_every_id_is_one(chromium, path, size):
    with opened(chromium, path, size) as page:
        nameless = page.evaluate("""() => {
            const given = (e) => e.getAttribute('aria-label') || e.textContent.trim()
                || Array.from(e.labels || [], (label) => label.textContent.trim()).join(' ');
            const controls = 'a, button, input, select, summary, [tabindex], [role=slider]';
            return Array.from(document.querySelectorAll(controls)).filter((e) => !given(e))
                .map((e) => e.outerHTML.slice(0, 200));
        }""")
        assert nameless == []
        ids = page.evaluate("Array.from(document.querySelectorAll('[id]'), (e) => e.id)")
        assert len(ids) == len(set(ids))
        described = page.evaluate("""Array.from(document.querySelectorAll('[aria-describedby]'),
            (e) => document.getElementById(e.getAttribute('aria-describedby')) !== null)""")
        assert len(described) == len(TITLES)
        assert all(described)
        for slider in page.get_by_role("slider").all():
            low, now, high = (
                int(slider.get_attribute(f"aria-value{end}")) for end in ("min", "now", "max")
            )
            assert low <= now <= high
        # Targets of fingers are large enough: 24 pixels at least, by WCAG 2.2.
        small = page.evaluate("""Array.from(document.querySelectorAll(
            '.u-board button, .u-board input[type=number], .u-board label.check'))
            .filter((e) => e.getBoundingClientRect().height < 24).map((e) => e.textContent)""")
        assert small == []


def test_words_can_be_read_light_and_dark(chromium, path):
    contrast = """() => {
        const level = (colour) => {
            const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map((v) => v / 255)
                .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const style = (one) => getComputedStyle(document.querySelector(one));
        const sheet = level(style('.u-chart').backgroundColor);
        const against = (colour) => {
            const [high, low] = [level(colour), sheet].sort((a, b) => b - a);
            return (high + 0.05) / (low + 0.05);
        };
        return {sheet, ink: against(style('.u-chart h3').color),
            now: against(style('.u-chart .now').color), tick: against(style('.u-plot .tick').fill),
            legend: against(style('.u-legend button').color),
            curves: ['.c0', '.c1', '.c2', '.off'].map((c) => against(style(`.curve${c}`).stroke))};
    }"""
    for scheme in ("light", "dark"):
        with opened(chromium, path, color_scheme=scheme) as page:
            found = page.evaluate(contrast)
            assert (found["sheet"] > 0.9) == (scheme == "light")
            assert min(found[part] for part in ("ink", "now", "tick", "legend")) >= 4.5
            assert min(found["curves"][:3]) >= 3


def test_on_paper_there_are_curves_without_controls(chromium, path):
    with opened(chromium, path) as page:
        page.emulate_media(media="print")
        assert not page.locator(".u-tools").is_visible()
        assert chart(page, "Loss").locator("path").is_visible()
        assert page.locator("[data-map=mig]").is_visible()


def test_no_other_script_runs(chromium, path):
    """The policy of the page refuses what does not stand in it, and texts that become programs."""
    html = path.read_text("utf-8")
    more = "<script>document.body.dataset.foreign = 'ran'</script></body>"
    path.write_text(html.replace("</body>", more), "utf-8")
    context = chromium.new_context()
    try:
        page, said = context.new_page(), []
        page.on("console", lambda message: said.append(message.text))
        page.goto(path.resolve().as_uri())
        page.wait_for_selector("[data-curves][data-state=drawn]", timeout=60_000)
        assert page.get_attribute("body", "data-foreign") is None
        assert any("Content Security Policy" in text for text in said)
        assert "script-src 'sha256-" in html
        assert "unsafe-eval" not in html
    finally:
        context.close()


def test_a_board_takes_up_what_another_run_has_logged(chromium, path):
    """As the page of `unweave watch` does when a run takes the place of another one."""
    with opened(chromium, path) as page:
        found = page.evaluate("""() => {
            const place = document.body.appendChild(document.createElement("main"));
            const board = new unweaveCurves.Board(place);
            const names = () => Array.from(place.querySelectorAll(".name"), (e) => e.textContent);
            const raw = (...terms) => ({ curves: { raw: Object.fromEntries(
                terms.map((term) => [term, [[0, 3], [1, 2], [2, 1]]])) } });
            board.update(raw("one", "two"));
            const before = names();
            board.update(raw("three", "two"));
            return [before, names()];
        }""")
        assert found == [["one", "two"], ["three", "two"]]


def test_a_curve_that_has_only_step_0_is_nowhere_on_a_logarithmic_axis(chromium, path):
    with opened(chromium, path) as page:
        drawn = page.evaluate("""() => {
            const place = document.body.appendChild(document.createElement("main"));
            const board = new unweaveCurves.Board(place);
            const [early, late] = [[[0, 3]], [[0, 3], [10, 2]]];
            board.update({ curves: { raw: { early, late, whole: [[0, 1], [5, 2], [9, 3]] } } });
            place.querySelector("[data-scale=logStep]").click();
            return Array.from(place.querySelectorAll("svg svg"), (e) => e.innerHTML);
        }""")
        assert "circle" not in drawn[0]
        assert "circle" in drawn[1]
        assert drawn[2].count("L") == 1
        assert not any(word in text for text in drawn for word in ("NaN", "Infinity"))
