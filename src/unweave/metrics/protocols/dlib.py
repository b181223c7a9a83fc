"""The protocols of disentanglement_lib."""

from __future__ import annotations

__all__ = ["DLIB", "DLIB2019", "VALIDATION"]

from unweave.metrics.base import Metric
from unweave.metrics.dci.boosted import DCI
from unweave.metrics.dci.per_tree import DCIPerTree
from unweave.metrics.downstream.accuracy import DownstreamLogistic, DownstreamTrees
from unweave.metrics.downstream.fairness import Fairness
from unweave.metrics.downstream.reduced import ReducedDownstream
from unweave.metrics.downstream.strong import StrongDownstream
from unweave.metrics.information.mig import MIG
from unweave.metrics.interventional.beta_vae import BetaVAEScore
from unweave.metrics.interventional.factor_vae import FactorVAEScore
from unweave.metrics.interventional.irs import IRS
from unweave.metrics.label_free.unsupervised import Unsupervised
from unweave.metrics.predictive.modularity_explicitness import ModularityExplicitness
from unweave.metrics.predictive.sap import SAP
from unweave.metrics.predictive.sap_continuous import SAPContinuous
from unweave.metrics.protocols.base import Protocol
from unweave.metrics.sampling import Compat


def _study(compat: Compat) -> tuple[Metric, ...]:
    """The metrics of the study; strong and reduced downstream, which it lacks, as in its tests."""
    return (
        MIG(bins=20, samples=10_000, compat=compat),
        SAP(train=10_000, test=5_000, compat=compat),
        DCI(train=10_000, test=5_000, compat=compat),
        DCIPerTree(train=10_000, test=5_000, compat=compat),
        SAPContinuous(samples=10_000, compat=compat),
        ModularityExplicitness(bins=20, train=10_000, test=5_000, compat=compat),
        BetaVAEScore(train=10_000, test=5_000, batch=64, compat=compat),
        FactorVAEScore(
            train=10_000,
            test=5_000,
            batch=64,
            variance_samples=10_000,
            prune_std=0.05,
            compat=compat,
        ),
        IRS(quantile=0.99, bins=20, samples=10_000, compat=compat),
        Unsupervised(bins=20, samples=10_000, compat=compat),
        DownstreamTrees(train=(10, 100, 1000, 10_000), test=5_000, compat=compat),
        DownstreamLogistic(train=(10, 100, 1000, 10_000), test=5_000, compat=compat),
        Fairness(train=10_000, per_value=100, compat=compat),
        StrongDownstream(train=(1000,), test=1000, experiments=2, compat=compat),
        ReducedDownstream(train=(100,), test=5_000, remove=1, compat=compat),
    )


DLIB = Protocol(
    "dlib",
    1,
    "The study of Locatello et al., 2019: its draws from the full grid, its numbers of samples, "
    "and the solvers of the scikit-learn that is installed.",
    _study("dlib"),
)

DLIB2019 = Protocol(
    "dlib2019",
    1,
    "The same with the solvers that were scikit-learn's defaults when the study was published.",
    _study("dlib2019"),
)

VALIDATION = Protocol(
    "validation",
    1,
    "A small labelled set, rows as they stand, for choosing among models: MIG on all of it, the "
    "others fitted to its first nine tenths and tested on the rest.",
    (
        MIG(bins=20, compat="dlib"),
        SAP(share=0.9, compat="dlib"),
        DCI(share=0.9, compat="dlib"),
    ),
)
