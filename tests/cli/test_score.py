"""`unweave score`: files in, a table or JSON out, and nothing of torch."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

import numpy as np
import pytest

from session.runs import cli, listing, paragraph

SIZES = (3, 4, 5)


@pytest.fixture
def file(tmp_path):
    """An npz of codes that follow a full grid of factors, with noise."""
    rng = np.random.default_rng(0)
    grid = np.indices(SIZES).reshape(3, -1).T
    codes = (grid[:, [1, 2, 0, 0]] + rng.normal(0, 0.4, (60, 4))).astype(np.float32)
    names = ["shape", "size", "place"]
    np.savez(tmp_path / "x.npz", codes=codes, factor_sizes=SIZES, factor_names=names)
    return tmp_path / "x.npz"


def test_json_says_all_that_must_be_known(file):
    from unweave.metrics import evaluate

    value = cli("score", file, "--metrics", "mig", "--json").json
    with np.load(file) as arrays:
        expected = evaluate(arrays["codes"], factor_sizes=SIZES, metrics="mig")["mig"]
    score = value["scores"]["mig"]
    assert score["value"] == expected.value
    assert list(score["parts"].values()) == list(expected.parts.values())
    assert list(score["parts"]) == ["shape", "size", "place"]
    assert (score["text"], score["protocol"], score["seed"]) == ("mig", "unweave/1", 0)
    assert (value["rows"], value["latents"], value["seed"], value["repeats"]) == (60, 4, 0, 1)
    assert value["factors"][1] == {"name": "size", "size": 4}
    assert value["versions"].keys() >= {"unweave", "numpy", "scipy", "scikit-learn", "python"}
    assert value["file"] == str(file)


def test_a_protocol_and_a_seed(file):
    given = ["score", file, "--metrics", "mig", "--protocol", "dlib", "--json"]
    scores = [cli(*given, "--seed", seed).json["scores"]["mig"] for seed in (0, 0, 1)]
    assert scores[0]["parts"] == {"discrete_mig": scores[0]["value"]}
    assert scores[0] == scores[1]
    assert scores[0]["value"] != scores[2]["value"]
    assert scores[2]["text"] == "mig(samples=10000, compat=dlib)"


def test_a_score_stands_under_the_name_it_was_asked_for_by(file, tmp_path):
    given = ["score", file, "--protocol", "dlib", "--json", "--out", tmp_path / "out.json"]
    asked = ["factor_vae_metric", "mig", "sap_score"]
    found = cli(*given, "--metrics", ",".join(asked)).json["scores"]
    assert list(found) == asked
    assert [score["metric"] for score in found.values()] == ["factor_vae", "mig", "sap"]
    assert [score["text"].split("(")[0] for score in found.values()] == [
        "factor_vae",
        "mig",
        "sap",
    ]
    assert json.loads((tmp_path / "out.json").read_text())["scores"] == found
    own = cli(*given, "--metrics", "factor_vae,mig,sap").json["scores"]
    assert list(own) == ["factor_vae", "mig", "sap"]
    assert list(own.values()) == list(found.values())
    assert "factor_vae = " in cli(*given[:4], "--metrics", "factor_vae_metric").out


def test_repeats(file):
    given = ["score", file, "--metrics", "mig", "--protocol", "dlib"]
    alone = [cli(*given, "--seed", s, "--json").json["scores"]["mig"]["value"] for s in (3, 4)]
    score = cli(*given, "--seed", 3, "--repeats", 2, "--json").json["scores"]["mig"]
    assert score["interval"]["values"] == alone
    assert score["value"] == pytest.approx(np.mean(alone))
    spoken = cli(*given, "--seed", 3, "--repeats", 2).out
    assert "seeds 3 to 4" in spoken
    assert "over 2 draws of this table" in spoken


def test_people_get_a_table_and_a_file(file, tmp_path):
    out = tmp_path / "made" / "scores.json"
    result = cli("score", file, "--metrics", "mig", "--out", out)
    assert result.code == 0
    assert "60 rows, 4 latents; factors shape 3, size 4, place 5" in result.out
    assert "protocol unweave/1, seed 0" in result.out
    assert "mig = 0." in result.out
    assert "z3" in result.out
    assert json.loads(out.read_text()) == cli("score", file, "--metrics", "mig", "--json").json


def test_scores_are_written_again_and_over_nothing_else(file, tmp_path):
    out = tmp_path / "scores.json"
    given = ("score", file, "--metrics", "mig", "--out", out)
    for _ in range(2):
        assert cli(*given).code == 0
    # Such as those of a run.
    for content in ('{"format": 1, "scores": []}', "[]", "no JSON"):
        out.write_text(content)
        paragraph(cli(*given), "is there already", "no file of scores", "left as it is")
        assert out.read_text() == content


def test_a_pair_of_files(file, tmp_path):
    with np.load(file) as arrays:
        np.save(tmp_path / "codes.npy", arrays["codes"])
    rows = np.indices(SIZES).reshape(3, -1).T
    lines = ["shape,size,place", *(",".join(map(str, row)) for row in rows)]
    (tmp_path / "factors.csv").write_text("\n".join(lines))
    given = [tmp_path / "codes.npy", tmp_path / "factors.csv"]
    found = cli("score", *given, "--metrics", "mig", "--json").json["scores"]
    assert found == cli("score", file, "--metrics", "mig", "--json").json["scores"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--metrics", "migg"], ["Unknown metric 'migg'", "mig"]),
        (["--metrics", ","], ["--metrics is empty"]),
        (["--protocol", "dilb"], ["Unknown protocol", "dlib"]),
        (["--seed", "x"], ["--seed takes a whole number"]),
        (["--seed", "-1"], ["seed must be a whole number of at least 0"]),
        (["--repeats", "0"], ["repeats must be a whole number of at least 1"]),
        (["--metrics", "aam"], ["aam draws from posteriors", "logvar"]),
        (["--out", "."], ["--out must be a file"]),
        (["--out", "codes.npz"], ["--out must end in .json", "codes.npz"]),
    ],
)
def test_what_is_refused(file, tmp_path, monkeypatch, flags, words):
    monkeypatch.chdir(tmp_path)
    before = listing(tmp_path)
    paragraph(cli("score", file, "--json", *flags), *words)
    assert listing(tmp_path) == before


def test_a_file_that_is_refused(tmp_path):
    paragraph(cli("score", tmp_path / "none.npz"), "none.npz does not exist")
    np.savez(tmp_path / "x.npz", codes=np.full((6, 2), np.nan), factor_sizes=[6])
    paragraph(cli("score", tmp_path / "x.npz"), "x.npz", "codes must be finite", "row 0")


def test_no_torch_is_loaded(file):
    code = (
        "import sys; from unweave.cli import main\n"
        f"assert main(['score', {str(file)!r}, '--metrics', 'mig', '--json']) == 0\n"
        "assert 'torch' not in sys.modules and 'matplotlib' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["rows"] == 60
    assert done.stderr == ""


def seconds_of(*words):
    """Processor time of a command in a process of its own, which other work does not lengthen."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "unweave", *words], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_comes_at_once():
    assert any(seconds_of("score", "--help") < 0.5 for _ in range(3))


@pytest.mark.slow
def test_codes_alone_are_scored_by_what_needs_no_factors(tmp_path):
    from unweave.metrics import evaluate

    codes = np.random.default_rng(0).normal(size=(200, 3))
    logvar = np.full((200, 3), -1.0)
    np.save(tmp_path / "x.npy", codes)
    np.savetxt(tmp_path / "x.csv", codes, delimiter=",")
    np.savez(tmp_path / "x.npz", codes=codes, logvar=logvar)
    expected = evaluate(codes, metrics="unsupervised")["unsupervised"].value
    for name in ("x.npy", "x.csv", "x.npz"):
        result = cli("score", tmp_path / name, "--metrics", "unsupervised", "--json").json
        assert result["factors"] == []
        assert result["scores"]["unsupervised"]["value"] == pytest.approx(expected)
    shown = cli("score", tmp_path / "x.npz", "--metrics", "wsepin,unsupervised")
    assert "200 rows, 3 latents; factors not known" in shown.out
    assert "wsepin" in shown.out
    assert "has only codes" in paragraph(cli("score", tmp_path / "x.npy"))
    assert "has only codes" in paragraph(cli("score", tmp_path / "x.csv", "--metrics", "mig"))
    assert "Factors are needed" in paragraph(cli("score", tmp_path / "x.npz"))


@pytest.mark.slow
def test_what_is_scored_unasked_takes_seconds(tmp_path):
    rng = np.random.default_rng(0)
    factors = rng.integers((3, 6, 40, 32, 32), size=(10_000, 5))
    codes = rng.normal(size=(10_000, 10)).astype(np.float32)
    codes[:, :5] += factors / factors.std(axis=0)
    np.savez(tmp_path / "x.npz", codes=codes, factors=factors)
    assert seconds_of("score", str(tmp_path / "x.npz"), "--json") < 15
