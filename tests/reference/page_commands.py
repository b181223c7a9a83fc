"""Commands that pages show in blocks of a shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

__all__ = ["commands"]

_BLOCK = re.compile(r"^( *)```(?:sh|bash|console)\n(.*?)^\1```$", re.S | re.M)
_ASSIGNED = re.compile(r"[A-Z_]+=")
# What ends a command, or joins it to another one
_ENDS = {"|", "||", "&&", ";", "&", ">", ">>", "<", "2>"}


def commands(text: str) -> Iterator[list[str]]:
    r"""The words of each `unweave` command of a page, without `unweave` itself.

    Lines that end with `\` go on in the next one, comments and variables set before a command are
    left out, and of commands that are joined each is one.

    Args:
        text: The page.
    """
    for indent, block in _BLOCK.findall(text):
        whole = re.sub(r"\\\n\s*", " ", block.replace(f"\n{indent}", "\n"))
        for line in whole.splitlines():
            yield from _of_line(line)


def _of_line(line: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word not in _ENDS:
            words.append(word)
            continue
        while words and _ASSIGNED.match(words[0]):
            del words[0]
        if words[:1] == ["unweave"]:
            yield words[1:]
        # What stands behind an arrow is a file
        words = ["file"] if word in (">", ">>", "<", "2>") else []
