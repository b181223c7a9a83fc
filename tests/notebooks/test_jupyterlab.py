"""The real JupyterLab on this machine: scores are seen, and the explorer's sliders work."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from explorer.pages import CHROMIUM, browser
from notebooks.test_kernel import pixels
from session.runs import copy_of, rich
from unweave import load_run

for _name in ("jupyterlab", "ipykernel", "nbformat", "playwright"):
    pytest.importorskip(_name)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
]


@pytest.fixture
def lab(tmp_path):
    """The address of a JupyterLab in a folder with a run and a notebook."""
    import nbformat

    run = load_run(copy_of(rich(), tmp_path))
    scores = run.evaluate(("mig",))
    sources = [
        "import unweave\nrun = unweave.load_run('copy')\nrun",
        "run.evaluate(('mig',))",
        "run.explorer()",
    ]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    kernel = {"kernelspec": {"name": "python3", "display_name": "python3"}}
    made = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    nbformat.write(made, tmp_path / "look.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(8)
    own = {name: str(tmp_path / "own") for name in ("JUPYTER_CONFIG_DIR", "IPYTHONDIR", "HOME")}
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1",
        f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={tmp_path}", "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    with (tmp_path / "lab.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | own)
        try:
            _wait(f"http://127.0.0.1:{port}/api?token={token}", server)
            yield f"http://127.0.0.1:{port}/lab/tree/look.ipynb?token={token}&reset", scores
        finally:
            server.terminate()
            server.wait(30)
            shutil.rmtree(tmp_path / "own", ignore_errors=True)


def _wait(address, server):
    end = time.monotonic() + 120
    while time.monotonic() < end:
        assert server.poll() is None, "JupyterLab has ended"
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError("JupyterLab does not answer")


def test_scores_and_explorer_in_jupyterlab(lab, tmp_path):
    address, scores = lab
    errors = []
    with browser() as chromium:
        page = chromium.new_page(viewport={"width": 1300, "height": 1000})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        page.locator(".jp-Notebook .jp-CodeCell").nth(2).wait_for(timeout=120_000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        frame = page.frame_locator(".jp-OutputArea iframe")
        frame.locator("body[data-ready=true]").wait_for(state="attached", timeout=180_000)
        table = page.locator(".jp-OutputArea .unweave-shown", has_text="protocol unweave")
        assert f"{scores['mig'].value:.4f}" in table.first.inner_text()
        before = pixels(frame)
        # A real hand: the key moves the slider that has the focus.
        slider = frame.locator("[data-latent='0']")
        slider.focus()
        for _ in range(3):
            page.keyboard.press("PageUp")
        frame.locator("section.explorer[data-state=drawn]").wait_for(timeout=60_000)
        assert (pixels(frame) != before).any()
        if folder := os.environ.get("UNWEAVE_SCREENSHOTS"):
            page.screenshot(path=f"{folder}/jupyterlab.png")
        assert errors == []
