"""`unweave export`."""

from __future__ import annotations

__all__ = ["Export"]

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Literal, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Flag


@final
@dataclass(kw_only=True)
class Export(Common):
    """Write the encoder or decoder of a run as a file that other programs run.

    The encoder takes images (N, C, H, W) from 0 to 1 and gives posterior means (N, L); the decoder
    takes latents (N, L) and gives expected pixels. The file is run on random inputs and compared
    with the model before it is written. For instance: unweave export runs/first --format onnx
    --out encoder.onnx.
    """

    run_folder: Positional[Annotated[str, arg(metavar="RUN", help_behavior_hint="")]]
    """Folder of the run."""

    format: Annotated[
        Literal["onnx", "torchscript", "torch-export", "challenge"],
        arg(help_behavior_hint="(required)"),
    ]
    """Kind of file; challenge is the folder of the NeurIPS 2019 disentanglement challenge."""

    out: Annotated[str, arg(metavar="TEXT", help_behavior_hint="(required)")]
    """File to write, or the folder of the challenge; both halves add their names to it."""

    what: Literal["encoder", "decoder", "both"] = "encoder"
    """Which half to export."""

    labels: Flag = False
    """Labels of a conditional model are a second input; else they are unknown to it."""

    overwrite: Flag = False
    """Replace files that are there."""

    unchecked: Flag = False
    """Do not run the file and compare it with the model."""

    def run(self) -> int:
        """Export and say where the files are."""
        from unweave.cli.run_folder import check_run_folder
        from unweave.run import load_run

        check_run_folder(self.run_folder)
        files = load_run(self.run_folder).export(
            self.format,
            self.out,
            what=self.what,
            labels=self.labels,
            overwrite=self.overwrite,
            check=not self.unchecked,
        )
        lines = []
        for file in files:
            ends = [
                ", ".join(f"{name} {shape}" for name, shape in side.items())
                for side in (file.inputs, file.output)
            ]
            lines += [
                f"{file.path}: {file.what} as {file.format}, {file.bytes:,} bytes",
                f"  from {ends[0]} to {ends[1]}",
                "  not compared with the model"
                if file.difference is None
                else f"  largest difference from the model: {file.difference:.2g}",
            ]
            if file.difference is None and not self.unchecked:
                lines[-1] += ": onnxruntime is not installed"
        forms = [{**dataclasses.asdict(file), "path": str(file.path)} for file in files]
        self.emit({"run": self.run_folder, "files": forms}, "\n".join(lines))
        return 0
