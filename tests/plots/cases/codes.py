"""Figures of codes: what latents know, how they answer, where they lie."""

from __future__ import annotations

import numpy as np

from plots.cases.given import FACTORS, LONG, RNG, SHAPES, TEN, TITLE
from unweave import plots


def response(factor, latents, *, count=8, order="ordinal", names=None):
    mean = RNG.normal(size=(count, latents)).cumsum(axis=0)
    return plots.Response(
        factor=factor, order=order, mean=mean, deviation=np.full(mean.shape, 0.4),
        places=(np.arange(count) + 0.5) / count if order == "categorical"
        else np.linspace(0, 1, count, endpoint=order != "circular"),
        names=names or [f"{value:.3g}" for value in np.linspace(0, 1, count)],
        share=RNG.uniform(size=latents),
    )  # fmt: skip


def responses(factors, latents):
    orders = ["categorical", "ordinal", "circular"]
    made = []
    for place, factor in enumerate(factors):
        order = orders[place % 3]
        names = ["square", "ellipse", "heart"] if order == "categorical" else None
        made.append(response(factor, latents, order=order, names=names, count=3 if names else 12))
    return plots.latent_responses(
        made, [f"z{k}" for k in range(latents)],
        [factors[k] if k < len(factors) else None for k in range(latents)], title=TITLE,
        note="3 of 10 latents are used.",
    )  # fmt: skip


def intervention(place, factors):
    parent = place % len(factors)
    return plots.Intervention(
        latent=f"z{place}", parent=parent, order="ordinal", places=np.linspace(0, 1, 6),
        mean=np.linspace(-1, 1, 6), deviation=np.full(6, 0.3),
        curves=tuple(
            None if k == parent else np.linspace(-1, 1, 6)[:, None] + 0.2 * RNG.normal(size=5)
            for k in range(len(factors))
        ),
        robustness=RNG.uniform(-0.1, 1, size=len(factors)),
    )  # fmt: skip


def interventions(factors, latents):
    return plots.interventions(
        [intervention(k, factors) for k in range(latents)], factors,
        ["ordinal", "circular", "categorical", *["ordinal"] * len(factors)][: len(factors)],
        title=TITLE, note="3 of 10 latents are used.",
    )  # fmt: skip


def usage(count, *, noisy=True, follows=None):
    edges = np.linspace(-3.5, 3.5, 61)
    codes = RNG.normal(scale=np.linspace(1.2, 0.02, count)[:, None], size=(count, 4000))
    density = np.stack([np.histogram(of, edges, density=True)[0] for of in codes])
    spread = codes.var(axis=1)
    return plots.latent_usage(
        [f"z{k}" for k in range(count)], spread, (edges, density), spread > 0.01,
        kl=spread * 2.1 if noisy else None, posterior=np.exp(-spread) if noisy else None,
        beyond=np.linspace(0.04, 0, count), follows=follows, prior=noisy, title=TITLE,
        note=f"{count} of {count} latents are used: the variance of their means is above 0.01. "
        "The KL of all is 18.45 nats.",
    )  # fmt: skip


def embeddings(count, *, factors=FACTORS, points=600):
    orders = ["categorical", "ordinal", "circular", "ordinal", "ordinal"]
    names = [["square", "ellipse", "heart"], [f"{v:.3g}" for v in np.linspace(0.5, 1, 6)],
             [f"{v:.3g}" for v in np.linspace(0, 6.1, 40)],
             [f"{v:.3g}" for v in np.linspace(0, 1, 32)]]  # fmt: skip
    panels = []
    for place in range(count):
        of = names[place % 4]
        order = orders[place % 4]
        panels.append(
            plots.Colouring(
                factor=factors[place % len(factors)], order=order, names=of,
                places=np.linspace(0, 1, len(of), endpoint=order != "circular"),
                of=RNG.integers(len(of), size=points),
            )
        )  # fmt: skip
    return plots.embeddings(
        RNG.normal(size=(points, 2)), panels, ("first direction", "second direction"),
        title=TITLE, note="Along the two directions in which all 6 latents vary most.",
    )  # fmt: skip


def circle(factor="orientation", panels=4, names=None):
    turns = np.linspace(0, 1, 40, endpoint=False)
    ring = np.stack([np.sin(2 * np.pi * turns), np.cos(2 * np.pi * turns)], axis=1)
    places = RNG.uniform(size=500)
    codes = np.stack([np.sin(2 * np.pi * places), np.cos(2 * np.pi * places)], axis=1)
    codes += 0.1 * RNG.normal(size=codes.shape)
    called = ["all images", "square", "ellipse", "heart"][:panels]
    marks = names or ["0", "1.57", "3.14", "4.71"]
    return plots.Circle(
        factor=factor, latents=("z3 (0.45 nats)", "z7 (0.41 nats)"),
        panels=tuple((name, codes, places, ring) for name in called),
        marks=tuple((k / 4, name) for k, name in enumerate(marks)),
    )  # fmt: skip


def generators(count):
    size = 10
    every = RNG.normal(size=(count, size, size)) / 10
    norms = np.linalg.norm(every, axis=(1, 2))
    products = np.linalg.norm(every[:, None] @ every[None], axis=(2, 3)) / np.outer(norms, norms)
    commutators = np.linalg.norm(
        every[:, None] @ every[None] - every[None] @ every[:, None], axis=(2, 3)
    ) / np.outer(norms, norms)
    np.fill_diagonal(commutators, 0)
    return plots.generators(
        norms, products, commutators, [np.linalg.eigvals(of) for of in every],
        [f"z{k}" for k in range(count)], [(FACTORS * 9)[k] if k % 2 else None
                                           for k in range(count)],
        title=TITLE, note="The generators commute where the commutator is 0.",
    )  # fmt: skip


def hinton(models, latents, factors):
    return plots.hinton_diagrams(
        [RNG.normal(size=(latents, len(factors))) * (np.arange(latents) < 6)[:, None]
         for _ in range(models)],
        ["vae", "beta_vae(beta=8)", "factor_vae(gamma=20)", "beta_tcvae(beta=4, sampling=mss)",
         "ground_truth_decoder", "dip_vae_ii(lambda_od=10)"][:models],
        factors, title=TITLE, value_label="weights of a lasso on standard deviations of factors",
    )  # fmt: skip


def correlations(count, factors):
    codes = RNG.normal(size=(200, count))
    among = np.corrcoef(codes.T).reshape(count, count)
    beside = RNG.uniform(-1, 1, size=(count, len(factors))) if factors else None
    return plots.code_correlations(
        among, [f"z{k}" for k in range(count)], beside, factors, title=TITLE,
        note="Pearson's correlation; of circular factors the larger one of sine and cosine.",
    )  # fmt: skip


def latents_by_factors(rows, factors):
    values = RNG.uniform(size=(rows, len(factors))) ** 4
    return plots.latent_factor_matrix(
        values, factors, [f"z{k}" for k in range(rows)], TITLE, "mutual information (nats)"
    )


def positions(names, length=1):
    codes = RNG.normal(size=(800, 2))
    return plots.latent_positions(
        codes, codes[:60] + 2, [[2.0, 2.0], [-2.0, 2.0]], ("z3, position_x", "z5, shape"),
        deviations=[[0.3, 0.2], [0.2, 0.2]], values=np.arange(800) % len(names), names=names,
        factor="shape", title="Where held-out images lie",
        note="Codes of images that were held out, and where they are expected to be.",
    )  # fmt: skip


def concentration(latents, factors):
    groups = []
    for name, labels in (
        ("Disentanglement of each latent", [f"z{k}" for k in range(latents)]),
        ("Completeness of each factor", factors),
    ):
        values, shares = RNG.uniform(size=len(labels)), RNG.dirichlet(np.ones(len(labels)))
        if len(labels) > 2:
            values[2], shares[2] = np.nan, 0
        groups.append(
            plots.Concentration(name=name, labels=labels, values=values, shares=shares, mean=0.4)
        )
    return plots.concentration_bars(groups, title=TITLE, note="The mean is weighted by shares.")


CASES = {
    "circles": {
        "usual": lambda: plots.circles([circle()], title=TITLE, note="Each on two latents."),
        "one panel": lambda: plots.circles([circle(panels=1)], title="Circular factors"),
        "long": lambda: plots.circles(
            [circle(LONG[0], names=["north-north-west"] * 4), circle("hue", panels=2)]
        ),
    },
    "code_correlations": {
        "usual": lambda: correlations(10, FACTORS),
        "1 latent": lambda: correlations(1, FACTORS[:1]),
        "32 latents": lambda: correlations(32, TEN),
        "no factors": lambda: correlations(3, []),
        "long": lambda: correlations(3, LONG),
    },
    "concentration_bars": {
        "usual": lambda: concentration(10, FACTORS),
        "one": lambda: concentration(1, FACTORS[:1]),
        "32": lambda: concentration(32, TEN),
        "long": lambda: concentration(3, LONG),
    },
    "embeddings": {
        "usual": lambda: embeddings(5),
        "none": lambda: embeddings(0),
        "one": lambda: embeddings(1),
        "ten long": lambda: embeddings(9, factors=LONG),
    },
    "generators": {
        "usual": lambda: generators(10),
        "one": lambda: generators(1),
        "32": lambda: generators(32),
    },
    "hinton_diagrams": {
        "usual": lambda: hinton(3, 10, FACTORS),
        "one latent": lambda: hinton(1, 1, FACTORS[:1]),
        "32 latents": lambda: hinton(6, 32, TEN),
        "long": lambda: hinton(2, 10, LONG),
    },
    "interventions": {
        "usual": lambda: interventions(FACTORS, 6),
        "one": lambda: interventions(["scale"], 1),
        "ten factors": lambda: interventions(TEN, 16),
        "long": lambda: interventions(LONG, 3),
    },
    "latent_factor_matrix": {
        "usual": lambda: latents_by_factors(10, FACTORS),
        "one": lambda: latents_by_factors(1, FACTORS[:1]),
        "three": lambda: latents_by_factors(3, LONG),
        "32": lambda: latents_by_factors(32, TEN),
    },
    "latent_positions": {
        "usual": lambda: positions(SHAPES),
        "many": lambda: positions([f"{v:.3g}" for v in np.linspace(0, 6, 40)]),
        "long": lambda: positions(LONG),
    },
    "latent_responses": {
        "usual": lambda: responses(FACTORS, 6),
        "one": lambda: responses(["scale"], 1),
        "ten factors": lambda: responses(TEN, 16),
        "long": lambda: responses(LONG, 3),
    },
    "latent_usage": {
        "usual": lambda: usage(10, follows=[*FACTORS, *[None] * 5]),
        "one": lambda: usage(1),
        "24": lambda: usage(24, follows=[LONG[0], *[None] * 23]),
        "without noise": lambda: usage(3, noisy=False),
    },
}
