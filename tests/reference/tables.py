"""Seven small representations of full grids, for which published code has been run.

Each is drawn from one seed, number by number in the order of its recipe, so that every machine
makes the same ones. `g1_*` have five factors and ten latents, `g2_*` four factors and six latents.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache

import numpy as np
import pytest

from unweave.factors import Factor, FactorSpace
from unweave.representation import Representation

__all__ = ["NAMES", "SEEDS", "SHA256", "digest", "published", "table"]

_SIZES = {"g1": (3, 6, 10, 8, 8), "g2": (4, 5, 6, 7)}
# Of the bytes of the codes, as published beside the scores.
SHA256 = {
    "g1_perfect": "98225078f2c5082e71d16c48cc013ec68e29c86e81b2badec37a2ea67ae448d3",
    "g1_rot": "5794c08451c93272057e973ca9af6b1c2724ceb037eaf9bd5f16d430fb5e4ef1",
    "g1_warp": "ea21ae1ef2a6d3691109f4afb48ec9fad1440781c141e886a8809b1ae9573813",
    "g1_dup": "d5992926f2aff7468ad35291ff213599938c50405c4bdb5bfa17aacc9fb55655",
    "g2_noisy": "17f7a12ac4d00b2cd21cbd6679bcb7652dfe88f9339ac998bbbbbd52845f38c5",
    "g2_mixed": "1a687d29058171b9214c99f96a7cbc260313c7c4c3b1b82935ddc30df92f9f8b",
    "g2_missing": "08ae7fdf0f070b157fe0b96856456cc99a49c03a12ed3541b9fcf1dfedcc2660",
}
NAMES = tuple(SHA256)
# Of costly scores: the first published seed of four tables, and all else where there is time.
_FAST = ("g1_rot", "g2_noisy", "g2_mixed", "g2_missing")
SEEDS = pytest.mark.parametrize(
    ("name", "seeds"),
    [
        *(pytest.param(name, slice(0, 1), id=f"{name}, first seed") for name in _FAST),
        *(
            pytest.param(
                name,
                slice(int(name in _FAST), None),
                marks=pytest.mark.slow,
                id=f"{name}, all others",
            )
            for name in NAMES
        ),
    ],
)


@cache
def table(name):
    """The table of that name; its arrays are read-only."""
    sizes = _SIZES[name[:2]]
    space = FactorSpace(tuple(Factor(f"f{k}", size) for k, size in enumerate(sizes)))
    factors = space.unravel(np.arange(space.size))
    counts = np.array(sizes, float)
    units = (factors - (counts - 1) / 2) / np.sqrt((counts * counts - 1) / 12)
    codes = np.asarray(_RECIPES[name](units, factors), np.float64).astype(np.float32)
    for array in (codes, factors):
        array.setflags(write=False)
    return Representation(mean=codes, factors=factors, factor_space=space)


def digest(name):
    """SHA-256 of the bytes of the codes."""
    return hashlib.sha256(np.ascontiguousarray(table(name).mean).tobytes()).hexdigest()


def published(folder, name, metric, protocol="dlib"):
    """What the reference gave: for each seed, its outputs by key."""
    file = {"dlib": "reference_values.json", "dlib2019": "reference_values_sklearn020.json"}
    text = (folder / "metrics" / file[protocol]).read_text(encoding="utf-8")
    found = {}
    for key, entry in json.loads(text)[name].get(metric, {}).items():
        for seed, value in zip(entry["seeds"], entry["values"], strict=True):
            found.setdefault(seed, {})[key] = float(value)
    return found


def _perfect(units, factors):
    """A latent for each factor, and tiny noise in the rest."""
    rng = np.random.default_rng(101)
    codes = 0.01 * rng.standard_normal((len(units), 10))
    places = rng.permutation(10)[:5]
    scale = rng.uniform(0.6, 1.6, 5)
    codes[:, places] = units * (scale * rng.choice([-1, 1], 5))
    return codes


def _dup(units, factors):
    """Two latents for each factor, one of them with a little noise."""
    rng = np.random.default_rng(102)
    scale = rng.uniform(0.6, 1.6, 10) * rng.choice([-1, 1], 10)
    again = units + 0.02 * rng.standard_normal(units.shape)
    return (np.hstack([units, again]) * scale)[:, rng.permutation(10)]


def _rot(units, factors):
    """Five factors and five tiny noises, rotated together."""
    rng = np.random.default_rng(103)
    codes = 0.01 * rng.standard_normal((len(units), 10))
    codes[:, :5] = units * rng.uniform(0.8, 1.4, 5)
    basis, triangle = np.linalg.qr(rng.standard_normal((10, 10)))
    return codes @ (basis * np.sign(np.diag(triangle)))


def _warp(units, factors):
    """Factors bent, a circular one on two latents, and one spread over two waves."""
    rng = np.random.default_rng(106)
    codes = 0.03 * rng.standard_normal((len(units), 10))
    angle = 2 * np.pi * factors[:, 3] / 8 + 0.3
    codes[:, 0] = np.tanh(2 * units[:, 0])
    codes[:, 1] = np.exp(0.8 * units[:, 1]) - 1
    codes[:, 3] = units[:, 2] ** 3 / 2
    codes[:, 5], codes[:, 6] = np.sin(angle), np.cos(angle)
    codes[:, 8] = np.sin(2.5 * units[:, 4]) + 0.1 * rng.standard_normal(len(units))
    codes[:, 9] = 0.2 * np.sin(5 * units[:, 4]) + 0.1 * rng.standard_normal(len(units))
    return codes


def _noisy(units, factors):
    """A latent for each factor under noise, one of tiny and one of plain noise."""
    rng = np.random.default_rng(204)
    spread = np.array([np.sqrt(0.2)] * 4 + [0.02, 0.5])
    codes = rng.standard_normal((len(units), 6)) * spread
    codes[:, :4] += units
    return codes * np.array([1.0, -0.7, 1.2, 0.9, 1.0, 1.0])


def _mixed(units, factors):
    """One factor within the levels of another, a product and a difference of factors."""
    rng = np.random.default_rng(205)
    codes = 0.02 * rng.standard_normal((len(units), 6))
    codes[:, 0] = 1.1 * units[:, 0] + 0.25 * units[:, 1]
    codes[:, 2] = units[:, 2] + 0.1 * rng.standard_normal(len(units))
    codes[:, 3] = 0.8 * units[:, 3] * (1 + 0.5 * units[:, 2]) / 1.2
    codes[:, 5] = 0.6 * units[:, 1] - 0.5 * units[:, 3] + 0.1 * rng.standard_normal(len(units))
    return codes


def _missing(units, factors):
    """The last factor is in no latent, and the last latent is exactly constant."""
    rng = np.random.default_rng(207)
    codes = 0.02 * rng.standard_normal((len(units), 6))
    for latent, factor in ((0, 1), (1, 2), (3, 0)):
        codes[:, latent] = units[:, factor] + np.sqrt(0.05) * rng.standard_normal(len(units))
    codes[:, 5] = 0.0
    return codes


_RECIPES = {
    "g1_perfect": _perfect,
    "g1_rot": _rot,
    "g1_warp": _warp,
    "g1_dup": _dup,
    "g2_noisy": _noisy,
    "g2_mixed": _mixed,
    "g2_missing": _missing,
}
