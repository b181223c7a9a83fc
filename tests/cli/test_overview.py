"""`unweave --help`: a line for each command; and what is said of commands that there are not."""

from __future__ import annotations

import dataclasses
import re
import typing

import pytest

from session.runs import cli, paragraph
from unweave.cli import app
from unweave.cli.common import Common
from unweave.cli.driving import Driving
from unweave.cli.overview import SECTIONS

GROUPS = {
    entry.__metadata__[0].name: [
        inner.__metadata__[0].name for inner in typing.get_args(entry.__origin__)
    ]
    for entry in typing.get_args(app.COMMANDS)
    if not dataclasses.is_dataclass(entry.__origin__)
}


def names():
    return [entry.__metadata__[0].name for entry in typing.get_args(app.COMMANDS)]


def described(text):
    """The first words of lines that begin with two blanks and a word."""
    return re.findall(r"^  (\w+)", text, re.MULTILINE)


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_has_its_line_once(flag, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    result = cli(flag)
    assert (result.code, result.err) == (0, "")
    shown = described(result.out)
    assert sorted(shown) == sorted(names())
    assert shown == [name for section in SECTIONS.values() for name in section]
    assert max(map(len, result.out.splitlines())) <= 80
    assert "unweave COMMAND --help" in result.out


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_names_its_commands(group):
    result = cli(group, "--help")
    assert result.code == 0
    assert described(result.out) == GROUPS[group]
    assert f"unweave {group} COMMAND --help" in result.out


@pytest.mark.parametrize("words", [(), ("data",)])
def test_without_a_command_the_same_is_said_as_an_error(words):
    result = cli(*words)
    assert (result.code, result.out) == (2, "")
    assert result.err == cli(*words, "--help").out


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["trian"], ("unweave has no command 'trian'", "Did you mean train", "unweave --help")),
        (["data", "lst"], ("unweave data has no command 'lst'", "Did you mean list")),
        (["--steps", "3"], ("no command '--steps'",)),
        (["data", "--json"], ("unweave data has no command '--json'", "unweave data --help")),
        ([""], ("no command ''",)),
    ],
)
def test_a_command_that_there_is_not(words, found):
    paragraph(cli(*words), *found)


def test_a_misspelt_flag_is_told_of_the_command_alone(capsys):
    with pytest.raises(SystemExit) as ended:
        app.parse(["train", "dsprites", "vae", "--stps", "3"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "--steps" in said
    assert "unweave train --help" in said
    assert "generalise" not in said


def test_the_own_flags_of_a_command_come_first():
    shared = [field.name for field in dataclasses.fields(Common)]
    driving = [field.name for field in dataclasses.fields(Driving) if field.name not in shared]
    for words in (["train"], ["study", "run"], ["population", "run"], ["data", "show"]):
        command = app.parse([*words, *(["--preset", "x"] if words[0] == "study" else [])])
        order = [field.name for field in dataclasses.fields(command)]
        behind = [*(driving if isinstance(command, Driving) else []), *shared]
        assert order[-len(behind) :] == behind
