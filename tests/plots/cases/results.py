"""Figures of the results of many runs, of new combinations, and of datasets."""

from __future__ import annotations

import numpy as np

from plots.cases.given import FACTORS, LONG, RNG, SHAPES, TITLE, conditions_of, models_of
from unweave import plots


def agreement(names):
    table = np.corrcoef(RNG.normal(size=(len(names), 12))).reshape(len(names), len(names))
    if len(names) > 2:
        table[0, 1] = table[1, 0] = np.nan
    return plots.correlation_matrix(table, names, TITLE, "Spearman's rank correlation")


def violins(panels, groups, runs):
    names = [
        "vae",
        "beta_vae(beta=8)",
        "factor_vae(gamma=20)",
        "beta_tcvae(beta=4)",
        "dip_vae_ii(lambda_od=10, lambda_d=1)",
        "annealed_vae(stop=25, gamma=1000)",
    ]
    kinds = ["mig", "sap", "dci", "modularity_explicitness", "factor_vae", "irs"]
    return plots.violins(
        {kind: {name: RNG.uniform(0, 0.1, size=runs) + 0.1 * k
                for k, name in enumerate(names[:groups])} for kind in kinds[:panels]},
        title="Scores on dsprites", value_label="score",
    )  # fmt: skip


def ranks(lines, places):
    table = np.argsort(np.argsort(RNG.uniform(size=(lines, places)), axis=0), axis=0) + 1.0
    if lines > 2:
        table[-1, -1] = np.nan
    names = ["vae", "beta_vae(beta=8)", "factor_vae(gamma=20)", "beta_tcvae(beta=4)",
             "dip_vae_i(lambda_od=10, lambda_d=100)", "dip_vae_ii(lambda_od=10)",
             "annealed_vae(stop=25)", "info_vae"][:lines]  # fmt: skip
    marks = ["mig", "sap", "dci", "modularity_explicitness", "factor_vae", "beta_vae",
             "downstream_task"][:places]  # fmt: skip
    return plots.rank_lines({"dsprites": table, "shapes3d": table}, names, marks,
                            title="Order of methods", place_label="metric")  # fmt: skip


def against_error(conditions, models, runs, *, far=1.0):
    def of():
        return np.column_stack([RNG.uniform(size=runs), RNG.uniform(8, 40, size=runs),
                                far * RNG.uniform(8, 40, size=runs)])  # fmt: skip

    return plots.disentanglement_against_error(
        {name: {model: of() for model in models_of(models)} for name in conditions_of(conditions)},
        published={conditions_of(1)[0]: {models_of(1)[0]: [[0.4, 12.0, 20.0 * far]]}},
        title="Disentanglement against errors of images that were and were not trained on",
        score_label="DCI disentanglement (lasso)",
    )  # fmt: skip


def gaps(conditions, models, runs, far=1.0):
    return plots.generalisation_gaps(
        {name: {model: np.column_stack([RNG.uniform(8, 40, size=runs),
                                        far * RNG.uniform(12, 60, size=runs)])
                for model in models_of(models)} for name in conditions_of(conditions)},
        title="Errors of images that were and were not trained on",
    )  # fmt: skip


def errors(models, rows, columns, *, names=None):
    table = RNG.uniform(8, 400, size=(models, rows, columns))
    table[:, 0, 0] = np.nan
    held = np.zeros((rows, columns), bool)
    held[-1, columns // 2 :] = True
    return plots.errors_by_combination(
        dict(zip(models_of(models), table, strict=True)), held,
        names or [f"{v:.3g}" for v in np.linspace(0, 1, rows)],
        [f"{v:.3g}" for v in np.linspace(0, 6.2, columns)],
        axes=("shape", "position_x"), title="Errors of each combination of two factors",
    )  # fmt: skip


def shares(sizes):
    factors = dict(zip([*FACTORS, *LONG], sizes, strict=False))
    return plots.share_bars(
        {name: RNG.dirichlet(np.full(size, 9.0)) for name, size in factors.items()},
        {name: [f"{v:.3g}" for v in np.linspace(0, 6.1, size)] for name, size in factors.items()},
        title="How often each value of each factor occurs",
    )  # fmt: skip


def joint(count):
    names = {"shape": ["square", "ellipse", "heart"],
             "scale": [f"{v:.3g}" for v in np.linspace(0.5, 1, 6)],
             "orientation": [f"{v:.3g}" for v in np.linspace(0, 6.1, 40)]}  # fmt: skip
    pairs = [("shape", "scale"), ("shape", "orientation"), ("scale", "orientation"),
             ("scale", "shape"), ("orientation", "shape")][:count]  # fmt: skip
    return plots.joint_shares(
        {(a, b): RNG.dirichlet(np.ones(len(names[a]) * len(names[b])))
         .reshape(len(names[a]), len(names[b])) for a, b in pairs}, names,
    )  # fmt: skip


CASES = {
    "correlation_matrix": {
        "usual": lambda: agreement(["mig", "sap", "dci", "modularity", "irs", "factor_vae"]),
        "one": lambda: agreement(["mig"]),
        "long": lambda: agreement([f"{name} of {k}" for name in LONG for k in range(9)]),
    },
    "disentanglement_against_error": {
        "usual": lambda: against_error(3, 4, 5),
        "broken": lambda: against_error(3, 6, 3, far=80.0),
        "one": lambda: against_error(1, 1, 1),
    },
    "errors_by_combination": {
        "usual": lambda: errors(4, 3, 32, names=SHAPES),
        "one": lambda: errors(1, 1, 8),
        "large": lambda: errors(6, 32, 40),
    },
    "generalisation_gaps": {
        "usual": lambda: gaps(3, 4, 5),
        "one": lambda: gaps(1, 1, 1),
        "far": lambda: gaps(2, 6, 5, far=300.0),
    },
    "joint_shares": {"usual": lambda: joint(5), "one": lambda: joint(1)},
    "rank_lines": {
        "usual": lambda: ranks(5, 5),
        "one": lambda: ranks(1, 1),
        "eight": lambda: ranks(8, 7),
    },
    "share_bars": {
        "usual": lambda: shares([3, 6, 40, 32, 32]),
        "one": lambda: shares([1]),
        "long": lambda: shares([3, 6, 40, 32, 32, 200, 2, 4]),
    },
    "violins": {
        "usual": lambda: violins(3, 4, 40),
        "one": lambda: violins(1, 1, 1),
        "many": lambda: violins(6, 6, 12),
    },
}
