"""`unweave plot` and `unweave report`."""

from __future__ import annotations

__all__ = ["Plot", "Report"]

from dataclasses import dataclass
from typing import Annotated, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Flag, Text, names_of, say, to_number


@final
@dataclass(kw_only=True)
class Plot(Common):
    """Draw figures of a run into its figures folder."""

    run_folder: Positional[Annotated[str, arg(metavar="RUN", help_behavior_hint="")]]
    """Folder of the run."""

    kinds: Positional[Annotated[tuple[str, ...], arg(metavar="[KIND ...]")]] = ("all",)
    """reconstructions, traversals, loss_curves, kl, mig, or all."""

    def run(self) -> int:
        """Draw and list the files."""
        from unweave.cli.run_folder import check_run_folder
        from unweave.run import load_run

        check_run_folder(self.run_folder)
        kinds = () if self.kinds == ("all",) else self.kinds
        drawn = load_run(self.run_folder).plot(*kinds)
        missing = [kind for kind in kinds if kind not in {path.stem for path in drawn}]
        if missing:
            say(
                f"The run has nothing to draw {' and '.join(missing)} from: loss_curves and kl "
                f"show logged losses, and mig a score that `unweave evaluate` gives."
            )
        paths = [str(path) for path in drawn]
        self.emit({"figures": paths}, "\n".join(paths))
        return 0


@final
@dataclass(kw_only=True)
class Report(Common):
    """Write one self-contained page about a run: scores, pictures, settings."""

    run_folder: Positional[Annotated[str, arg(metavar="RUN", help_behavior_hint="")]]
    """Folder of the run."""

    out: Text = None
    """File to write (default: report.html in the run folder)."""

    without_explorer: Flag = False
    """Leave out the part in which latents are moved by hand."""

    decoder: Annotated[str, arg(metavar="TEXT", help_behavior_hint="")] = "auto"
    """How pictures are decoded there: javascript (a small runtime of our own), onnx (ONNX Runtime
    Web), strips (decoded ahead), or auto (default), the first of these that can be had."""

    onnxruntime_web: Text = None
    """The package onnxruntime-web, a file or folder, which the decoder onnx needs."""

    start_images: Text = None
    """Images that it starts from: their numbers in the dataset, with commas between them (default:
    those of the figure of reconstructions, and a few more)."""

    def run(self) -> int:
        """Write the page and say where it is."""
        from unweave.cli.run_folder import check_run_folder
        from unweave.run import load_run

        check_run_folder(self.run_folder)
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
