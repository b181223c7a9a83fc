"""`unweave plot`."""

from __future__ import annotations

__all__ = ["Plot"]

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Flag, Float, Int, Text, names_of, say, to_number
from unweave.errors import SpecError

if TYPE_CHECKING:
    from unweave.figures import Look


@final
@dataclass(kw_only=True)
class Plot(Common):
    """Draw figures of a run into its figures folder, or one picture of several runs.

    For instance: unweave plot runs/first traversals --rows 4, or of several runs: unweave plot
    runs/a runs/b traversals --out both.png. Kinds are samples, data_samples, reconstructions,
    traversals, reconstruct_traverse, gif_traversals, training, loss_curves, kl, response, usage,
    circles, correlations, embedding, tsne, irs, hinton, dci_bars, score_curves; mig, dci, sap and
    others of the family for the tables behind scores; conditions and attribute_traversals of
    conditional models; lie_walks, group_reconstructions and generators of Lie group VAEs.
    """

    run_folder: Positional[Annotated[str, arg(metavar="RUN", help_behavior_hint="")]]
    """Folder of the run."""

    kinds: Positional[
        Annotated[tuple[str, ...], arg(metavar="[RUN ...] [KIND ...]", help_behavior_hint="")]
    ] = ("all",)
    """Kinds of figures (default all, the usual ones); or further runs and one kind, with --out."""

    rows: Int = None
    """Rows of images, of pairs of them, or of latents."""

    cols: Int = None
    """Columns of images, or of the values that a latent takes."""

    range: Float = None
    """How far latents walk to each side. Below 0.5: share of the codes, 0.475 for 95 % of them."""

    indices: Text = None
    """Images that are shown first: their numbers in the dataset, with commas between them."""

    upsample: Int = None
    """How often each pixel is repeated in both directions."""

    posterior: Flag = False
    """Walks start from the code of an image."""

    prior: Flag = False
    """Walks start from the centre of the prior."""

    labels: Flag = False
    """Label rows, such as with the KL of latents, where the layout does not do so anyway."""

    no_labels: Flag = False
    """Draw pixels alone, without words."""

    seed: Int = None
    """Seed of what is drawn at random (default: that of the run)."""

    layout: Annotated[str, arg(metavar="TEXT", help_behavior_hint="")] = "unweave"
    """unweave (default), or disvae: the pictures of disentangling-vae, pixel by pixel."""

    cycle: Text = None
    """Cycle of gif_traversals as in disentanglement_lib: std_gaussian, fitted_gaussian, minmax,
    fixed_interval or conf_interval."""

    animations: Flag = False
    """Draw moving figures with the usual ones."""

    format: Annotated[str, arg(metavar="TEXT", help_behavior_hint="")] = "gif"
    """What moving figures are written as: gif (default), webp or mp4."""

    out: Text = None
    """File to write instead, of one kind."""

    def run(self) -> int:
        """Draw and list the files."""
        from unweave.cli.run_folder import check_run_folder
        from unweave.figures import FIGURES, Look

        # A folder that is called like a figure is no further run.
        figures = {*FIGURES, "all"}
        further = [name for name in self.kinds if name not in figures and Path(name).is_dir()]
        folders = [self.run_folder, *further]
        kinds = tuple(name for name in self.kinds if name not in further) or ("all",)
        if self.posterior and self.prior:
            raise SpecError("--posterior and --prior exclude each other. Give one of them.")
        if self.labels and self.no_labels:
            raise SpecError("--labels and --no-labels exclude each other. Give one of them.")
        numbers = names_of(self.indices, "--indices") or ()
        start = "posterior" if self.posterior else "prior" if self.prior else None
        asked: dict[str, Any] = {
            "rows": to_number("--rows", self.rows, int),
            "cols": to_number("--cols", self.cols, int),
            "range": to_number("--range", self.range, float),
            "indices": tuple(to_number("--indices", number, int) for number in numbers),
            "upsample": to_number("--upsample", self.upsample, int),
            "start": start,
            "labels": True if self.labels else False if self.no_labels else None,
            "seed": to_number("--seed", self.seed, int),
            "layout": self.layout,
            "cycle": self.cycle,
        }
        look = Look(**{name: value for name, value in asked.items() if value is not None})
        for folder in folders:
            check_run_folder(folder)
        paths = self._drawn(folders, kinds, look)
        self.emit({"figures": paths}, "\n".join(paths))
        return 0

    def _drawn(self, folders: list[str], kinds: tuple[str, ...], look: Look) -> list[str]:
        """Paths of what was drawn."""
        from unweave.errors import RunError
        from unweave.figures import FIGURES, asked_kinds, unheeded
        from unweave.plots import save
        from unweave.run import load_run, plot_runs
        from unweave.run.side_by_side import check_name

        chosen = asked_kinds(kinds, animations=self.animations)
        if self.out is None and len(folders) == 1:
            run = load_run(folders[0])
            drawn = run.plot(*kinds, look=look, animations=self.animations, format=self.format)
            found = {path.stem for path in drawn}
            for kind in kinds:
                if kind != "all" and kind not in found:
                    say(f"The run has nothing to draw {kind} from.{_needs(FIGURES[kind].wants)}")
            return [str(path) for path in drawn]
        if self.out is None or len(chosen) != 1:
            raise SpecError(
                "One picture of several runs needs one kind, and --out FILE: unweave plot RUN RUN "
                "traversals --out FILE.png"
                if len(folders) > 1
                else "--out is a file for one figure. Name one kind, such as traversals."
            )
        kind = chosen[0]
        check_name(kind, Path(self.out))
        for note in unheeded(kinds, look):
            say(note)
        if len(folders) > 1:
            plot_runs(folders, kind, out=self.out, look=look)
            return [self.out]
        picture = load_run(folders[0]).picture(kind, look)
        if picture is None:
            needs = _needs(FIGURES[kind].wants)
            raise RunError(f"The run has nothing to draw {kind} from.{needs}")
        return [str(save(picture, self.out))]


def _needs(what: str) -> str:
    """What a run lacks for a figure, as a sentence after another one."""
    return f" It needs {what}." if what else ""
