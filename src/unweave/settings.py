"""The configuration of a training, from names, texts and numbers."""

from __future__ import annotations

__all__ = ["check_scored_metrics", "make_config"]

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from unweave.data import Dataset, DatasetSpec, parse_dataset
from unweave.errors import SpecError
from unweave.likelihoods import Likelihood
from unweave.nn import Architecture
from unweave.nn.own import allow_own
from unweave.objectives import Objective, parse_objective
from unweave.spec import Component, build, parse, parse_tuple
from unweave.training import Adam, Optimizer, TrainConfig
from unweave.training.phases import Phase

if TYPE_CHECKING:
    from unweave.metrics import Metric


def make_config(
    dataset: Dataset | DatasetSpec | str,
    objective: Objective | str,
    *,
    steps: int | None = None,
    epochs: float | None = None,
    **settings: Any,
) -> TrainConfig:
    """The configuration for `train`, checked.

    `init_from="none"` stands for no run, as None does.

    Args:
        dataset: A dataset, its specification or its text.
        objective: An objective or its text.
        steps: How long to train, in optimiser steps.
        epochs: How long to train, in passes over the training images.
        **settings: Further fields of `TrainConfig`, as values or as texts.

    Raises:
        SpecError: A setting is wrong; or not exactly one of steps and epochs is given.
    """
    spec = dataset.spec if isinstance(dataset, Dataset) else dataset
    spec = parse_dataset(spec) if isinstance(spec, str) else spec
    objective = parse_objective(objective) if isinstance(objective, str) else objective
    if (steps is None) == (epochs is None):
        raise SpecError("Give either steps or epochs, such as steps=20000.")
    families: dict[str, type[Component]] = {
        "architecture": Architecture,
        "likelihood": Likelihood,
        "optimizer": Optimizer,
    }
    for name, family in families.items():
        if isinstance(settings.get(name), str):
            settings[name] = parse(settings[name], family)
    if isinstance(settings.get("architecture"), Architecture):
        # Whoever trains with networks of their own wants them run; whoever reads a run may not.
        allow_own(settings["architecture"])
    if isinstance(settings.get("phases"), str):
        settings["phases"] = parse_tuple(settings["phases"], Phase)
    elif isinstance(settings.get("phases"), list | tuple):
        settings["phases"] = tuple(
            parse(phase, Phase) if isinstance(phase, str) else phase
            for phase in settings["phases"]
        )
    scored = settings.get("evaluate_metrics") is not None
    if scored:
        settings["evaluate_metrics"] = _own_names(settings["evaluate_metrics"])
    else:
        settings.pop("evaluate_metrics", None)
    if settings.get("init_from") == "none":
        settings["init_from"] = None
    if "lr" in settings:
        if "optimizer" in settings:
            raise SpecError("Give either lr or optimizer, not both.")
        settings["optimizer"] = build(Adam, {"lr": settings.pop("lr")})
    own = objective.expand().method.architecture
    if own is not None:
        settings.setdefault("architecture", own)
    settings |= _latents(spec, objective, settings)
    fields = {"dataset": spec, "objective": objective, "steps": steps or 1, **settings}
    config = build(TrainConfig, fields)
    if epochs is not None:
        config = build(TrainConfig, fields | {"steps": config.steps_of(epochs)})
    elif steps is not None and steps < 1:
        raise SpecError(f"train: steps must be at least 1, but is {steps}.")
    if scored:
        check_scored_metrics(config)
    return config


def check_scored_metrics(config: TrainConfig) -> tuple[Metric, ...]:
    """Refuse metrics that a training cannot be scored by on the way, before there are images.

    Args:
        config: Of the training.

    Returns:
        The metrics; none where nothing is scored on the way.

    Raises:
        SpecError: One is unknown or given twice, needs factors that are not known, or draws from
            posteriors of a model whose codes have no noise.
    """
    from unweave.metrics.protocols import DEFAULT, metrics_of, protocol

    chosen = metrics_of(protocol(DEFAULT), config.scored_metrics)
    for metric in chosen:
        if "factors" in metric.needs and not config.labelled:
            raise SpecError(
                f"train: {metric.name} needs factors, and those of {config.dataset} are not "
                "known. Leave it out of evaluate_metrics."
            )
        if "logvar" in metric.needs and config.objective.expand().latent == "codes":
            raise SpecError(
                f"train: {metric.name} draws from posteriors, and codes of {config.objective} "
                "have no noise. Leave it out of evaluate_metrics."
            )
    return chosen


def _own_names(given: Any) -> tuple[str, ...]:
    """The names of metrics that are given by these or by aliases."""
    from unweave.metrics.evaluate import names_from
    from unweave.metrics.protocols import DEFAULT, metrics_of, protocol

    names = names_from(given)
    return tuple(metric.name for metric in metrics_of(protocol(DEFAULT), names))


def _latents(
    dataset: DatasetSpec, objective: Objective, settings: Mapping[str, Any]
) -> dict[str, int]:
    """The number of latents, where none is given and the factors of the dataset say it."""
    plan = objective.expand()
    if plan.encodes or "latents" in settings or not dataset.labelled:
        return {}
    codes = plan.method.given(dataset.whole_space)
    return {} if codes is None else {"latents": codes.width}
