"""What is cited for runs, studies, populations and texts, in Python and on the command line."""

from __future__ import annotations

import subprocess
import sys

import pybtex.database
import pytest

import unweave
from session.runs import MINI, cli, document, listing, paragraph
from unweave.citing import Citations, bibliography, cite
from unweave.errors import RunError, SpecError
from unweave.objectives import parse_objective
from unweave.presets import PRESETS
from unweave.rundir import write_json
from unweave.session.folder import write_new
from unweave.settings import make_config

SMALL = "dsprites(grid=(3, 2, 2, 4, 4))"


def made(folder, objective="vae", dataset=SMALL, **settings):
    """A run folder as a training makes it, before its first step."""
    config = make_config(dataset, objective, **{"steps": 10, "batch_size": 8} | settings)
    write_new(folder, config, replace=False)
    return folder


def scored(folder, *rows):
    """Give a run rows of scores: metric, text, protocol, and data."""
    names = ("metric", "text", "protocol", "data")
    forms = [dict(zip(names, row, strict=True)) | {"unweave": "0.0.9"} for row in rows]
    write_json(folder / "scores.json", {"format": 1, "scores": forms})


def reasons(found: Citations) -> dict[str, tuple[str, ...]]:
    return {each.key: each.reasons for each in found}


def keys_read_by_another(text: str) -> list[str]:
    return list(pybtex.database.parse_string(text, "bibtex").entries)


# Objective, further settings, and what is cited for them beside dSprites, the VAE and unweave.
METHODS = [
    ("vae", {}, {"burgess2018understanding"}),
    ("beta_vae(beta=4)", {"architecture": "higgins"}, {"higgins2017beta", "montero2021role"}),
    ("factor_vae", {"architecture": "kim"}, {"kim2018disentangling", "montero2021role"}),
    (
        "beta_tcvae",
        {"architecture": "locatello"},
        {"chen2018isolating", "locatello2019challenging"},
    ),
    ("dip_vae_ii", {}, {"kumar2018variational", "burgess2018understanding"}),
    ("wae_mmd", {}, {"tolstikhin2017wasserstein", "zhao2017infovae", "burgess2018understanding"}),
    ("lie_group_vae", {}, {"zhu2021commutative"}),
    (
        "ada_gvae",
        {},
        {
            "locatello2020weakly",
            "hosoya2018group",
            "klindt2021towards",
            "burgess2018understanding",
        },
    ),
    ("vae + total_correlation(weight=5)", {}, {"chen2018isolating", "burgess2018understanding"}),
    (
        "beta_vae(beta=cyclical(steps=5))",
        {"architecture": "simple_conv64"},
        {"higgins2017beta", "fu2019cyclical", "abdi2019variational"},
    ),
    (
        "total_correlation(compat=dlib) + reconstruction",
        {"architecture": "pbt_vae"},
        {"chen2018isolating", "locatello2019challenging", "estermann2020robust"},
    ),
]


@pytest.mark.parametrize(("objective", "settings", "own"), METHODS)
def test_runs_of_methods(tmp_path, objective, settings, own):
    found = cite(made(tmp_path / "run", objective, **settings))
    # Terms of the ELBO cite the VAE, and a term `kl` the capacity, too.
    shared = {"unweave", "matthey2017dsprites", "kingma2013auto", "burgess2018understanding"}
    assert set(found.keys) >= own | {"unweave", "matthey2017dsprites", "kingma2013auto"}
    assert set(found.keys) <= own | shared
    assert found.keys[:2] == ("unweave", "matthey2017dsprites")
    assert keys_read_by_another(str(found)) == list(found.keys)


def test_what_each_is_cited_for(tmp_path):
    run = made(tmp_path / "run", "factor_vae", architecture="kim")
    assert reasons(cite(run)) == {
        "unweave": ("unweave itself",),
        "matthey2017dsprites": ("dataset dsprites",),
        "kim2018disentangling": ("method factor_vae", "architecture kim", "term density_ratio_tc"),
        "montero2021role": ("architecture kim",),
        "kingma2013auto": ("term reconstruction", "term kl"),
        "burgess2018understanding": ("term kl",),
    }
    assert cite(run).without == ("likelihood bernoulli", "optimizer adam")


def test_scores(tmp_path):
    run = made(tmp_path / "run")
    other = "correlated(data=shapes3d, pairs=(('scale', 'shape'),))"
    scored(
        run,
        ("mig", "mig(bins=20, compat=dlib)", "dlib/1", SMALL),
        ("factor_vae", "factor_vae", "unweave/1", other),
        ("nmig", "nmig(estimator=knn(neighbours=3))", "rpu/1", SMALL),
        ("composition", "composition", "unweave/1", SMALL),
        ("mine", "mine", "unweave/1", SMALL),
    )
    found = reasons(cite(run))
    assert found["chen2018isolating"] == ("metric mig",)
    assert found["locatello2019challenging"] == (
        "compat dlib", "protocol dlib", "metric factor_vae",
    )  # fmt: skip
    assert found["estermann2020robust"] == ("metric nmig", "protocol rpu")
    assert found["ross2014mutual"] == ("information estimator knn",)
    assert found["montero2021role"] == ("analysis composition",)
    assert found["trauble2021disentangled"] == ("dataset correlated",)
    assert found["burgess2018shapes"] == ("dataset shapes3d",)
    assert "sampler composition" not in str(cite(run))
    assert "metric mine" in cite(run).without
    # The run is of this version, and its scores are of another.
    assert f"note = {{Versions {unweave.__version__}, 0.0.9}}" in str(cite(run))


def test_scores_on_the_way(tmp_path):
    asked = {"evaluate_every": 2, "evaluate_metrics": ("dci", "sap")}
    found = reasons(cite(made(tmp_path / "a", **asked)))
    assert found["eastwood2018framework"] == ("metric dci",)
    assert found["kumar2018variational"] == ("metric sap",)
    assert "chen2018isolating" not in found
    usual = reasons(cite(made(tmp_path / "b", evaluate_every=2)))
    assert usual["chen2018isolating"] == ("metric mig",)


def test_parts_of_datasets(tmp_path):
    part = f"without(data=only(data={SMALL}, where='scale > 0.6'), where='shape == 1')"
    found = reasons(cite(made(tmp_path / "run", dataset=part)))
    assert found["montero2021role"] == ("dataset without",)
    assert found["matthey2017dsprites"] == ("dataset dsprites",)
    found = reasons(cite(made(tmp_path / "noisy", dataset=f"noisy_dsprites(data={SMALL})")))
    assert found["locatello2019challenging"] == ("dataset noisy_dsprites",)
    assert found["matthey2017dsprites"] == ("dataset dsprites",)


def test_an_imported_run(tmp_path):
    run = made(tmp_path / "run")
    write_json(run / "import.json", {"format": 1, "project": "disvae"})
    assert reasons(cite(run))["dubois2019disentangling"] == ("import from disvae",)


def test_weights_of_another_run(tmp_path):
    first = made(tmp_path / "first", "factor_vae", dataset="circles")
    second = made(tmp_path / "second")
    config = document(second / "config.json") | {"init_from": str(first)}
    write_json(second / "config.json", config)
    found = reasons(cite(second))
    assert found["kim2018disentangling"] == ("method factor_vae",)
    assert found["montero2022lost"] == ("dataset circles",)
    write_json(second / "config.json", config | {"init_from": str(tmp_path / "gone")})
    assert "kim2018disentangling" not in cite(second).keys


def test_runs_that_began_with_the_weights_of_each_other(tmp_path):
    first, second = made(tmp_path / "first", "factor_vae"), made(tmp_path / "second")
    for run, other in ((first, second), (second, first)):
        config = document(run / "config.json")
        write_json(run / "config.json", config | {"init_from": str(other)})
    assert "kim2018disentangling" in cite(second).keys


def test_a_preset_is_kept_through_a_resume(tmp_path):
    [name] = [each for each in PRESETS if each == "disvae/btcvae_dsprites"]
    folder = tmp_path / "run"
    alias = name.replace("disvae", "disentangling-vae")
    given = [MINI, "--preset", alias, "--steps", 2, "--batch-size", 4, "--threads", 1]
    assert cli("train", *given, "--out", folder).code == 0
    assert document(folder / "config.json")["preset"] == name
    assert reasons(cite(folder))["dubois2019disentangling"] == (
        "compat disvae",
        f"settings of {name}",
    )
    assert cli("train", "--out", folder, "--resume", "--steps", 3).code == 0
    assert document(folder / "config.json")["steps"] == 3
    assert document(folder / "config.json")["preset"] == name
    assert unweave.load_run(folder).cite() == cite(folder)


def test_a_preset_given_from_python_is_noted(tmp_path):
    name = "disvae/btcvae_dsprites"
    given = {"batch_size": 4, "threads": 1}
    by_name = unweave.train(MINI, preset=f"disentangling-vae/{name[7:]}", steps=2,
                            out=tmp_path / "name", **given)  # fmt: skip
    assert document(by_name.folder / "config.json")["preset"] == name
    assert by_name.config.objective == parse_objective(PRESETS[name].objective)
    assert (by_name.config.steps, str(by_name.config.dataset)) == (2, MINI)
    assert reasons(by_name.cite())["dubois2019disentangling"] == (
        "compat disvae",
        f"settings of {name}",
    )
    again = unweave.train(MINI, preset=PRESETS[name], steps=3, out=by_name.folder, resume=True,
                          **given)  # fmt: skip
    assert (again.config.steps, again.status["state"]) == (3, "finished")
    assert document(by_name.folder / "config.json")["preset"] == name
    # What is given beside it wins.
    other = unweave.train(MINI, "vae", preset=name, steps=1, lr=0.01, out=tmp_path / "b", **given)
    assert (str(other.config.objective), other.config.optimizer.lr) == ("vae", 0.01)
    plain = unweave.train(MINI, "vae", steps=1, out=tmp_path / "plain", **given)
    assert "preset" not in document(plain.folder / "config.json")


def test_what_is_neither_given_nor_of_a_preset(tmp_path):
    for given, what in (((), "dataset"), ((MINI,), "objective")):
        with pytest.raises(SpecError, match=f"no {what} is given"):
            unweave.train(*given, steps=1, out=tmp_path / "run")
    with pytest.raises(SpecError, match=r"Unknown preset 'disvae/btcvae_dsprits'.*Did you mean"):
        unweave.train(preset="disvae/btcvae_dsprits", steps=1, out=tmp_path / "run")
    waiting = next(each for each in PRESETS.values() if each.after is not None)
    with pytest.raises(SpecError, match="goes on from the weights of"):
        unweave.train(preset=waiting.name, steps=1, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_study_and_one_of_its_runs(tmp_path):
    place = tmp_path / "sweep"
    for key in ("a", "b"):
        made(place / "runs" / key, seed=ord(key))
    runs = [{"key": "a", "varied": {"preset": "dpt/one"}}, {"key": "b", "varied": {"seed": 1}}]
    study = {
        "name": "dlib-fairness-x0.5",
        "about": "Models. Source: Locatello and others.",
        "axes": [[{"preset": "dpt/one"}, {"preset": "clg/two"}]],
    }
    write_json(place / "study.json", {"format": 1, "study": study, "runs": runs})
    found = reasons(cite(place))
    assert found["locatello2019fairness"] == ("study dlib-fairness-x0.5",)
    assert found["abdi2019variational"] == ("settings of dpt/one",)
    assert found["zhu2021commutative"] == ("settings of clg/two",)
    own = cite(place / "runs" / "a").keys
    assert "abdi2019variational" in own
    assert "zhu2021commutative" not in own
    # Anybody may give a study such a name.
    write_json(
        place / "study.json", {"format": 1, "study": study | {"about": "Mine."}, "runs": runs}
    )
    assert "locatello2019fairness" not in cite(place).keys


def test_a_population(tmp_path):
    form = {
        "type": "population",
        "fitness": {"type": "udr", "pairs": 3},
        "exploit": {"type": "truncation"},
        "explore": {"type": "pb2"},
        "stop": [{"type": "plateau"}],
        "optimizer": {"type": "adam", "rate": {"type": "plateau"}},
    }
    write_json(tmp_path / "population.json", {"format": 1, "population": form})
    made(tmp_path / "runs" / "a", "beta_tcvae")
    found = reasons(cite(tmp_path))
    assert found["duan2020unsupervised"] == ("fitness udr",)
    assert found["estermann2020robust"] == ("fitness udr", "stop rule plateau")
    assert found["jaderberg2017population"] == ("exploit rule truncation",)
    assert found["desautels2012parallelizing"] == ("explore rule pb2",)
    assert "chen2018isolating" in found
    assert "learning rate plateau" in cite(tmp_path).without


def test_several_runs_are_told_once(tmp_path):
    made(tmp_path / "a", "factor_vae")
    made(tmp_path / "b", "beta_vae")
    both = cite(tmp_path / "a", tmp_path / "b")
    assert sorted(both.keys) == sorted(set(both.keys))
    assert {"kim2018disentangling", "higgins2017beta"} <= set(both.keys)
    assert cite(tmp_path).keys == both.keys


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "factor_vae(gamma=10)",
            {
                "kim2018disentangling": ("method factor_vae", "metric factor_vae"),
                "locatello2019challenging": ("metric factor_vae",),
            },
        ),
        (
            "vae + dip_i",
            {"kingma2013auto": ("method vae",), "kumar2018variational": ("term dip_i",)},
        ),
        ("tripod2024", {"hsu2024tripod": ("protocol tripod2024",)}),
        ("lls/anything", {"montero2022lost": ("settings of lls/anything",)}),
        (
            "only(data=mpi3d(subset=real), where='shape == 1')",
            {"gondal2019transfer": ("dataset mpi3d",)},
        ),
        ("adam", {}),
    ],
)
def test_texts(text, expected):
    assert reasons(cite(text)) == {"unweave": ("unweave itself",), **expected}


@pytest.mark.parametrize(
    ("what", "error", "told"),
    [
        ((), SpecError, "Name what to cite for"),
        (("",), SpecError, "empty"),
        (("factr_vae",), SpecError, "no component 'factr_vae'. Did you mean factor_vae"),
        (("./nowhere",), RunError, "is not there"),
        (("runs/nowhere",), SpecError, "no component 'runs'|no folder of a run"),
        (("1 + 2",), SpecError, "no folder of a run, and no text of a component"),
        (("vae +",), SpecError, "no text of a component"),
    ],
)
def test_what_cannot_be_cited(what, error, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=told):
        cite(*what)


def test_folders_without_runs(tmp_path):
    with pytest.raises(RunError, match="has no runs"):
        cite(tmp_path)
    run = made(tmp_path / "run")
    (run / "config.json").write_text('{"format": 1')
    with pytest.raises(RunError, match=r"config\.json"):
        cite(run)


def test_an_address_in_a_comment_begins_no_entry(tmp_path):
    run = made(tmp_path / "a@misc{b, c = {d}}")
    assert keys_read_by_another(str(cite(run))) == list(cite(run).keys)


def test_the_command(tmp_path):
    run = made(tmp_path / "run", "factor_vae")
    result = cli("cite", run)
    assert result.code == 0
    assert result.out == f"{cite(run)}\n"
    for key in cite(run).keys:
        assert bibliography()[key].confirmed.split(";")[0] in result.out.replace("\n%  ", "")
    value = cli("cite", run, "--json").json
    assert [entry["key"] for entry in value["entries"]] == list(cite(run).keys)
    assert value["of"] == [str(run)]
    assert value["entries"][1]["cited_for"] == ["dataset dsprites"]
    told = cli("cite", run, "--style", "text").out
    assert "Hyunjik Kim and Andriy Mnih (2018). Disentangling by Factorising." in told
    assert "For: method factor_vae; term density_ratio_tc." in told


def test_the_command_writes_a_file_and_replaces_none(tmp_path):
    run, file = made(tmp_path / "run"), tmp_path / "deep" / "cited.bib"
    result = cli("cite", run, "--out", file)
    assert result.code == 0
    assert result.out == f"{file}: {len(cite(run))} entries\n"
    assert file.read_text() == f"{cite(run)}\n"
    file.write_text("mine")
    before = listing(tmp_path)
    for given in (("--out", file), ("--out", tmp_path), ("--style", "apa")):
        error = cli("cite", run, *given)
        assert error.code == 2
        paragraph(error)
    assert listing(tmp_path) == before
    assert cli("cite", run, "--out", file, "--overwrite").code == 0
    assert file.read_text() == f"{cite(run)}\n"


def test_torch_is_not_loaded(tmp_path):
    run = made(tmp_path / "run")
    code = (
        "import sys; from unweave.cli import main; code = main(['cite', sys.argv[1], 'vae']); "
        "sys.exit(code or 'torch' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(run)], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("% What to cite for")
