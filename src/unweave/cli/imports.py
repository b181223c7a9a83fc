"""`unweave import`."""

from __future__ import annotations

__all__ = ["Import"]

from dataclasses import dataclass
from typing import Annotated, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Text


@final
@dataclass(kw_only=True)
class Import(Common):
    """Make a run of a checkpoint of disentangling-vae; nothing in the file is run.

    Its settings and losses come from specs.json and train_losses.log beside the file, where they
    are there. A published model is known by its checksum, and needs no specs.json.
    """

    file: Positional[Annotated[str, arg(metavar="FILE", help_behavior_hint="")]]
    """The checkpoint, such as results/btcvae_dsprites/model.pt."""

    out: Annotated[str, arg(metavar="TEXT", help_behavior_hint="(required)")]
    """Run folder to make; nothing is written over."""

    dataset: Text = None
    """What it was trained on, instead of what specs.json says."""

    objective: Text = None
    """What was minimised, instead of what specs.json says."""

    def run(self) -> int:
        """Import and describe the run."""
        from unweave.importing import import_run
        from unweave.rundir import read_json

        run = import_run(self.file, out=self.out, dataset=self.dataset, objective=self.objective)
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
