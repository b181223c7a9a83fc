"""Pairs, triplets, walks and labelled images, drawn from any dataset whose factors are known."""

from unweave.data.samplers.base import Sampler
from unweave.data.samplers.composition import Composition
from unweave.data.samplers.composition_regimes import CompositionRegimes
from unweave.data.samplers.labelled import FewLabels, Labelled
from unweave.data.samplers.labellers import Binned, Labeller, Noisy, Partial, Perfect, Permuted
from unweave.data.samplers.laplace_pairs import LaplacePairs
from unweave.data.samplers.lie_pairs import LiePairs
from unweave.data.samplers.pairs import Pairs
from unweave.data.samplers.triplets import Triplets
from unweave.data.samplers.walk import Walk

__all__ = [
    "Binned",
    "Composition",
    "CompositionRegimes",
    "FewLabels",
    "Labelled",
    "Labeller",
    "LaplacePairs",
    "LiePairs",
    "Noisy",
    "Pairs",
    "Partial",
    "Perfect",
    "Permuted",
    "Sampler",
    "Triplets",
    "Walk",
]
