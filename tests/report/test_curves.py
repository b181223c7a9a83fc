"""The curves on a page are those of the log, short enough to be mailed."""

from __future__ import annotations

import json
import re

import numpy as np

from report.conftest import CONFIG, METRICS, write
from report.pages import Page
from unweave.report import write_report
from unweave.report.curves import ROOM


def page_of(folder):
    return write_report(folder).read_text(encoding="utf-8")


def told(html):
    (text,) = re.findall(
        r'<script type="application/json" data-part="curves">(.*?)</script>', html
    )
    return json.loads(text)


def log(folder, rows):
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "metrics.jsonl").write_text(lines, encoding="utf-8")


def many(count, latents=10):
    """Lines of a long training whose values jump about."""
    values = np.random.default_rng(3).normal(size=(count, latents + 4)).round(12).tolist()
    return [
        {"event": "train", "step": 50 * k, "loss": {"model": line[0]},
         "raw": {"a": line[1], "b": line[2]},
         "weighted": {"a": line[1], "b": line[3]}, "kl": line[4:]}
        for k, line in enumerate(values, 1)
    ]  # fmt: skip


def test_all_that_was_logged_is_told_in_its_order(run):
    write(run, "config.json", CONFIG | {"phases": [{"start": 8000, "values": {}}]})
    found = told(page_of(run))
    curves = found["curves"]
    assert curves["loss"] == {"model": [[6000, 999.5], [12000, 112.06]],
                              "discriminator": [[12000, 0.6931]]}  # fmt: skip
    assert list(curves["raw"]) == list(METRICS[2]["raw"])
    assert curves["weighted"]["novel"] == [[12000, -2.5]]
    assert curves["kl"]["z2"] == [[6000, 0.0], [12000, 1.0]]
    assert curves["scores"] == {"mig": [[6000, 0.1111]]}
    assert found["units"] == CONFIG["units"]
    assert found["phases"] == [8000]
    # Latents keep their order, also beyond ten.
    log(run, many(3, latents=12))
    assert list(told(page_of(run))["curves"]["kl"]) == [f"z{j}" for j in range(12)]


def test_long_logs_take_little_room_and_keep_what_stands_out(run):
    rows = many(20_000)
    rows[12_345]["loss"]["model"] = 1e6
    log(run, rows)
    html = page_of(run)
    curves = told(html)["curves"]
    assert len(json.dumps(curves, separators=(",", ":"))) <= ROOM
    assert [12_346 * 50, 1e6] in curves["loss"]["model"]
    for group in curves.values():
        for points in group.values():
            assert points[-1][0] == 50 * 20_000
            assert len(points) > 200
    words = Page(html).sections["Curves"]
    assert "Of 20,000 records each curve shows at most" in words


def test_many_curves_are_thinned_until_there_is_room(run):
    log(run, many(3000, latents=250))
    curves = told(page_of(run))["curves"]
    assert len(json.dumps(curves, separators=(",", ":"))) <= ROOM
    assert len(curves["kl"]) == 250
    assert all(points[-1][0] == 150_000 for points in curves["kl"].values())


def test_values_that_are_not_finite_are_counted(run):
    assert "finite" not in Page(page_of(run)).sections["Curves"]
    log(run, [*METRICS, {"event": "train", "step": 13_000, "loss": {"model": None}, "kl": []}])
    assert "One value that is not finite is left out." in Page(page_of(run)).sections["Curves"]


def test_pictures_of_curves_are_there_for_browsers_without_scripts(run):
    html = page_of(run)
    (inside,) = re.findall(r"<noscript>(.*?)</noscript>", html, re.DOTALL)
    assert "KL of each latent during training" in inside
    assert html.count("KL of each latent during training</h3>") == 1
    (run / "figures" / "kl.png").unlink()
    assert "The curves need JavaScript" in page_of(run)
    # Without a log there is only the picture, as of a run whose log is lost.
    (run / "figures" / "kl.png").write_bytes((run / "figures" / "mig.png").read_bytes())
    (run / "metrics.jsonl").unlink()
    html = page_of(run)
    assert "<noscript>" not in html
    assert "KL of each latent during training</h3>" in html
