"""The contract for scripts: one JSON object on standard output, all else on standard error."""

from __future__ import annotations

import re
import shlex

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from PIL import Image

import unweave
from session.runs import (
    BATCH,
    IMAGES,
    MINI,
    RICH,
    RICH_IMAGES,
    TINY,
    cli,
    copy_of,
    document,
    flags,
    lines,
    listing,
    paragraph,
    rich,
    rich_result,
    train,
)
from unweave import plots
from unweave.presets import PRESETS, preset

SMALL = "dsprites(grid=(3, 2, 2, 2, 2))"


def test_train():
    folder, result = rich_result()
    assert result.code == 0
    value = result.json
    assert {"run", "steps", "seconds", "images_per_second", "terms"} <= value.keys()
    assert value["run"] == str(folder)
    assert value["steps"] == 24
    assert value["seconds"] > 0
    assert value["images_per_second"] > 0
    assert value["terms"] == lines(folder, "train")[-1]["raw"]
    assert all(isinstance(term, float) for term in value["terms"].values())
    assert result.out.count("\n") == 1


def test_train_in_the_words_of_the_contract(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = ["train", MINI, "vae", "--steps", "2", "--seed", "7", "--out", "here", "--json"]
    result = cli(*given)
    assert result.code == 0
    assert result.json["run"] == "here"
    assert result.json["steps"] == 2
    config = document(tmp_path / "here" / "config.json")
    assert (config["seed"], config["batch_size"], config["latents"]) == (7, 64, 10)


def test_train_for_people(tmp_path):
    result = cli(
        "train", MINI, "vae", *flags(**TINY, steps=2, log_every=1), "--out", tmp_path / "run"
    )
    assert result.code == 0
    assert "finished at step 2" in result.out
    assert "reconstruction" in result.out
    assert "images/s" in result.out
    assert "step 2/2" in result.err


def test_the_default_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "runs"))
    given = ["train", MINI, "beta_tcvae(beta=4)", *flags(**TINY, steps=1), "--json"]
    result = cli(*given)
    folder = tmp_path / "runs" / result.json["run"].rsplit("/", 1)[1]
    config = document(folder / "config.json")
    assert folder.name.startswith("dsprites-beta_tcvae-")
    assert len(folder.name.rsplit("-", 1)[1]) == 8
    assert config["steps"] == 1
    assert cli(*given).code == 2
    assert cli(*given, "--resume").json["state"] == "finished"
    assert cli(*given, "--overwrite").json["state"] == "finished"
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [folder.name]


def test_the_command_of_a_run_trains_it_again(tmp_path):
    config = document(rich() / "config.json")
    words = shlex.split(config["command"])
    assert words[:2] == ["unweave", "train"]
    value = cli(*words[1:], "--dry-run", "--json", "--out", tmp_path / "run").json
    assert value["command"] == config["command"]
    assert value["address"] == config["address"]


def test_evaluate(tmp_path):
    run = copy_of(rich(), tmp_path)
    value = cli("evaluate", run, "--metrics", "mig", "--json").json
    assert value["run"] == str(run)
    score = value["scores"]["mig"]
    assert {"value", "parts", "protocol", "text", "matrix"} <= score.keys()
    assert 0 <= score["value"] <= 1
    assert score["parts"].keys() == {"shape", "scale", "orientation", "pos_x", "pos_y"}
    assert score["value"] == pytest.approx(sum(score["parts"].values()) / 5)
    assert score["protocol"] == "unweave/1"
    assert score["text"].startswith("mig")
    assert (score["samples"], score["part"], score["codes"]) == (RICH_IMAGES, "all", "mean")
    assert (score["data"], score["source"]) == (RICH, "rendered")
    assert (score["step"], score["precision"]) == (24, "float32")
    assert document(run / "scores.json")["scores"] == [score]


def test_evaluate_by_an_alias(tmp_path):
    run = copy_of(rich(), tmp_path)
    given = ["evaluate", run, "--protocol", "dlib", "--data", SMALL, "--json"]
    found = cli(*given, "--metrics", "sap_continuous,factor_vae_metric").json["scores"]
    assert list(found) == ["sap_continuous", "factor_vae_metric"]
    assert found["factor_vae_metric"]["metric"] == "factor_vae"
    # What is stored has the metric's own name.
    assert document(run / "scores.json")["scores"] == list(found.values())


def test_evaluate_says_beforehand_what_takes_long(tmp_path, caplog):
    run = copy_of(rich(), tmp_path)
    given = ["evaluate", run, "--metrics", "mig_sampled,aam", "--data", MINI, "--json"]
    exact = cli(*given, "--protocol", "full").json["scores"]
    [message] = caplog.messages
    assert message.startswith("mig_sampled, aam: 1.4e+08 densities to evaluate, about")
    assert caplog.records[0].levelname == "WARNING", "not shown at the default --log-level"
    assert exact["aam"]["text"] == "aam(components=all)"
    caplog.clear()
    # 1,536 images are fewer than the default's components, so that it is the full sum as well.
    default = cli(*given).json["scores"]
    assert caplog.messages == []
    assert default["aam"]["parts"] == exact["aam"]["parts"]


def test_evaluate_for_people(tmp_path):
    run = copy_of(rich(), tmp_path)
    result = cli("evaluate", run, "--part", "holdout", "--codes", "sampled", "--metrics", "mig")
    assert result.code == 0
    assert "mig = 0." in result.out
    assert "96 images" in result.out
    assert "part holdout" in result.out
    assert "sampled codes" in result.out
    for factor in ("shape", "scale", "orientation", "pos_x", "pos_y"):
        assert factor in result.out


def test_plot_and_report(tmp_path, request):
    run = copy_of(rich(), tmp_path)
    value = cli("plot", run, "traversals", "kl", "--json").json
    assert value == {
        "figures": [str(run / "figures" / name) for name in ("traversals.png", "kl.png")]
    }
    for path in value["figures"]:
        assert imread(path).ndim == 3
    value = cli("report", run, "--json").json
    assert value == {"report": str(run / "report.html")}
    assert {path.stem for path in (run / "figures").glob("*.png")} >= {
        "kl",
        "loss_curves",
        "mig",
        "reconstructions",
        "response",
        "traversals",
        "usage",
    }
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "beta_tcvae(beta=2)" in page
    request.getfixturevalue("one_figure")
    elsewhere = tmp_path / "page.html"
    assert cli("report", run, "--out", elsewhere, "--json").json == {"report": str(elsewhere)}
    assert elsewhere.read_text(encoding="utf-8").startswith("<!")


def test_plot_beside_folders_that_are_called_like_figures(tmp_path, monkeypatch):
    copy_of(rich(), tmp_path).rename(tmp_path / "kl")
    (tmp_path / "all").mkdir()
    (tmp_path / "usage").mkdir()
    monkeypatch.chdir(tmp_path)
    asked = []

    def plot(run, *kinds, **_):
        asked.append((str(run.folder), kinds))
        return []

    monkeypatch.setattr("unweave.run.Run.plot", plot)
    for words in ((), ("all",), ("kl", "usage")):
        assert cli("plot", "kl", *words).code == 0
    assert asked == [("kl", ("all",)), ("kl", ("all",)), ("kl", ("kl", "usage"))]


FACTS = {
    "name", "text", "about", "origin", "source", "images", "shape", "labelled", "grid", "factors",
    "ready", "folder", "stored_bytes", "get",
}  # fmt: skip


def test_data_list():
    rows = cli("data", "list", "--json").json["datasets"]
    assert {(row["name"], row["source"]) for row in rows} >= {
        ("dsprites", "rendered"),
        ("dsprites", "archive"),
    }
    for row in rows:
        assert row.keys() == FACTS
        assert row["get"].keys() == {"how", "command", "page", "terms", "files", "bytes"}
        if row["name"] == "dsprites":
            assert row["images"] == 737_280
            assert row["shape"] == [64, 64, 1]
            assert [factor["size"] for factor in row["factors"]] == [3, 6, 40, 32, 32]
            assert row["factors"][0] == {
                "name": "shape",
                "size": 3,
                "kind": "categorical",
                "labels": ["square", "ellipse", "heart"],
            }
            assert row["factors"][2]["kind"] == "circular"
            assert (row["labelled"], row["grid"]) == (True, True)
            assert row["ready"] in (True, False)
            assert row["stored_bytes"] == 737_280 * 64 * 64 // 8
            assert "Matthey" in row["origin"]


def test_data_list_of_datasets_that_are_archives_alone():
    rows = {row["name"]: row for row in cli("data", "list", "--json").json["datasets"]}
    row = rows["celeba"]
    assert (row["text"], row["source"], row["images"]) == ("celeba", "archive", 202_599)
    assert (row["shape"], len(row["factors"])) == ([64, 64, 3], 40)
    male = {"name": "male", "size": 2, "kind": "categorical"}
    assert row["factors"][20].items() >= male.items()
    assert (row["ready"], row["grid"]) == (False, False)
    assert row["get"]["how"] == "by hand"
    assert row["get"]["command"] == "unweave data prepare celeba --from FOLDER"
    assert row["get"]["terms"].startswith("https://")
    assert "non-commercial" in row["origin"]
    assert rows["mnist"]["get"]["how"] == "download"
    spoken = cli("data", "list").out
    for name, state, factors in (
        ("mnist", "downloaded when needed, 0.1 GB prepared", "digit 10"),
        ("chairs3d", "downloaded when needed", "chair 1393, elevation 2, azimuth 31"),
        ("celeba", "fetched by hand, then --from FOLDER", "five_o_clock_shadow 2, "),
    ):
        entry = spoken.split("PUBLISHED")[1].split(f"\n  {name} ")[1].splitlines()
        assert state in entry[0]
        assert entry[1].startswith(f"    {factors}")
    assert "and 32 more" in spoken


def test_data_list_of_datasets_with_nothing_to_prepare():
    rows = {row["name"]: row for row in cli("data", "list", "--json").json["datasets"]}
    row = rows["xysquares"]
    assert (row["images"], row["ready"], row["folder"]) == (262_144, True, None)
    assert (row["stored_bytes"], row["get"]["how"]) == (0, "rendered")
    entry = cli("data", "list").out.split("\n  xysquares ")[1].splitlines()
    assert entry[0].endswith("262,144 of 64x64x3    ready, nothing to prepare")
    assert cli("data", "prepare", "xysquares", "--json").json["ready"] is True
    assert "nothing is stored" in cli("data", "verify", "xysquares").out


def test_data_list_of_what_is_made_of_datasets():
    value = cli("data", "list", "--json").json
    assert value.keys() == {"datasets", "views", "own", "samplers"}
    spoken = cli("data", "list").out
    for kind, names in {
        "views": {"only", "without", "subset", "listed", "correlated"},
        "own": {"folder", "arrays", "h5", "huggingface", "stored"},
        "samplers": {"pairs", "triplets", "walk", "labelled"},
    }.items():
        assert {row["name"] for row in value[kind]} >= names
        for row in value[kind]:
            assert row.keys() == {"name", "about", "example"}
            assert f"\n  {row['example']}\n    {row['about']}\n" in spoken


def test_images_by_python():
    data = unweave.load_dataset("shapes3d(grid=(2, 2, 2, 2, 2, 2))")
    images = data.images([0, 63, 0])
    assert (images.shape, images.dtype) == ((3, 64, 64, 3), np.uint8)
    np.testing.assert_array_equal(images[0], images[2])
    assert (images[0] != images[1]).any()


def test_data_prepare_verify_show(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    text = "dsprites(grid=(3, 2, 2, 2, 2))"
    value = cli("data", "prepare", text, "--json").json
    assert (value["images"], value["ready"], value["source"]) == (48, True, "rendered")
    assert value["seconds"] >= 0
    assert cli("data", "verify", text, "--json").json["verified"] is True
    value = cli("data", "show", text, "--json", "--seed", 4).json
    assert (value["file"], value["notes"]) == ("dsprites.html", [])
    assert [row["text"] for row in value["datasets"]] == [text]
    assert "<h1>dsprites(grid=" in (tmp_path / "dsprites.html").read_text(encoding="utf-8")
    assert cli("data", "show", text, "--out", "one.png").out == "one.png\n"
    assert imread(tmp_path / "one.png").ndim == 3
    assert cli("data", "show", text, "--out", "one.gif").out == "one.gif\n"
    with Image.open(tmp_path / "one.gif") as moving:
        assert moving.n_frames > 2
    images = next((tmp_path / "home").rglob("images.bin"))
    data = bytearray(images.read_bytes())
    data[100] ^= 1
    images.write_bytes(data)
    result = cli("data", "verify", text, "--json")
    assert result.code == 2
    assert "damaged" in result.err


def test_data_show_of_several(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    # Without a name, what is ready: here what needs no store. Its pictures are drawn below.
    blank = plots.png(Figure(figsize=(0.1, 0.1)))
    with monkeypatch.context() as patch:
        patch.setattr(plots, "png", lambda figure: blank)
        value = cli("data", "show", "--json").json
    drawn = ["circles", "simple", "two_shapes", "xyobject", "xysquares"]
    assert value["file"] == "datasets.html"
    assert [row["text"] for row in value["datasets"]] == drawn
    assert not (tmp_path / "home").exists()
    result = cli("data", "show", "--all-rendered", "--out", "all.png", "--json").json
    shown = {row["name"]: row for row in result["datasets"]}
    assert shown.keys() == {
        row["name"]
        for row in cli("data", "list", "--json").json["datasets"]
        if row["source"] == "rendered"
    }
    assert all(shown[name]["text"] == name for name in drawn)
    [note] = result["notes"]
    for name, row in shown.items():
        assert (name in note) == (name not in drawn)
        if name not in drawn:
            assert row["text"].startswith(f"{name}(")
            assert row["images"] <= 10_000
    assert imread(tmp_path / "all.png").ndim == 3
    paragraph(cli("data", "show", "circles", "--all-rendered"), "not both")
    paragraph(cli("data", "show", "circles", "--seed", "first"), "--seed takes a whole number")
    paragraph(cli("data", "show", "circles", "--seed", -1), "--seed must be at least 0")


@pytest.mark.parametrize(
    ("command", "keys", "name"),
    [
        (
            "objectives",
            {"methods", "terms", "kernels", "label_losses", "labellers"},
            "factor_vae",
        ),
        ("architectures", {"architectures"}, "burgess"),
        ("optimizers", {"optimizers", "learning_rates", "schedules"}, "plateau"),
        ("metrics", {"metrics", "protocols"}, "mig"),
        ("presets", {"presets", "numbered", "populations", "recursions"}, "rpu/x_run"),
    ],
)
def test_lists(command, keys, name):
    value = cli(command, "--json").json
    assert value.keys() == keys
    assert name in [row["name"] for rows in value.values() for row in rows]
    short, full = cli(command), cli(command, "--full")
    assert (short.code, full.code) == (0, 0)
    told = " ".join(full.out.split())
    for rows in value.values():
        for row in rows:
            assert row["name"] in short.out
            assert row["name"] in full.out
            assert " ".join(row["about"].split()) in told
    assert len(short.out) < len(full.out)
    assert "--full" in short.out or "unweave presets NAME" in short.out


@pytest.mark.parametrize(
    ("command", "given", "names", "wrong", "near"),
    [
        ("objectives", ["kl", "vae"], ["vae", "kl"], "vea", "term 'vea'. Did you mean vae?"),
        ("architectures", ["burgess"], ["burgess"], "burges", "Did you mean burgess"),
        ("optimizers", ["sgd", "linear"], ["sgd", "linear"], "sdg", "Did you mean sgd?"),
        ("metrics", ["mig", "beta_vae_sklearn"], ["beta_vae", "mig"], "mgi", "Did you mean mig?"),
        ("presets", ["disentangling-vae/debug"], ["disvae/debug"], "dmeo", "Did you mean demo?"),
    ],
)  # fmt: skip
def test_lists_of_what_is_named(command, given, names, wrong, near):
    value = cli(command, *given, "--json").json
    rows = [row for key, rows in value.items() if key != "protocols" for row in rows]
    assert [row["name"] for row in rows] == names
    spoken = cli(command, *given)
    assert spoken.code == 0
    assert all(row["about"] in spoken.out for row in rows)
    assert len(spoken.out.splitlines()) < 60
    paragraph(cli(command, given[0], wrong), near)


# What no paper owns: of the user's own, made of two, and a model without a prior.
NOBODYS = {"own", "pair", "autoencoder"}


@pytest.mark.parametrize("command", ["objectives", "architectures"])
def test_lists_say_all_of_what_can_be_trained(command):
    for rows in cli(command, "--json").json.values():
        for row in rows:
            assert bool(row["source"]) == (row["name"] not in NOBODYS), row["name"]
            for field in row["fields"]:
                assert field["required"] == (field["default"] is None)
                assert field["help"], (row["name"], field["name"])


def test_lists_say_what_a_field_is():
    methods = {row["name"]: row for row in cli("objectives", "--json").json["methods"]}
    fields = {field["name"]: field for field in methods["beta_tcvae"]["fields"]}
    assert fields["beta"]["default"] == "6"
    assert not fields["beta"]["required"]
    assert all(field["help"] for field in fields.values())
    assert "1802.04942" in methods["beta_tcvae"]["source"]
    metrics = {row["name"]: row for row in cli("metrics", "--json").json["metrics"]}
    metric = metrics["mig"]
    assert metric["range"] == [0.0, 1.0]
    assert metric["higher_is_better"] is True
    assert metric["protocols"]["unweave/1"] == "mig"
    assert not metric["opt_in"]
    assert metrics["aam"]["opt_in"]
    assert metric["direction"] == "higher"
    assert metric["needs"] == ["codes", "factors"]
    assert "1802.04942" in metric["source"]
    assert metric["cost"].startswith("at most about 2 s")
    assert metrics["aam"]["cost"].startswith("seconds to hours")
    assert metrics["beta_vae"]["aliases"] == ["beta_vae_sklearn"]
    assert metrics["test_losses"]["direction"] == "lower"
    assert metrics["test_losses"]["cost"].startswith("a pass of all images")
    assert metrics["factor_errors"]["cost"] == "a pass of 10,000 images at most through the model"
    assert "20,000 that were trained on" in metrics["factor_r2"]["cost"]
    assert "2,000 triplets at most of each regime" in metrics["composition"]["cost"]
    assert metrics["aam"]["protocols"]["full/1"] == "aam(components=all)"


def test_the_list_of_metrics_begins_with_a_line_for_each():
    shown = cli("metrics").out.split("\n\n")[0].splitlines()
    rows = cli("metrics", "--json").json["metrics"]
    assert shown[0].split() == ["name", "range", "better", "scored", "needs"]
    assert [line.split()[0] for line in shown[1:]] == [row["name"] for row in rows]
    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in shown}
    assert lines["mig"] == "0 to 1 higher by default codes, factors"
    assert lines["aam"] == "0 to 1 higher when named codes, factors, logvar"


def test_the_list_of_metrics_says_how_to_ask_for_them():
    shown = cli("metrics", "--full").out
    blocks = {block.splitlines()[0]: block.splitlines() for block in shown.split("\n\n")}
    assert "  from 0 to 1, higher is better; needs codes, factors, logvar" in blocks["aam"]
    assert (
        "  from no limit to no limit, lower is better; needs model, images, objective"
        in (blocks["test_losses"])
    )
    for row in cli("metrics", "--json").json["metrics"]:
        block = blocks[row["name"]]
        assert row["protocols"]
        for label, text in row["protocols"].items():
            assert f"  protocol {label}: {text}" in block
        assert ("  Scored only when it is asked for by name." in block) == row["opt_in"]


def test_version():
    import unweave

    result = cli("--version")
    assert (result.code, result.out) == (0, f"unweave {unweave.__version__}\n")


class TestDryRun:
    def test_it_writes_nothing_and_says_the_cost(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "runs"))
        given = ["train", MINI, "factor_vae", *flags(**TINY, steps=100), "--dry-run"]
        value = cli(*given, "--json").json
        assert value["parameters"]["model"] == 502_005
        assert value["parameters"]["discriminator"] == 4_017_002
        assert value["images"] == 2 * 100 * BATCH  # a second batch a step
        assert value["epochs"] == pytest.approx(100 * BATCH / IMAGES)
        assert value["seconds"] == pytest.approx(100 * value["seconds_per_step"])
        assert value["seconds"] > 0
        assert value["disk_bytes"] > 12 * 502_005
        assert value["dataset_ready"] is False
        spoken = cli(*given)
        assert spoken.code == 0
        lengths = f"steps: 100 ({2 * 100 * BATCH:,} images, "
        for words in (
            "502,005 parameters",
            "4,017,002 parameters",
            lengths,
            "MB",
            "1 thread, cpu",
        ):
            assert words in spoken.out
        assert re.search(r"^time: about [\d:]+ (s|min|h) \(", spoken.out, re.MULTILINE)
        assert "Conv2d" in spoken.out
        assert listing(tmp_path) == {}

    def test_of_a_resume_trains_nothing(self, tmp_path):
        run = tmp_path / "run"
        train(run, steps=2)
        before = listing(run)
        result = cli("train", "--out", run, "--resume", "--steps", 9, "--dry-run", "--json")
        assert result.code == 0, result.err
        assert result.json["config"]["steps"] == 9
        assert listing(run) == before


class TestPresets:
    def config(self, *arguments):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("unweave.estimate._MEASURED_STEPS", 1)
            result = cli("train", *arguments, "--dry-run", "--json", "--batch-size", 8)
        assert result.code == 0, result.err
        return result.json["config"]

    def test_a_preset_gives_the_settings(self):
        config = self.config("--preset", "disvae/betaH_dsprites")
        assert config["objective"]["type"] == "beta_vae"
        assert config["optimizer"]["lr"] == 5e-4
        assert config["seed"] == 1234
        assert config["steps"] == 30 * 737_280 // 8

    def test_flags_win(self):
        config = self.config(
            MINI,
            *("--preset", "disvae/btcvae_dsprites"),
            *flags(steps=7, lr=0.25, seed=9, latents=3),
        )
        assert config["dataset"]["grid"] == [3, 2, 4, 8, 8]
        assert config["objective"]["type"] == "beta_tcvae"
        assert (config["steps"], config["seed"], config["latents"]) == (7, 9, 3)
        assert config["optimizer"]["lr"] == 0.25

    def test_epochs_win_over_the_steps_of_a_preset(self):
        config = self.config(MINI, "vae", "--preset", "demo", "--epochs", 2)
        assert config["steps"] == 2 * IMAGES // 8
        assert config["objective"]["type"] == "vae"

    def test_an_optimiser_wins_over_the_rate_of_a_preset(self):
        config = self.config("--preset", "demo", "--optimizer", "adam(beta1=0.5)")
        assert config["optimizer"]["type"] == "adam"
        assert [config["optimizer"][name] for name in ("lr", "beta1", "beta2")] == [
            5e-4,
            0.5,
            0.999,
        ]

    def test_the_list_is_complete(self):
        rows = cli("presets", "--json").json["presets"]
        assert [row["name"] for row in rows] == list(PRESETS)
        for row in rows:
            assert row["objective"] == preset(row["name"]).objective
            assert row["settings"] == preset(row["name"]).settings

    def test_a_preset_without_images_is_estimated_and_not_trained(self, tmp_path, monkeypatch):
        monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "runs"))
        assert self.config("--preset", "disvae/best_celeba")["likelihood"]["type"] == "laplace"
        paragraph(cli("train", "--preset", "disvae/best_celeba"), "celeba", "Accept the terms")
        assert listing(tmp_path) == {}
