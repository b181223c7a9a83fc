"""`unweave import`."""

from __future__ import annotations

__all__ = ["Import"]

from dataclasses import dataclass
from typing import Annotated, Literal, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Text


@final
@dataclass(kw_only=True)
class Import(Common):
    """Make a run of a checkpoint of another project; nothing in the file is run.

    For instance: unweave import results/btcvae_dsprites/model.pt --out runs/imported. Projects are
    disentangling-vae as disvae, Commutative Lie Group VAE as clg,
    Disentanglement-PyTorch as dpt, and disent-and-gen as dag. Settings come from specs.json and
    train_losses.log of disvae, or args.pt of clg, where they lie beside the file. A published
    model of disvae is known by its checksum, and needs no specs.json.
    """

    file: Positional[Annotated[str, arg(metavar="FILE", help_behavior_hint="")]]
    """The checkpoint, such as results/btcvae_dsprites/model.pt."""

    out: Annotated[str, arg(metavar="TEXT", help_behavior_hint="(required)")]
    """Run folder to make; nothing is written over."""

    dataset: Text = None
    """What it was trained on, instead of what the files say."""

    objective: Text = None
    """What was minimised, instead of what the files say."""

    source: Annotated[Literal["auto", "disvae", "clg", "dpt", "dag"], arg(name="from")] = "auto"
    """Project that the file is of; auto tells it by the file, where that is certain."""

    architecture: Text = None
    """Whose layers they are (default: told by their shapes; disvae has burgess)."""

    def run(self) -> int:
        """Import and describe the run."""
        from unweave.importing import import_run
        from unweave.rundir import read_json

        run = import_run(
            self.file,
            out=self.out,
            dataset=self.dataset,
            objective=self.objective,
            source=None if self.source == "auto" else self.source,
            architecture=self.architecture,
        )
        record = read_json(run.folder / "import.json")
        config = run.config
        result = {
            "run": str(run.folder),
            "architecture": str(config.architecture),
            "latents": config.latents,
            "image_shape": list(config.dataset.image_shape),
            "parameters": sum(p.numel() for p in run.model.parameters()),
            "dataset": str(config.dataset),
            "objective": str(config.objective),
            "steps": record["steps"],
            "epochs": record["epochs"],
            "source": record["source"],
            "sha256": record["sha256"],
            "published": record["published"],
            "assumed": record["assumed"],
        }
        shape = "x".join(map(str, config.dataset.image_shape))
        known = f", published as {record['published']}" if record["published"] else ""
        unknown = record["steps"] is None
        length = ", unknown how long" if unknown else f", {record['steps']:,} steps"
        lines = [
            f"{run.folder}: imported {self.file}{known}",
            f"  {config.objective} on {config.dataset}{length}",
            f"  {config.architecture}, {result['parameters']:,} parameters, {config.latents} "
            f"latents, images of {shape}",
        ]
        # Of a length that is not known there is no usual one.
        taken = [name for name in record["assumed"] if not (unknown and name == "steps")]
        if taken:
            usual = f"that of disvae/{record['published']}" if record["published"] else "the usual"
            lines.append(f"  no file says, so {usual} is taken: {', '.join(taken)}")
        self.emit(result, "\n".join(lines))
        return 0
