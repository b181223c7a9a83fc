"""From a checkpoint of another project to a run folder that every command takes."""

from __future__ import annotations

__all__ = ["import_run"]

import datetime
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from unweave._version import __version__
from unweave.data import DatasetSpec, parse_dataset
from unweave.errors import CheckpointError, RunError, SpecError, nearest
from unweave.importing.convert import Converted, convert
from unweave.importing.files import Content, read_content, state_of
from unweave.importing.losses import Epoch, read_losses, train_events
from unweave.importing.others import read_other
from unweave.importing.projects import PROJECTS, detect
from unweave.importing.published import published_name
from unweave.importing.specs import DATASETS, Specs, read_specs
from unweave.nn import Architecture, Burgess
from unweave.objectives import Objective, parse_objective
from unweave.presets import preset
from unweave.run import Run, load_run
from unweave.rundir import FORMAT, atomic_write, write_json
from unweave.session.folder import CHECKPOINT, write_new, write_status
from unweave.spec import build, parse
from unweave.training import Adam, TrainConfig
from unweave.training.checkpoint import save_tensors
from unweave.training.precision import resolve


@final
@dataclass(frozen=True)
class _Length:
    """How long a model was trained; None where no file says."""

    epochs: int | None
    per_epoch: int

    @property
    def steps(self) -> int | None:
        """Optimiser steps."""
        return None if self.epochs is None else self.epochs * self.per_epoch


@final
@dataclass(frozen=True)
class _Imported:
    """What a run folder will hold.

    Attributes:
        config: What was trained.
        weights: Of the model.
        events: Lines of `metrics.jsonl`.
        record: What `import.json` says beside the file and the time.
    """

    config: TrainConfig
    weights: Converted
    events: Sequence[dict[str, Any]]
    record: dict[str, Any]


def import_run(
    path: str | Path,
    *,
    out: str | Path,
    dataset: str | DatasetSpec | None = None,
    objective: str | Objective | None = None,
    source: str | None = None,
    architecture: str | Architecture | None = None,
) -> Run:
    """Make a run folder of a checkpoint of another project.

    The settings are read from what lies beside the checkpoint or within it. Of disentangling-vae
    these are `specs.json`, and `train_losses.log` for the losses; of the Commutative Lie Group VAE
    it is `args.pt`; a checkpoint of Disentanglement-PyTorch has its step and learning rate; and of
    disent-and-gen nothing is known. What no file says is named in the run's `import.json`, as is
    where the weights come from: for a published model, which is known by its checksum, it is what
    the preset of its name says, and for any other the default of the program. Nothing in the
    checkpoint is run, whatever it holds.

    Args:
        path: `model.pt` of disentangling-vae or `model-<epoch>.pt` of a training that went on,
            `checkpoints/model.pt` of the Commutative Lie Group VAE, `last` of
            Disentanglement-PyTorch, `trained-model.pt` of disent-and-gen.
        out: Run folder; must not exist, or be empty.
        dataset: What it was trained on, instead of what the files say.
        objective: What was minimised, instead of what the files say.
        source: `disvae`, `clg`, `dpt` or `dag`; None to tell by the file, where that is certain.
        architecture: Whose layers they are, instead of what their shapes say; not for `disvae`.

    Returns:
        The run. Its training cannot be resumed, since there is no optimiser state, but another
        can start from its weights.

    Raises:
        CheckpointError: A file is missing, damaged or of another model, or the files contradict
            each other.
        SpecError: The dataset, objective, source or architecture cannot be read.
        RunError: The folder is in the way.
    """
    path, folder = Path(path), Path(out)
    _check_place(folder)
    if source is not None and source not in PROJECTS:
        raise SpecError(f"Unknown project {source!r:.60}. {nearest(source, PROJECTS)}")
    spec = parse_dataset(dataset) if isinstance(dataset, str) else dataset
    chosen = parse_objective(objective) if isinstance(objective, str) else objective
    layers = parse(architecture, Architecture) if isinstance(architecture, str) else architecture
    assert layers is None or isinstance(layers, Architecture)
    content = read_content(path)
    project = source or detect(content, path)
    given = {"dataset": dataset, "objective": objective, "architecture": architecture}
    if project == "disvae":
        if layers is not None:
            raise SpecError(
                "Models of disentangling-vae have the architecture burgess. Leave architecture "
                "out, or say which other project it is of: clg, dpt or dag."
            )
        try:
            made = _from_disvae(content, path, spec, chosen, given)
        except CheckpointError as error:
            if source is not None or "not a model of disentangling-vae" not in str(error):
                raise
            raise CheckpointError(
                f"{error} If another project has made it, say which one: --from clg, dpt or dag."
            ) from error
    else:
        other = read_other(
            project, content, path, dataset=spec, objective=chosen, architecture=layers
        )
        facts = {
            "published": None,
            "epochs": other.epochs,
            "steps": other.steps,
            "logged_epochs": 0,
            "assumed": other.assumed,
            "arguments": other.said,
        }
        made = _Imported(other.config, other.weights, (), facts)
    record = {
        "format": FORMAT,
        "unweave": __version__,
        "source": PROJECTS[project],
        # Names need not be texts, and a page that shows them must be one.
        "file": os.fsencode(path.name).decode("utf-8", "replace"),
        "bytes": content.size,
        "sha256": content.sha256,
        "serialisation": content.serialisation,
        "imported": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "given": {name: str(value) for name, value in given.items() if value is not None},
        **made.record,
    }
    write_new(
        folder,
        made.config,
        replace=False,
        fill=lambda place: _fill(place, made.config, made.weights, made.events, record),
    )
    return load_run(folder)


def _from_disvae(
    content: Content,
    path: Path,
    spec: DatasetSpec | None,
    chosen: Objective | None,
    given: Mapping[str, Any],
) -> _Imported:
    file = state_of(content, path)
    try:
        weights = convert(file.tensors)
    except CheckpointError as error:
        raise CheckpointError(f"{path} cannot be imported: {error}") from error
    published = published_name(file.sha256)
    known = preset(f"disvae/{published}") if published else None
    said = read_specs(path.parent / "specs.json")
    specs = Specs(path.parent / "specs.json", said or {}, [], known)
    specs.check(weights.image_shape, weights.latents)
    trained_on = specs.dataset()
    spec = spec or trained_on
    chosen = chosen or specs.objective()
    if spec is None or chosen is None:
        raise _unnamed(path, weights, spec, chosen)
    _check_images(spec, weights, path)
    losses = path.parent / "train_losses.log"
    epochs = read_losses(losses)
    factor = specs.factor(chosen)
    length, epochs = _length(path, specs, factor, (trained_on or spec).count, epochs)
    config = _config(spec, chosen, specs, factor, weights, length)
    terms = config.objective.expand().terms
    events = train_events(losses, epochs, terms, weights.latents, length.per_epoch)
    record = {
        "published": published,
        "epochs": length.epochs,
        "steps": length.steps,
        "logged_epochs": len(events),
        "assumed": [name for name in specs.assumed if given.get(name) is None],
        "specs": said,
    }
    return _Imported(config, weights, events, record)


def _check_place(folder: Path) -> None:
    try:
        if folder.is_dir() and not any(folder.iterdir()):
            return
        free = not folder.exists() and not folder.is_symlink()
    except (OSError, ValueError) as error:
        raise RunError(f"{folder} cannot be a run folder: {error}.") from error
    if not free:
        raise RunError(
            f"{folder} exists, and an import writes over nothing; choose another name with --out."
        )


def _unnamed(
    path: Path, weights: Converted, spec: DatasetSpec | None, objective: Objective | None
) -> CheckpointError:
    """What to give when nothing says what the model was trained on, or how."""
    wanted = []
    if spec is None:
        fitting = [n for n in DATASETS.values() if _shape(n) == weights.image_shape]
        shape = "x".join(map(str, weights.image_shape))
        wanted.append(f"--dataset (with images of {shape}: {', '.join(fitting)})")
    if objective is None:
        wanted.append('--objective (such as vae or "beta_vae(beta=4)")')
    return CheckpointError(
        f"Nothing says what {path} was trained on and how: give {' and '.join(wanted)}, or put "
        "the specs.json of its training beside it."
    )


def _shape(dataset: str) -> tuple[int, int, int]:
    return parse_dataset(dataset).image_shape


def _check_images(spec: DatasetSpec, weights: Converted, path: Path) -> None:
    if spec.image_shape != weights.image_shape:
        ours, theirs = ("x".join(map(str, s)) for s in (spec.image_shape, weights.image_shape))
        raise CheckpointError(
            f"{path} is a model of images of {theirs}, and those of {spec} have {ours}; name "
            "another with --dataset."
        )


def _length(
    path: Path, specs: Specs, factor: int, images: int, logged: Sequence[Epoch]
) -> tuple[_Length, Sequence[Epoch]]:
    """How long was trained, and the logged epochs that belong to it.

    A file `model-<epoch>.pt`, counted from 0, was written after that epoch of a training that went
    on, and the files beside it may be of its end.
    """
    per_epoch = math.ceil(images / specs.batch_size(factor))
    part = re.fullmatch(r"model-(\d{1,9})\.pt", path.name)
    if part:
        epochs: int | None = int(part[1]) + 1
        logged = [epoch for epoch in logged if epoch.number <= int(part[1]) + 1]
    elif logged and "epochs" not in specs.values:
        epochs = logged[-1].number
    else:
        epochs = specs.epochs(factor)
    if epochs is not None and logged and logged[-1].number > epochs:
        raise CheckpointError(
            f"{specs.path} says epochs {epochs}, but train_losses.log beside it has "
            f"{logged[-1].number}. Correct it, or move one of them away."
        )
    return _Length(epochs, per_epoch), logged


def _config(
    spec: DatasetSpec,
    objective: Objective,
    specs: Specs,
    factor: int,
    weights: Converted,
    length: _Length,
) -> TrainConfig:
    try:
        fields: dict[str, Any] = {
            "dataset": spec,
            "objective": objective,
            "steps": length.steps or 1,
            "architecture": Burgess(),
            "likelihood": specs.likelihood(),
            "latents": weights.latents,
            "optimizer": build(Adam, {"lr": specs.lr()}),
            "batch_size": specs.batch_size(factor) // factor,
            "seed": specs.seed(),
            "precision": "float32",
        }
        return resolve(build(TrainConfig, fields))
    except SpecError as error:
        sources = f"{specs.path}, " if specs.values else ""
        raise CheckpointError(
            f"What {sources}the flags and the defaults say together cannot be trained: {error}"
        ) from error


def _fill(
    place: Path,
    config: TrainConfig,
    weights: Converted,
    events: Sequence[dict[str, Any]],
    record: dict[str, Any],
) -> None:
    """What a finished training has in its folder, and where the weights come from."""
    tensors = {f"model/{name}": value for name, value in weights.state.items()}
    save_tensors(place / CHECKPOINT, tensors, step=config.steps, seconds=0.0)
    if events:
        with atomic_write(place / "metrics.jsonl") as handle:
            handle.write("".join(json.dumps(event) + "\n" for event in events).encode())
    write_json(place / "import.json", record)
    write_status(place, "finished", config.steps, config.steps, 0.0, 0.0, "")
