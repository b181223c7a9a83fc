"""How pages decode: our own runtime in plain JavaScript beside ONNX Runtime Web.

Protocol
--------
A cell is a decoder with its first weights and a way to decode it: `javascript`, our own runtime,
`onnx`, ONNX Runtime Web in one thread, or `strips`, pictures decoded ahead. Its page holds nothing
but the explorer, with 24 images to start from, and is opened from a file by headless Chromium,
anew in each round. Measured are the size of the page; the time from the begin of the navigation to
the first picture; then the time of a picture, from the move of a slider until it is drawn, of
which the best of 30 counts, since other work on the machine only adds to it; and the largest
difference of a pixel from what PyTorch gives, of 255, over the pictures that are looked at. The
median over the rounds counts.

Criteria, written before anything was measured
---------------------------------------------
1. Every page has at most 10 MB, its first picture within 2 s, and differs by at most 2 of 255.
2. Of the ways that meet these for the convolutional decoders of 64x64 pixels that most runs have,
   `burgess` and `locatello`, the default is the one with the smaller page, unless a picture takes
   more than 16 ms by it, a frame of most screens, and less than half as long by the other.
3. The other way stays for those who ask for it, and pictures decoded ahead where neither can be.

Usage
-----
    python benchmarks/explorer_ways.py --onnxruntime-web FILE --out DIR

writes `benchmarks/results/explorer_ways.md`. FILE is what `npm pack onnxruntime-web` writes;
without it the other ways alone are measured. Finished rounds stand in DIR and are not measured
again. Without --out one cell runs once, and no results are written.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from _machine import circumstances

from unweave.errors import SpecError, UnweaveError
from unweave.explorer import OnnxRuntime, Source, build, read_package
from unweave.jsonlines import append_line, read_lines
from unweave.report import explorer_page
from unweave.rundir import atomic_write
from unweave.settings import make_config

ROOT = Path(__file__).resolve().parents[1]
GREY: Final = "dsprites(grid=(3, 2, 4, 8, 8))"
COLOUR: Final = "shapes3d(grid=(2, 2, 2, 2, 3, 4))"
CELLS: Final = (
    ("burgess", GREY),
    ("locatello", COLOUR),
    ("lie_group", GREY),
    ("mpcnn", COLOUR),
    ("pbt_vae", COLOUR),
    ("montero", COLOUR),
    ("simple_conv64", COLOUR),
    ("shallow_linear", GREY),
    ("deep_linear", GREY),
    ("higgins", GREY),
)
WAYS: Final = ("javascript", "onnx", "strips")
_PICTURES = """async ([name, count]) => {
    const section = document.querySelector('section.explorer');
    const slider = section.querySelector('[data-latent]');
    const tick = () => new Promise((resolve) => {
        const channel = new MessageChannel();
        channel.port1.onmessage = resolve;
        channel.port2.postMessage(0);
    });
    let least = Infinity;
    for (let k = 0; k < count; k++) {
        const begin = performance.now();
        slider.value = Number(slider.min) + (k + 0.5) / count * (slider.max - slider.min);
        slider.dispatchEvent(new Event('input'));
        while (section.dataset.state !== 'drawn') await tick();
        least = Math.min(least, performance.now() - begin);
    }
    return least;
}"""
_LOOK = """() => {
    const canvas = document.querySelector('canvas');
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    const values = Array.from(document.querySelectorAll('[data-latent]'),
        (slider) => [Number(slider.dataset.latent), Number(slider.value)]);
    return [Array.from(data), values];
}"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description="Ways to decode in a page; see the file.")
    parser.add_argument("--out", type=Path, help="folder of finished rounds")
    parser.add_argument("--onnxruntime-web", type=Path, help="the package, a file or folder")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args(arguments)
    if not (browser := shutil.which("chromium") or shutil.which("google-chrome")):
        print("There is no Chromium, without which nothing can be measured.")
        return
    try:
        runtime = None if given.onnxruntime_web is None else read_package(given.onnxruntime_web)
        if given.out is None:
            with tempfile.TemporaryDirectory() as temporary:
                print("One cell: these figures show that everything runs, nothing else.\n")
                print(_measure(Path(temporary), CELLS[:1], 1, runtime, browser))
            return
        text = _measure(given.out, CELLS, given.rounds, runtime, browser)
    except UnweaveError as error:
        sys.exit(str(error))
    target = ROOT / "benchmarks" / "results" / "explorer_ways.md"
    with atomic_write(target) as handle:
        handle.write(text.encode())
    print(f"Wrote {target}.")


def _measure(
    out: Path,
    cells: Sequence[tuple[str, str]],
    rounds: int,
    runtime: OnnxRuntime | None,
    browser: str,
) -> str:
    from playwright.sync_api import sync_playwright

    out.mkdir(parents=True, exist_ok=True)
    lines = out / "rounds.jsonl"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for architecture, dataset in cells:
            done = [r["way"] for r in read_lines(lines) if r["architecture"] == architecture]
            missing = [way for way in WAYS if done.count(way) < rounds]
            for way, path, source, facts in _pages(architecture, dataset, missing, runtime, out):
                for _ in range(rounds - done.count(way)):
                    found = facts if path is None else facts | _round(chromium, path, source)
                    append_line(lines, {"architecture": architecture, "way": way} | found)
            print(f"{architecture} done", file=sys.stderr)
        version = chromium.version
        chromium.close()
    about = [*circumstances(), ("browser", f"headless Chromium {version}")]
    about.append(("other work on the machine", f"a load of {os.getloadavg()[2]:.1f} processes"))
    if runtime is not None:
        about.append(("ONNX Runtime Web", runtime.version))
    return _table(read_lines(lines), about)


def _pages(
    architecture: str,
    dataset: str,
    ways: Sequence[str],
    runtime: OnnxRuntime | None,
    out: Path,
) -> Iterator[tuple[str, Path | None, Source, dict[str, Any]]]:
    """The page of each way, or None with the reason."""
    config = make_config(dataset, "vae", steps=1, architecture=architecture)
    generator = torch.Generator().manual_seed(0)
    plan = config.objective.expand()
    model = plan.make_model(config.setup, config.likelihood, generator).eval()
    source = Source(out, config, model, config.dataset.open(), 0)
    for way in ways:
        if way == "onnx" and runtime is None:
            continue
        try:
            made = build(source, decoder=way, runtime=runtime)
        except SpecError as error:
            yield way, None, source, {"reason": str(error)}
            continue
        path = out / f"{architecture}-{way}.html"
        path.write_text(explorer_page(made.decoder, made.content, architecture), "utf-8")
        facts = {"bytes": path.stat().st_size, "weights": made.content.get("rounding", "")}
        yield way, path, source, facts


def _round(chromium: Any, path: Path, source: Source) -> dict[str, Any]:
    """Seconds to the first picture, milliseconds a picture, and the largest difference."""
    page = chromium.new_page()
    try:
        page.goto(path.resolve().as_uri())
        page.wait_for_selector("body[data-ready=true]", state="attached", timeout=120_000)
        seconds = page.evaluate("performance.now()") / 1000
        strips = page.get_attribute("section.explorer", "data-decoder") == "strips"
        differences = [] if strips else [_difference(page, source)]
        milliseconds = page.evaluate(_PICTURES, ["", 30])
        if not strips:
            differences.append(_difference(page, source))
    finally:
        page.close()
    largest = max(differences) if differences else None
    return {"seconds": seconds, "milliseconds": milliseconds, "difference": largest}


def _difference(page: Any, source: Source) -> float:
    data, values = page.evaluate(_LOOK)
    height, width, channels = source.config.dataset.image_shape
    code = torch.zeros(1, source.model.latents)
    for latent, value in values:
        code[0, latent] = value
    with torch.inference_mode():
        want = source.model.likelihood.mean(source.model.decode(code))[0].permute(1, 2, 0).numpy()
    found = np.array(data, np.float64).reshape(height, width, 4)[..., :channels]
    return float(np.abs(found - 255 * want).max())


def _table(rows: Sequence[dict[str, Any]], about: Sequence[tuple[str, str]]) -> str:
    text = ["# Ways to decode in a page", ""]
    text += [f"- {name}: {value}" for name, value in about]
    text += ["- protocol and criteria: the docstring of `benchmarks/explorer_ways.py`", ""]
    text += [
        "| decoder | way | weights | page, MB | first picture, s | a picture, ms | difference, "
        "of 255 |",
        "|---|---|---|---|---|---|---|",
    ]
    for architecture, _ in CELLS:
        for way in WAYS:
            found = [r for r in rows if (r["architecture"], r["way"]) == (architecture, way)]
            if not found:
                continue
            if "reason" in found[0]:
                text.append(f"| {architecture} | {way} | | does not fit | | | |")
                continue
            middle = {
                key: statistics.median(row[key] for row in found)
                for key in ("seconds", "milliseconds")
            }
            largest = [row["difference"] for row in found if row["difference"] is not None]
            cells = [architecture, way, found[0]["weights"], f"{found[0]['bytes'] / 1e6:.2f}"]
            cells += [f"{middle['seconds']:.2f}", f"{middle['milliseconds']:.1f}"]
            cells.append(f"{max(largest):.2f}" if largest else "")
            text.append(f"| {' | '.join(cells)} |")
    return "\n".join([*text, ""])


if __name__ == "__main__":
    main()
