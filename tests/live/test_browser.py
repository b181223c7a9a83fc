"""The page as headless Chromium draws it."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from live.serving import serving
from session.runs import MINI, TINY
from unweave import train

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
]


def drawn(url, tmp_path, width=1200):
    """The document once its scripts have run."""
    command = [
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--window-size={width},1600",
        f"--user-data-dir={tmp_path / 'browser'}", "--virtual-time-budget=6000",
        "--timeout=60000", "--dump-dom", url,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=240).stdout


def test_curves_state_and_reconstructions_are_on_the_page(tmp_path):
    out = tmp_path / "runs" / "mine"
    train(MINI, "factor_vae(gamma=4)", steps=20, out=out, log_every=2, **TINY)
    with serving(out) as server:
        page = drawn(server.url, tmp_path)
    assert '<h1 id="title">mine</h1>' in page
    assert "step 20 of 20" in page
    assert 'class="state finished"' in page
    titles = re.findall(r'<span class="name">([^<]+)</span>', page)
    for name in ("Loss", "Loss of discriminator", "reconstruction", "KL of each latent", "Speed"):
        assert name in titles
    # One line for each latent, and each with a point for each record.
    kl = page[page.index("KL of each latent") :]
    paths = re.findall(r'class="curve [^"]+" d="([^"]+)"', kl[: kl.index("</svg>")])
    assert len(paths) == 10
    assert all(len(re.findall("[ML]", path)) == 10 for path in paths)
    assert "picture.png?run=&amp;name=&amp;step=20" in page
    assert "NaN" not in page
    assert "undefined" not in page


def test_runs_of_a_folder_are_on_the_page(tmp_path):
    root = tmp_path / "runs"
    for seed in (0, 1):
        train(MINI, "vae", steps=2, out=root / f"seed-{seed}", seed=seed, log_every=2, **TINY)
    with serving(root) as server:
        page = drawn(server.url, tmp_path, width=500)
    assert "2 runs: 2 finished" in page
    for seed in (0, 1):
        assert f'href="?run=seed-{seed}"' in page
