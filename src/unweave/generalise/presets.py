"""Studies of generalisation by name: models side by side, each asked all that can be told."""

from __future__ import annotations

__all__ = ["SCALES", "STUDIES", "GeneralisationStudy", "Size", "generalisation_study"]

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, final

from unweave.conditions import find_condition
from unweave.conditions.montero2021 import MONTERO_2021, MONTERO_2022
from unweave.errors import SpecError, nearest
from unweave.generalise.asking import HOLDOUT, requests_of_kinds
from unweave.objectives import parse_objective
from unweave.objectives.kinds import Kind, kind_of
from unweave.studies import Study
from unweave.studies.axes import Settings
from unweave.studies.published import scaled


@final
@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a study is.

    Attributes:
        steps: Optimiser steps of each model.
        seeds: How many seeds of each model there are under each condition.
        whole: Whether images are those of the whole dataset, else of a small grid of it.
        probe: Whether factors are read from reconstructions by a network, which is trained for
            minutes, once for each dataset.
    """

    steps: int
    seeds: int
    whole: bool = True
    probe: bool = True


SCALES: Final[Mapping[str, Size]] = MappingProxyType(
    {
        "full": Size(steps=300_000, seeds=5),
        "small": Size(steps=5_000, seeds=3),
        "tiny": Size(steps=20, seeds=1, whole=False, probe=False),
    }
)
"""Sizes by name: for a cluster or GPUs; for hours on a few cores; to see that everything runs."""

_SETTINGS: Final = {"batch_size": 64, "holdout": HOLDOUT}


@final
@dataclass(frozen=True, kw_only=True)
class GeneralisationStudy:
    """Models of several kinds under several conditions, with images kept apart to compare with.

    Attributes:
        name: `generalise/<study>`.
        about: One sentence.
        source: Whose it is, and after whom.
        dataset: Text of the whole dataset.
        tiny: Text of a small grid of it, of which each condition holds something out.
        conditions: What is held out, by name.
        models: Settings of each model.
    """

    name: str
    about: str
    source: str
    dataset: str
    tiny: str
    conditions: tuple[str, ...]
    models: tuple[Settings, ...]

    @property
    def runs(self) -> int:
        """How many trainings it has at full scale."""
        return len(self.conditions) * len(self.models) * SCALES["full"].seeds

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of its models."""
        plans = [parse_objective(model["objective"]).expand() for model in self.models]
        return tuple(dict.fromkeys(map(kind_of, plans)))

    def study(self, scale: float | str = 1.0) -> Study:
        """The study at one of its scales.

        Args:
            scale: `full`, `small` or `tiny`, as `SCALES` has them; or a number, by which the
                trainings of the full one are made shorter or longer, as in published studies.
                It is part of the study's name unless it is `full` or 1.

        Raises:
            SpecError: There is no such scale, or the number is not above 0.
        """
        if isinstance(scale, str) and scale not in SCALES:
            raise SpecError(f"There is no scale {scale!r:.100}. {nearest(scale, SCALES)}")
        size, suffix = SCALES["full"], ""
        if isinstance(scale, str):
            size, suffix = SCALES[scale], "" if scale == "full" else f"-{scale}"
        elif scale != 1:
            steps = scaled({"steps": size.steps}, scale)["steps"]
            size, suffix = replace(size, steps=steps), f"-x{scale:g}"
        data = self.dataset if size.whole else self.tiny
        texts = [find_condition(name, data).train_text(data) for name in self.conditions]
        return Study(
            name=self.name.replace("/", "-") + suffix,
            about=f"{self.about} Source: {self.source}.",
            settings={**_SETTINGS, "steps": size.steps},
            axes=(
                tuple({"dataset": text} for text in texts),
                tuple(dict(model) for model in self.models),
                tuple({"seed": seed} for seed in range(size.seeds)),
            ),
            scores=requests_of_kinds(self.kinds, probe=size.probe),
        )


_VAES: Final = ("vae", "beta_vae(beta=8)", "factor_vae(gamma=50)")
_INPUTS: Final = ("raw", "scaled")
_OPERATORS: Final = ("linear", "interp", "mlp", "fixint")
_DSPRITES: Final = ("leave1out", "shape2tx", "blank_side")
# Of which each condition holds something out.
_SMALL_DSPRITES: Final = "dsprites(grid=(3, 3, 5, 8, 8))"


def _models(network: str, decoder: str) -> tuple[Settings, ...]:
    """Three models with an encoder, and the decoder of true factors in both forms."""
    return (
        *(
            {"objective": objective, "architecture": network, "latents": 10, "lr": 5e-4}
            for objective in _VAES
        ),
        *(
            {
                "objective": f"ground_truth_decoder(inputs={inputs})",
                "architecture": decoder,
                "lr": 1e-3,
            }
            for inputs in _INPUTS
        ),
    )


STUDIES: Final[Mapping[str, GeneralisationStudy]] = MappingProxyType(
    {
        study.name: study
        for study in (
            GeneralisationStudy(
                name="generalise/dsprites",
                about="VAE, beta-VAE, FactorVAE and decoders of true factors on dSprites: "
                "element, range and extrapolation.",
                source=f"unweave, after {MONTERO_2021}",
                dataset="dsprites",
                tiny=_SMALL_DSPRITES,
                conditions=_DSPRITES,
                models=_models("burgess_v2", "decoder_higgins"),
            ),
            GeneralisationStudy(
                name="generalise/shapes3d",
                about="The same models on 3DShapes: interpolation, element, range and "
                "extrapolation.",
                source=f"unweave, after {MONTERO_2022}",
                dataset="shapes3d",
                tiny="shapes3d(grid=(5, 5, 5, 2, 4, 2))",
                conditions=("odd_ohue", "leave1out", "shape2ohue", "fhue_gt50"),
                models=_models("kim", "decoder_kim_bn"),
            ),
            GeneralisationStudy(
                name="generalise/mpi3d",
                about="The same models on the photographs of MPI3D: element, range and "
                "extrapolation.",
                source=f"unweave, after {MONTERO_2021}",
                dataset="mpi3d(subset=real)",
                tiny="mpi3d(subset=real, grid=(3, 3, 2, 3, 3, 4, 4))",
                conditions=("leave1out", "cyl2horz", "horz_gt20"),
                models=_models("kim", "decoder_deep_bn"),
            ),
            GeneralisationStudy(
                name="generalise/composition",
                about="Composers with each of the four operators on dSprites: element, range and "
                "extrapolation.",
                source=f"unweave, after {MONTERO_2022}",
                dataset="dsprites",
                tiny=_SMALL_DSPRITES,
                conditions=_DSPRITES,
                models=tuple(
                    {
                        "objective": f"composer(operator={operator})",
                        "architecture": "burgess_v2",
                        "latents": 10,
                        "lr": 5e-4,
                    }
                    for operator in _OPERATORS
                ),
            ),
        )
    }
)
"""The studies by name.

Conditions and networks are published ones; methods are not those of `compat=dag` but as unweave
has them, every model has the same number of steps, and 5 % of the images to train on are kept
apart. Decoders are given true factors as published, `raw`, and `scaled`, where circular factors
are on a circle. No published condition of dSprites or MPI3D is an interpolation.
"""


def generalisation_study(name: str) -> GeneralisationStudy:
    """The study of that name.

    Args:
        name: Such as `generalise/dsprites`.

    Raises:
        SpecError: There is none.

    Example:
        >>> len(generalisation_study("generalise/dsprites").study("tiny").combinations())
        15
    """
    if name not in STUDIES:
        raise SpecError(
            f"There is no study of generalisation {name!r:.100}. {nearest(name, STUDIES)}"
        )
    return STUDIES[name]
