"""Predictors of one factor, from a simple one to one that can follow almost anything."""

from __future__ import annotations

__all__ = [
    "ForestProbes",
    "FourierProbes",
    "NetworkProbes",
    "Probe",
    "ProbeFamily",
    "Target",
]

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import SpecError
from unweave.metrics import solvers
from unweave.metrics.threads import cores_for
from unweave.spec import Component, number

Codes: TypeAlias = NDArray[np.float32]
Floats: TypeAlias = NDArray[np.floating]

# Rows that stand in memory in double precision at once.
_BLOCK = 4096


@final
@dataclass(frozen=True, eq=False)
class Target:
    """What is to be found of one factor.

    Attributes:
        values: Of each row, one or more numbers, or an indicator of each class, (N, T).
        classes: Whether they are indicators.
    """

    values: Floats
    classes: bool


@final
@dataclass(frozen=True, eq=False)
class Probe:
    """A fitted predictor.

    Attributes:
        capacity: How much it could follow, in the unit of its family.
        predict: Of codes (M, L), what it finds, (M, T); of classes, the largest counts.
    """

    capacity: float
    predict: Callable[[Codes], Floats]


Fit: TypeAlias = Callable[[Target], Iterator[Probe]]
"""Of a target, its probes in the order of their capacity."""


class ProbeFamily(Component):
    """Predictors of growing capacity. Codes are standardised."""

    family: ClassVar[str] = "probes"

    def validate(self) -> None:
        """Refuse a single capacity.

        Raises:
            SpecError: There are fewer than two.
        """
        if len(self.steps) < 2:
            raise SpecError(
                f"{self.name} needs at least two different capacities, and there are "
                f"{len(self.steps)}."
            )

    @property
    @abstractmethod
    def steps(self) -> tuple[int, ...]:
        """What tells its predictors apart, from small to large."""

    @abstractmethod
    def label(self, step: int) -> str:
        """A predictor in words."""

    @abstractmethod
    def start(self, codes: Codes, random_state: np.random.RandomState) -> Fit:
        """Do what is the same for all targets.

        Args:
            codes: Rows to fit, (N, L).
            random_state: Where fits draw from.
        """


@final
class FourierProbes(ProbeFamily):
    r"""Least squares on latents, and on more and more random Fourier features of them.

    The features are :math:`\cos(w \cdot z + b)`, w normal and b uniform; a larger predictor has
    all features of a smaller one. The squares of the weights are added to the mean squared error,
    `ridge` times. The capacity is the logarithm of the number of weights of an output. Classes
    are fitted as indicators, so that the middle one of three along a latent is not linear in it.
    """

    name: ClassVar[str] = "fourier_probes"

    features: tuple[int, ...] = number(
        default=(0, 16, 32, 64, 128, 256, 512, 1024),
        low=0,
        help="Numbers of random features beside the latents themselves.",
    )
    frequency: float = number(
        default=0.5, above=0, help="Deviation of w, in radians a deviation of a latent."
    )
    ridge: float = number(default=1e-4, low=1e-9, help="Weight of the squares of the weights.")

    @property
    def steps(self) -> tuple[int, ...]:
        """Numbers of random features."""
        return tuple(sorted(set(self.features)))

    def label(self, step: int) -> str:
        """Number of features, or linear."""
        return f"{step} features" if step else "linear"

    def start(self, codes: Codes, random_state: np.random.RandomState) -> Fit:
        """Draw the features and decompose their products."""
        from scipy.linalg import cholesky, solve_triangular

        used = np.flatnonzero((codes != codes[:1]).any(axis=0))
        largest = self.steps[-1]
        w = self.frequency * random_state.normal(size=(codes.shape[1], largest))
        b = random_state.uniform(0, 2 * np.pi, size=largest)
        w, b = w.astype(np.float32), b.astype(np.float32)

        def design(rows: Codes, size: int) -> Codes:
            waves = np.cos(rows @ w[:, :size] + b[:size])
            return np.concatenate([rows[:, used], waves], axis=1)

        known = design(codes, largest)
        mean = known.mean(axis=0, dtype=np.float64)
        products = self.ridge * len(codes) * np.eye(known.shape[1])
        for _, block in _centred(known, mean):
            products += block.T @ block
        lower = cholesky(products, lower=True)

        def probe(size: int, half: Floats, offset: Floats) -> Probe:
            # The factor of the leading products is the leading part of the factor.
            width = len(used) + size
            weights = solve_triangular(lower[:width, :width].T, half[:width], lower=False)
            constant = offset - mean[:width] @ weights

            def predict(rows: Codes) -> Floats:
                found: Floats = design(rows, size) @ weights + constant
                return found

            return Probe(float(np.log(width + 1)), predict)

        def fit(target: Target) -> Iterator[Probe]:
            offset = target.values.mean(axis=0)
            values = target.values - offset
            followed = sum(block.T @ values[rows] for rows, block in _centred(known, mean))
            half = solve_triangular(lower, followed, lower=True)
            for size in self.steps:
                yield probe(size, half, offset)

        return fit


@final
class ForestProbes(ProbeFamily):
    """Random forests of growing depth, which is their capacity."""

    name: ClassVar[str] = "forest_probes"

    depths: tuple[int, ...] = number(
        default=(1, 2, 4, 8, 16), low=1, help="Largest depths of a tree."
    )
    size: int = number(default=50, low=1, help="Trees of each forest.")

    @property
    def steps(self) -> tuple[int, ...]:
        """Depths."""
        return tuple(sorted(set(self.depths)))

    def label(self, step: int) -> str:
        """Depth."""
        return f"depth {step}"

    def start(self, codes: Codes, random_state: np.random.RandomState) -> Fit:
        """Nothing is shared."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        def fit(target: Target) -> Iterator[Probe]:
            kind = RandomForestClassifier if target.classes else RandomForestRegressor
            for depth in self.steps:
                forest = kind(
                    n_estimators=self.size,
                    max_depth=depth,
                    n_jobs=cores_for(self.size * len(codes), solvers.WORTH_JOBS),
                    random_state=random_state,
                )
                yield Probe(float(depth), _fitted(forest, codes, target))

        return fit


@final
class NetworkProbes(ProbeFamily):
    """Perceptrons with two hidden layers of growing width, fitted by Adam; 0 for a linear model.

    The capacity is the logarithm of the number of parameters.
    """

    name: ClassVar[str] = "network_probes"

    widths: tuple[int, ...] = number(
        default=(0, 8, 32, 128), low=0, help="Units of each hidden layer."
    )
    epochs: int = number(default=20, low=1, help="Passes over the rows.")
    rate: float = number(default=0.01, above=0, help="Learning rate.")

    @property
    def steps(self) -> tuple[int, ...]:
        """Units of a layer."""
        return tuple(sorted(set(self.widths)))

    def label(self, step: int) -> str:
        """Units of a layer, or linear."""
        return f"{step} units" if step else "linear"

    def start(self, codes: Codes, random_state: np.random.RandomState) -> Fit:
        """Nothing is shared."""
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        def fit(target: Target) -> Iterator[Probe]:
            kind = MLPClassifier if target.classes else MLPRegressor
            for width in self.steps:
                layers = (width, width) if width else ()
                network = kind(
                    hidden_layer_sizes=layers,
                    learning_rate_init=self.rate,
                    max_iter=self.epochs,
                    n_iter_no_change=self.epochs,
                    random_state=random_state,
                )
                ends = (codes.shape[1], *layers, target.values.shape[1])
                count = sum((n + 1) * m for n, m in pairwise(ends))
                yield Probe(float(np.log(count)), _fitted(network, codes, target))

        return fit


def _centred(known: Codes, mean: NDArray[np.float64]) -> Iterator[tuple[slice, Floats]]:
    """Features (N, F) less their mean, in double precision, and which rows they are of."""
    for start in range(0, len(known), _BLOCK):
        rows = slice(start, start + _BLOCK)
        yield rows, known[rows] - mean


def _fitted(estimator: Any, codes: Codes, target: Target) -> Callable[[Codes], Floats]:
    """An estimator of scikit-learn, fitted, as a function of codes."""
    width = target.values.shape[1]
    if (target.values == target.values[:1]).all():
        # Networks refuse a single class.
        return lambda rows: np.repeat(target.values[:1], len(rows), axis=0)
    wanted = target.values.argmax(axis=1) if target.classes else target.values
    if not target.classes and width == 1:
        wanted = wanted[:, 0]
    solvers.fit(estimator, codes, wanted)

    def predict(rows: Codes) -> Floats:
        if not target.classes:
            return np.asarray(estimator.predict(rows), np.float64).reshape(len(rows), width)
        found = np.zeros((len(rows), width))
        found[:, estimator.classes_] = estimator.predict_proba(rows)
        return found

    return predict
