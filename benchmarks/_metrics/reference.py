"""How disentanglement_lib goes about it: images drawn and encoded call by call for each metric.

Written from a description of its public code; nothing of unweave's metrics is used. Encoding all
images would take minutes to hours, so each kind of call is timed on a sample and scaled by its
count. Fits are run in full, one after the other, as the reference runs them.
"""

from __future__ import annotations

__all__ = ["CALLS", "Call", "fits", "time_call"]

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray

TRAIN, TEST = 10_000, 5_000


@final
@dataclass(frozen=True)
class Call:
    """One kind of call of the encoder.

    Attributes:
        images: Images a call.
        metrics: Calls by metric, at the sizes of the study of 2019.
    """

    images: int
    metrics: dict[str, int]


# Of the spec of the study: batches of 64 for the scores that intervene, of 16 for all others.
CALLS = (
    Call(64, {"beta_vae": 2 * (TRAIN + TEST), "factor_vae": -(-10_000 // 64) + TRAIN + TEST}),
    Call(
        16,
        {
            "mig": TRAIN // 16,
            "irs": TRAIN // 16,
            "unsupervised": TRAIN // 16,
            "sap": TRAIN // 16 + -(-TEST // 16),
            "modularity_explicitness": TRAIN // 16 + -(-TEST // 16),
            "dci": TRAIN // 16 + -(-TEST // 16),
        },
    ),
)


def time_call(
    call: Call,
    encode: Callable[[torch.Tensor], torch.Tensor],
    images: NDArray[np.uint8],
    sizes: tuple[int, ...],
    repeats: int,
) -> float:
    """Mean seconds of a call: factors drawn, images gathered, made float32, and encoded.

    Args:
        call: Which.
        encode: From images (B, 1, H, W) float32 to means.
        images: All images in memory, (N, H, W) with values 0 and 1, in C order of the factors.
        sizes: Sizes of the factors.
        repeats: Calls that are timed, after a tenth of them that are not.
    """
    random_state = np.random.RandomState(0)
    begun = 0.0
    for index in range(-(repeats // 10) - 1, repeats):
        if index == 0:
            begun = time.perf_counter()
        factors = np.stack([random_state.randint(n, size=call.images) for n in sizes], axis=1)
        fixed = random_state.randint(len(sizes))
        factors[:, fixed] = factors[0, fixed]
        rows = np.ravel_multi_index(tuple(factors.T), sizes)
        batch = torch.from_numpy(images[rows].astype(np.float32)[:, None])
        encode(batch).numpy()
    return (time.perf_counter() - begun) / repeats


def fits(codes: NDArray[np.float32], factors: NDArray[np.int64]) -> dict[str, float]:
    """Seconds that each metric's estimators take on codes and factors that have been drawn.

    Args:
        codes: Codes of 15,000 images, (N, L).
        factors: Their factor indices, (N, K).
    """
    train, test = slice(0, TRAIN), slice(TRAIN, TRAIN + TEST)
    work: dict[str, Callable[[], Any]] = {
        "beta_vae": lambda: _beta_vae(codes, factors),
        "factor_vae": lambda: _factor_vae(codes),
        "mig": lambda: _information(codes[train], factors[train]),
        "irs": lambda: None,
        "unsupervised": lambda: _information(codes[train], _binned(codes[train])),
        "sap": lambda: _sap(codes[train], factors[train], codes[test], factors[test]),
        "modularity_explicitness": lambda: _explicitness(
            codes[train], factors[train], codes[test], factors[test]
        ),
        "dci": lambda: _dci(codes[train], factors[train], codes[test], factors[test]),
    }
    seconds = {}
    for name, run in work.items():
        begun = time.perf_counter()
        run()
        seconds[name] = time.perf_counter() - begun
    return seconds


def _beta_vae(codes: NDArray[np.float32], factors: NDArray[np.int64]) -> None:
    from sklearn.linear_model import LogisticRegression

    rows = np.random.RandomState(0).randint(len(codes), size=(TRAIN + TEST, 2, 64))
    differences = np.stack(
        [np.mean(np.abs(codes[one] - codes[other]), axis=0) for one, other in rows]
    )
    labels = np.random.RandomState(1).randint(factors.shape[1], size=TRAIN + TEST)
    model = LogisticRegression().fit(differences[:TRAIN], labels[:TRAIN])
    model.score(differences[:TRAIN], labels[:TRAIN])
    model.score(differences[TRAIN:], labels[TRAIN:])


def _factor_vae(codes: NDArray[np.float32]) -> None:
    rows = np.random.RandomState(0).randint(len(codes), size=(TRAIN + TEST, 64))
    whole = np.var(codes[:TRAIN], axis=0, ddof=1)
    for vote in rows:
        np.argmin(np.var(codes[vote], axis=0, ddof=1) / whole)


def _binned(codes: NDArray[np.float32]) -> NDArray[np.int64]:
    columns = [np.digitize(c, np.histogram(c, 20)[1][:-1]) for c in codes.T]
    return np.stack(columns, axis=1)


def _information(codes: NDArray[np.float32], factors: NDArray[np.int64]) -> None:
    from sklearn.metrics import mutual_info_score

    for code in _binned(codes).T:
        for factor in factors.T:
            mutual_info_score(factor, code)


def _sap(
    codes: NDArray[np.float32],
    factors: NDArray[np.int64],
    test_codes: NDArray[np.float32],
    test_factors: NDArray[np.int64],
) -> None:
    from sklearn.svm import LinearSVC

    for code, test_code in zip(codes.T, test_codes.T, strict=True):
        for factor, test_factor in zip(factors.T, test_factors.T, strict=True):
            model = LinearSVC(C=0.01, class_weight="balanced").fit(code[:, None], factor)
            np.mean(model.predict(test_code[:, None]) == test_factor)


def _explicitness(
    codes: NDArray[np.float32],
    factors: NDArray[np.int64],
    test_codes: NDArray[np.float32],
    test_factors: NDArray[np.int64],
) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.preprocessing import MultiLabelBinarizer

    _information(codes, factors)
    mean, deviation = codes.mean(0), codes.std(0)
    scaled, test_scaled = (codes - mean) / deviation, (test_codes - mean) / deviation
    for factor, test_factor in zip(factors.T, test_factors.T, strict=True):
        model = LogisticRegression().fit(scaled, factor)
        binary = MultiLabelBinarizer()
        labels = binary.fit_transform(factor[:, None])
        test_labels = binary.transform(test_factor[:, None])
        roc_auc_score(labels, model.predict_proba(scaled))
        roc_auc_score(test_labels, model.predict_proba(test_scaled))


def _dci(
    codes: NDArray[np.float32],
    factors: NDArray[np.int64],
    test_codes: NDArray[np.float32],
    test_factors: NDArray[np.int64],
) -> None:
    from sklearn.ensemble import GradientBoostingClassifier

    for factor, test_factor in zip(factors.T, test_factors.T, strict=True):
        model = GradientBoostingClassifier().fit(codes, factor)
        np.mean(model.predict(codes) == factor)
        np.mean(model.predict(test_codes) == test_factor)
        np.abs(model.feature_importances_)
