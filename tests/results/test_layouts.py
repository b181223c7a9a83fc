"""A summary in each layout and each format says the same."""

import csv
import io

import pytest

from results.made import made, score, series
from unweave.errors import RunError
from unweave.results import choose, collect, lay_out, summarise
from unweave.results.formats import csv_text, json_rows, latex, markdown, plain
from unweave.results.layouts import ELEVEN, Sheet, Spread, eleven_of

# The eleven short names, in the order in which the script reads them.
NAMES = ["fac", "fac_dim", "beta", "mig", "dci_info", "dci_dis", "dci_comp", "mod", "explicit",
         "sap", "fl"]  # fmt: skip


def summary(tmp_path, fields=("objective",), metrics=None, **given):
    results = collect([tmp_path], **given)
    return summarise(choose(results, metrics=metrics), fields)


@pytest.fixture
def small(tmp_path):
    for seed, (mig, loss) in enumerate(((0.2, 80.0), (0.4, 90.0), (0.6, None))):
        rows = [score("mig", mig), score("test_losses", loss, unit="nats an image")]
        made(tmp_path / f"a{seed}", *rows, seed=seed)
    made(tmp_path / "b", score("mig", 0.5), objective={"type": "vae_x"})
    return tmp_path


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_stats_have_a_line_for_each_group_and_metric(small):
    sheet = lay_out(summary(small), "stats")
    lines = read(csv_text(sheet))
    assert [(row["metric"], row["objective"], row["n"], row["missing"]) for row in lines] == [
        ("mig", "beta_vae(beta=4)", "3", "0"),
        ("mig", "other", "1", "0"),
        ("test_losses", "beta_vae(beta=4)", "2", "0"),
        ("test_losses", "other", "0", "1"),
    ]
    assert float(lines[0]["mean"]) == pytest.approx(0.4, abs=1e-15)
    assert (lines[2]["unit"], lines[2]["not_finite"], lines[2]["low"]) == (
        "nats an image",
        "1",
        "",
    )
    assert {row["protocol"] for row in lines} == {"unweave/1"}
    forms = json_rows(sheet)
    assert forms[0]["mean"] == float(lines[0]["mean"])
    assert forms[3]["mean"] is None
    assert forms[1]["sd"] is None
    # For people what is the same everywhere stands above, once.
    text = plain(sheet)
    assert text.count("unweave/1") == 1
    assert "protocol unweave/1, data dsprites, source rendered, part all, codes mean" in text
    assert "85.00" in text


def test_wide_has_a_line_for_each_group_and_a_column_for_each_metric(small):
    sheet = lay_out(summary(small), "wide")
    assert sheet.rows[0][-2:] == (
        Spread(pytest.approx(0.4), pytest.approx(0.2), 3, 3),
        Spread(pytest.approx(85.0), pytest.approx(50.0**0.5), 2, 3),
    )
    assert read(csv_text(sheet))[0] | {"mig": "", "mig_sd": "", "test_losses_sd": ""} == {
        "objective": "beta_vae(beta=4)", "protocol": "unweave/1", "data": "dsprites",
        "source": "rendered", "part": "all", "codes": "mean", "score_seed": "0", "repeats": "1",
        "runs": "3", "mig": "", "mig_sd": "", "mig_n": "3", "test_losses": "85.0",
        "test_losses_sd": "", "test_losses_n": "2",
    }  # fmt: skip
    assert markdown(sheet).splitlines()[-4:] == [
        r"| objective | runs | mig | test\_losses |",
        "|---|---:|---:|---:|",
        r"| beta\_vae(beta=4) | 3 | 0.400 ± 0.200 | 85.00 ± 7.07 (2) |",
        "| other | 1 | 0.500 | - |",
    ]
    lines = latex(sheet).splitlines()
    assert lines[-7:] == [
        r"\toprule",
        r"objective & runs & mig & test\_losses \\",
        r"\midrule",
        r"beta\_vae(beta=4) & 3 & 0.400 $\pm$ 0.200 & 85.00 $\pm$ 7.07 (2) \\",
        r"other & 1 & 0.500 & - \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]
    assert r"\begin{tabular}{lrrr}" in lines
    assert all(line.startswith("%") for line in lines[: lines.index(r"\begin{tabular}{lrrr}")])
    assert json_rows(sheet)[1]["test_losses"] == {"mean": None, "sd": None, "n": 0}


def test_protocols_stand_in_lines_of_their_own(tmp_path):
    for seed in range(3):
        rows = [score("mig", 0.1), score("mig", 0.9, protocol="dlib/1"), score("sap", 0.3)]
        made(tmp_path / str(seed), *rows, seed=seed, seconds=5.0)
    lines = read(csv_text(lay_out(summary(tmp_path, metrics=["mig", "sap", "seconds"]), "wide")))
    found = [(row["protocol"], row["mig"], row["sap"], row["seconds"]) for row in lines]
    assert found == [("dlib/1", "0.9", "", "5.0"), ("unweave/1", "0.1", "0.3", "5.0")]
    text = plain(lay_out(summary(tmp_path), "wide"))
    assert "protocol" in text.split("\n\n")[1].splitlines()[0].split()


@pytest.mark.parametrize(
    ("mean", "sd", "text"),
    [
        (0.25, 0.0004, "0.250 ± 0.000"),
        (12.345, 9.876, "12.35 ± 9.88"),
        (864.72, 49.31, "864.7 ± 49.3"),
        (-98765.4, 3.2, "-98765 ± 3"),
        (0.00012, 0.5, "0.00012 ± 0.500"),
        (0.0, None, "0.000"),
    ],
)
def test_numbers_have_the_digits_that_their_size_leaves(mean, sd, text):
    sheet = Sheet(("a", "m"), (("x", Spread(mean, sd, 4, 4)),))
    assert markdown(sheet).splitlines()[-1] == f"| x | {text} |"


def test_timings_alone_have_lines_too(small):
    (one, other) = read(csv_text(lay_out(summary(small, metrics=["seconds"]), "wide")))
    assert (one["seconds"], one["seconds_n"], other["seconds"]) == ("1.0", "3", "1.0")


def test_timings_of_two_datasets_are_two_lines(tmp_path):
    for seed, (data, seconds) in enumerate((("dsprites", 1.0), ("dsprites", 3.0), ("toy", 9.0))):
        rows = [score("mig", 0.1)] if data == "dsprites" else []
        made(tmp_path / str(seed), *rows, dataset=data, seed=seed, seconds=seconds)
    told = summary(tmp_path, metrics=["seconds"])
    assert told.differing == ("data",)
    lines = read(csv_text(lay_out(told, "wide")))
    assert [(row["data"], row["seconds"], row["runs"]) for row in lines] == [
        ("dsprites", "2.0", "2"),
        ("toy", "9.0", "1"),
    ]
    # Beside the scores of the same data, or alone.
    sheet = lay_out(summary(tmp_path, metrics=["seconds", "mig"]), "wide")
    lines = read(csv_text(sheet))
    assert [(row["data"], row["protocol"], row["seconds"], row["mig_n"]) for row in lines] == [
        ("toy", "", "9.0", "0"),
        ("dsprites", "unweave/1", "2.0", "2"),
    ]
    # What is told above is that of the scores, wherever the timings stand.
    for layout in ("wide", "stats"):
        sheet = lay_out(summary(tmp_path, metrics=["seconds", "mig"]), layout)
        assert plain(sheet).startswith("protocol unweave/1, source rendered, part all")


def test_units_and_settings_of_one_metric_are_lines_and_others_share_one(tmp_path):
    for seed in range(2):
        rows = [score("irs", 0.5), score("sap", 0.7, samples=9)]
        made(tmp_path / f"a{seed}", score("mig", 0.1), *rows, seed=seed)
        made(tmp_path / f"b{seed}", score("mig", 0.3, text="mig(bins=5)"), *rows, seed=seed + 2)
        made(tmp_path / f"c{seed}", score("mig", 0.6, unit="nats"), *rows, seed=seed + 4)
    lines = read(csv_text(lay_out(summary(tmp_path), "wide")))
    found = [[row[name] for name in ("settings", "unit", "irs", "mig", "sap")] for row in lines]
    assert found == [
        ["", "", "0.5", "", "0.7"],
        ["mig", "", "", "0.1", ""],
        ["mig", "nats", "", "0.6", ""],
        ["mig(bins=5)", "", "", "0.3", ""],
    ]


def test_line_ends_in_texts_end_no_line_of_a_table(tmp_path):
    for seed in range(2):
        given = {"data": "own(path='a\nb')", "part": "x_y"}
        made(tmp_path / str(seed), score("mig", 0.1 - seed, **given), init_from=f"p\r\n{seed}")
    sheet = lay_out(summary(tmp_path, ["init_from"]), "wide")
    lines = latex(sheet).splitlines()
    assert lines[0].startswith("% protocol unweave/1, data own(path='a b'), ")
    assert lines[-4:-2] == [r"p 0 & 1 & 0.100 \\", r"p 1 & 1 & $-$0.900 \\"]
    assert markdown(sheet).splitlines()[-2:] == ["| p 0 | 1 | 0.100 |", "| p 1 | 1 | -0.900 |"]
    assert len(plain(sheet).splitlines()) == 6
    assert [row["init_from"] for row in read(csv_text(sheet))] == ["p\r\n0", "p\r\n1"]
    assert json_rows(sheet)[0]["init_from"] == "p\r\n0"


def test_numbers_that_are_none_are_null_for_json_and_a_dash_for_people():
    sheet = Sheet(("a", "mean"), ((float("nan"), float("inf")), (-1e300, 2.5)))
    assert json_rows(sheet) == [{"a": None, "mean": None}, {"a": -1e300, "mean": 2.5}]
    assert markdown(sheet).splitlines()[-2:] == ["| nan | - |", "| -1e+300 | 2.5000 |"]


def test_special_characters_are_written_for_latex_and_markdown(tmp_path):
    made(tmp_path / "a", score("mig", 0.1), init_from=r"a_b|c%d&e#f$g{h}i~j^k\l<m>")
    sheet = lay_out(summary(tmp_path, ["init_from"]), "wide")
    assert (
        r"a\_b\textbar{}c\%d\&e\#f\$g\{h\}i\textasciitilde{}j\textasciicircum{}k"
        r"\textbackslash{}l\textless{}m\textgreater{}"
    ) in latex(sheet)
    assert r"a\_b\|c%d&e#f\$g{h}i\~j^k\\l\<m\>" in markdown(sheet)


def eleven(folder, seed, shift=0.0, **left_out):
    parts = {
        "factor_vae": {"active_latents": 6.0},
        "dci": {"informativeness_test": 0.5, "disentanglement": 0.6, "completeness": 0.7},
        "modularity_explicitness": {"modularity": 0.8, "explicitness": 0.9},
        "factor_leakage": {"factor_leakage_mean": 1.1},
    }
    values = {"factor_vae": 0.1, "beta_vae": 0.3, "mig": 0.4, "dci": 0.6, "sap_continuous": 1.0,
              "modularity_explicitness": 0.8, "factor_leakage": 1.1}  # fmt: skip
    rows = [
        score(
            name, value + shift, protocol="clg/1",
            parts={k: v + shift for k, v in parts.get(name, {}).items()},
        )
        for name, value in values.items() if name not in left_out
    ]  # fmt: skip
    made(folder, *rows, seed=seed)


def test_the_eleven_columns(tmp_path):
    # A score of 0 counts, and so does a run that lacks a score, unlike in the script.
    eleven(tmp_path / "a", 0, 0.0)
    eleven(tmp_path / "b", 1, -0.1)
    eleven(tmp_path / "c", 2, 0.0, dci=None)
    names = [name for metrics in ELEVEN.values() for name in metrics]
    results = collect([tmp_path], parts=names)
    results = choose(results, metrics=eleven_of(results.quantities))
    sheet = lay_out(summarise(results, ["objective"]), "clg")
    assert list(sheet.columns)[-11:] == list(ELEVEN) == NAMES
    (line,) = json_rows(sheet)
    means = [0.1, 6.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1]
    for name, value in zip(NAMES, means, strict=True):
        few = name.startswith("dci")
        assert line[name]["n"] == (2 if few else 3)
        assert line[name]["mean"] == pytest.approx(value - (0.05 if few else 0.1 / 3))
    assert "sap is sap_continuous" in plain(sheet)


def test_a_column_holds_no_two_kinds_of_a_score_under_one_protocol(tmp_path):
    made(tmp_path / "a", score("sap", 0.1), score("mig", 0.2), score("sap", 0.3, protocol="clg/1"))
    made(tmp_path / "b", score("sap", 0.4), score("sap_continuous", 0.5), beta=8.0)
    told = summary(tmp_path)
    lines = read(csv_text(lay_out(told, "clg")))
    found = [(row["objective"], row["protocol"], row["sap"]) for row in lines]
    assert found == [
        ("beta_vae(beta=4)", "clg/1", "0.3"),
        ("beta_vae(beta=4)", "unweave/1", ""),
        ("beta_vae(beta=8)", "clg/1", ""),
        ("beta_vae(beta=8)", "unweave/1", "0.5"),
    ]
    assert "sap is sap_continuous under unweave/1 or sap under clg/1." in plain(
        lay_out(told, "clg")
    )


def test_eleven_columns_without_any_score_are_an_error(tmp_path):
    series(tmp_path, [0.1], metric="irs")
    with pytest.raises(RunError, match="--protocol clg --metrics factor_vae,beta_vae,mig,dci,"):
        eleven_of(collect([tmp_path]).quantities)
