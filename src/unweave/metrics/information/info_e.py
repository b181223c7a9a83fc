"""How well a linear classifier reads factors from codes."""

from __future__ import annotations

__all__ = ["InfoE", "features_of", "relative_gain"]

import warnings
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.base import Score
from unweave.metrics.columns import within_one
from unweave.metrics.draws import Draws
from unweave.metrics.information.infomec import CODES_HELP, CodeKind, is_discrete
from unweave.metrics.information.metric import SAMPLES_HELP, InformationBase, require_variation
from unweave.representation import Representation
from unweave.spec import number, option


def features_of(codes: NDArray[np.floating], discrete: bool) -> NDArray[np.float64]:
    """What the classifier sees of codes (N, L): one-hot if discrete, else standardised.

    A constant latent adds nothing: a column of zeros.
    """
    if not discrete:
        centred = within_one(codes)
        centred = centred - centred.mean(axis=0)
        spread = centred.std(axis=0)
        return np.asarray(np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0))
    blocks = []
    for column in codes.T:
        values, ranks = np.unique(column, return_inverse=True)
        blocks.append(np.eye(len(values))[ranks.reshape(-1)])
    return np.concatenate(blocks, axis=1)


def relative_gain(
    features: NDArray[np.float64], labels: NDArray[np.int64], iterations: int
) -> float:
    """Share of the cross-entropy of knowing nothing that a classifier on features saves.

    The classifier is multinomial logistic regression without penalty, fitted by L-BFGS with each
    class weighing the same, and scored on the same rows, each row weighing the same. Fitted to
    nothing it gives all classes one chance, so that knowing nothing is the logarithm of their
    number.

    Args:
        features: (N, D).
        labels: Of at least two values, (N,).
        iterations: Most steps of the solver.

    Returns:
        From 0 to 1.
    """
    from sklearn.linear_model import LogisticRegression

    classes, labels = np.unique(labels, return_inverse=True)
    model = LogisticRegression(C=np.inf, class_weight="balanced", max_iter=iterations)
    with warnings.catch_warnings():
        # A hundred iterations are part of the definition, and so is any number of classes.
        warnings.simplefilter("ignore", UserWarning)
        model.fit(features, labels)
    scores = model.decision_function(features)
    if scores.ndim == 1:
        scores = np.stack([np.zeros_like(scores), scores], axis=1)
    # Not by way of probabilities: without a penalty some are too small for a number.
    scores -= scores.max(axis=1, keepdims=True)
    log_chance = scores[np.arange(len(labels)), labels] - np.log(np.exp(scores).sum(axis=1))
    return float(np.clip(1 + log_chance.mean() / np.log(len(classes)), 0.0, 1.0))


@final
class InfoE(InformationBase):
    r"""How well a linear classifier reads factors from all latents together.

    .. math:: \frac{1}{K} \sum_k \frac{C_k^0 - C_k}{C_k^0}

    where :math:`C_k` is the cross-entropy of multinomial logistic regression without penalty on
    the rows that it was fitted to, with classes of equal weight in the fit, and :math:`C_k^0` that
    of knowing nothing. Discrete codes are given one-hot, continuous ones standardised. Since it is
    scored on the rows it was fitted to, few rows make it look better.

    References:
        | Disentanglement via Latent Quantization (Hsu et al., 2023)
        | https://arxiv.org/abs/2305.18378
    """

    name: ClassVar[str] = "info_e"
    source: ClassVar[str] = "Hsu et al., 2023, arXiv 2305.18378"
    opt_in: ClassVar[bool] = True

    codes: CodeKind = option(default="auto", help=CODES_HELP)
    iterations: int = number(default=100, low=1, help="Most iterations of the solver.")
    samples: int | None = number(default=10_000, low=2, help=SAMPLES_HELP)

    def cost(self, representation: Representation) -> str | None:
        """How many classifiers are fitted to how many rows."""
        rows = len(representation) if self.samples is None else self.samples
        factors = representation.factors.shape[1]
        return f"{factors} linear classifiers of {min(rows, len(representation)):,} rows to fit"

    def score(self, representation: Representation, draws: Draws) -> Score:
        """The mean over the factors that vary, and the gain of each.

        Raises:
            DataError: Every factor is constant.
        """
        table = self.sample(representation, draws)
        codes = np.asarray(table.mean)
        factors = np.asarray(table.factors)
        features = features_of(codes, is_discrete(codes, self.codes))
        parts = {
            name: relative_gain(features, factors[:, k], self.iterations)
            for k, name in enumerate(table.factor_space.names)
            if (factors[:, k] != factors[0, k]).any()
        }
        require_variation(self.name, bool(parts))
        return Score(value=float(np.mean(list(parts.values()))), parts=parts)
