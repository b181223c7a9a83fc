"""`unweave results`, in the words of its contract and for people."""

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from results.made import made, score, series, study
from session.runs import MINI, TINY, cli, flags, full_disk, listing, paragraph
from unweave.cli import main


@pytest.fixture
def runs(tmp_path):
    folder = tmp_path / "runs"
    for beta in (1.0, 4.0):
        for seed in range(4):
            rows = [
                score("mig", 0.1 * beta + 0.01 * seed),
                score("dci", 0.2 * beta - 0.01 * seed, parts={"completeness": 0.5}),
            ]
            made(folder / f"{beta:g}-{seed}", *rows, beta=beta, seed=seed)
    made(folder / "broken", state="diverged", beta=4.0, seed=9)
    return folder


CONTRACT = ("--group-by", "objective", "--metrics", "mig,dci", "--format")


def test_json_in_the_words_of_the_contract(runs):
    result = cli("results", runs, *CONTRACT, "json")
    assert result.code == 0
    assert result.out.count("\n") == 1
    value = result.json
    assert value["group_by"] == ["objective"]
    assert value["runs"] == {"finished": 8, "diverged": 1}
    assert value["left_out"]["diverged"] == [str(runs / "broken")]
    assert [(row["metric"], row["objective"], row["n"]) for row in value["rows"]] == [
        ("mig", "beta_vae(beta=1)", 4),
        ("mig", "beta_vae(beta=4)", 4),
        ("dci", "beta_vae(beta=1)", 4),
        ("dci", "beta_vae(beta=4)", 4),
    ]
    assert value["rows"][1]["mean"] == pytest.approx(0.415)
    assert value["rows"][1]["runs"] == 5
    assert {"sd", "median", "low", "high", "protocol", "part", "codes", "score_seed"} <= value[
        "rows"
    ][0].keys()
    assert value["written"] == []
    assert cli("results", runs, *CONTRACT[:-1], "--json").json == value


def test_csv_md_and_latex_in_the_words_of_the_contract(runs):
    result = cli("results", runs, *CONTRACT, "csv")
    rows = list(csv.DictReader(io.StringIO(result.out)))
    assert [(row["metric"], row["objective"]) for row in rows][:2] == [
        ("mig", "beta_vae(beta=1)"), ("mig", "beta_vae(beta=4)"),
    ]  # fmt: skip
    # What must be said is said beside the table.
    assert "9 runs: 8 finished, 1 diverged." in result.err
    assert "kl is not finite" in result.err
    result = cli("results", runs, *CONTRACT, "md")
    assert r"| beta\_vae(beta=4) | 5 | 0.415 ± 0.013 (4) | 0.785 ± 0.013 (4) |" in result.out
    assert "diverged" in result.err
    result = cli("results", runs, *CONTRACT, "latex")
    assert result.out.rstrip().endswith(r"\end{tabular}")
    assert r"beta\_vae(beta=1) & 4 & 0.115 $\pm$ 0.013 & 0.185 $\pm$ 0.013 \\" in result.out


def test_for_people(runs):
    result = cli("results", runs)
    assert result.code == 0
    assert "95 % bootstrap interval" in result.out
    assert "Not counted, diverged:" in result.out
    assert "beta_vae(beta=4)" in result.out


def test_the_tidy_table_as_parquet_and_csv(runs, tmp_path):
    result = cli("results", runs, "--out", tmp_path / "new" / "t.parquet", "--json")
    assert result.json["written"] == [str(tmp_path / "new" / "t.parquet")]
    frame = pl.read_parquet(tmp_path / "new" / "t.parquet")
    # A row a score, and one for the run that has none.
    assert len(frame) == 17
    assert frame.filter(pl.col("state") == "diverged")["metric"].to_list() == [None]
    assert frame.filter(metric="mig")["objective.beta"].to_list() == [1.0] * 4 + [4.0] * 4
    assert cli("results", runs, "--out", tmp_path / "t.csv", "--parts").code == 0
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["metric"] for row in rows][:3] == ["dci", "dci.completeness", "mig"]
    assert float(rows[1]["value"]) == 0.5
    assert frame.columns == list(rows[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "runs", "t.csv"]


def test_correlations_and_a_layout(runs):
    value = cli("results", runs, "--layout", "correlations", "--json").json
    (row,) = value["rows"]
    assert (row["one"], row["other"], row["n"]) == ("dci", "mig", 8)
    # Within a beta dci falls with the seed, and mig rises.
    assert 0.2 < row["rho"] < 0.8
    assert row["low"] < row["rho"] < row["high"]
    result = cli("results", runs, "--layout", "clg", "--group-by", "objective", "--format", "csv")
    (one, _) = csv.DictReader(io.StringIO(result.out))
    assert float(one["mig"]) == pytest.approx(0.115)
    assert (one["dci_comp"], one["fac"], one["fac_n"]) == ("0.5", "", "0")


def test_figures(runs, tmp_path):
    result = cli("results", runs, "--plots", tmp_path / "figures")
    assert result.code == 0
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert names == {"violins-mig.png", "violins-dci.png", "correlations.png", "ranks.png"}
    assert all(f"Written: {tmp_path / 'figures' / name}" in result.out for name in names)


def test_the_same_runs_give_the_same_bytes(runs, tmp_path):
    found = [
        cli("results", runs, "--out", tmp_path / name / "t.csv", "--format", "csv")
        for name in ("a", "b")
    ]
    assert found[0].out == found[1].out
    assert listing(tmp_path / "a") == listing(tmp_path / "b")
    # In whatever order the disk lists them.
    shutil.copytree(runs, tmp_path / "again" / "runs")
    other = cli("results", tmp_path / "again" / "runs", "--format", "csv")
    assert other.out == found[0].out


def test_another_seed_moves_the_intervals_alone(tmp_path):
    series(tmp_path, [0.13, 0.71, 0.36, 0.52, 0.94, 0.07, 0.28, 0.66])
    one, two = (
        cli("results", tmp_path, "--json", "--seed", seed).json["rows"][0] for seed in "01"
    )
    assert one["low"] != two["low"]
    assert [one[name] for name in ("mean", "sd", "median", "n")] == [
        two[name] for name in ("mean", "sd", "median", "n")
    ]


def test_several_folders_and_studies(runs, tmp_path):
    folder = study(tmp_path / "study", ["k", "later"])
    made(folder / "runs" / "k", score("mig", 0.9), score("dci", 0.9), beta=7.0)
    value = cli("results", runs / "1-0", folder, runs / "4-0", "--json").json
    assert value["runs"] == {"finished": 3, "waiting": 1}
    assert value["left_out"] == {"waiting": [str(folder / "runs" / "later")]}


def test_a_run_that_was_trained_and_scored(tmp_path):
    for seed in (0, 1):
        folder = tmp_path / "runs" / str(seed)
        given = flags(**TINY, steps=3, latents=4, seed=seed)
        assert cli("train", MINI, "beta_vae(beta=3)", *given, "--out", folder, "--json").code == 0
        scored = cli("evaluate", folder, "--metrics", "mig,factor_vae", "--json").json["scores"]
        if seed == 0:
            first = scored
    shutil.copytree(tmp_path / "runs" / "1", tmp_path / "runs" / "copy")
    value = cli(
        "results", tmp_path / "runs", "--json", "--group-by", "objective.beta,latents",
        "--metrics", "mig,factor_vae.active_latents",
    ).json  # fmt: skip
    mig, active = value["rows"]
    assert (mig["objective.beta"], mig["latents"], mig["n"], mig["runs"]) == (3.0, 4, 2, 2)
    assert mig["mean"] == pytest.approx((first["mig"]["value"] + scored["mig"]["value"]) / 2)
    assert mig["samples"] == first["mig"]["samples"]
    assert active["unit"] == "latents"
    assert active["median"] == pytest.approx(
        (first["factor_vae"]["parts"]["active_latents"]
         + scored["factor_vae"]["parts"]["active_latents"]) / 2
    )  # fmt: skip
    assert any("counts once" in note for note in value["notes"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--metrics", "migg"], ["Unknown metric 'migg'", "Did you mean mig"]),
        (["--metrics", "irs"], ["No run here has a score of irs", "unweave evaluate"]),
        (["--metrics", ","], ["--metrics is empty"]),
        (["--metrics", "dci.size"], ["dci has no part 'size'", "completeness"]),
        (["--group-by", "objektive"], ["objektive", "Did you mean objective"]),
        (["--group-by", ""], ["--group-by is empty"]),
        (["--protocol", "dlib"], ["--protocol", "unweave/1"]),
        (["--where", "seed"], ["--where takes FIELD=VALUE"]),
        (["--where", "seed=77"], ["no run here has seed=77", "0, 1, 2, 3, 9"]),
        (["--where", "state=diverged"], ["None of the 1 runs"]),
        (["--out", "table.xlsx"], ["--out takes a file that ends in .parquet or .csv"]),
        (["--out", "."], ["--out"]),
        (["--out", "in/the/way.csv"], ["in/the/way.csv"]),
        (["--plots", "way"], ["--plots takes a folder"]),
        (["--seed", "-1"], ["--seed must be at least 0"]),
        (["--seed", "x"], ["--seed takes a whole number"]),
        (["--json", "--format", "md"], ["--json and --format md"]),
        (["--layout", "clg", "--metrics", "mig"], ["--layout clg", "leave --metrics out"]),
        (["--layout", "correlations", "--metrics", "mig"], ["rank correlation"]),
    ],
)
def test_what_cannot_be_done_is_said_in_a_paragraph(runs, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "way").write_text("")
    (tmp_path / "in").write_text("")
    before = listing(tmp_path)
    paragraph(cli("results", runs, *arguments), *words)
    assert listing(tmp_path) == before


def test_scores_of_runs_that_are_not_finished_can_be_written(tmp_path):
    made(tmp_path / "runs" / "a", score("mig", 0.1), state="stopped")
    made(tmp_path / "runs" / "b", score("mig", 0.2), state="diverged", seed=1)
    paragraph(cli("results", tmp_path / "runs"), "None of the 2 runs is finished", "with --out")
    for form in ("json", "text", "csv"):
        out = tmp_path / f"{form}.parquet"
        result = cli("results", tmp_path / "runs", "--out", out, "--format", form)
        assert result.code == 0
        assert pl.read_parquet(out)["value"].to_list() == [0.1, 0.2]
        assert f"{out}" in result.out + result.err
        assert "2 runs: 1 diverged, 1 stopped." in result.out + result.err
    assert result.out == ""


@pytest.mark.parametrize("state", ["waiting", "damaged"])
@pytest.mark.parametrize("given", [(), ("--metrics", "seconds"), ("--layout", "correlations")])
def test_runs_of_which_nothing_can_be_read_are_an_error(tmp_path, state, given):
    if state == "waiting":
        study(tmp_path / "runs", ["a", "b"])
    else:
        for name, text in (("a", "{"), ("b", '{"format": 1}')):
            (made(tmp_path / "runs" / name) / "config.json").write_text(text)
    paragraph(cli("results", tmp_path / "runs", *given), "None of the 2 runs")


@pytest.mark.parametrize(
    "wrong", [("--group-by", "objektive"), ("--layout", "correlations", "--metrics", "mig")]
)
def test_what_cannot_be_printed_is_refused_before_anything_is_written(runs, tmp_path, wrong):
    before = listing(tmp_path)
    out = ("--out", tmp_path / "t.csv", "--plots", tmp_path / "figures")
    assert cli("results", runs, *out, *wrong).code == 2
    assert listing(tmp_path) == before


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_full_disk_is_an_error_and_leaves_what_was_there(runs, tmp_path, monkeypatch, name):
    assert cli("results", runs, "--out", tmp_path / name, "--parts").code == 0
    before = listing(tmp_path)
    with full_disk(monkeypatch, name) as refused:
        paragraph(cli("results", runs, "--out", tmp_path / name), "The disk is full", name)
    assert refused
    assert listing(tmp_path) == before


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_table_of_scores_is_written_again_and_over_nothing_else(runs, tmp_path, name):
    path = tmp_path / name
    given = ("results", runs, "--out", path)
    assert cli(*given).code == 0
    first = path.read_bytes()
    assert cli(*given, "--parts").code == 0
    assert path.read_bytes() != first
    other = tmp_path / f"other-{name}"
    frame = pl.DataFrame({"run": ["a"], "value": [0.5]})
    (frame.write_csv if name == "t.csv" else frame.write_parquet)(other)
    for content in (b"", b"My notes.\n", b'run,"value', b"PAR1, and no more", other.read_bytes()):
        path.write_bytes(content)
        paragraph(cli(*given), name, "is there already", "no table of scores", "left as it is")
        assert path.read_bytes() == content


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="the system has no file that is full")
@pytest.mark.parametrize("form", ["text", "json", "csv", "md", "latex"])
def test_a_full_standard_output_is_an_error_in_a_line(runs, form, capsys, monkeypatch):
    with FULL.open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(["results", str(runs), "--format", form]) == 1
    assert_one_error(capsys.readouterr().err)


@pytest.mark.skipif(not FULL.exists(), reason="the system has no file that is full")
def test_a_full_standard_output_of_a_process_is_an_error_in_a_line(runs):
    script = f"from unweave.cli import main; main(['results', {str(runs)!r}])"
    with FULL.open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", script], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert_one_error(done.stderr)


def assert_one_error(said):
    assert said.startswith("error: Standard output cannot be written")
    assert "Traceback" not in said


def test_rank_correlations_say_that_groups_have_no_part_in_them(runs):
    given = ("results", runs, "--layout", "correlations", "--json")
    notes = cli(*given, "--group-by", "objective").json["notes"]
    assert "--group-by has no part" in notes[-1]
    assert cli(*given).json["notes"] == notes[:-1]


@pytest.mark.parametrize("folder", ["nothing", "empty", "unscored"])
def test_no_runs_or_no_scores_are_an_error(tmp_path, folder):
    (tmp_path / "empty").mkdir()
    made(tmp_path / "unscored" / "a")
    words = {
        "nothing": "no folder",
        "empty": "no runs in",
        "unscored": "None of the 1 runs has a score",
    }
    paragraph(cli("results", tmp_path / folder), words[folder])


def test_no_torch_is_loaded(runs):
    script = (
        "import sys; from unweave.cli import main; "
        f"assert main(['results', {str(runs)!r}, '--json']) == 0; "
        "sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=True)
    assert json.loads(done.stdout)["runs"]["finished"] == 8
