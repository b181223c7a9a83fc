"""What is moved by hand: latents in the order of their KL, labels, and factors."""

from __future__ import annotations

__all__ = ["controls", "latent_controls"]

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unweave.data.codes import FactorCodes, value_name
from unweave.factors import Factor
from unweave.nn.conditions import Conditions
from unweave.rules.nodes import values_of
from unweave.splits import keyed_generator
from unweave.vae import VAE

_WIDE = 3.0
_LEAST = 0.01
_QUANTILES = (0.005, 0.995)


def controls(
    model: VAE,
    factors: Sequence[Factor] | None,
    codes: tuple[NDArray[np.float32], NDArray[np.float32] | None] | None,
    starts: NDArray[np.float32],
    kl: NDArray[np.float64] | None,
    names: Sequence[str | None],
) -> list[dict[str, Any]]:
    """Everything that can be moved, as JSON, in the order of a page.

    Args:
        model: The model.
        factors: Factors of its dataset, where these are known.
        codes: Posterior means and log variances of images, (N, L), where there are images.
        starts: Codes that a page starts from, (n, L).
        kl: KL of each latent, nats, (L,), where it is known.
        names: The factor that each latent follows, (L,).
    """
    if model.given is not None:
        return _factor_controls(model.given)
    made = latent_controls(model.latents, codes, starts, kl, names, model.deterministic)
    if model.conditions is not None:
        made += _label_controls(model.conditions, factors, model.latents)
    return made


def latent_controls(
    latents: int,
    codes: tuple[NDArray[np.float32], NDArray[np.float32] | None] | None,
    starts: NDArray[np.float32],
    kl: NDArray[np.float64] | None,
    names: Sequence[str | None],
    deterministic: bool = False,
) -> list[dict[str, Any]]:
    """A slider for each latent, highest KL first; without noise, largest spread first.

    A slider reaches over 99 % of the aggregate posterior, the mean of the posteriors of all
    images, and over all codes that a page starts from; without images from -3 to 3. `centre` and
    `spread` are those of random draws: of the prior, or of the codes of a model without noise,
    which has none.
    """
    low, high = np.full(latents, -_WIDE), np.full(latents, _WIDE)
    centre, spread = np.zeros(latents), np.ones(latents)
    if codes is not None and len(codes[0]):
        mean = np.asarray(codes[0], np.float64)
        logvar = codes[1]
        samples = mean
        if logvar is not None:
            rng = keyed_generator(0, "aggregate posterior of an explorer")
            noise = rng.standard_normal(mean.shape)
            samples = mean + np.exp(0.5 * np.asarray(logvar, np.float64)) * noise
        low, high = np.quantile(samples, _QUANTILES, axis=0)
        if deterministic:
            centre, spread = mean.mean(axis=0), mean.std(axis=0)
            if kl is None:
                kl = spread
    if len(starts):
        low, high = np.minimum(low, starts.min(axis=0)), np.maximum(high, starts.max(axis=0))
    narrow = high - low < _LEAST
    low, high = np.where(narrow, low - _LEAST, low), np.where(narrow, high + _LEAST, high)
    order = range(latents) if kl is None else np.argsort(-kl, kind="stable").tolist()
    return [
        {
            "kind": "latent",
            "latent": j,
            "at": j,
            "name": names[j] or "",
            "kl": None if kl is None or deterministic else float(kl[j]),
            "low": math.floor(100 * low[j]) / 100,
            "high": math.ceil(100 * high[j]) / 100,
            "centre": float(centre[j]),
            "spread": float(spread[j]),
        }
        for j in order
    ]


def _label_controls(
    conditions: Conditions, factors: Sequence[Factor] | None, latents: int
) -> list[dict[str, Any]]:
    """A choice for each label that a model is told, the unknown one first."""
    made = []
    neutral = conditions.neutral()
    pairs = zip(conditions.columns, conditions.sizes, conditions.spans, strict=True)
    for place, (column, size, span) in enumerate(pairs):
        factor = factors[column] if factors is not None else Factor(f"label {place}", size)
        labels = torch.full((size, len(conditions.sizes)), -1, dtype=torch.int64)
        labels[:, place] = torch.arange(size)
        told = conditions.encode_known(labels)[:, span].tolist()
        options = [{"name": "not told", "code": neutral[span].tolist(), "random": False}]
        options += [
            {"name": _short(factor, index), "code": code, "random": True}
            for index, code in enumerate(told)
        ]
        made.append(
            {
                "kind": "choice",
                "name": factor.name,
                "at": latents + span.start,
                "options": options,
            }
        )
    return made


def _factor_controls(codes: FactorCodes) -> list[dict[str, Any]]:
    """A slider or a choice for each factor that a decoder is given, but for those of one value."""
    made: list[dict[str, Any]] = []
    base = codes.encode(np.zeros((1, len(codes.space.factors)), np.int64))
    for column, (factor, span) in enumerate(zip(codes.space.factors, codes.spans, strict=True)):
        if factor.size < 2:
            continue
        control: dict[str, Any] = {"name": factor.name, "at": span.start}
        values = values_of(factor, False)
        each = np.concatenate([codes.varied(base, column, k)[:, span] for k in range(factor.size)])
        if factor.kind == "circular" and span.stop - span.start == 2:
            control |= {
                "kind": "angle",
                "first": float(values[0]),
                "period": float(factor.period),
                "low": float(values[0]),
                "high": float(values[0] + factor.period),
            }
        elif factor.kind != "categorical" and span.stop - span.start == 1:
            low, high = float(values.min()), float(values.max())
            first, last = (float(each[k, 0]) for k in (values.argmin(), values.argmax()))
            scale = (last - first) / (high - low)
            control |= {
                "kind": "number",
                "scale": scale,
                "offset": first - low * scale,
                "low": low,
                "high": high,
            }
        else:
            control |= {
                "kind": "choice",
                "options": [
                    {"name": _short(factor, k), "code": each[k].tolist(), "random": True}
                    for k in range(factor.size)
                ],
            }
        made.append(control)
    return made


def _short(factor: Factor, index: int) -> str:
    """A value for a list: its name, or three digits of it."""
    if factor.labels is not None:
        return value_name(factor, index)
    return f"{values_of(factor, False)[index]:.3g}"
