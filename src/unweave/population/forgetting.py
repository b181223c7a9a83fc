"""A Gaussian process that forgets: what a round will change, from what rounds have changed.

The kernel of two points with rounds t, t' and inputs x, x' is

    variance * exp(-|x - x'|^2 / (2 length_scale^2)) * (1 - forgetting)^(|t - t'| / 2),

so that what was seen long ago tells less of the coming round.

References:
    | Time-Varying Gaussian Process Bandit Optimization (Bogunovic, Scarlett and Cevher, 2016)
    | https://arxiv.org/abs/1601.06650
"""

from __future__ import annotations

import warnings
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    ConstantKernel,
    Hyperparameter,
    Kernel,
    NormalizedKernelMixin,
    WhiteKernel,
)

__all__ = ["Forgetting", "Surrogate"]

_Floats = NDArray[np.float64]

# In units of the inputs, which lie between 0 and 1, and of changes with a variance of 1.
_VARIANCES = (0.05, 10.0)
_NOISES = (1e-3, 1.0)
_LENGTHS = (0.05, 5.0)
_FORGETTINGS = (1e-3, 0.5)
# Changes that lie further out, such as of a collapse, would hide all differences of others.
_CLIP = 2.0


@final
class Forgetting(NormalizedKernelMixin, Kernel):  # type: ignore[misc]
    """The kernel without its variance, for scikit-learn; a point is (t, x), (1 + D,)."""

    def __init__(self, forgetting: float = 0.1, length_scale: float = 0.5) -> None:
        """Keep the two numbers, which are fitted on a logarithmic scale."""
        self.forgetting = forgetting
        self.length_scale = length_scale

    @property
    def hyperparameter_forgetting(self) -> Any:
        """What `forgetting` may be."""
        return Hyperparameter("forgetting", "numeric", _FORGETTINGS)

    @property
    def hyperparameter_length_scale(self) -> Any:
        """What `length_scale` may be."""
        return Hyperparameter("length_scale", "numeric", _LENGTHS)

    def is_stationary(self) -> bool:
        """Whether it depends on differences alone."""
        return True

    def __call__(
        self, X: Any, Y: Any = None, eval_gradient: bool = False
    ) -> _Floats | tuple[_Floats, _Floats]:
        """Values (N, M), and their gradient (N, N, 2) by the logarithms of the two numbers."""
        left = np.asarray(X, dtype=np.float64)
        right = left if Y is None else np.asarray(Y, dtype=np.float64)
        squared = cdist(left[:, 1:], right[:, 1:], "sqeuclidean") / self.length_scale**2
        halves = np.abs(left[:, :1] - right[:, 0]) / 2
        values = np.exp(-squared / 2) * (1 - self.forgetting) ** halves
        if not eval_gradient:
            return values
        by_forgetting = -values * halves * self.forgetting / (1 - self.forgetting)
        return values, np.stack((by_forgetting, values * squared), axis=-1)


@final
class Surrogate:
    """The process given some changes.

    Args:
        points: Round and inputs, (N, 1 + D); inputs from 0 to 1.
        changes: What each brought, (N,). They are standardised, and clipped at two standard
            deviations.
    """

    def __init__(self, points: _Floats, changes: _Floats) -> None:
        spread = float(np.std(changes))
        scaled = (changes - np.mean(changes)) / (spread if spread > 0 else 1.0)
        self._points = points
        self._changes = np.clip(scaled, -_CLIP, _CLIP)
        kernel = ConstantKernel(1.0, _VARIANCES) * Forgetting() + WhiteKernel(0.1, _NOISES)
        process = GaussianProcessRegressor(kernel, n_restarts_optimizer=2, random_state=0)
        with warnings.catch_warnings():
            # A number at the end of its range is nothing that anybody could mend.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._kernel = process.fit(self._points, self._changes).kernel_
        self._condition()

    @property
    def kernel(self) -> Any:
        """The fitted kernel, with the noise of a change as its second summand."""
        return self._kernel

    def predict(self, points: _Floats) -> tuple[_Floats, _Floats]:
        """Mean and standard deviation (M,) of the noiseless change at some points (M, 1 + D)."""
        mean, noisy = self._process.predict(points, return_std=True)
        variance = np.square(noisy) - self._kernel.k2.noise_level
        return mean, np.sqrt(np.maximum(variance, 0.0))

    def imagine(self, point: _Floats) -> None:
        """Take for seen that a point (1 + D,) brings what is expected of it.

        Expectations stay as they are; near the point they get surer.
        """
        mean, _ = self.predict(point[None])
        self._points = np.concatenate((self._points, point[None]))
        self._changes = np.concatenate((self._changes, mean))
        self._condition()

    def _condition(self) -> None:
        process = GaussianProcessRegressor(self._kernel, optimizer=None)
        self._process = process.fit(self._points, self._changes)
