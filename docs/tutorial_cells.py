"""The code of a tutorial carried out block by block, as a notebook carries out its cells.

What a block prints, and the value of its last line, are its output: a figure, a moving picture or
the paths of pictures become files, anything else its text. `run_tutorials.py` has this file run in
a process of its own, and tests call `run_cells`.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import shutil
import sys
import traceback
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["run_cells"]

Tell = Callable[[dict[str, Any]], None]


def run_cells(
    page: str, cells: Sequence[tuple[int, str]], pictures: Path | None, tell: Tell
) -> bool:
    """Carry out the blocks of a page in order, in one namespace; the first that fails is the last.

    Args:
        page: Its file, which tracebacks name.
        cells: Of each block the line of its first line in the page, from 1, and its code.
        pictures: Folder for pictures; None for pictures that are drawn and not kept.
        tell: Called before each block with `begun`, its number from 0; after it with `done`, its
            number, `text` and `pictures`, names of files; or with `failed`, its number, `line`, in
            the page, and `traceback`.

    Returns:
        Whether all have come to their end.
    """
    module = types.ModuleType("tutorial")
    count = 0
    for number, (line, code) in enumerate(cells):
        tell({"begun": number})
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                value = _carry_out(page, line, code, module.__dict__)
                shown, drawn = _shown(value)
            kept = []
            for picture in drawn:
                count += 1
                kept.append(_write(picture, Path(page).stem, count, pictures))
        except BaseException as error:
            frames = traceback.extract_tb(error.__traceback__)
            lines = [frame.lineno for frame in frames if frame.filename == page]
            if isinstance(error, SyntaxError) and error.filename == page:
                lines.append(error.lineno)
            told = "".join(traceback.format_exception(error))
            tell({"failed": number, "line": lines[-1] if lines else line, "traceback": told})
            return False
        tell({"done": number, "text": printed.getvalue() + shown, "pictures": kept})
    return True


def _carry_out(page: str, line: int, code: str, names: dict[str, Any]) -> Any:
    """The value of the last line of a block, or None where that is no expression."""
    # Empty lines before, so that every error names the line of the page.
    tree = ast.parse("\n" * (line - 1) + code, page)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, page, "exec"), names)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), page, "eval"), names)


def _shown(value: Any) -> tuple[str, list[Any]]:
    """The text of a value, and its pictures: figures, moving pictures, arrays or paths."""
    from matplotlib.figure import Figure

    from unweave.plots import Animation, Drawn, Picture

    if value is None:
        return "", []
    if isinstance(value, Figure | Animation | Picture):
        return "", [value]
    if isinstance(value, Drawn):
        return "", list(value)
    return f"{value!r}\n", []


def _write(picture: Any, stem: str, count: int, folder: Path | None) -> str:
    """Write a picture under the page's name and its number; the name of the file."""
    from unweave.plots import Animation, save

    if isinstance(picture, Path):
        name = f"{stem}-{count}{picture.suffix}"
        if folder is not None:
            shutil.copyfile(picture, folder / name)
        return name
    name = f"{stem}-{count}{'.gif' if isinstance(picture, Animation) else '.png'}"
    save(picture, (folder or Path()) / name)
    return name


def _main() -> int:
    """Carry out what a file asks for, and tell of it on standard output, a line of JSON each."""
    asked = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    out = sys.stdout

    def tell(event: dict[str, Any]) -> None:
        print(json.dumps(event), file=out, flush=True)

    pictures = None if asked["pictures"] is None else Path(asked["pictures"])
    return 0 if run_cells(asked["page"], asked["cells"], pictures, tell) else 1


if __name__ == "__main__":
    sys.exit(_main())
