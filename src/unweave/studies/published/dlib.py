"""The sweeps of disentanglement_lib."""

from __future__ import annotations

__all__ = ["dlib_studies", "number_of"]

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from unweave.errors import SpecError
from unweave.studies.axes import Settings, seed_axis
from unweave.studies.published.base import PublishedStudy
from unweave.studies.published.dlib_numbers import DATASETS, METHODS, SEEDS, model_num
from unweave.studies.published.dlib_scores import score_requests

# Its words for datasets: ours.
_OURS: Final = {
    "dsprites_full": "dsprites",
    "color_dsprites": "color_dsprites",
    "noisy_dsprites": "noisy_dsprites",
    "scream_dsprites": "scream_dsprites",
    "smallnorb": "smallnorb(instance=drawn)",
    "cars3d": "cars3d",
    "shapes3d": "shapes3d",
    "abstract_dsprites": "abstract_dsprites",
}
_RAMP: Final = 100_000
# Its words for methods: ours, at one of the six strengths.
_OBJECTIVES: Final = {
    "beta_vae": "beta_vae(beta={0:g})",
    "factor_vae": "factor_vae(gamma={0:g}, lr=0.0001)",
    "dip_vae_i": "dip_vae_i(off_diagonal={0:g}, diagonal={1:g})",
    "dip_vae_ii": "dip_vae_ii(off_diagonal={0:g}, diagonal={0:g})",
    "beta_tc_vae": "vae + total_correlation(weight={2:g})",
    "annealed_vae": "annealed_vae(gamma=1000, capacity=linear(start=0, stop={0:g}, steps={3}))",
}
_SETTINGS: Final = {
    "architecture": "locatello",
    "steps": 300_000,
    "batch_size": 64,
    "latents": 10,
    "lr": 1e-4,
}
_ABSTRACT: Final = ("shapes3d", "abstract_dsprites")


def dlib_studies() -> Iterator[PublishedStudy]:
    """The three studies whose sweeps the library ships: unsupervised, fairness and reasoning.

    Each trains six methods at six strengths. The axes have the order of the library's sweeps, so
    that the place of a run in `Study.combinations` is its model number (`dlib_numbers.model_num`);
    `dlib_numbers.number_of` tells it from the settings of a run alone.

    Texts: DIP-VAE-I weights the diagonal by ten times the off-diagonal weight, DIP-VAE-II by the
    same; beta-TCVAE adds beta - 1 times the total correlation to the whole KL; the capacity of the
    annealed VAE grows over 100,000 steps. The architecture is the library's conv_encoder and
    deconv_decoder.

    What differs from the library, beside random streams: SmallNORB has one instance for each
    combination of its other factors instead of another one at every reading, since published
    scores need a full grid. FactorVAE's permuted samples come from a second batch.

    Doubtful: both optimisers of the library's FactorVAE count the same steps, so that its 300,000
    are probably 150,000 updates of each; this follows from how TensorFlow counts, and was not
    observed. Here they are 300,000 as for the others, as is configured.

    Nothing but scores is kept of a run: 12,600 tables of codes would take half a terabyte or more.
    """
    models = tuple(
        {"objective": _objective(method, strength)}
        for method, strengths in METHODS.items()
        for strength in strengths
    )
    yield PublishedStudy(
        name="dlib/unsupervised",
        about="Six methods at six strengths on seven datasets with 50 seeds; the first 10,800 are "
        "the models that were published.",
        source="Locatello, Bauer, Lucic, Rätsch, Gelly, Schölkopf and Bachem (2019), "
        "arXiv 1811.12359",
        settings=_SETTINGS,
        axes=(_datasets(DATASETS), models, tuple(seed_axis(SEEDS))),
        scores=score_requests(),
        keep="scores",
    )
    yield PublishedStudy(
        name="dlib/fairness",
        about="The models of dlib/unsupervised, scored by fairness, too.",
        source="Locatello, Abbati, Rainforth, Bauer, Schölkopf and Bachem (2019), "
        "arXiv 1905.13662",
        settings=_SETTINGS,
        axes=(_datasets(DATASETS), models, tuple(seed_axis(SEEDS))),
        scores=score_requests("fairness"),
        keep="scores",
    )
    yield PublishedStudy(
        name="dlib/abstract_reasoning",
        about="The 360 models of the study of abstract reasoning: 36 on two datasets, five seeds.",
        source="Van Steenkiste, Locatello, Schmidhuber and Bachem (2019), arXiv 1905.12506",
        settings=_SETTINGS,
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
    datasets = {ours: name for name, ours in _OURS.items() if name in DATASETS}
    objectives = {
        _objective(method, value): (method, strength)
        for method, values in METHODS.items()
        for strength, value in enumerate(values)
    }
    # Scaled studies have shorter ramps.
    text = re.sub(r"steps=\d+", f"steps={_RAMP}", str(settings.get("objective")))
    dataset, seed = settings.get("dataset"), settings.get("seed")
    if text not in objectives or dataset not in datasets or not isinstance(seed, int):
        raise SpecError(f"No run of dlib/unsupervised has these settings: {dict(settings)}.")
    return model_num(datasets[dataset], *objectives[text], seed)


def _objective(method: str, strength: float) -> str:
    """Our text of one of the library's methods at one of its strengths."""
    return _OBJECTIVES[method].format(strength, 10 * strength, strength - 1, _RAMP)


def _datasets(names: tuple[str, ...]) -> tuple[Settings, ...]:
    return tuple({"dataset": _OURS[name]} for name in names)
