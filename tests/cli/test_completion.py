"""`unweave completion`: what the shells complete with the scripts that it prints."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

import pytest

from contracts.test_cli_flags import commands, flags
from session.runs import cli

# Reads lines of words, the last of which is to be completed; prints what it would be for each.
BASH = """
while IFS= read -r line; do
  IFS='|' read -r -a COMP_WORDS <<< "$line"
  [[ $line == *'|' ]] && COMP_WORDS+=('')
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  COMPREPLY=()
  _unweave
  echo "${COMPREPLY[*]}"
done
"""

# The same: what the completion system of zsh would be told is printed.
ZSH = """
compdef() { print -r -- "$@" > /dev/null }
compadd() { shift; print -rn -- "$@" }
_describe() { print -rn -- "${(@)${(@P)2}%%:*}" }
_files() { print -rn -- FILES }
source $1
while IFS= read -r line; do
  words=("${(@s:|:)line}")
  CURRENT=${#words}
  PREFIX=$words[CURRENT]
  _unweave
  print
done
"""

GIVEN = {
    "": {"train", "data", "completion", "runs"},
    "data": {"list", "prepare", "show", "verify"},
    "runs": {"list", "show", "rm"},
    "train --log-level": {"debug", "info", "warning", "error"},
    "train dsprites vae --log-level": {"debug", "info", "warning", "error"},
    "study run --executor": {"serial", "processes", "ray"},
    "generalise compose --operator": {"linear", "interp", "mlp", "fixint"},
    "completion": {"bash", "zsh"},
}
FILES = ("evaluate", "evaluate run", "train dsprites vae --out", "data prepare dsprites --from")


def completed(shell: str, tmp_path, given: list[list[str]]) -> list[list[str]]:
    """What is offered for the last of the words after `unweave`, for each list of words."""
    script = tmp_path / "script"
    script.write_text(cli("completion", shell).out, encoding="utf-8")
    command = {
        "bash": ["bash", "--norc", "-c", f". {script}\n{BASH}"],
        "zsh": ["zsh", "-f", "-c", ZSH, "zsh", str(script)],
    }[shell]
    text = "".join("|".join(["unweave", *words]) + "\n" for words in given)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [line.split() for line in done.stdout.splitlines()]


@pytest.fixture(params=["bash", "zsh"])
def shell(request):
    if shutil.which(request.param) is None:
        pytest.skip(f"There is no {request.param} here.")
    return request.param


def test_commands_and_values_are_completed(shell, tmp_path):
    found = completed(shell, tmp_path, [[*words.split(), ""] for words in GIVEN])
    for (words, wanted), got in zip(GIVEN.items(), found, strict=True):
        assert set(got) >= wanted if words == "" else set(got) == wanted, words


def test_flags_are_those_of_the_command(shell, tmp_path):
    every = list(commands())
    found = completed(shell, tmp_path, [[*words.split(), "--"] for words, _ in every])
    assert len(found) == len(every) > 40
    for (words, cls), got in zip(every, found, strict=True):
        wanted = {flag for flag, _ in flags(cls) if flag.startswith("--")}
        assert set(got) == wanted | {"--help"}, words
        assert len(got) == len(set(got))


def test_files_are_left_to_the_shell(shell, tmp_path):
    found = completed(shell, tmp_path, [[*words.split(), ""] for words in FILES])
    assert found == [["FILES"] if shell == "zsh" else []] * len(FILES)
    if shell == "bash":
        script = cli("completion", "bash").out
        assert script.splitlines()[-1] == "complete -o default -F _unweave unweave"


def test_what_is_typed_narrows_it(tmp_path):
    given = [
        ["tra"], ["data", "pr"], ["train", "dsprites", "vae", "--prec"], ["nothing", "--"],
        ["train", "--log-level", "=", ""], ["train", "--log-level", "=", "de"],
        ["train", "--log-level", "="], ["completion", "b"], ["train", "--steps", "--"],
    ]  # fmt: skip
    found = completed("bash", tmp_path, given)
    levels = ["debug", "info", "warning", "error"]
    assert found == [
        ["train", "trackers"], ["prepare"], ["--precision"], ["--help", "--version"],
        levels, ["debug"], levels, ["bash"], [],
    ]  # fmt: skip


def test_it_takes_no_time_in_the_shell(tmp_path):
    begun = time.monotonic()
    completed("bash", tmp_path, [["train", "--s"]] * 50)
    # A shell that asked Python for each would need half a minute.
    assert time.monotonic() - begun < 10


def test_it_is_printed_without_heavy_libraries():
    code = (
        "import sys; from unweave.cli import main; code = main(['completion', 'bash'])\n"
        "assert not {'torch', 'numpy', 'matplotlib'} & set(sys.modules); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == cli("completion", "bash").out


def test_for_programs_and_for_other_shells():
    value = cli("completion", "zsh", "--json").json
    assert value["shell"] == "zsh"
    assert value["script"] == cli("completion", "zsh").out.removesuffix("\n")
    assert value["script"].startswith("#compdef unweave\n")
    wrong = cli("completion", "tcsh")
    assert wrong.code == 2
    assert "bash" in wrong.err + wrong.out
