"""A notebook that is carried out in a fresh kernel, and read as a page of HTML in Chromium."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from explorer.pages import CHROMIUM, browser
from session.runs import MINI
from unweave.scores import load_scores

for _name in ("nbclient", "nbconvert", "ipykernel", "playwright"):
    pytest.importorskip(_name)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
    # Playwright, and the client of the kernel, leave loops and sockets to the interpreter.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
]

CELLS = [
    "import sys\nimport unweave\nfrom unweave.metrics import evaluate\n"
    "evaluate([[0, 0], [0, 1], [1, 0], [1, 1]], factor_sizes=(2, 2), metrics='mig')['mig']",
    "print([name for name in ('torch', 'matplotlib') if name in sys.modules])",
    f"data = unweave.load_dataset({MINI!r})\ndata",
    f"run = unweave.train({MINI!r}, 'beta_tcvae(beta=2)', steps=60, batch_size=16, latents=4,\n"
    "                    log_every=5, threads=1, precision='float32', out='run')\nrun",
    "scores = run.evaluate(('mig', 'sap', 'dci_lasso', 'unsupervised'))\nscores",
    "run.plot('reconstructions', 'gif_traversals')",
    "print('matplotlib.pyplot' in sys.modules)\nrun.picture('kl')",
    "import matplotlib.pyplot\nrun.picture('kl')",
    "run.picture('samples')",
    "run.picture('gif_traversals')",
    "unweave.plot_runs([run, run], 'traversals')",
    "run.config",
    "run.representation()",
    "run",
    "explorer = run.explorer()\nexplorer",
]


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """The notebook with what its cells gave, in a folder with its run."""
    import nbformat
    from nbclient import NotebookClient

    folder = tmp_path_factory.mktemp("notebook")
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    made = nbformat.v4.new_notebook(cells=cells)
    environment = {"UNWEAVE_HOME": os.environ["UNWEAVE_HOME"], "IPYTHONDIR": str(folder / "own")}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        client = NotebookClient(made, timeout=600, kernel_name=_kernel(folder, patch),
                                resources={"metadata": {"path": str(folder)}})  # fmt: skip
        client.execute()
    nbformat.write(made, folder / "notebook.ipynb")
    return folder, made


def _kernel(folder: Path, patch: pytest.MonkeyPatch) -> str:
    """The name of a kernel of this interpreter, whatever kernels the machine has."""
    place = folder / "share" / "kernels" / "tested"
    place.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": command, "display_name": "tested", "language": "python"}
    (place / "kernel.json").write_text(json.dumps(spec))
    patch.setenv("JUPYTER_PATH", str(folder / "share"))
    return "tested"


def outputs(notebook, part_of_source):
    """What the cell gave whose source has this part."""
    (cell,) = [cell for cell in notebook[1].cells if part_of_source in cell.source]
    return cell.outputs


def result(notebook, part_of_source):
    """The value of a cell, by the kinds in which it shows itself."""
    (shown,) = [o for o in outputs(notebook, part_of_source) if o.output_type == "execute_result"]
    return shown


def test_scores_alone_load_no_torch(notebook):
    (said,) = outputs(notebook, "print([name for")
    assert said.text.strip() == "[]"


def test_no_cell_is_flooded(notebook):
    for cell in notebook[1].cells:
        assert not [o for o in cell.outputs if o.output_type == "error"]
        assert [o for o in cell.outputs if o.get("name") == "stderr"] == []
        # At most a line of each piece of work, and the value.
        assert len(cell.outputs) <= 3, cell.source
    lines = [o for o in outputs(notebook, "unweave.train") if o.output_type == "display_data"]
    assert lines[-1].data["text/plain"].startswith("step 60/60")
    (line,) = [o for o in outputs(notebook, "run.evaluate") if o.output_type == "display_data"]
    assert "done in" in line.data["text/plain"]


def test_a_chart_is_shown_once_whether_or_not_pyplot_is_there(notebook):
    for source in ("matplotlib.pyplot' in", "import matplotlib.pyplot"):
        found = [o for o in outputs(notebook, source) if "image/png" in o.get("data", {})]
        assert len(found) == 1
        assert "text/html" not in found[0].data
    assert outputs(notebook, "matplotlib.pyplot' in")[0].text.strip() == "False"


def test_pictures_show_themselves(notebook):
    for source in ("run.picture('samples')", "plot_runs"):
        data = result(notebook, source).data
        assert "image/png" in data
        assert len(data["text/plain"]) < 100
    assert "data:image/gif;base64" in result(notebook, "run.picture('gif_").data["text/html"]
    paths = result(notebook, "run.plot").data["text/html"]
    assert paths.count("data:image/") == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_a_notebook(notebook, scheme):
    from nbconvert import HTMLExporter

    folder, made = notebook
    body, _ = HTMLExporter(theme=scheme).from_notebook_node(made)
    path = folder / f"{scheme}.html"
    path.write_text(body, "utf-8")
    noise, asked = [], []
    with browser() as chromium:
        page = chromium.new_context(color_scheme=scheme, viewport={"width": 1200, "height": 900})
        page = page.new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("request", lambda request: asked.append((request.frame, request.url)))
        page.goto(path.as_uri())
        rows = {row["metric"]: row for row in load_scores(folder / "run")}
        cells = page.locator(".unweave-shown tr", has=page.locator("th", has_text="dci_lasso"))
        assert f"{rows['dci_lasso']['value']:.4f}" in cells.first.inner_text()
        assert cells.first.is_visible()
        element = page.locator("iframe")
        element.scroll_into_view_if_needed()
        frame = page.frame_locator("iframe")
        frame.locator("body[data-ready=true]").wait_for(state="attached", timeout=60_000)
        before = pixels(frame)
        frame.locator("[data-latent='0']").evaluate(
            "e => { e.value = e.max; e.dispatchEvent(new Event('input', { bubbles: true })); }"
        )
        frame.locator("section.explorer[data-state=drawn]").wait_for(timeout=60_000)
        assert (pixels(frame) != before).any()
        # The page of nbconvert asks for libraries of its own; what is ours asks for nothing.
        own = [url for of, url in asked if of != page.main_frame]
        assert [url for url in own if not url.startswith(("about:", "blob:", "data:"))] == []
        assert [words for words in noise if not from_nbconvert(words)] == []
        # Words can be read on what lies behind them.
        ink, ground = page.evaluate("""() => {
            const table = document.querySelector('.unweave-shown td');
            const level = (colour) => colour.match(/[0-9.]+/g).slice(0, 3)
                .reduce((sum, n) => sum + Number(n), 0) / 765;
            return [level(getComputedStyle(table).color),
                level(getComputedStyle(document.body).backgroundColor)];
        }""")
        assert abs(ink - ground) > 0.5


def from_nbconvert(words):
    """Whether a message is of a library that nbconvert's pages fetch, which there is none of."""
    return any(part in words for part in ("ERR_", "MathJax", "mermaid", "require"))


def pixels(frame):
    found = frame.locator("[data-role=reconstruction]").evaluate("""canvas => {
        const context = canvas.getContext('2d');
        return Array.from(context.getImageData(0, 0, canvas.width, canvas.height).data);
    }""")
    return np.array(found)
