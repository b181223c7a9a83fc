"""The flags of the command line, frozen: scripts out there use them.

`cli_flags.txt` lists every command, flag, type and default. To change them on purpose, run
`python tests/contracts/test_cli_flags.py`, look at the difference, and commit it with the change.
"""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from tyro.conf import Positional

from unweave.cli import app

SNAPSHOT = Path(__file__).with_name("cli_flags.txt")
_POSITIONAL = typing.get_args(Positional[str])[1]


def commands(union: Any = app.COMMANDS, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Each command's words and its dataclass."""
    for entry in typing.get_args(union):
        words = (*path, entry.__metadata__[0].name)
        if dataclasses.is_dataclass(entry.__origin__):
            yield " ".join(words), entry.__origin__
        else:
            yield from commands(entry.__origin__, words)


def flags(cls: Any) -> Iterator[tuple[str, str]]:
    """Each flag, or place, of a command, and the line that describes it."""
    hints = typing.get_type_hints(cls, include_extras=True)
    for field in dataclasses.fields(cls):
        extras = getattr(hints[field.name], "__metadata__", ())
        settings = {
            key: getattr(extra, key)
            for extra in extras
            for key in ("name", "metavar")
            if isinstance(getattr(extra, key, None), str)
        }
        name = settings.get("name", field.name.replace("_", "-"))
        shown = name.upper() if _POSITIONAL in extras else f"--{name}"
        kind = settings.get("metavar") or _kind(typing.get_type_hints(cls)[field.name])
        required = field.default is dataclasses.MISSING
        yield shown, f"{shown} {kind} " + ("required" if required else f"= {field.default!r}")


def _kind(hint: Any) -> str:
    if typing.get_origin(hint) is Literal:
        return "|".join(typing.get_args(hint))
    return hint.__name__ if isinstance(hint, type) else str(hint)


def surface() -> str:
    """The whole flag surface: each command, and each of its flags on a line."""
    lines = []
    for words, cls in commands():
        lines.append(words)
        lines += [f"{words}: {line}" for _, line in flags(cls)]
    return "\n".join(lines) + "\n"


def test_the_flags_are_those_of_the_snapshot():
    now, frozen = surface().splitlines(), SNAPSHOT.read_text(encoding="utf-8").splitlines()
    gone = [line for line in frozen if line not in now]
    new = [line for line in now if line not in frozen]
    assert now == frozen, (
        "The command line has changed. Gone: "
        + "; ".join(gone)
        + ". New: "
        + "; ".join(new)
        + ". If scripts may break for it, run `python tests/contracts/test_cli_flags.py`, and say "
        "so in CHANGELOG.md."
    )


@pytest.mark.parametrize(
    ("words", "cls"), list(commands()), ids=[words for words, _ in commands()]
)
def test_help_names_every_flag_and_no_other(words, cls, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as ended:
        app.parse([*words.split(), "--help"])
    assert ended.value.code == 0
    shown = set(re.findall(r"^[^\w-]*(--[a-z][a-z-]*)", capsys.readouterr().out, re.MULTILINE))
    assert shown == {flag for flag, _ in flags(cls) if flag.startswith("--")}


def test_every_command_explains_itself():
    for words, cls in commands():
        assert (cls.__doc__ or "").split("\n")[0].endswith("."), words


if __name__ == "__main__":
    SNAPSHOT.write_text(surface(), encoding="utf-8")
