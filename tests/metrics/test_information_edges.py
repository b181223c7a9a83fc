"""Tables at the edge of what there is: every score of the family is finite, bounded and silent."""

from __future__ import annotations

import numpy as np
import pytest

from unweave.factors import Factor, FactorSpace
from unweave.metrics import (
    MED,
    Distinct,
    Draws,
    Histogram,
    Metric,
    MIGSup,
    NearestNeighbours,
    PosteriorSampling,
)
from unweave.representation import Representation
from unweave.spec import parse

NAMES = [
    "mig_sup",
    "rmig",
    "jemmig",
    "dcimig",
    "nmig",
    "modularity",
    "minimality",
    "sufficiency",
    "med",
    "factor_leakage",
    "info_m",
    "info_c",
    "info_e",
    "edi",
    "mcc",
    "wsepin",
    "windin",
]
# As quick as the rest.
QUICK = {
    "edi": "edi(trees=4)",
    "info_e": "info_e(iterations=20)",
    "wsepin": "wsepin(samples=200)",
    "windin": "windin(samples=200)",
}
METRICS = [
    *(parse(QUICK.get(name, name), Metric) for name in NAMES),
    *(
        MIGSup(estimator=estimator)
        for estimator in (
            Histogram(spacing="quantile"),
            Histogram(debiased=True),
            Distinct(),
            NearestNeighbours(),
            PosteriorSampling(samples=50),
        )
    ),
    MED(top=1),
    parse("mcc(correlation=spearman)", Metric),
    parse("info_m(active=iqr)", Metric),
    parse("info_c(codes=discrete)", Metric),
    parse("info_e(codes=discrete)", Metric),
    parse("wsepin(components=2, samples=20)", Metric),
]
RNG = np.random.default_rng(0)
ROWS = 60
FACTORS = RNG.integers(0, [3, 4], size=(ROWS, 2))
CODES = RNG.normal(size=(ROWS, 4))
CODES[:, :2] += FACTORS


def table_of(codes, factors=FACTORS, sizes=None, logvar=-2.0):
    factors = np.asarray(factors)
    sizes = sizes or factors.max(0) + 1
    return Representation(
        mean=codes,
        factors=factors,
        factor_space=FactorSpace(
            tuple(Factor(f"f{k}", int(size)) for k, size in enumerate(sizes))
        ),
        logvar=np.full(np.shape(codes), logvar, np.float32),
    )


TABLES = {
    "single precision, huge": table_of(np.float32(CODES * 1e37)),
    "double precision, huge": table_of(CODES * 1e300),
    "single precision, subnormal": table_of(np.float32(CODES * 1e-42)),
    "double precision, subnormal": table_of(CODES * 1e-310),
    "far from zero": table_of(np.float32(CODES * 1e-3 + 1e4)),
    "one value far away": table_of(np.concatenate([CODES[:-1], [[1e30] * 4]])),
    "constant": table_of(np.zeros((ROWS, 3))),
    "one constant latent": table_of(np.concatenate([CODES, np.full((ROWS, 1), 0.3)], axis=1)),
    "one latent": table_of(CODES[:, :1]),
    "one factor": table_of(CODES, FACTORS[:, :1]),
    "one of each": table_of(CODES[:, :1], FACTORS[:, :1]),
    "two rows": table_of(CODES[:2], [[0, 0], [1, 1]]),
    "every row its own value": table_of(CODES, np.stack([np.arange(ROWS)] * 2, axis=1)),
    "a constant factor": table_of(CODES, np.insert(FACTORS, 1, 0, axis=1), sizes=(3, 2, 4)),
    "values that do not occur": table_of(CODES, FACTORS * 3, sizes=(20, 20)),
    "three different rows": table_of(np.repeat(CODES[:3], 20, axis=0)),
    "narrow posteriors": table_of(CODES, logvar=-400.0),
    "wide posteriors": table_of(CODES, logvar=400.0),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("metric", METRICS, ids=str)
@pytest.mark.parametrize("name", TABLES)
def test_the_score_is_finite_bounded_and_silent(name, metric):
    low, high = metric.bounds
    found = metric.score(TABLES[name], Draws(0, metric.stream or metric.name))
    for value in (found.value, *found.parts.values()):
        assert type(value) is float
        assert np.isfinite(value)
        assert low is None or value >= low
        assert high is None or value <= high
