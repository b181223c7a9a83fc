"""The page: marks, commands that run, and that the one in the documentation is what it gives."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from reproduction.made import record, score
from session.runs import cli
from unweave.cli.app import parse
from unweave.reproduction import (
    ROWS,
    SOURCES,
    Start,
    command_of,
    groups_of,
    read_records,
    reproduction_page,
    write_records,
)

ROOT = Path(__file__).parents[2]
RECORD = ROOT / "benchmarks" / "results" / "reproduction.json"
PAGE = ROOT / "docs" / "reproduction.md"
VAE = "disvae/VAE_dsprites"


def losses(**parts):
    return score("test_losses", parts["loss"], protocol="disvae/1", **parts)


def commands(text):
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.S | re.M)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


def row(text, *words):
    """The only line of a table with these words, as its cells."""
    (line,) = [
        line for line in text.splitlines() if line[:1] == "|" and all(w in line for w in words)
    ]
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def test_the_page_of_the_documentation_is_that_of_the_record():
    made = reproduction_page(read_records(RECORD))
    assert PAGE.read_text(encoding="utf-8") == made, (
        "write it anew: unweave reproduce page benchmarks/results/reproduction.json --out "
        "docs/reproduction.md"
    )


def test_every_command_of_the_page_is_one(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path))
    cost = {
        "seconds_per_step": 0.5, "dataset_missing": None, "precision": "float32", "threads": 1,
    }  # fmt: skip
    monkeypatch.setattr("unweave.estimate.estimate", lambda config: cost)
    for words in commands(PAGE.read_text(encoding="utf-8")):
        assert words[:3] == ["unweave", "reproduce", "run"]
        result = cli(*words[1:], "--dry-run", "--json")
        assert result.code == 0, result.err
        assert len(result.json["rows"]) == 1


def test_without_a_record_everything_is_missing():
    text = reproduction_page([])
    assert "None of the rows has been run yet." in text
    assert commands(text) == []
    # What candidates share counts once.
    told = re.search(r"There are (\d+) published numbers of (\d+) trainings, and (\d+) rows", text)
    assert told is not None
    again = [len(entry.values) for entry in ROWS.values() if entry.instead_of]
    assert int(told[3]) - int(told[2]) == len(again) > 0
    assert int(told[1]) == sum(len(entry.values) for entry in ROWS.values()) - sum(again)
    assert row(text, "`decoder_burgess_dsprites_leave1out` candidate")[1:] == [
        "recon 49.80; recon, held out 60.81", "5,000", "time",
    ]  # fmt: skip
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(lines) == len(ROWS)
    assert row(text, "`components_vae`")[1].startswith("factor_vae 0.694 ± 0.109 (10 runs);")
    assert row(text, "`table1_real`")[-1] == "the published file of mpi3d"
    assert row(text, "`VAE_dsprites`")[2:] == ["345,600", "time"]
    for source in SOURCES:
        for entry in source.left_out:
            assert f"**{source.title}**: {entry.what}: {entry.why}." in text


def test_a_full_run():
    text = reproduction_page([record(VAE, losses(loss=27.0, recon=4.5, kl=22.5))])
    assert "1 row has been run, 1 at full length." in text
    assert row(text, "`VAE_dsprites` | recon") == [
        "`VAE_dsprites`", "recon", "4.05", "4.50", "none", "+0.45",
    ]  # fmt: skip
    assert row(text, "`VAE_dsprites` | 345,600") == [
        "`VAE_dsprites`", "345,600", "1", "drawn", "`disvae/1`", "`test_losses.log`",
    ]  # fmt: skip
    assert commands(text) == [["unweave", "reproduce", "run", VAE]]
    assert "` **shortened**" not in text
    told = "unweave 9.8.7, Python 3.12.1, torch 2.9, numpy 2.3, scikit-learn 1.7 on Abacus"
    assert f"Trained with {told}, 2 threads, float32; 2030-01-02, 1.5 hours" in text
    for seconds, words in ((20.0, "1 min"), (3540.0, "59 min"), (3599.0, "1.0 hours")):
        made = record(VAE, losses(loss=27.0, recon=4.5, kl=22.5), seconds=seconds)
        assert f", {words} of training in all." in reproduction_page([made])
    # It is not among the missing ones as well.
    assert text.count("| `VAE_dsprites` |") == 4


def test_shortened_runs_of_several_seeds_on_other_images():
    files = "dsprites(source=archive)"
    name = "clg/components_vae"
    drawn = {"over": "draws", "low": 0.6, "high": 0.8, "sd": 0.1, "values": [0.7] * 5}
    runs = [
        record(
            name,
            score("factor_vae", 0.6 + seed / 10, interval=drawn),
            seed=seed,
            steps=2000,
            dataset=files,
            source="archive",
        )
        for seed in range(3)
    ]
    text = reproduction_page(runs)
    cells = [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in row(text, "| factor_vae |")]
    assert cells[:1] == ["`components_vae` **shortened**"]
    assert cells[2:4] == ["0.694 ± 0.109 (10 runs)", "0.700"]
    # One resample in 27 has the least of three numbers alone.
    assert cells[4] == "0.600 to 0.800, seeds"
    assert cells[5] == "+0.006 (0.1 sd, inside)"
    assert row(text, "`components_vae` | **shortened**")[1:] == [
        "**shortened**: 2,000 of 181,440", "3, published 10", "published file", "`clg/1`",
        "`poster`",
    ]  # fmt: skip
    (words,) = commands(text)
    assert words == [
        "unweave", "reproduce", "run", name, "--steps", "2000", "--dataset", files, "--seeds", "3",
    ]  # fmt: skip
    assert (parse(words[1:]).steps, parse(words[1:]).dataset) == ("2000", files)


def test_a_part_of_the_images_and_first_weights():
    part = record(
        VAE, losses(loss=1.0, recon=1.0, kl=1.0), images=384, dataset="dsprites(grid=(3,2,4,4,4))"
    )
    assert "**a part**, 384 of 737,280, drawn" in reproduction_page([part])
    start = Start(preset="dpt/table1_toy", steps=10, published=90_000)
    chained = record("dpt/table1_real", score("mig", 0.1, protocol="dlib2019/1"), start=start)
    text = reproduction_page([chained])
    assert "`dpt/table1_toy`, **shortened**: 10 of 90,000 steps." in text
    assert row(text, "`table1_real` | mig |")[4:6] == ["none", "-0.1367"]


def test_a_command_has_as_many_seeds_as_the_last_run_needs():
    made = [record(VAE, losses(loss=1.0, recon=1.0, kl=1.0), seed=seed) for seed in (1236, 1240)]
    (group,) = groups_of(made)
    assert command_of(group) == f"unweave reproduce run {VAE} --seeds 7"


def test_a_command_repeats_draws_as_often_as_was_done():
    for times, words in ((1, " --repeats 1"), (5, ""), (10, " --repeats 10")):
        drawn = {"over": "draws", "low": 0.6, "high": 0.8, "sd": 0.1, "values": [0.7] * times}
        made = record("clg/dsprites", score("factor_vae", 0.7, interval=drawn))
        (group,) = groups_of([made])
        assert command_of(group) == f"unweave reproduce run clg/dsprites{words}"


def test_tables_are_whole():
    records = [
        record(
            name, *(score(v.metric, 0.5, protocol=f"{v.protocol}/1") for v in ROWS[name].values)
        )
        for name in ("clg/dsprites", "clg/commutator_40", "dlib/150")
    ]
    text = reproduction_page(records)
    for block in re.findall(r"(?:^\|.*\n)+", text, re.M):
        assert len({line.count("|") for line in block.splitlines()}) == 1
    assert "`150` beta_vae 6" in text


def test_a_record_comes_back_as_it_was(tmp_path):
    drawn = {"over": "draws", "low": 0.6, "high": 0.8, "sd": 0.1, "values": [0.6, 0.8]}
    records = [
        record("clg/dsprites", score("factor_vae", 0.7, interval=drawn)),
        record("dpt/table1_real", start=Start(preset="dpt/table1_toy", steps=1, published=2)),
    ]
    write_records(records, tmp_path / "record.json")
    back = read_records(tmp_path / "record.json")
    assert [each.to_dict() for each in back] == [each.to_dict() for each in records]
    assert reproduction_page(back) == reproduction_page(records)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"format": 1, "runs": [{"row": "demo"}]}', "no record of reproductions"),
        ('{"format": 1}', "no record of reproductions"),
        ('{"format": 7, "runs": []}', "another format"),
        ("[]", "another format"),
        ("{", "cannot be read"),
    ],
)
def test_a_damaged_record(tmp_path, content, words):
    path = tmp_path / "record.json"
    path.write_text(content)
    result = cli("reproduce", "page", path)
    assert (result.code, result.out) == (2, "")
    assert words in result.err
