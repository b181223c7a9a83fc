"""`unweave report`: one run on a page, or several beside one another."""

from __future__ import annotations

__all__ = ["Report"]

from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Annotated, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Flag, Text, bar, names_of, say, to_number

_OF_ONE = ("without_explorer", "decoder", "onnxruntime_web", "start_images")


@final
@dataclass(kw_only=True)
class Report(Common):
    """Write one self-contained page about a run: scores, pictures, settings; or compare several.

    The page works offline and can be sent alone. It has an explorer, in which latents are moved by
    hand. With several runs: what differs in their settings, their scores with intervals, the same
    images, and which latents of the first run are those of the others.
    """

    run_folder: Positional[Annotated[str, arg(metavar="RUN", help_behavior_hint="")]]
    """Folder of the run."""

    others: Positional[
        Annotated[tuple[str, ...], arg(metavar="[RUN ...]", help_behavior_hint="")]
    ] = ()
    """Folders of runs that the first one is compared with."""

    out: Text = None
    """File to write (default: RUN/report.html; comparison-ID.html here, of several runs)."""

    without_explorer: Flag = False
    """Leave out the explorer, which makes the page smaller."""

    decoder: Annotated[str, arg(metavar="TEXT", help_behavior_hint="")] = "auto"
    """How it decodes: javascript, onnx, strips (ahead), or auto, what works first (default)."""

    onnxruntime_web: Text = None
    """The package onnxruntime-web, a file or folder, which the decoder onnx needs."""

    start_images: Text = None
    """Images that it starts from, as numbers in the dataset with commas (default: some)."""

    def run(self) -> int:
        """Write the page and say where it is."""
        from unweave.cli.run_folder import check_run_folder

        for folder in (self.run_folder, *self.others):
            check_run_folder(folder)
        if self.others:
            return self._compare()
        from unweave.run import load_run

        names = names_of(self.start_images, "--start-images") or ()
        images = [to_number("--start-images", name, int) for name in names]
        path = str(
            load_run(self.run_folder).report(
                self.out,
                explorer=not self.without_explorer,
                decoder=self.decoder,
                onnxruntime_web=self.onnxruntime_web,
                images=images,
            )
        )
        self.emit({"report": path}, path)
        return 0

    def _compare(self) -> int:
        """Several runs on one page."""
        from unweave.comparison import compare_runs
        from unweave.comparison.opening import open_runs, page_name
        from unweave.errors import SpecError
        from unweave.report.place import COMPARISON, check_page

        defaults = {f.name: f.default for f in fields(self) if f.default is not MISSING}
        given = [name for name in _OF_ONE if getattr(self, name) != defaults[name]]
        if given:
            flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise SpecError(
                f"The page of several runs has no explorer. Leave out {flags}, or name one run."
            )
        if self.out is not None:
            check_page(Path(self.out), COMPARISON)
        runs = open_runs([self.run_folder, *self.others])
        out = Path(self.out or page_name(runs))
        check_page(out, COMPARISON)
        with bar() as progress:
            comparison = compare_runs([each.run for each in runs], progress=progress)
        path = str(comparison.report(out))
        for names, reason in comparison.reasons():
            say(f"Left out: {', '.join(names)}. {reason}")
        self.emit({"report": path, **comparison.to_dict()}, path)
        return 0
