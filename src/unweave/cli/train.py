"""`unweave train`."""

from __future__ import annotations

__all__ = ["Train"]

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Flag, Float, Int, Text, bar, minutes_of, names_of, to_number

_WHOLE = (
    "steps", "batch_size", "latents", "seed", "threads", "log_every", "checkpoint_every",
    "snapshot_every", "evaluate_every", "picture_every",
)  # fmt: skip
_REAL = ("epochs", "lr", "holdout", "clip_norm", "clip_value", "ema")
_TEXTS = (
    "architecture", "likelihood", "optimizer", "init_from", "phases", "device", "precision",
)  # fmt: skip


@final
@dataclass(kw_only=True)
class Train(Common):
    """Train a model, for instance: unweave train dsprites "beta_tcvae(beta=6)" --steps 20000.

    Settings that are not given take the preset's value, or else the default named here. `unweave
    data list`, `unweave objectives` and `unweave presets` say what there is, and `unweave report
    RUN` shows what came of it.
    """

    dataset: Positional[Annotated[str | None, arg(metavar="DATASET", help_behavior_hint="")]] = (
        None
    )
    """What to train on, such as dsprites or "dsprites(grid=(3, 6, 10, 8, 8))"."""

    objective: Positional[
        Annotated[str | None, arg(metavar="OBJECTIVE", help_behavior_hint="")]
    ] = None
    """What to minimise: vae, "beta_tcvae(beta=6)", "vae + density_ratio_tc(weight=5)" ..."""

    preset: Text = None
    """Published settings, such as disvae/btcvae_dsprites; what is given beside them wins."""

    steps: Int = None
    """Optimiser steps."""

    epochs: Float = None
    """Instead of --steps: how often every training image is seen."""

    batch_size: Int = None
    """Images in a step's reconstruction term (default 64)."""

    lr: Float = None
    """Learning rate of Adam (default 0.0005)."""

    latents: Int = None
    """Number of latents (default 10; of ground_truth_decoder, as many as factors take)."""

    seed: Int = None
    """Seed of every random draw (default 0)."""

    holdout: Float = None
    """Fraction of the images that is never trained on (default 0)."""

    architecture: Text = None
    """Encoder and decoder, of those that `unweave architectures` lists (default burgess)."""

    likelihood: Text = None
    """bernoulli (default), gaussian or laplace, or such as "laplace(scale=0.5)"."""

    optimizer: Text = None
    """Instead of --lr: one of `unweave optimizers`, such as "adam(lr=0.001, beta1=0.5)"."""

    clip_norm: Float = None
    """Largest norm of the gradient of each player (default none)."""

    clip_value: Float = None
    """Largest size of each number of a gradient (default none)."""

    ema: Float = None
    """Decay of a running mean of the weights, which is then what is scored (default none)."""

    init_from: Text = None
    """Start from the weights of this run (weights only); none starts anew."""

    phases: Text = None
    """What changes on the way, such as "phase(start=5000, changes=((batch_size, 128),))"."""

    threads: Int = None
    """Processor threads (default: as many as PyTorch finds cores)."""

    device: Text = None
    """auto (default), cpu, cuda or cuda:N."""

    precision: Text = None
    """auto (default: bfloat16 where the processor has it, but for compat), bfloat16 or float32."""

    log_every: Int = None
    """Steps between lines of metrics.jsonl (default 50)."""

    checkpoint_every: Int = None
    """Steps between checkpoints (default 1000)."""

    snapshot_every: Int = None
    """Steps between weights that are kept for good (default none)."""

    evaluate_every: Int = None
    """Steps between scores of a fixed subset, into metrics.jsonl (default none)."""

    evaluate_metrics: Text = None
    """What these scores are, of `unweave metrics` and with commas (default mig)."""

    picture_every: Int = None
    """Steps between pictures of fixed probe images (default none)."""

    track: Annotated[
        tuple[str, ...], arg(metavar="TRACKER [TRACKER ...]", help_behavior_hint="")
    ] = ()
    """Also log to these of `unweave trackers`, such as tensorboard "mlflow(experiment=mine)"
    (default: what UNWEAVE_TRACK names, or none)."""

    out: Text = None
    """Run folder (default: runs/<dataset>-<method>-<digest>, or under UNWEAVE_RUNS)."""

    resume: Flag = False
    """Go on with the run in the folder; bit for bit as if it had not been interrupted."""

    overwrite: Flag = False
    """Replace an earlier run in the folder."""

    max_minutes: Float = None
    """Stop at a checkpoint after this many minutes; the same command with --resume goes on."""

    dry_run: Flag = False
    """Only say what would be trained: layers, parameters, images, time, disk."""

    def run(self) -> int:
        """Resolve the settings and train."""
        from pathlib import Path

        from unweave.errors import RunError, SpecError
        from unweave.rundir import runs_root
        from unweave.session import begin, continue_run, read_config
        from unweave.tracking import read_trackers

        minutes = minutes_of(self.max_minutes)
        track = read_trackers(self.track or None)
        if self.resume and self.overwrite:
            raise SpecError("Give either --resume or --overwrite, not both.")
        settings = self._settings()
        with bar() as progress:
            if self.resume and self.out is not None and Path(self.out).exists():
                folder = Path(self.out)
                before = read_config(folder)
                changes = self._changes(settings, before)
                if self.dry_run:
                    return self._estimate(dataclasses.replace(before, **changes), folder)
                outcome = continue_run(
                    folder,
                    changes=changes,
                    max_minutes=minutes,
                    watch=self._watch(),
                    progress=progress,
                    track=track,
                )
            else:
                if self.resume and self.out is not None and "dataset" not in settings:
                    raise RunError(f"{self.out} does not exist, so there is no run to go on with.")
                self._check_start(settings)
                config = self._config(settings)
                folder = Path(self.out) if self.out else runs_root() / config.default_name
                if self.dry_run:
                    if config.init_from is not None and not folder.exists():
                        read_config(Path(config.init_from))
                    return self._estimate(config, folder)
                if self.resume and folder.exists():
                    outcome = continue_run(
                        folder,
                        max_minutes=minutes,
                        watch=self._watch(),
                        progress=progress,
                        track=track,
                    )
                else:
                    outcome = begin(
                        config,
                        folder,
                        overwrite=self.overwrite,
                        max_minutes=minutes,
                        watch=self._watch(),
                        progress=progress,
                        track=track,
                        preset=self._preset_name(),
                    )
        self._show(outcome, folder)
        return 0

    def _show(self, outcome: Any, folder: Any) -> None:
        import shlex

        result = {
            "run": str(folder),
            "state": outcome.state,
            "steps": outcome.step,
            "seconds": outcome.seconds,
            "images_per_second": outcome.images_per_second,
            "terms": dict(outcome.terms),
        }
        terms = "".join(f"\n  {name:<22}{value:10.3f}" for name, value in outcome.terms.items())
        state = outcome.state if outcome.taken else f"{outcome.state} already, nothing done,"
        then = f"Go on with: {shlex.join(['unweave', 'train', '--out', str(folder), '--resume'])}"
        if outcome.state == "finished":
            then = f"Look at it with: {shlex.join(['unweave', 'report', str(folder)])}"
        self.emit(
            result,
            f"{folder}: {state} at step {outcome.step:,} after {outcome.seconds:.0f} s, "
            f"{outcome.images_per_second:,.0f} images/s{terms}\n{then}",
        )

    def _watch(self) -> Any:
        from unweave.cli.watch import make_watch

        return make_watch()

    def _settings(self) -> dict[str, Any]:
        """The preset's settings with the given flags on top."""
        from unweave.presets import preset

        flags = {name: getattr(self, name) for name in ("dataset", "objective", *_TEXTS)}
        for kind, names in ((int, _WHOLE), (float, _REAL)):
            for name in names:
                flag = f"--{name.replace('_', '-')}"
                flags[name] = to_number(flag, getattr(self, name), kind)
        flags["evaluate_metrics"] = names_of(self.evaluate_metrics, "--evaluate-metrics")
        given = {name: value for name, value in flags.items() if value is not None}
        return given if self.preset is None else preset(self.preset).overridden(given)

    def _preset_name(self) -> str | None:
        """The preset by its own name, where one is given, maybe by an alias."""
        from unweave.presets import preset

        return None if self.preset is None else preset(self.preset).name

    def _check_start(self, settings: dict[str, Any]) -> None:
        """Refuse a new run without the weights that its preset goes on from."""
        from unweave.presets import preset

        if self.preset is not None:
            preset(self.preset).check_start(settings)

    def _config(self, settings: dict[str, Any]) -> Any:
        from unweave.errors import SpecError
        from unweave.settings import make_config

        for name in ("dataset", "objective"):
            if name not in settings:
                raise SpecError(
                    f"No {name} is given. Write for instance: unweave train dsprites "
                    f'"beta_tcvae(beta=6)" --steps 20000; or name a --preset.'
                )
        fields = {k: v for k, v in settings.items() if k not in ("dataset", "objective")}
        endless = "steps" not in settings and "epochs" not in settings
        # What else is wrong is said first: it is not mended by a number of steps.
        length = {"steps": 1} if endless else {}
        config = make_config(settings["dataset"], settings["objective"], **fields, **length)
        if endless:
            raise SpecError("Say how long to train, such as --steps 20000 or --epochs 30.")
        return config

    def _changes(self, settings: dict[str, Any], before: Any) -> dict[str, Any]:
        """Given settings as fields of a configuration, to hold against those of a run."""
        if not settings:
            return {}
        base = {field.name: getattr(before, field.name) for field in dataclasses.fields(before)}
        for name, rival in (("epochs", "steps"), ("lr", "optimizer")):
            if name in settings:
                del base[rival]
        config = self._config(base | settings)
        names = {"epochs": "steps", "lr": "optimizer"}
        return {names.get(n, n): getattr(config, names.get(n, n)) for n in settings}

    def _estimate(self, config: Any, folder: Any) -> int:
        from unweave.cli.words import duration, size_text
        from unweave.estimate import estimate

        costs = estimate(config)
        threads = "1 thread" if costs["threads"] == 1 else f"{costs['threads']} threads"
        dataset = "ready" if costs["dataset_ready"] else "to be prepared first"
        if costs["dataset_missing"] is not None:
            dataset = f"not there, so that this cannot be trained yet. {costs['dataset_missing']}"
        lines = [
            config.command,
            "",
            *costs["layers"],
            "",
            *(f"{name}: {count:,} parameters" for name, count in costs["parameters"].items()),
            f"run folder: {folder}" + (" (exists)" if folder.exists() else ""),
            f"dataset: {dataset}",
            f"steps: {config.steps:,} ({costs['images']:,} images, {costs['epochs']:.2f} epochs)",
            f"time: about {duration(costs['seconds'])} ({1000 * costs['seconds_per_step']:.1f} ms "
            f"a step in {costs['precision']}, {threads}, {costs['device']})",
            f"disk: about {size_text(costs['disk_bytes'])}",
        ]
        from unweave.spec import to_dict

        self.emit(
            {"run": str(folder), "command": config.command, "config": to_dict(config), **costs},
            "\n".join(lines),
        )
        return 0
