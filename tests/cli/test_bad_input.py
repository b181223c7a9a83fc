"""Bad input: exit code 2, one clear paragraph, no traceback, nothing written."""

from __future__ import annotations

import dataclasses
import zipfile

import numpy as np
import pytest

from session.runs import MINI, cli, flags, listing, paragraph, rich
from unweave.cli.common import Common


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty working directory, cache and folder of runs."""
    rich()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "runs"))
    return tmp_path


def refused(place, *arguments, words=()):
    """Run a command that must be refused and must write nothing."""
    before = listing(place)
    error = paragraph(cli(*arguments), *words)
    assert listing(place) == before
    return error


TRAIN = [
    # unknown names, with the nearest
    (("dsprite", "vae"), ("dataset 'dsprite'", "Did you mean dsprites")),
    (("mystery", "vae"), ("dataset 'mystery'", "dsprites")),
    ((MINI, "beta_va"), ("method or term 'beta_va'", "Did you mean beta_vae")),
    ((MINI, "xyzzy"), ("method or term 'xyzzy'", "Choose one of", "factor_vae")),
    ((MINI, "beta_vae(betta=4)"), ("beta_vae has no field 'betta'", "Did you mean beta?")),
    (("dsprites(grd=(1, 1, 1, 1, 1))", "vae"), ("no field 'grd'", "Did you mean grid?")),
    (("dsprites(source=arxiv)", "vae"), ("source", "'arxiv'", "archive")),
    # values of the wrong type
    ((MINI, "beta_vae(beta=high)"), ("beta_vae: beta", "high", "a number")),
    ((MINI, "beta_vae(beta='4')"), ("beta_vae: beta", "'4'", "a number")),
    ((MINI, "beta_vae(beta=True)"), ("beta_vae: beta", "True", "a number")),
    ((MINI, "beta_vae(beta=None)"), ("beta_vae: beta", "None", "a number")),
    ((MINI, "beta_vae(beta=(1, 2))"), ("beta_vae: beta", "(1, 2)", "a number")),
    ((MINI, "beta_tcvae(estimator=best)"), ("estimator", "'best'", "stratified")),
    (("dsprites(grid=4)", "vae"), ("dsprites: grid", "tuple of 5", "not 4")),
    (("dsprites(grid=(3, 2, 4))", "vae"), ("dsprites: grid", "tuple of 5")),
    (("dsprites(grid=(3, 2, 4, 8, 'x'))", "vae"), ("dsprites: grid", "'x'", "whole number")),
    # calls and other code
    ((MINI, "beta_vae(beta=max(1, 2))"), ("beta_vae: beta", "max(1, 2)", "a number")),
    ((MINI, "beta_vae(beta=__import__('os').getcwd())"), ("beta_vae: beta",)),
    ((MINI, "exec('x')"), ("method or term 'exec'",)),
    ((MINI, "(lambda: 0)()"), ("name(field=value, ...)",)),
    ((MINI, "beta_vae(beta=2**9)"), ("beta_vae: beta", "2 ** 9")),
    ((MINI, "beta_vae(beta=4).terms()"), ("name(field=value, ...)",)),
    ((MINI, "beta_vae(4)"), ("fields are given by name", "beta_vae(beta=4)")),
    ((MINI, "beta_vae(**{'beta': 4})"), ("'**' is not allowed",)),
    (("open('/etc/passwd')", "vae"), ("dataset 'open'",)),
    # texts that are no text
    ((MINI, ""), ("Expected the text",)),
    ((MINI, "beta_vae("), ("Cannot read 'beta_vae('",)),
    ((MINI, "vae - kl"), ("vae - kl",)),
    (("dsprites + dsprites", "vae"), ("is a sum",)),
    # sums that make no sense
    ((MINI, "kl"), ("no reconstruction term", "vae + kl")),
    ((MINI, "vae + vae"), ("vae",)),
    ((MINI, "vae + kl"), ("kl more than once",)),
    # out of range
    ((MINI, "beta_vae(beta=-1)"), ("beta_vae: beta", "at least 0", "-1")),
    ((MINI, "beta_vae(beta=1e999)"), ("beta_vae: beta", "finite")),
    (("dsprites(grid=(0, 2, 4, 8, 8))", "vae"), ("dsprites: grid", "at least 1", "0")),
    (("dsprites(grid=(3, -2, 4, 8, 8))", "vae"), ("dsprites: grid", "at least 1", "-2")),
    (("dsprites(grid=(4, 2, 4, 8, 8))", "vae"), ("dsprites: grid", "shape", "3")),
    (("dsprites(path='x.npz')", "vae"), ("path", "source=archive")),
]


@pytest.mark.parametrize(("texts", "words"), TRAIN, ids=[" ".join(t)[:60] for t, _ in TRAIN])
def test_texts(place, texts, words):
    refused(place, "train", *texts, "--steps", 5, words=words)


FLAGS = [
    ("batch_size", "0", ("batch_size", "at least 1", "0")),
    ("batch_size", "-8", ("batch_size", "at least 1", "-8")),
    ("batch_size", "1", ("batch_size", "at least 2", "beta_tcvae")),
    ("batch_size", "1537", ("batch_size", "1537", "1536")),
    ("batch_size", "8.5", ("--batch-size", "whole number", "8.5")),
    ("batch_size", "many", ("--batch-size", "whole number", "'many'")),
    ("batch_size", "99999999999999999999", ("batch_size", "64 bits")),
    ("latents", "0", ("latents", "at least 1", "0")),
    ("latents", "-3", ("latents", "at least 1", "-3")),
    ("latents", "9223372036854775807", ("latents", "at most 100000")),
    ("latents", "ten", ("--latents", "whole number", "'ten'")),
    ("steps", "0", ("steps", "at least 1", "0")),
    ("steps", "-5", ("steps", "at least 1", "-5")),
    ("steps", "1e3", ("--steps", "whole number", "'1e3'")),
    ("lr", "0", ("lr", "more than 0")),
    ("lr", "-0.1", ("lr", "more than 0", "-0.1")),
    ("lr", "nan", ("--lr", "a number", "'nan'")),
    ("lr", "fast", ("--lr", "a number", "'fast'")),
    ("seed", "-1", ("seed", "at least 0", "-1")),
    ("holdout", "1", ("holdout", "less than 1")),
    ("holdout", "-0.5", ("holdout", "at least 0")),
    ("threads", "9223372036854775807", ("threads", "at most 1024")),
    ("threads", "0", ("threads", "at least 1")),
    ("log_every", "0", ("log_every", "at least 1")),
    ("checkpoint_every", "0", ("checkpoint_every", "at least 1")),
    ("snapshot_every", "-1", ("snapshot_every", "at least 0")),
    ("evaluate_every", "-1", ("evaluate_every", "at least 0")),
    ("evaluate_metrics", "sap", ("evaluate_metrics", "Give evaluate_every")),
    ("evaluate_metrics", ",", ("--evaluate-metrics", "such as mig,")),
    ("picture_every", "-1", ("picture_every", "at least 0")),
    ("max_minutes", "0", ("--max-minutes", "more than 0")),
    ("max_minutes", "soon", ("--max-minutes", "a number", "'soon'")),
    ("device", "gpu", ("device", "'gpu'", "cuda")),
    ("device", "cuda:99", ("device", "'cuda:99'", "GPUs")),
    ("device", "meta", ("device", "'meta'", "cpu")),
    ("precision", "float16", ("precision", "'float16'", "float32")),
    ("architecture", "burgers", ("architecture 'burgers'", "Did you mean burgess")),
    ("likelihood", "poisson", ("likelihood 'poisson'", "bernoulli")),
    ("likelihood", "gaussian(variance=0)", ("gaussian: variance", "more than 0")),
    ("optimizer", "sdg", ("optimizer 'sdg'", "Did you mean sgd")),
    ("optimizer", "adam(beta1=1)", ("adam: beta1", "less than 1")),
    ("preset", "dmeo", ("preset 'dmeo'", "Did you mean demo?")),
    ("preset", "disvae/VAE_dsprite", ("'disvae/VAE_dsprite'", "disvae/VAE_dsprites")),
    ("preset", "disentangling-vae/nothing", ("'disentangling-vae/nothing'", "disvae/")),
]


@pytest.mark.parametrize(("name", "value", "words"), FLAGS, ids=[f"{n}={v}" for n, v, _ in FLAGS])
def test_flags(place, name, value, words):
    settings = {"steps": 5} | {name: value}
    refused(place, "train", MINI, "beta_tcvae", *flags(**settings), words=words)


def test_a_flag_given_twice_over(place):
    given = ("train", MINI, "vae", "--steps", 5)
    refused(place, *given, "--lr", 1, "--optimizer", "adam(lr=1)", words=("lr", "optimizer"))
    refused(place, *given, "--epochs", 1, words=("steps", "epochs"))


def test_nothing_to_train(place):
    refused(place, "train", words=("dataset", "unweave train"))
    refused(place, "train", MINI, words=("objective", "unweave train"))
    refused(place, "train", MINI, "vae", words=("--steps", "--epochs"))


@pytest.mark.parametrize("arguments", [["--stepz", "5"], ["--steps"], ["extra", "words"]])
def test_unknown_flags(place, arguments):
    before = listing(place)
    result = cli("train", MINI, "vae", *arguments)
    assert result.code == 2
    assert result.out == ""
    assert "Traceback" not in result.err
    assert result.err.strip()
    assert listing(place) == before


def test_the_nearest_flag_is_named(place):
    assert "--steps" in cli("train", MINI, "vae", "--stepz", "5").err


@pytest.mark.parametrize("arguments", [["trian"], ["data", "lst"], ["--bogus"]])
def test_unknown_commands(place, arguments):
    result = cli(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert "Traceback" not in result.err


def arrays(images=12):
    return {
        "imgs": np.zeros((images, 64, 64), np.uint8),
        "latents_classes": np.zeros((images, 6), np.int64),
        "latents_values": np.zeros((images, 6)),
    }


def without(name):
    return {key: value for key, value in arrays().items() if key != name}


ARCHIVES = {
    "text": (b"this is not an archive", ("damaged or not an npz file",)),
    "empty": (b"", ("damaged or not an npz file",)),
    "no images": (without("imgs"), ("imgs", "latents_classes", "latents_values")),
    "no factors": (without("latents_classes"), ("latents_classes", "imgs")),
    "too few": (arrays(), ("(12, 6)", "(737280, 6)")),
    "other keys": ({"x": np.zeros(3)}, ("x", "imgs")),
}


@pytest.mark.parametrize("kind", ARCHIVES)
@pytest.mark.parametrize("command", ["train", "prepare"])
def test_archives(place, kind, command):
    content, words = ARCHIVES[kind]
    path = place / "file.npz"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.savez_compressed(path, **content)
    given = (
        ("train", f"dsprites(source=archive, path={str(path)!r})", "vae", "--steps", 5)
        if command == "train"
        else ("data", "prepare", "dsprites", "--from", path)
    )
    refused(place, *given, words=(str(path), *words))


def test_a_cut_archive(place):
    path = place / "file.npz"
    np.savez_compressed(path, **arrays())
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - 100])
    refused(place, "data", "prepare", "dsprites", "--from", path, words=(str(path), "damaged"))


def test_a_changed_byte_in_an_archive(place):
    path = place / "file.npz"
    with zipfile.ZipFile(path, "w") as file:
        for key in ("imgs", "latents_classes", "latents_values"):
            file.writestr(f"{key}.npy", b"\x93NUMPY\x01\x00garbage")
    refused(place, "data", "prepare", "dsprites", "--from", path, words=(str(path),))


def test_an_archive_that_is_not_there(place):
    words = ("nowhere.npz", "does not exist")
    refused(place, "data", "prepare", "dsprites", "--from", "nowhere.npz", words=words)


def test_a_run_that_is_not_one(place):
    (place / "notes").mkdir()
    (place / "notes" / "a.txt").write_text("mine")
    for command in ("evaluate", "plot", "report"):
        refused(place, command, "notes", words=("notes", "not a run folder"))
        refused(place, command, "nowhere", words=("nowhere", "does not exist"))
        refused(place, command, "notes/a.txt", words=("a.txt",))
    refused(place, "train", "--out", "notes", "--resume", words=("notes", "not a run folder"))


EVALUATE = [
    (["--metrics", "migg"], ("metric 'migg'", "mig")),
    (["--metrics", "mig,mig"], ("twice", "mig, mig")),
    (["--metrics", ","], ("--metrics", "mig")),
    (["--protocol", "unweav"], ("protocol 'unweav'", "unweave")),
    (["--seed", "-1"], ("--seed", "at least 0", "-1")),
    (["--data", "dsprite"], ("dataset 'dsprite'", "dsprites")),
    (["--metrics", "aam", "--codes", "sampled"], ("aam draws", "codes=mean")),
    (["--part", "train", "--data", MINI], ("'train'", "--data", "--part")),
]


@pytest.mark.parametrize(("arguments", "words"), EVALUATE, ids=[a[1] for a, _ in EVALUATE])
def test_evaluate(place, arguments, words):
    before = listing(rich())
    refused(place, "evaluate", rich(), *arguments, words=words)
    assert listing(rich()) == before


@pytest.mark.parametrize("arguments", [["--part", "test"], ["--codes", "best"], ["--seed", "x"]])
def test_evaluate_choices(place, arguments):
    result = cli("evaluate", rich(), *arguments)
    assert result.code == 2
    assert result.out == ""
    assert "Traceback" not in result.err
    assert arguments[1] in result.err


def test_plot_of_an_unknown_kind(place):
    words = ("figure 'traversal'", "Did you mean traversals")
    refused(place, "plot", rich(), "traversal", words=words)


def test_a_report_that_is_no_page(place):
    (place / "folder.html").mkdir()
    (place / "notes.md").write_text("mine")
    refused(place, "report", rich(), "--out", "notes.md", words=("end in .html", "notes.md"))
    refused(place, "report", rich(), "--out", "folder.html", words=("folder.html is a folder",))


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("report", "RUN", "--out", "mine.html"), "no report of a run"),
        (("data", "show", MINI, "--out", "mine.html"), "no page of datasets"),
        (("data", "show", MINI, "--out", "mine.png"), "no picture of that format"),
        (("data", "show", MINI, "--out", "mine.gif"), "no picture of that format"),
        (("generalise", "report", "runs", "--out", "mine.html"), "no report of generalisation"),
        (
            ("generalise", "splits", "--data", MINI, "--condition", "pos_x > 0.5", "--picture",
             "mine.png"),
            "no picture of that format",
        ),
        (("plot", "RUN", "kl", "--out", "mine.png"), "no picture of that format"),
        (("plot", "RUN", "gif_traversals", "--out", "mine.gif"), "no picture of that format"),
        (("results", "RUN", "--out", "mine.csv"), "no table of scores"),
        (("results", "RUN", "--out", "mine.parquet"), "no table of scores"),
        (("reproduce", "page", "runs", "--out", "mine.md"), "no page of published numbers"),
        (("reproduce", "page", "runs", "--record", "mine.json"), "no record of reproductions"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)  # fmt: skip
def test_what_is_not_written_over(place, words, kind):
    for ending in ("html", "png", "gif", "csv", "parquet", "md", "json"):
        (place / f"mine.{ending}").write_text("<p>My notes.</p>")
    given = [rich() if word == "RUN" else word for word in words]
    refused(place, *given, words=(words[-1], "is there already", kind, "left as it is"))


def test_data_commands(place):
    for command in ("prepare", "show", "verify"):
        refused(place, "data", command, "dsprite", words=("'dsprite'", "dsprites"))
    refused(place, "data", "verify", MINI, words=("not prepared yet", "unweave data prepare"))
    refused(
        place, "data", "show", MINI, "--out", "a.jpg", words=("--out", ".html or .png", "a.jpg")
    )
    refused(place, "data", "show", MINI, "--seed", "-1", words=("--seed", "at least 0"))
    refused(
        place, "data", "show", MINI, "circles", "--out", "a.gif", words=("one dataset", "2 are")
    )


# What each command that takes --out needs beside it, and whether it can do without.
OUT = {
    "demo": ([], True),
    "train": ([MINI, "vae", "--steps", 5], True),
    "import": (["nowhere"], False),
    "export": (["nowhere", "--format", "challenge"], False),
    "pull": (["nowhere"], True),
    "score": (["nowhere.npz"], True),
    "rank": (["nowhere"], True),
    "results": (["nowhere"], True),
    "report": (["nowhere"], True),
    "cite": (["nowhere"], True),
    "plot": (["nowhere"], True),
    "data show": ([MINI], True),
    "generalise splits": (["--data", MINI, "--condition", "pos_x > 0.5"], True),
    **{
        f"generalise {word}": (["--data", MINI, "--condition", "pos_x > 0.5", "--steps", 1], True)
        for word in ("run", "decode", "compose")
    },
    "generalise report": (["nowhere"], True),
    "reproduce run": (["disvae/VAE_dsprites"], True),
    "reproduce page": (["nowhere"], True),
    "study run": (["nowhere.json"], True),
    "population run": (["--data", MINI, "--objective", "vae"], True),
    "population recurse": ([MINI], True),
    "population export": (["nowhere"], False),
}


@pytest.mark.parametrize("command", OUT)
def test_an_empty_out(place, command):
    needed, optional = OUT[command]
    error = refused(place, *command.split(), *needed, "--out", "", words=("--out is empty",))
    assert ("leave it out" in error) == optional


def test_every_command_with_out_is_among_them():
    found = [
        cls.__name__
        for cls in _subclasses(Common)
        if any(field.name == "out" for field in dataclasses.fields(cls))
        # What several commands have in common is none.
        and not cls.__subclasses__()
    ]
    assert len(found) == len(OUT), found


def _subclasses(cls):
    for each in cls.__subclasses__():
        yield each
        yield from _subclasses(each)


def test_a_dry_run_of_nonsense(place):
    refused(place, "train", MINI, "vae", "--steps", 0, "--dry-run", words=("steps", "at least 1"))


def test_a_dry_run_and_a_run_of_no_length_say_first_what_else_is_wrong(place):
    for more in ([], ["--dry-run"]):
        refused(place, "train", MINI, "beta_vae(betta=4)", *more, words=("no field 'betta'",))
        refused(place, "train", MINI, "vae", "--latents", 0, *more, words=("latents", "at least"))
        refused(place, "train", MINI, "vae", *more, words=("--steps", "--epochs"))
    given = ("train", MINI, "vae", "--steps", 5, "--init-from", "nowhere", "--dry-run")
    refused(place, *given, words=("nowhere", "does not exist"))
