"""Every exported metric, at settings under which it is scored within milliseconds."""

from __future__ import annotations

from contracts.components import MEMBERS
from unweave.metrics import Metric
from unweave.spec import parse

__all__ = ["FEWER", "METRICS", "QUICK"]

# Fewer trees and regressions, for metrics that fit many to each factor.
QUICK = {
    each.name: each
    for each in (
        parse(text, Metric)
        for text in (
            "dci(stages=5)",
            "dci_per_tree(stages=5)",
            "dci_forest(size=10)",
            "dci_hist(stages=5)",
            "downstream_trees(train=(100,), predictor=boosted_trees(stages=3))",
            "downstream_logistic(train=(100,), predictor=logistic_cv(penalties=2, folds=2))",
            "downstream_pairs(pairs=200, test_pairs=100, size=10)",
            "strong_downstream(train=(100,), predictor=boosted_trees(stages=3))",
            "reduced_downstream(train=(100,), predictor=boosted_trees(stages=3), "
            "ranking=boosted_trees(stages=3))",
            "fairness(predictor=boosted_trees(stages=3))",
        )
    )
}
# Fewer draws, for metrics that take thousands.
FEWER = {
    each.name: each
    for each in (
        parse(text, Metric)
        for text in (
            "beta_vae(train=1000, test=500)",
            "factor_vae(train=1000, test=500)",
            "edi(trees=8)",
            "dci_es(probes=fourier_probes(features=(0, 8, 32)))",
            "mig_sampled(samples=1000)",
            "aam(samples=1000)",
            "wsepin(samples=500)",
            "windin(samples=500)",
        )
    )
}
_OTHER = QUICK | FEWER
METRICS = [_OTHER.get(cls.name, cls()) for family, cls in MEMBERS if family is Metric]
