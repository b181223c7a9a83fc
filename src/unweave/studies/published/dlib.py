"""The sweeps of disentanglement_lib."""

from __future__ import annotations

__all__ = ["dlib_studies", "number_of"]

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from unweave.errors import SpecError
from unweave.presets.dlib import DLIB_SETTINGS, RAMP, dlib_dataset, dlib_objective
from unweave.presets.dlib_numbers import DATASETS, METHODS, SEEDS, model_num
from unweave.studies.axes import Settings, seed_axis
from unweave.studies.published.base import PublishedStudy
from unweave.studies.published.dlib_scores import score_requests

_ABSTRACT: Final = ("shapes3d", "abstract_dsprites")


def dlib_studies() -> Iterator[PublishedStudy]:
    """The three studies whose sweeps the library ships: unsupervised, fairness and reasoning.

    Each trains six methods at six strengths. The axes have the order of the library's sweeps, so
    that the place of a run in `Study.combinations` is its model number (`dlib_numbers.model_num`),
    and its settings those of the preset of that number; `number_of` tells it from the settings of
    a run alone. What differs, and what is doubtful, is said of the presets,
    `unweave.presets.dlib`.

    Nothing but scores is kept of a run: 12,600 tables of codes would take half a terabyte or more.
    """
    models = tuple(
        {"objective": dlib_objective(method, strength)}
        for method, strengths in METHODS.items()
        for strength in strengths
    )
    yield PublishedStudy(
        name="dlib/unsupervised",
        about="Six methods at six strengths on seven datasets with 50 seeds; the first 10,800 are "
        "the models that were published.",
        source="Locatello, Bauer, Lucic, Rätsch, Gelly, Schölkopf and Bachem (2019), "
        "arXiv 1811.12359",
        settings=DLIB_SETTINGS,
        axes=(_datasets(DATASETS), models, tuple(seed_axis(SEEDS))),
        scores=score_requests(),
        keep="scores",
    )
    yield PublishedStudy(
        name="dlib/fairness",
        about="The models of dlib/unsupervised, scored by fairness, too.",
        source="Locatello, Abbati, Rainforth, Bauer, Schölkopf and Bachem (2019), "
        "arXiv 1905.13662",
        settings=DLIB_SETTINGS,
        axes=(_datasets(DATASETS), models, tuple(seed_axis(SEEDS))),
        scores=score_requests("fairness"),
        keep="scores",
    )
    yield PublishedStudy(
        name="dlib/abstract_reasoning",
        about="The 360 models of the study of abstract reasoning: 36 on two datasets, five seeds.",
        source="Van Steenkiste, Locatello, Schmidhuber and Bachem (2019), arXiv 1905.12506",
        settings=DLIB_SETTINGS,
        axes=(_datasets(_ABSTRACT), models, tuple(seed_axis(5))),
        scores=score_requests(),
        keep="scores",
    )


def number_of(settings: Mapping[str, Any]) -> int:
    """The library's model number of a run, from its dataset, objective and seed.

    Args:
        settings: Of a run of `dlib/unsupervised` or `dlib/fairness` at any scale, such as
            `PlannedRun.varied`.

    Raises:
        SpecError: It is no run of these studies.

    Example:
        >>> number_of({"dataset": "cars3d", "objective": "beta_vae(beta=16)", "seed": 3})
        9253
    """
    datasets = {dlib_dataset(name): name for name in DATASETS}
    objectives = {
        dlib_objective(method, value): (method, strength)
        for method, values in METHODS.items()
        for strength, value in enumerate(values)
    }
    # Scaled studies have shorter ramps.
    text = re.sub(r"steps=\d+", f"steps={RAMP}", str(settings.get("objective")))
    dataset, seed = settings.get("dataset"), settings.get("seed")
    if text not in objectives or dataset not in datasets or not isinstance(seed, int):
        raise SpecError(f"No run of dlib/unsupervised has these settings: {dict(settings)}.")
    return model_num(datasets[dataset], *objectives[text], seed)


def _datasets(names: tuple[str, ...]) -> tuple[Settings, ...]:
    return tuple({"dataset": dlib_dataset(name)} for name in names)
