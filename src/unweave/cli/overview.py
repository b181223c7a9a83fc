"""What `unweave --help` and the help of a group of commands say: a line for each command."""

from __future__ import annotations

__all__ = ["SECTIONS", "find_command", "overview", "own_flags_first"]

import dataclasses
import inspect
import shutil
import textwrap
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

SECTIONS: Final[dict[str, tuple[str, ...]]] = {
    "Train": ("demo", "train", "study", "population", "generalise", "reproduce"),
    "Look": ("report", "plot", "watch"),
    "Measure": ("evaluate", "score", "rank", "results"),
    "Keep and share": ("runs", "cite", "export", "push", "pull", "import"),
    "What there is": (
        "data", "objectives", "architectures", "optimizers", "metrics", "presets", "trackers",
    ),
    "Else": ("completion",),
}  # fmt: skip
"""The commands, by what they are for."""

_WIDEST: Final = 100


def overview(given: Sequence[str], commands: Any) -> str | None:
    """What is said where the help of unweave, or of a group of commands, is asked for.

    Args:
        given: The arguments.
        commands: The union of commands that tyro reads.

    Returns:
        None where a command is named.
    """
    words = list(given)
    if words and words[-1] in ("-h", "--help"):
        words.pop()
    every = dict(_named(commands))
    match words:
        case []:
            return _whole(every)
        case [name] if name in every and not dataclasses.is_dataclass(_type(every[name])):
            return _group(name, every[name])
    return None


def find_command(given: Sequence[str], commands: Any) -> tuple[str, type[Any], list[str]]:
    """The command that is named.

    Args:
        given: The arguments, which begin with its words.
        commands: The union of commands that tyro reads.

    Returns:
        Its words, its class, and the arguments behind its words.

    Raises:
        SpecError: There is no such command.
    """
    from unweave.errors import SpecError, nearest

    path = ["unweave"]
    rest = list(given)
    while True:
        every = {name: _type(entry) for name, entry in _named(commands)}
        before = " ".join(path)
        if not rest or rest[0] not in every:
            name = rest[0] if rest else ""
            raise SpecError(
                f"{before} has no command {name!r:.100}. {nearest(name, every)} `{before} --help` "
                "tells what each does."
            )
        path.append(rest.pop(0))
        commands = every[path[-1]]
        if dataclasses.is_dataclass(commands):
            return " ".join(path), commands, rest  # type: ignore[return-value]


def own_flags_first(commands: Any) -> None:
    """Let help list the flags of a command before those that many or all commands have.

    Args:
        commands: The union of commands that tyro reads.
    """
    from unweave.cli.common import Common
    from unweave.cli.driving import Driving

    common = [field.name for field in dataclasses.fields(Common)]
    driving = [field.name for field in dataclasses.fields(Driving) if field.name not in common]
    for _, entry in _named(commands):
        kind = _type(entry)
        if not dataclasses.is_dataclass(kind):
            own_flags_first(kind)
            continue
        command: Any = kind
        found: dict[str, Any] = command.__dataclass_fields__
        drives = Driving in command.__mro__
        for name in (*(driving if drives else ()), *common):
            found[name] = found.pop(name)


def _named(commands: Any) -> Iterator[tuple[str, Any]]:
    """The commands of a union, or its groups, by name."""
    for entry in typing.get_args(commands):
        yield entry.__metadata__[0].name, entry


def _type(entry: Any) -> Any:
    """The class of a command, or the union of a group."""
    return entry.__origin__


def _about(entry: Any) -> str:
    """What a command or a group is, in a sentence."""
    kind = _type(entry)
    if not dataclasses.is_dataclass(kind):
        return str(entry.__metadata__[0].description)
    return (inspect.getdoc(kind) or "").split("\n\n")[0].replace("\n", " ")


def _whole(every: Mapping[str, Any]) -> str:
    lines = [
        "usage: unweave COMMAND ...",
        "",
        "Train, measure and compare disentangled representations.",
    ]
    width = max(map(len, every))
    for heading, names in SECTIONS.items():
        shown = [name for name in names if name in every]
        if shown:
            lines += ["", heading]
        for name in shown:
            lines += _line(name, _about(every[name]), width)
    return "\n".join(
        [
            *lines,
            "",
            "To begin: unweave demo. All of a command: unweave COMMAND --help.",
            "Every command takes --json, for scripts. The version: unweave --version.",
        ]
    )


def _group(name: str, entry: Any) -> str:
    members = dict(_named(_type(entry)))
    lines = [f"usage: unweave {name} COMMAND ...", "", _about(entry).partition(":")[0] + ".", ""]
    width = max(map(len, members))
    for member, inner in members.items():
        lines += _line(member, _about(inner), width)
    return "\n".join([*lines, "", f"All of a command: unweave {name} COMMAND --help."])


def _line(name: str, about: str, width: int) -> list[str]:
    space = " " * (width + 4)
    room = min(shutil.get_terminal_size().columns, _WIDEST)
    return textwrap.wrap(
        about,
        room,
        initial_indent=f"  {name:<{width}}  ",
        subsequent_indent=space,
        break_long_words=False,
        break_on_hyphens=False,
    )
