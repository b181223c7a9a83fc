"""Scripts for shells, made of the commands and their flags; they call no Python when they run."""

from __future__ import annotations

__all__ = ["SCRIPTS", "Words", "bash", "words_of", "zsh"]

import dataclasses
import typing
from collections.abc import Callable, Iterable, Mapping
from types import UnionType
from typing import Any, Final, Literal, final

from tyro.conf import Positional

_POSITIONAL = typing.get_args(Positional[str])[1]

# Above all commands: what `unweave` itself takes.
_OF_ALL = ("--help", "--version")


@final
@dataclasses.dataclass(frozen=True)
class Words:
    """What can be said after a command.

    Attributes:
        below: Commands below it, each with what it does, where it is a group of commands; or the
            few words that can stand in its first place.
        flags: Its flags.
        values: Values of those flags that take one out of a few.
        others: Flags that take any other value.
    """

    below: Mapping[str, str] = dataclasses.field(default_factory=dict)
    flags: tuple[str, ...] = ("--help",)
    values: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    others: tuple[str, ...] = ()


def words_of(commands: Any) -> dict[str, Words]:
    """What can be said after each command, by its path, such as `/data/list`.

    The empty path is that of unweave itself.

    Args:
        commands: The union of commands that tyro reads, each under its name.
    """
    found = dict(_group(commands, ""))
    found[""] = dataclasses.replace(found[""], flags=_OF_ALL)
    return found


def _group(commands: Any, path: str) -> Iterable[tuple[str, Words]]:
    below = {}
    for entry in typing.get_args(commands):
        [about] = (extra for extra in entry.__metadata__ if hasattr(extra, "description"))
        place, inner = f"{path}/{about.name}", entry.__origin__
        if dataclasses.is_dataclass(inner):
            below[about.name] = (inner.__doc__ or "").split("\n")[0]
            yield place, _command(inner)
        else:
            below[about.name] = about.description or ""
            yield from _group(inner, place)
    yield path, Words(below=below)


def _command(cls: Any) -> Words:
    """Flags of a command, from the fields that tyro reads."""
    flags, others = ["--help"], []
    values: dict[str, tuple[str, ...]] = {}
    first: tuple[str, ...] = ()
    hints = typing.get_type_hints(cls, include_extras=True)
    for field in dataclasses.fields(cls):
        extras = getattr(hints[field.name], "__metadata__", ())
        kind = typing.get_type_hints(cls)[field.name]
        if _POSITIONAL in extras:
            first = first or _choices(kind)
            continue
        named = (extra.name for extra in extras if isinstance(getattr(extra, "name", None), str))
        flag = f"--{next(named, field.name.replace('_', '-'))}"
        flags.append(flag)
        if choices := _choices(kind):
            values[flag] = choices
        elif kind is not bool:
            others.append(flag)
    return Words(
        below=dict.fromkeys(first, ""), flags=tuple(flags), values=values, others=tuple(others)
    )


def _choices(kind: Any) -> tuple[str, ...]:
    """Values of a literal type, also where None may stand for it."""
    if typing.get_origin(kind) is Literal:
        return tuple(str(value) for value in typing.get_args(kind))
    if typing.get_origin(kind) in (typing.Union, UnionType):
        return tuple(value for part in typing.get_args(kind) for value in _choices(part))
    return ()


def bash(words: Mapping[str, Words]) -> str:
    """The script for bash; where nothing else is due it leaves the word to names of files."""
    return f"""\
# Completion of unweave in bash: unweave completion bash
_unweave() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} command= said= i
  # --flag=value comes as three words.
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = ]]; then
    prev=${{COMP_WORDS[COMP_CWORD-2]}}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$command/${{COMP_WORDS[i]}}" in
      {_paths(words)}) command+="/${{COMP_WORDS[i]}}" ;;
      *) break ;;
    esac
  done
  case "$command $prev" in
{_cases(_valued(words), lambda values: f'said="{" ".join(values)}"')}
{_taken(words)}
    *)
      if [[ $cur == -* ]]; then
        case "$command" in
{_cases(_flags(words), lambda flags: f'said="{" ".join(flags)}"', 10)}
        esac
      else
        case "$command" in
{_cases(_below(words), lambda names: f'said="{" ".join(names)}"', 10)}
        esac
      fi
      ;;
  esac
  COMPREPLY=($(compgen -W "$said" -- "$cur"))
}}
complete -o default -F _unweave unweave"""


def zsh(words: Mapping[str, Words]) -> str:
    """The script for zsh, to be read or put in a folder of $fpath; commands are explained."""

    def told(names: Mapping[str, str]) -> str:
        return f"said=({' '.join(_quoted(name, about) for name, about in names.items())})"

    return f"""\
#compdef unweave
# Completion of unweave in zsh: unweave completion zsh
_unweave() {{
  local command= i
  local -a said
  for ((i = 2; i < CURRENT; i++)); do
    case "$command/$words[i]" in
      {_paths(words)}) command+="/$words[i]" ;;
      *) break ;;
    esac
  done
  case "$command $words[CURRENT-1]" in
{_cases(_valued(words), lambda values: f"compadd -- {' '.join(values)}; return")}
{_taken(words, "_files; return")}
  esac
  if [[ $PREFIX == -* ]]; then
    case "$command" in
{_cases(_flags(words), lambda flags: f"compadd -- {' '.join(flags)}", 6)}
    esac
  else
    case "$command" in
{_cases({path: word.below for path, word in words.items() if word.below}, told, 6)}
      *) _files; return ;;
    esac
    _describe command said
  fi
}}
if [[ $funcstack[1] == _unweave ]]; then
  _unweave "$@"
else
  compdef _unweave unweave
fi"""


def _paths(words: Mapping[str, Words]) -> str:
    return "|".join(sorted(path for path in words if path))


def _flags(words: Mapping[str, Words]) -> dict[str, tuple[str, ...]]:
    return {path: word.flags for path, word in words.items()}


def _below(words: Mapping[str, Words]) -> dict[str, tuple[str, ...]]:
    return {path: tuple(word.below) for path, word in words.items() if word.below}


def _valued(words: Mapping[str, Words]) -> dict[str, tuple[str, ...]]:
    """Values by command and flag, with a space between."""
    return {
        f"{path} {flag}": values
        for path, word in words.items()
        for flag, values in word.values.items()
    }


def _taken(words: Mapping[str, Words], what: str = ":") -> str:
    """The case of all flags that take a value which may be the name of a file."""
    every = sorted(f'"{path} {flag}"' for path, word in words.items() for flag in word.others)
    return f"    {'|'.join(every)}) {what} ;;"


def _cases(cases: Mapping[str, Any], what: Callable[[Any], str], indent: int = 4) -> str:
    """One line for each thing to do, with all for which it is done."""
    together: dict[str, list[str]] = {}
    for name, case in cases.items():
        together.setdefault(what(case), []).append(f'"{name}"')
    return "\n".join(
        f"{' ' * indent}{'|'.join(sorted(names))}) {do} ;;" for do, names in together.items()
    )


def _quoted(name: str, about: str) -> str:
    """A word with what it means, as `_describe` takes them."""
    text = f"{name}:{about}".replace("'", "'\\''")
    return f"'{text}'"


SCRIPTS: Final[Mapping[str, Callable[[Mapping[str, Words]], str]]] = {"bash": bash, "zsh": zsh}
