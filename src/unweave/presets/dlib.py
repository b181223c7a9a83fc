"""The models of disentanglement_lib's unsupervised study, by model number."""

from __future__ import annotations

__all__ = [
    "DLIB_METRICS",
    "DLIB_MODELS",
    "DLIB_SETTINGS",
    "RAMP",
    "dlib_dataset",
    "dlib_objective",
    "dlib_preset",
]

from typing import Final

from unweave.presets.base import Preset, Scoring
from unweave.presets.dlib_numbers import MODELS, model_of
from unweave.presets.numbered import NumberedPresets

# Its words for datasets, where they are not ours.
_OURS: Final = {
    "dsprites_full": "dsprites",
    "smallnorb": "smallnorb(instance=drawn)",
}
RAMP: Final = 100_000
"""In how many steps the capacity of the annealed VAE grows."""

# Its words for methods: ours, at one of the six strengths.
_OBJECTIVES: Final = {
    "beta_vae": "beta_vae(beta={0:g})",
    "factor_vae": "factor_vae(gamma={0:g}, lr=0.0001, compat=dlib, depth=7)",
    "dip_vae_i": "dip_vae_i(off_diagonal={0:g}, diagonal={1:g})",
    "dip_vae_ii": "dip_vae_ii(off_diagonal={0:g}, diagonal={0:g})",
    "beta_tc_vae": "vae + total_correlation(weight={2:g}, compat=dlib)",
    "annealed_vae": "annealed_vae(gamma=1000, capacity=linear(start=0, stop={0:g}, steps={3}))",
}
# What its strengths are.
_STRENGTHS: Final = {
    "beta_vae": "beta",
    "factor_vae": "gamma",
    "dip_vae_i": "off-diagonal weight",
    "dip_vae_ii": "off-diagonal weight",
    "beta_tc_vae": "beta",
    "annealed_vae": "capacity",
}
DLIB_SETTINGS: Final = {
    "architecture": "locatello",
    "steps": 300_000,
    "batch_size": 64,
    "latents": 10,
    "lr": 1e-4,
}
"""What all models have in common."""

DLIB_METRICS: Final = (
    "beta_vae_sklearn",
    "dci",
    "downstream_task_boosted_trees",
    "downstream_task_logistic_regression",
    "factor_vae_metric",
    "mig",
    "modularity_explicitness",
    "sap_score",
    "unsupervised",
)
"""The library's names of the metrics of the study."""


def dlib_preset(number: int) -> Preset:
    """The training of a model number, 0 to 12,599: `dlib_numbers.model_of` says of what.

    DIP-VAE-I weights the diagonal by ten times the off-diagonal weight, DIP-VAE-II by the same;
    beta-TCVAE adds beta - 1 times the total correlation to the whole KL; the capacity of the
    annealed VAE grows over 100,000 steps. The architecture is the library's conv_encoder and
    deconv_decoder. `compat=dlib` is the library's FactorVAE, which permutes samples of the batch
    itself and has six hidden layers in its discriminator, and its total correlation, which is
    logged without constants; both are trained in float32.

    What differs from the library, beside random streams:

    - SmallNORB has one instance for each combination of its other factors instead of another one
      at every reading, since published scores need a full grid.
    - Batches walk through all images once an epoch; there, images are drawn with replacement.
    - The discriminator's first weights are He-uniform; there, they are Glorot-uniform.
    - TensorFlow's Adam adds its epsilon of 1e-8 to a root without the correction of bias.
    - The other methods are trained in float32, too, there; here where the processor has no
      bfloat16, or with `precision=float32`.
    - Metrics have the seed that is given; the library's own, one each, are those of the studies.

    Doubtful: both optimisers of the library's FactorVAE count the same steps, so that its 300,000
    are probably 150,000 updates of each; this follows from how TensorFlow counts, and was not
    observed. Here they are 300,000 as for the others, as is configured.

    Source: the study unsupervised_study_v1 of the public code disentanglement_lib, and Locatello,
    Bauer, Lucic, Rätsch, Gelly, Schölkopf and Bachem (2019), arXiv 1811.12359.

    Raises:
        SpecError: There is no such number.
    """
    model = model_of(number)
    return Preset(
        name=f"dlib/{number}",
        about=f"Model {number} of disentanglement_lib: {model.method} on {model.dataset}, "
        f"{_STRENGTHS[model.method]} {model.value:g}, seed {model.seed}.",
        dataset=dlib_dataset(model.dataset),
        objective=dlib_objective(model.method, model.value),
        settings=DLIB_SETTINGS | {"seed": model.seed},
        scoring=(Scoring(protocol="dlib2019", metrics=DLIB_METRICS),),
    )


DLIB_MODELS: Final = NumberedPresets(
    source="dlib",
    about="The models of disentanglement_lib's unsupervised study by number: six methods at six "
    "strengths on seven datasets with 50 seeds; the first 10,800 were published.",
    count=MODELS,
    make=dlib_preset,
)


def dlib_dataset(name: str) -> str:
    """Our text of one of the library's datasets."""
    return _OURS.get(name, name)


def dlib_objective(method: str, strength: float) -> str:
    """Our text of one of the library's methods at one of its strengths."""
    return _OBJECTIVES[method].format(strength, 10 * strength, strength - 1, RAMP)
