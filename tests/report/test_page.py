"""The page says what the run folder says, and needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import numpy as np
import pytest

from report.conftest import CONFIG, SCORE, STATUS, image, write
from report.pages import Page
from unweave.curves import SCRIPTS
from unweave.errors import RunError
from unweave.plots import kl_bars, save
from unweave.report import write_report
from unweave.rundir import LOCK, alone


def page_of(folder):
    return Page(write_report(folder).read_text(encoding="utf-8"))


def test_the_page_is_written_into_the_run_folder_and_nothing_else_is(run):
    before = set(run.rglob("*"))
    assert write_report(run) == run / "report.html"
    assert set(run.rglob("*")) - before == {run / "report.html"}


def test_the_page_can_be_written_elsewhere(run, tmp_path):
    path = write_report(run, tmp_path / "pages" / "one.html")
    assert path == tmp_path / "pages" / "one.html"
    assert Page(path.read_text()).words
    assert not (run / "report.html").exists()


def test_the_same_run_gives_the_same_bytes(run, tmp_path):
    first = write_report(run).read_bytes()
    assert write_report(run, tmp_path / "again.html").read_bytes() == first


def test_nothing_is_loaded_from_anywhere(run):
    html = write_report(run).read_text(encoding="utf-8")
    page = Page(html)
    for _, attributes in page.elements:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            assert attributes.get(name, "data:").startswith(("data:", "#"))
    assert "http:" not in html
    assert "https:" not in html
    assert "url(" not in html
    assert "@import" not in html
    policy = next(one["content"] for one in page.all("meta") if "http-equiv" in one)
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy


def test_only_scripts_that_stand_in_the_page_may_run(run):
    html = write_report(run).read_text(encoding="utf-8")
    policy = next(one["content"] for one in Page(html).all("meta") if "http-equiv" in one)
    (allowed,) = re.findall(r"script-src ([^;]*)", policy)
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", html, re.DOTALL)
    run_here = [text for kind, text in scripts if "type=" not in kind]
    assert len(run_here) == len(SCRIPTS) + 2
    digests = [
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in run_here
    ]
    assert allowed.split() == [f"'sha256-{digest}'" for digest in digests]
    assert "unsafe" not in policy.replace("style-src 'unsafe-inline'", "")


def test_every_link_leads_to_a_part_of_the_page(run):
    page = page_of(run)
    ids = [given["id"] for _, given in page.elements if "id" in given]
    assert len(ids) == len(set(ids))
    links = [one["href"] for one in page.all("a")]
    assert links == ["#latents", "#curves", "#pictures", "#final", "#scores", "#settings",
                     "#reproduce"]  # fmt: skip
    assert {link[1:] for link in links} <= set(ids)


def test_every_picture_is_inside_whole_and_described(run):
    images = page_of(run).all("img")
    inside = [
        base64.b64decode(one["src"].removeprefix("data:image/png;base64,")) for one in images
    ]
    files = {path.read_bytes(): path.stem for path in (run / "figures").glob("*.png")}
    # The table stands in the place of its picture, and curves in that of theirs where scripts run.
    order = ["kl", "reconstructions", "traversals", "a_new_one"]
    assert [files[content] for content in inside] == order
    assert all(len(one["alt"]) > 5 for one in images)
    assert {(one["width"], one["height"]) for one in images} == {("8", "8")}


def test_figures_are_shown_at_the_size_of_their_words(run):
    save(kl_bars([1.0]), run / "figures" / "kl.png")
    sizes = {(one["width"], one["height"]) for one in page_of(run).all("img")}
    assert (str(8 * 108), str(round(2.6 * 108))) in sizes


def test_headline_scores_say_protocol_data_and_source(run):
    head = page_of(run).words.split("Which latent follows which factor")[0]
    for words in (
        "dsprites-beta_tcvae-9f3c21ab", "beta_tcvae(beta=6)", "12,000 steps", "4 min 24 s",
        "2,904 images a second", "mig 0.221", "protocol unweave/1", "on dsprites rendered",
        "drawn by unweave's own renderer",
    ):  # fmt: skip
        assert words in head


def test_losses_are_shown_in_their_unit_beside_scores_that_have_none(run):
    losses = {
        "metric": "test_losses", "text": "test_losses(compat=disvae)", "protocol": "disvae/1",
        "value": -287.51811, "parts": {"loss": -287.51811, "recon": 25.19984, "novel": 0.5},
        "matrix": None, "unit": "nats an image", "units": {"novel": ""}, "data": "dsprites",
        "source": "rendered", "part": "all", "codes": "mean", "samples": 1000, "step": 12000,
    }  # fmt: skip
    write(run, "scores.json", {"format": 1, "scores": [SCORE, losses]})
    page = page_of(run)
    head = page.words.split("Which latent follows which factor")[0]
    assert "test_losses -287.52 nats an image protocol disvae/1" in head
    assert "mig 0.221 protocol unweave/1" in head
    assert ["recon", "25.200 nats an image"] in page.rows
    assert ["novel", "0.50000"] in page.rows
    assert ["scale", "0.470"] in page.rows
    row = next(row for row in page.rows if row[0] == "test_losses")
    assert row[:4] == ["test_losses", "-287.52 nats an image", "test_losses(compat=disvae)",
                       "disvae/1"]  # fmt: skip
    # The table of latents is that of the MIG; losses have none.
    assert "z2 follows scale" in page.sections["Which latent follows which factor"]


@pytest.mark.parametrize(
    ("data", "file"),
    [
        ("dsprites", ", not those of the published file of dsprites"),
        (
            "only(data=shapes3d, where='scale > 1')",
            ", not those of the published file of shapes3d",
        ),
        ("circles", ""),
        ("a dataset of another version", ""),
    ],
)
def test_a_published_file_is_named_where_there_is_one(run, data, file):
    write(run, "scores.json", {"format": 1, "scores": [SCORE | {"data": data}]})
    assert f"are images drawn by unweave's own renderer{file}." in page_of(run).words


def test_archive_data_is_not_called_rendered(run):
    write(run, "scores.json", {"format": 1, "scores": [SCORE | {"source": "archive"}]})
    page = page_of(run)
    assert "own renderer" not in page.words
    assert "on dsprites archive" in page.words


def test_the_table_names_the_latent_of_each_factor(run):
    page = page_of(run)
    # Shares by hand: 0.12 / 0.24, 0.75 / 0.76, 1.5 / 2.0.
    assert ["shape", "z0 (also position_x)", "0.018", "0.120", "50 %", "z2, 0.100"] in page.rows
    assert ["scale", "z2", "0.470", "0.750", "99 %", "z1, 0.010"] in page.rows
    assert ["position_x", "z0 (also shape)", "0.540", "1.50", "75 %", "z2, 0.500"] in page.rows
    words = page.sections["Which latent follows which factor"]
    assert "z2 follows scale; z0 follows position_x." in words
    assert "No single latent clearly follows shape." in words


def test_a_latent_that_follows_two_factors_is_named_once(run):
    score = SCORE | {"parts": {"shape": 0.1, "scale": 0.05, "position_x": 0.54}}
    write(run, "scores.json", {"format": 1, "scores": [score]})
    words = page_of(run).sections["Which latent follows which factor"]
    assert words.startswith("z0 follows shape and position_x. No single latent clearly follows")


def test_final_values_are_those_of_the_last_line(run):
    page = page_of(run)
    assert ["reconstruction", "94.88", "nats an image", "94.88"] in page.rows
    assert ["total_correlation", "1.163", "nats an image", "6.978"] in page.rows
    assert ["novel", "-0.2500", "", "-2.500"] in page.rows
    words = page.sections["Final values"]
    assert "at step 12,000" in words
    assert "Loss of model: 112.1. Loss of discriminator: 0.6931." in words
    assert "888.2" not in page.words


def test_a_run_may_name_the_units_of_its_terms(run):
    write(run, "config.json", CONFIG | {"units": {"novel": "squared nats"}})
    assert ["novel", "-0.2500", "squared nats", "-2.500"] in page_of(run).rows


def test_settings_environment_and_scores_are_complete(run):
    page = page_of(run)
    for row in (
        ["dataset", "dsprites"], ["optimizer", "adam(lr=0.001)"], ["holdout", "0.1"],
        ["init_from", "none"], ["precision", "bfloat16"], ["python", "3.11.9"], ["cpu.cores", "2"],
        ["mig", "0.221", "mig(bins=20)", "unweave/1", "dsprites", "rendered", "all", "mean",
         "737,280", "0", "12,000", "0.1.0"],
    ):  # fmt: skip
        assert row in page.rows
    assert json.dumps(CONFIG["objective"]["items"][0]["type"]) in page.words
    assert ["6,000", "mig 0.111"] in page.rows


def test_the_commands_to_do_it_again(run):
    words = page_of(run).sections["How to reproduce"]
    assert CONFIG["command"] in words
    called = []

    class Unweave:
        """Stands for the package: takes what the lines give it."""

        def load_dataset(self, text):
            return f"dataset {text}"

        def train(self, *given, **settings):
            called.append((given, settings))
            return self

        def evaluate(self):
            return "scores"

    lines = "\n".join(_python(run))
    exec(lines.replace("import unweave\n", "").replace("print", "str"), {"unweave": Unweave()})
    ((given, settings),) = called
    assert given == ("dataset dsprites", "beta_tcvae(beta=6)")
    assert settings == {
        "steps": 12000, "latents": 3, "batch_size": 64, "architecture": "burgess",
        "likelihood": "bernoulli", "optimizer": "adam(lr=0.001)", "holdout": 0.1, "seed": 7,
        "threads": 2, "device": "cpu", "precision": "bfloat16",
    }  # fmt: skip


def _python(run):
    words = Page(write_report(run).read_text(encoding="utf-8"))
    inside = "".join(words._words)
    start = inside.index("import unweave")
    return inside[start : inside.index("print(run.evaluate())") + 21].splitlines()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("stopped", "Stopped before its end at step 4,150 of 12,000."),
        ("running", "Interrupted before its end at step 4,150 of 12,000."),
        ("diverged", "Diverged at step 4,150 of 12,000. kl was not finite."),
    ],
)
def test_a_run_that_is_not_finished_says_so(run, state, words):
    assert "at step 12,000 of" not in page_of(run).words
    status = STATUS | {"state": state, "step": 4150, "message": "kl was not finite."}
    write(run, "status.json", status)
    assert words in page_of(run).words


def test_a_run_that_is_being_trained_says_so(run):
    write(run, "status.json", STATUS | {"state": "running", "step": 4150})
    with alone(run / LOCK, "busy"):
        words = page_of(run).words
    assert "Still training when this page was written at step 4,150 of 12,000." in words


@pytest.mark.parametrize(
    ("missing", "heading"),
    [
        ("environment.json", "Environment"),
        ("scores.json", "Scores"),
        ("metrics.jsonl", "Final values"),
        ("figures", "Pictures"),
        ("status.json", None),
    ],
)
def test_what_is_missing_is_left_out(run, missing, heading):
    before = page_of(run).sections
    path = run / missing
    if path.is_dir():
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
    else:
        path.unlink()
    after = page_of(run).sections
    gone = set(before) - set(after)
    assert heading in gone if heading else not gone


def test_a_bare_run_has_a_page(tmp_path):
    write(tmp_path, "config.json", {"format": 1})
    page = page_of(tmp_path)
    assert not page.sections
    assert tmp_path.name in page.words
    assert not page.all("img")


def test_names_that_look_like_markup_are_words(run, tmp_path):
    scripts = len(page_of(run).all("script"))
    evil = "<script>alert('x')</script>\"&'"
    folder = run.rename(tmp_path / "<script>alert(1)<")
    write(folder, "config.json", CONFIG | {"command": evil, "text": {"dataset": evil}, evil: evil})
    line = {"event": "train", "step": 1, "loss": {evil: 1.0}, "raw": {evil: 1.0}}
    (folder / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    matrix = SCORE["matrix"] | {"columns": [evil, "scale", "x"], "rows": [evil, "b", "c"]}
    score = SCORE | {"metric": evil, "protocol": evil, "data": evil, "matrix": matrix}
    write(folder, "scores.json", {"format": 1, "scores": [score | {"parts": {evil: 0.5}}]})
    write(folder, "status.json", STATUS | {"state": evil, "message": evil})
    write(folder, "environment.json", {evil: {evil: [evil]}})
    save(image(9), folder / "figures" / "<b onload='x'>.png")
    page = page_of(folder)
    assert len(page.all("script")) == scripts
    assert not page.all("b")
    assert page.words.startswith("<script>alert(1)<")
    assert evil in page.words
    attributes = {name for _, given in page.elements for name in given}
    assert not {name for name in attributes if name.startswith("on")}


def test_training_pictures_are_six_at_most_from_the_first_to_the_last(run):
    steps = list(range(1000, 12001, 1000))
    for step in steps:
        save(image(step // 100), run / "figures" / "training" / f"step-{step:07d}.png")
    html = write_report(run).read_text(encoding="utf-8")
    shown = [int(text.replace(",", "")) for text in re.findall(r"<h3>Step ([\d,]+)</h3>", html)]
    assert len(shown) == 6
    assert shown == sorted(set(shown))
    assert (shown[0], shown[-1]) == (1000, 12000)
    assert set(np.diff(shown)) <= {2000, 3000}


def test_a_file_that_is_no_picture_is_left_out(run):
    (run / "figures" / "kl.png").write_bytes(b"half a picture")
    assert len(page_of(run).all("img")) == 3


def test_the_newest_call_comes_first_in_the_order_of_its_scores_and_gives_the_table(run):
    old = [SCORE, SCORE | {"metric": "sap", "value": 0.3}]
    table = SCORE["matrix"] | {"rows": ["a", "b", "c"]}
    newer = [SCORE | {"seed": 1, "value": 0.9, "matrix": table},
             SCORE | {"seed": 1, "metric": "dci", "value": 0.5}]  # fmt: skip
    write(run, "scores.json", {"format": 1, "scores": [*old, *newer]})
    page = page_of(run)
    values = [row[1] for row in page.rows if len(row) == 12 and row[0] in ("mig", "dci", "sap")]
    assert values == ["0.900", "0.500", "0.221", "0.300"]
    assert ["scale", "c", "0.470", "0.750", "99 %", "b, 0.010"] in page.rows


def test_the_table_is_of_the_dataset_that_was_trained_on(run):
    table = SCORE["matrix"] | {"rows": ["a", "b", "c"]}
    other = SCORE | {"data": "dsprites(grid=(1, 1, 2, 2, 2))", "matrix": table}
    write(run, "scores.json", {"format": 1, "scores": [SCORE, other]})
    page = page_of(run)
    assert any(row[:2] == ["scale", "z2"] for row in page.rows)
    assert not any(row[:2] == ["scale", "c"] for row in page.rows)
    # Where the score stands, it says of which data it is.
    assert "on dsprites(grid=(1, 1, 2, 2, 2))" in page.words
    write(run, "scores.json", {"format": 1, "scores": [other]})
    assert not any(row[:2] == ["scale", "c"] for row in page_of(run).rows)


def test_values_that_are_not_finite_are_said_so(run):
    lines = {"event": "train", "step": 3, "loss": {"model": None}, "raw": {"kl": None}, "kl": []}
    (run / "metrics.jsonl").write_text(json.dumps(lines) + "\n")
    broken = SCORE["matrix"] | {"values": [[None, 0, 0], [0, 0, 0], [0, 0, 0]]}
    write(run, "scores.json", {"format": 1, "scores": [SCORE | {"matrix": broken, "parts": {}}]})
    page = page_of(run)
    assert ["kl", "not finite", "nats an image", ""] in page.rows
    assert ["shape", "none", "", "", "", ""] in page.rows


def test_a_torn_last_line_is_passed_over(run):
    with (run / "metrics.jsonl").open("a") as handle:
        handle.write('{"event": "train", "st')
    assert "at step 12,000" in page_of(run).sections["Final values"]


IMPORT = {
    "format": 1, "source": "disentangling-vae", "file": "model.pt", "sha256": "d59cf869" * 8,
    "published": "VAE_dsprites", "imported": "2026-03-01T10:00:00+00:00", "steps": 12000,
    "assumed": ["seed", "optimizer"],
}  # fmt: skip


def test_a_run_that_was_imported_says_from_what(run):
    words = page_of(run).words
    assert "mported" not in words
    assert "bit for bit" in words
    write(run, "import.json", IMPORT)
    words = page_of(run).words
    assert (
        "Trained by disentangling-vae, and imported from the file model.pt, which that project "
        f"has published as VAE_dsprites, on 2026-03-01. SHA-256 {IMPORT['sha256']}."
    ) in words
    assert (
        "No file says what was set as seed and optimizer; what was published of this model is "
        "shown." in words
    )
    assert "Means of the last epoch that was logged, at step 12,000." in words
    assert "12,000 steps" in words
    assert "Imported with unweave" in words
    # How long it took elsewhere is not known, nor are its weights made again here.
    assert "images a second" not in words
    assert "bit for bit" not in words


def test_a_run_of_unknown_length_has_none(run):
    write(run, "import.json", {**IMPORT, "steps": None, "published": None, "assumed": ["steps"]})
    page = page_of(run)
    assert "12,000 steps" not in page.words
    assert "published as" not in page.words
    assert "Nothing says how long it was trained." in page.words
    assert "No file says" not in page.words
    write(run, "import.json", {**IMPORT, "published": None, "assumed": ["steps"]})
    assert "No file says what was set as steps; the usual is shown." in page_of(run).words


def test_what_is_left_out_is_named_once_a_reason(run):
    left_out = {"scores": "No <images>.", "loss_curves": "No lines.", "mig": "No <images>."}
    page = Page(write_report(run, left_out=left_out).read_text(encoding="utf-8"))
    assert "Left out: scores and mig. No <images>." in page.words
    assert "Left out: loss curves. No lines." in page.words


def test_what_is_not_a_run_folder_is_refused(tmp_path):
    with pytest.raises(RunError, match=r"is not a run folder: it has no config\.json"):
        write_report(tmp_path)
    with pytest.raises(RunError, match="is not a run folder: it does not exist"):
        write_report(tmp_path / "nowhere")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("config.json", "{", "cannot be read"),
        ("scores.json", "[]", "must hold one JSON object"),
        ("scores.json", '{"scores": 3}', "`scores` must be a list"),
        ("status.json", '{"format": 2}', "has format 2"),
    ],
)
def test_damaged_and_newer_files_are_refused_by_name(run, name, content, words):
    (run / name).write_text(content)
    with pytest.raises(RunError, match=words) as caught:
        write_report(run)
    assert name in str(caught.value)
    assert not (run / "report.html").exists()
