"""Several runs on one page: what is compared, what is refused, and what the page has."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import unweave
from comparison.altered import ORDER, SIGNS, altered, base, give_scores, shaken, turned
from report.pages import Page
from session.runs import cli, document, listing, paragraph
from unweave.comparison.figures import walk_figures
from unweave.comparison.wording import seed_sentences
from unweave.errors import RunError, SpecError
from unweave.pictures import reconstruct


@pytest.fixture(scope="module")
def compared():
    return unweave.compare_runs([base(), turned(), shaken()])


@pytest.fixture(scope="module")
def page(compared, tmp_path_factory):
    path = compared.report(tmp_path_factory.mktemp("page") / "page.html")
    return Page(path.read_text(encoding="utf-8"))


def copies(tmp_path):
    """Runs that a test may change."""
    return [Path(shutil.copytree(run(), tmp_path / run().name)) for run in (base, turned, shaken)]


# What is compared


def test_a_run_turned_around_is_matched_exactly(compared):
    match = compared.matches[0].matching
    assert [(pair.first, pair.second) for pair in match.pairs] == sorted(
        (first, second) for second, first in enumerate(ORDER)
    )
    for pair in match.pairs:
        assert pair.correlation == pytest.approx(SIGNS[pair.second], abs=1e-6)


def test_walks_of_matched_latents_show_the_same_images(compared, monkeypatch):
    shown = []
    monkeypatch.setattr("unweave.plots.image_blocks", shown.append)
    walk_figures(compared.matches[:1], compared.dataset, 10, 7)
    blocks = [block for figure in shown for block in figure]
    assert len(blocks) == 4
    for block in blocks:
        own, other = block.images
        assert np.abs(own.astype(int) - other).max() <= 1
        # Something happens in each row.
        assert len({row.tobytes() for row in own}) > 1
    upside_down = {f"\N{MINUS SIGN}z{k}" for k, sign in enumerate(SIGNS) if sign < 0}
    names = [block.names[1].split()[1] for block in blocks]
    assert {name for name in names if not name.startswith("z")} == upside_down
    assert blocks[0].heads[0] == "2.5 %"


def test_a_latent_that_is_switched_off_is_told_and_not_matched(compared):
    match = compared.matches[1]
    assert not match.matching.used[1][3]
    assert len(match.matching.pairs) == 3
    assert 3 not in {pair.second for pair in match.matching.pairs}
    assert match.to_dict()["unused"] == {"first": [], "second": [3]}


def test_all_reconstruct_the_same_images(compared, monkeypatch):
    shown = []
    monkeypatch.setattr("unweave.plots.image_blocks", shown.extend)
    from unweave.comparison.figures import images_figure

    images_figure(compared.runs, compared.dataset, {})
    (block,) = shown
    assert block.names == ["original", "A  base", "B  turned", "C  shaken"]
    run = unweave.load_run(shaken())
    from unweave.comparison.figures import shown_images

    flat = shown_images(compared.runs[0], compared.dataset)[:10]
    originals, decoded = reconstruct(run.model, run.dataset, flat)
    np.testing.assert_array_equal(block.images[0], originals)
    np.testing.assert_array_equal(block.images[3], decoded)


def test_what_differs_and_which_runs_are_a_group(compared):
    found = {s.name: s.values for s in compared.differing.settings}
    assert found == {"batch_size": (4, 4, 8), "seed": (3, 4, 3)}
    assert compared.groups == ((0, 1), (2,))


def test_the_same_runs_give_the_same_bytes(tmp_path):
    pages = [
        unweave.compare_runs([base(), shaken()]).report(tmp_path / name).read_bytes()
        for name in ("a.html", "b.html")
    ]
    assert pages[0] == pages[1]
    assert str(tmp_path).encode() not in pages[0]
    assert os.environ["UNWEAVE_RUNS"].encode() not in pages[0]


# The page


def test_the_page_stands_alone(page):
    assert not [at for tag, at in page.elements if tag in ("script", "link") and "data" not in
                at.get("href", "")]  # fmt: skip
    sources = [image["src"] for image in page.all("img")]
    assert len(sources) == 6
    for source in sources:
        kind, content = source.split(",", 1)
        assert kind == "data:image/png;base64"
        Image.open(io.BytesIO(base64.b64decode(content))).verify()
    assert all(image["alt"] for image in page.all("img"))
    anchors = {at["id"] for _, at in page.elements if "id" in at}
    links = [at["href"] for at in page.all("a")]
    assert links
    assert all(link.startswith("#") and link[1:] in anchors for link in links)


def test_the_page_has_all_parts(page):
    assert list(page.sections) == [
        "Runs", "Scores", "The same images", "Latents matched", "Training", "How to reproduce",
    ]  # fmt: skip
    runs = page.sections["Runs"]
    assert "But for their seed, A and B are the same training." in runs
    assert ["batch_size", "4", "4", "8"] in page.rows
    assert ["seed", "3", "4", "3"] in page.rows
    assert f"All share dataset {unweave.load_run(base()).config.dataset}" in runs
    assert "unweave train" in page.sections["How to reproduce"]


def test_runs_of_one_seed_are_told():
    again = altered(base(), "again", lambda state: None)
    sentences = seed_sentences(unweave.compare_runs([base(), again, shaken()]))
    assert sentences == [
        "But for their seed, A and B are the same training. A and B share a seed, too: their mean "
        "is none over seeds."
    ]


def test_scores_on_the_page(page):
    rows = [row for row in page.rows if row and row[0].startswith("mig")]
    mean = "0.2000.100 and 0.300"
    assert rows == [["mig \N{UPWARDS ARROW}", "0.100", "0.300", "0.600", mean]]
    assert ["metric", "Abase", "Bturned", "Cshaken", "A, Bmean over seeds"] in page.rows
    assert "Protocol unweave/1" in page.sections["Scores"]


def test_latents_on_the_page(page):
    words = page.sections["Latents matched"]
    assert "Not in use, and so not matched: z3 of C" in words
    first = {row[0]: row for row in page.rows if len(row) == 7 and row[0].startswith("z")}
    assert {row[2] for row in first.values()} >= {"scale", "pos_x"}
    assert ["B turned", "4 and 4", "4", "4", "1.00"] in page.rows


# Runs that do not fit together


def test_runs_of_other_images_are_left_out_and_told(tmp_path):
    (other,) = copies(tmp_path)[2:]
    config = document(other / "config.json")
    config["dataset"] |= {"grid": [3, 2, 4, 4, 2]}
    config["text"]["dataset"] = "dsprites(grid=(3, 2, 4, 4, 2))"
    (other / "config.json").write_text(json.dumps(config))
    give_scores(other, 0.6, data="dsprites(grid=(3, 2, 4, 4, 2))")
    found = unweave.compare_runs([base(), other])
    page = Page(found.report(tmp_path / "p.html").read_text(encoding="utf-8"))
    # Images of the same shape are shown to both, which is said; scores are not put side by side.
    assert found.scored.tables == ()
    assert [each.run for each in found.scored.apart] == [0, 1]
    assert "No two runs were scored under the same circumstances" in page.words
    assert "B was trained on other data" in page.words
    assert len(found.matches) == 1


def test_a_run_of_images_of_another_shape(tmp_path):
    from session.runs import train

    folder = tmp_path / "colour"
    colour = "color_dsprites(data=dsprites(grid=(1, 1, 2, 2, 2)))"
    assert train(folder, "vae", dataset=colour, steps=1, latents=4).code == 0
    give_scores(folder, 0.2, data=colour, step=1)
    found = unweave.compare_runs([base(), folder, turned()])
    assert found.left_out.keys() == {"latents of B"}
    assert "images of shape" in found.left_out["latents of B"]
    assert [match.second.run.letter for match in found.matches] == ["C"]
    page = Page(found.report(tmp_path / "p.html").read_text(encoding="utf-8"))
    assert "Left out: latents of B and reconstructions of B" in page.words
    # Which one is named first changes nothing: the images are those that most runs can be shown.
    result = cli("report", folder, base(), turned(), "--out", tmp_path / "first.html", "--json")
    assert result.json["left_out"].keys() == {"latents of A", "reconstructions of A"}
    assert [(m["first"], m["second"]) for m in result.json["matches"]] == [("B", "C")]
    assert result.err.count("Left out: ") == 1
    assert "Left out: latents of A, reconstructions of A. " in result.err
    page = Page((tmp_path / "first.html").read_text(encoding="utf-8"))
    assert (
        "Most runs were trained on images of 64x64x1, so images of that shape are shown. A was "
        "not, and is left out here." in page.words
    )
    # Of shapes that equally many have, the first run's goes before.
    found = unweave.compare_runs([folder, base()])
    assert found.left_out.keys() == {"latents of B"}
    assert found.matches == ()


def test_a_decoder_alone_renders_and_has_no_latents_to_match(tmp_path):
    from session.runs import train
    from unweave.scores import load_scores

    folder = tmp_path / "decoder"
    data = str(unweave.load_run(base()).config.dataset)
    assert train(folder, "ground_truth_decoder", dataset=data, steps=1).code == 0
    found = unweave.compare_runs([folder, base(), turned()])
    assert {row["metric"] for row in load_scores(folder)} == {"test_losses"}
    assert "decoder" in found.left_out["latents of A"]
    # The first run that has latents is what others are matched with.
    assert [(m.first.run.letter, m.second.run.letter) for m in found.matches] == [("B", "C")]
    page = Page(found.report(tmp_path / "p.html").read_text(encoding="utf-8"))
    assert "A renders the true factors of each image; the others see it." in page.words


def test_decoders_alone_are_compared_by_what_they_render(tmp_path):
    from session.runs import train

    data = str(unweave.load_run(base()).config.dataset)
    places = [tmp_path / f"decoder-{seed}" for seed in (0, 1)]
    for seed, place in enumerate(places):
        made = train(place, "ground_truth_decoder", dataset=data, steps=1, seed=seed)
        assert made.code == 0
    found = unweave.compare_runs(places)
    assert found.matches == ()
    page = Page(found.report(tmp_path / "p.html").read_text(encoding="utf-8"))
    assert "A and B render the true factors of each image." in page.words
    assert "Latents matched" not in page.sections


# The command


def test_the_command(tmp_path):
    out = tmp_path / "page.html"
    result = cli("report", base(), turned(), shaken(), "--out", out, "--json")
    assert result.code == 0, result.err
    value = result.json
    assert value["report"] == str(out)
    assert value["left_out"] == {}
    assert [run["letter"] for run in value["runs"]] == ["A", "B", "C"]
    assert value["groups"] == [["A", "B"], ["C"]]
    assert value["differing"]["batch_size"] == {"A": 4, "B": 4, "C": 8}
    assert value["scores"][0]["values"]["B"] == {"value": 0.3, "low": None, "high": None}
    assert value["scores"][0]["means"][0]["mean"] == pytest.approx(0.2)
    assert [match["second"] for match in value["matches"]] == ["B", "C"]
    assert len(value["matches"][0]["pairs"]) == 4
    # A page of such runs is written anew.
    again = cli("report", base(), turned(), shaken(), "--out", out)
    assert (again.code, again.out.strip()) == (0, str(out))


def test_the_default_file_stands_for_the_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def written(comparison, path):
        path.write_text("unweave, comparison of runs")
        return path

    monkeypatch.setattr("unweave.comparison.page.write_page", written)
    first, second, third = (
        cli("report", *runs, "--json").json["report"]
        for runs in ((base(), turned()), (base(), turned()), (base(), shaken()))
    )
    assert re.fullmatch(r"comparison-[0-9a-f]{8}\.html", first)
    assert first == second != third
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([first, third])


def test_pages_stay_small_enough_to_be_mailed(tmp_path, compared, monkeypatch):
    asked = []

    def walks(matches, dataset, rows, columns):
        asked.append((rows, columns))
        return walk_figures(matches, dataset, rows, columns)

    monkeypatch.setattr("unweave.comparison.page.walk_figures", walks)
    monkeypatch.setattr("unweave.comparison.page._WALKS", ((4, 5), (2, 3), (1, 3)))
    compared.report(tmp_path / "a.html")
    assert asked == [(4, 5)]
    asked.clear()
    monkeypatch.setattr("unweave.comparison.page.MAILABLE", 0)
    compared.report(tmp_path / "b.html")
    assert asked == [(4, 5), (2, 3), (1, 3)]
    assert (tmp_path / "b.html").stat().st_size < (tmp_path / "a.html").stat().st_size


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--without-explorer"], ("--without-explorer", "name one run")),
        (["--decoder", "strips"], ("no explorer", "--decoder")),
        (["--start-images", "3"], ("--start-images",)),
        (["--onnxruntime-web", "x"], ("--onnxruntime-web",)),
        (["--out", "page.txt"], ("end in .html", "page.txt")),
        (["--out", "mine.html"], ("mine.html", "no comparison of runs", "remove this one")),
        (["--out", "folder.html"], ("folder.html is a folder",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_refused_before_any_work(tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.html").write_text("<p>My notes.</p>")
    (tmp_path / "folder.html").mkdir()
    before = listing(tmp_path), listing(base()), listing(turned())
    paragraph(cli("report", base(), turned(), *arguments), *words)
    assert (listing(tmp_path), listing(base()), listing(turned())) == before


def test_runs_that_are_refused(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    paragraph(cli("report", base(), empty), "empty", "not a run folder")
    paragraph(cli("report", base(), tmp_path / "nowhere"), "nowhere", "does not exist")
    twice = base().parent / ".." / base().parent.name / base().name
    paragraph(cli("report", base(), twice), "given twice")
    (unfinished,) = copies(tmp_path)[:1]
    shutil.rmtree(unfinished / "checkpoint")
    paragraph(cli("report", turned(), unfinished), "no weights", "leave it out")
    with pytest.raises(RunError, match=r"at least 2 runs, not 1\. .*run\.report"):
        unweave.compare_runs([base()])
    with pytest.raises(RunError, match=r"at most 12 .*unweave results"):
        unweave.compare_runs([base()] * 13)
    with pytest.raises(SpecError, match="images must be at least 2"):
        unweave.compare_runs([base(), turned()], images=1)


def test_a_name_that_several_folders_have(tmp_path):
    places = [tmp_path / word / "run" for word in ("left", "right")]
    for place, run in zip(places, (base(), turned()), strict=True):
        shutil.copytree(run, place)
    assert [each.name for each in unweave.compare_runs(places).runs] == ["left/run", "right/run"]
