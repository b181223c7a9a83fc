"""`unweave generalise run|decode|compose`: trained without some combinations of factors."""

from __future__ import annotations

__all__ = ["GeneraliseCompose", "GeneraliseDecode", "GeneraliseRun"]

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, final

from tyro.conf import arg

from unweave.cli.common import Common, Flag, Float, Int, Text, bar, minutes_of, names_of, to_number
from unweave.cli.generalise_estimate import estimate_of

if TYPE_CHECKING:
    from unweave.analysis.base import Told
    from unweave.conditions import Split
    from unweave.studies import ScoreRequest
    from unweave.training import TrainConfig

_Rule = Annotated[str | None, arg(metavar="NAME_OR_RULE", help_behavior_hint="")]

_WHOLE: Final = ("steps", "batch_size", "latents", "seed", "threads")
_REAL: Final = ("epochs", "lr", "holdout")
_TEXTS: Final = ("architecture", "likelihood", "optimizer", "device", "precision")


@dataclass(kw_only=True)
class _Trained(Common):
    """Flags of all three."""

    kind: ClassVar[str]
    """What kind of model is trained."""
    default: ClassVar[str]
    """The objective, where none is given."""

    data: Text = None
    """The whole dataset, also a smaller grid or a part (default: the condition's own)."""

    condition: _Rule = None
    """What is held out: a name of `unweave generalise splits`, or a rule such as "pos_x > 0.5"."""

    modifier: _Rule = None
    """Which images take part at all: a name of `unweave generalise modifiers`, or a rule."""

    preset: Text = None
    """Instead of these: a published training, such as dag/vae_dsprites_shape2tx; flags win."""

    steps: Int = None
    """Optimiser steps; or --epochs."""

    epochs: Float = None
    """Instead of --steps: how often every training image is seen."""

    batch_size: Int = None
    """Images in a step's reconstruction term (default 64)."""

    lr: Float = None
    """Learning rate of Adam (default 0.0005)."""

    latents: Int = None
    """Number of latents (default 10; of a decoder, as many as factors take)."""

    seed: Int = None
    """Seed of every random draw (default 0)."""

    holdout: Float = None
    """Share of the training images kept apart, to compare with (default 0.05)."""

    architecture: Text = None
    """Networks by name; `unweave architectures` lists them."""

    likelihood: Text = None
    """bernoulli (default), gaussian or laplace, with fields if need be."""

    optimizer: Text = None
    """Optimiser with its fields, such as "adam(lr=0.001, beta1=0.5)"; instead of --lr."""

    threads: Int = None
    """Processor threads (default: as many as PyTorch finds cores)."""

    device: Text = None
    """auto (default), cpu, cuda or cuda:N."""

    precision: Text = None
    """auto (default: bfloat16 where the processor has it, but for compat), bfloat16, float32."""

    without_probe: Flag = False
    """Do not train the network that tells which factors of a reconstruction are wrong."""

    out: Text = None
    """Run folder, gone on with if it is there (default: under runs, or UNWEAVE_RUNS)."""

    overwrite: Flag = False
    """Replace an earlier run in the folder."""

    max_minutes: Float = None
    """Stop training at a checkpoint after this many minutes; the same command goes on."""

    dry_run: Flag = False
    """Only say what would be trained and scored: images, time, disk."""

    def run(self) -> int:
        """Train, score, draw, and print what was found."""
        from unweave.cli.watch import make_watch
        from unweave.errors import SpecError
        from unweave.generalise import carry_out, requests_of, score_run
        from unweave.rundir import runs_root

        minutes = minutes_of(self.max_minutes)
        given = self._given()
        config, split = self._resolved(given)
        requests = requests_of(config, metrics=self._metrics(), probe=not self.without_probe)
        self._check(config, split, requests)
        folder = Path(self.out) if self.out else runs_root() / config.default_name
        if self.dry_run:
            self.emit(*estimate_of(config, split, requests, folder))
            return 0
        if folder.exists() and folder.is_file():
            raise SpecError(f"{folder} is a file; give --out a folder.")
        changes = {name: getattr(config, name) for name in self._fields(given)}
        with bar() as progress:
            outcome = carry_out(
                config,
                folder,
                changes,
                overwrite=self.overwrite,
                max_minutes=minutes,
                watch=make_watch(),
                progress=progress,
                preset=self._preset_name(),
            )
            if outcome.state != "finished":
                result = {"run": str(folder), "state": outcome.state, "steps": outcome.step}
                self.emit(
                    result,
                    f"{folder}: stopped at step {outcome.step:,} of {config.steps:,}. The same "
                    "command goes on from there.",
                )
                return 0
            found, files = score_run(folder, requests, progress)
        from unweave.generalise.words import told

        result = found.to_dict() | {"files": [str(file) for file in files]}
        self.emit(result, "\n".join([told(found), *map(str, files)]))
        return 0

    def _metrics(self) -> tuple[str, ...]:
        """Further metrics of disentanglement."""
        return ()

    def _objective(self) -> str | None:
        """The objective that is given, or none."""
        raise NotImplementedError

    def _preset_name(self) -> str | None:
        """The preset by its own name, where one is given, maybe by an alias."""
        from unweave.presets import preset

        return None if self.preset is None else preset(self.preset).name

    def _given(self) -> dict[str, Any]:
        """Settings that are given, by name; the preset's are not among them."""
        flags: dict[str, Any] = {name: getattr(self, name) for name in _TEXTS}
        for kind, names in ((int, _WHOLE), (float, _REAL)):
            for name in names:
                flag = f"--{name.replace('_', '-')}"
                flags[name] = to_number(flag, getattr(self, name), kind)
        flags["objective"] = self._objective()
        return {name: value for name, value in flags.items() if value is not None}

    def _resolved(self, given: dict[str, Any]) -> tuple[TrainConfig, Split]:
        """What is to be trained, and what is held out of it; all of it checked."""
        from unweave.conditions import split_of
        from unweave.conditions.recovering import recover
        from unweave.errors import SpecError
        from unweave.generalise import HOLDOUT, kind_of
        from unweave.presets import preset
        from unweave.settings import make_config

        where = [name for name in ("data", "condition", "modifier") if getattr(self, name)]
        if self.preset is not None:
            if where:
                raise SpecError(
                    f"Give either --preset, which says what is held out, or --{where[0]}."
                )
            chosen = preset(self.preset)
            chosen.check_start(given)
            settings = chosen.overridden(given)
            recovered = recover(settings["dataset"])
            split = split_of(recovered.condition, recovered.data, recovered.modifier)
        else:
            if self.condition is None:
                raise SpecError(
                    "Say what is held out with --condition: a name, such as shape2tx, or a rule, "
                    "such as \"shape == 'square' and pos_x > 0.5\"; unweave generalise splits "
                    "lists names. Or name a --preset."
                )
            split = split_of(*self._condition())
            settings = {"objective": self.default, **given, "dataset": split.train_text}
        settings.setdefault("holdout", HOLDOUT)
        if "steps" not in settings and "epochs" not in settings:
            raise SpecError("Say how long to train, such as --steps 20000 or --epochs 30.")
        config = make_config(**settings)
        kind = kind_of(config.objective.expand())
        if _COMMANDS[kind] != _COMMANDS[self.kind]:
            raise SpecError(
                f"{config.objective} trains {_SORTS[kind]}, which unweave generalise "
                f"{_COMMANDS[kind]} is for."
            )
        return config, split

    def _condition(self) -> tuple[Any, Any, Any]:
        """Condition, dataset and modifier; a rule of one's own makes a part of the dataset."""
        from unweave.conditions import find_condition, fitting
        from unweave.conditions.condition import is_name
        from unweave.errors import SpecError

        assert self.condition is not None
        data: Any = self.data
        if is_name(self.condition):
            found = fitting(self.condition, data)
            if len(found) > 1:
                names = ", ".join(dict.fromkeys(each.dataset for each in found))
                raise SpecError(
                    f"There is a condition {self.condition} of several datasets: say which with "
                    f"--data, one of {names}."
                )
            condition = found[0]
        elif data is None:
            raise SpecError("A rule needs to know of what: give --data, such as --data dsprites.")
        else:
            condition = find_condition(self.condition, data)
        data = condition.dataset if data is None else data
        if self.modifier is not None and not is_name(self.modifier):
            return condition, f"only(data={data}, where={self.modifier!r})", None
        return condition, data, self.modifier

    def _fields(self, given: dict[str, Any]) -> list[str]:
        """Fields of a configuration that are asked for, which a run that is there must have."""
        names = {"epochs": "steps", "lr": "optimizer"}
        asked = [names.get(name, name) for name in given]
        fixed = ["dataset", "objective", "holdout"]
        return list(dict.fromkeys([*fixed, *asked]))

    def _check(
        self, config: TrainConfig, split: Split, requests: tuple[ScoreRequest, ...]
    ) -> None:
        """Refuse unknown metrics, and labels of held-out images that were not trained on."""
        from unweave.analysis import choose
        from unweave.data import parse_dataset
        from unweave.metrics.protocols import protocol
        from unweave.run.asked import check_told

        told: list[Told] = []
        for request in requests:
            _, analyses = choose(protocol(request.protocol), request.metrics)
            told += [each.told for each in analyses if request.data is not None]
        check_told(config, parse_dataset(split.test_text), told)


_SORTS: Final[dict[str, str]] = {
    "autoencoder": "a model with an encoder",
    "conditional": "a model with an encoder",
    "decoder": "a decoder of true factors",
    "composer": "a composer",
}
_COMMANDS: Final[dict[str, str]] = {
    "autoencoder": "run",
    "conditional": "run",
    "decoder": "decode",
    "composer": "compose",
}


@final
@dataclass(kw_only=True)
class GeneraliseRun(_Trained):
    """Train a model without some combinations of factors, and score what it makes of them.

    For instance: unweave generalise run --data dsprites --condition shape2tx --objective
    "beta_vae(beta=8)" --steps 20000 --out runs/shape2tx. The reconstruction error of held-out
    images is compared with that of images like the ones trained on, in excess of the entropy that
    the images have themselves; with it come the factors that are wrong, whether the encoder or
    the decoder is to blame, and disentanglement.
    """

    kind: ClassVar[str] = "autoencoder"
    default: ClassVar[str] = "vae"

    objective: Text = None
    """What to minimise, such as vae (default) or "beta_tcvae(beta=6)"."""

    metrics: Text = None
    """Further metrics of disentanglement, such as mig,dci; DCI with lasso is always there."""

    def _metrics(self) -> tuple[str, ...]:
        from unweave.analysis import Analysis
        from unweave.errors import SpecError
        from unweave.spec import members

        names = names_of(self.metrics) or ()
        for name in names:
            if name in members(Analysis):
                raise SpecError(
                    f"--metrics are those of disentanglement, on images that were trained on, and "
                    f"{name} is an analysis. Ask for it when the run is trained: unweave evaluate "
                    f"RUN --metrics {name} --data held_out."
                )
        return names

    def _objective(self) -> str | None:
        return self.objective


@final
@dataclass(kw_only=True)
class GeneraliseDecode(_Trained):
    """Train a decoder of true factors without some combinations, and see what it renders of them.

    Such a decoder is given perfect codes, so that what it gets wrong is not the encoder's fault.
    For instance: unweave generalise decode --data dsprites --condition shape2tx --steps 5000
    --architecture decoder_burgess --lr 0.001.
    """

    kind: ClassVar[str] = "decoder"
    default: ClassVar[str] = "ground_truth_decoder"

    inputs: Annotated[
        Literal["raw", "scaled", "one_hot"] | None,
        arg(metavar="{raw,scaled,one_hot}", help_behavior_hint=""),
    ] = None
    """How factors are given: as published (raw), from 0 to 1 (scaled, default), or one-hot."""

    def _objective(self) -> str | None:
        return None if self.inputs is None else f"ground_truth_decoder(inputs={self.inputs})"


@final
@dataclass(kw_only=True)
class GeneraliseCompose(_Trained):
    """Train a composer without some combinations: one image with one factor of another.

    It is tested with inputs and outputs like those it was trained on, with known inputs whose
    output was held out, and with all three held out, as published. For instance: unweave
    generalise compose --data dsprites --condition shape2tx --operator interp --steps 5000.
    """

    kind: ClassVar[str] = "composer"
    default: ClassVar[str] = "composer"

    operator: Annotated[
        Literal["linear", "interp", "mlp", "fixint"] | None,
        arg(metavar="{linear,interp,mlp,fixint}", help_behavior_hint=""),
    ] = None
    """What makes one code of two (default linear, as published)."""

    objective: Text = None
    """Instead of --operator: the composer with its fields, such as "composer(beta=4)"."""

    def _objective(self) -> str | None:
        from unweave.errors import SpecError

        if self.operator is not None and self.objective is not None:
            raise SpecError("Give either --operator or --objective.")
        return self.objective if self.operator is None else f"composer(operator={self.operator})"
