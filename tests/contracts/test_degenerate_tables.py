"""Degenerate tables: every metric gives a finite score or says what to do, and is quiet."""

from __future__ import annotations

import dataclasses
import re
import warnings

import numpy as np
import pytest

from contracts.quick import FEWER, METRICS, QUICK
from unweave.errors import DataError, UnweaveError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import Metric, evaluate, table_from_arrays, udr
from unweave.metrics.draws import Draws
from unweave.metrics.protocols import protocol
from unweave.representation import Representation
from unweave.spec import parse

SIZES = (2, 3, 4)
GRID = np.indices(SIZES).reshape(3, -1).T
FACTORS = np.tile(GRID, (3, 1))
ROWS = len(FACTORS)
LARGEST = float(np.finfo(np.float32).max)

# As quick as the rest, on tables as small as these.
QUICKER = {
    "beta_vae": "beta_vae(train=60, test=30, batch=8)",
    "factor_vae": "factor_vae(train=60, test=30, batch=8)",
    "edi": "edi(trees=3)",
    "dci": "dci(stages=1)",
    "dci_per_tree": "dci_per_tree(stages=1)",
    "dci_hist": "dci_hist(stages=1)",
    "dci_forest": "dci_forest(size=2)",
    "dci_es": "dci_es(probes=fourier_probes(features=(0, 8)))",
    "fairness": "fairness(predictor=boosted_trees(stages=1))",
    "downstream_trees": "downstream_trees(train=(30,), predictor=boosted_trees(stages=1))",
    "downstream_logistic": "downstream_logistic(train=(30,), "
    "predictor=logistic_cv(penalties=1, folds=2))",
    "downstream_pairs": "downstream_pairs(pairs=60, test_pairs=30, size=2)",
    "strong_downstream": "strong_downstream(train=(30,), predictor=boosted_trees(stages=1))",
    "reduced_downstream": "reduced_downstream(train=(30,), predictor=boosted_trees(stages=1), "
    "ranking=boosted_trees(stages=1))",
    "mig_sampled": "mig_sampled(samples=100)",
    "aam": "aam(samples=100)",
}
SMALL = [parse(QUICKER[each.name], Metric) if each.name in QUICKER else each for each in METRICS]

# Settings of the study of Locatello et al., which need full grids.
PUBLISHED = [
    parse(text.replace("COMPAT", f"compat={compat}"), Metric)
    for compat in ("dlib", "dlib2019")
    for text in (
        "mig(samples=60, COMPAT)",
        "sap(train=60, test=30, COMPAT)",
        "sap_continuous(samples=60, COMPAT)",
        "dci(train=60, test=30, stages=3, COMPAT)",
        "dci_per_tree(train=60, test=30, stages=3, COMPAT)",
        "modularity_explicitness(train=60, test=30, COMPAT)",
        "beta_vae(train=60, test=30, batch=8, COMPAT)",
        "factor_vae(train=60, test=30, batch=8, variance_samples=60, COMPAT)",
        "irs(samples=60, COMPAT)",
        "unsupervised(samples=60, COMPAT)",
        "downstream_trees(train=(60,), test=30, predictor=boosted_trees(stages=3), COMPAT)",
        "fairness(train=60, per_value=5, predictor=boosted_trees(stages=3), COMPAT)",
        "strong_downstream(train=(60,), test=30, predictor=boosted_trees(stages=3), COMPAT)",
        "reduced_downstream(train=(60,), test=30, predictor=boosted_trees(stages=3), "
        "ranking=boosted_trees(stages=3), COMPAT)",
        # Those of a small labelled set, rows as they stand.
        "mig(COMPAT)",
        "sap(share=0.9, COMPAT)",
        "dci(share=0.9, stages=3, COMPAT)",
    )
] + [
    parse(text, Metric)
    for text in (
        "mig_sampled(samples=6, components=all, compat=disvae)",
        "aam(samples=6, components=all, compat=disvae)",
    )
]


def quicker(metric: Metric) -> Metric:
    """The same settings, with fewer points or votes where there are thousands."""
    if not metric.name.startswith(("beta_vae", "factor_vae")):
        return metric
    return dataclasses.replace(metric, train=60, test=30)


# Settings of other codes and papers, which any table fits.
IN_FULL = {
    f"{name}-{metric.name}": metric
    for name in ("clg", "dag", "rpu", "qlae2023", "tripod2024")
    for metric in protocol(name).metrics
    if "trees" not in metric.name and not metric.name.startswith("dci")
}
PAPERS = {name: quicker(metric) for name, metric in IN_FULL.items() if metric not in SMALL}


def noisy(rows: int = ROWS) -> np.ndarray:
    """Codes of which three follow the factors, with noise, and one follows none, (N, 4)."""
    codes = np.random.default_rng(0).normal(0, 0.5, (rows, 4))
    codes[:, :3] += FACTORS[:rows]
    return codes


def constant(*latents: int) -> np.ndarray:
    codes = noisy()
    codes[:, latents] = 0.25
    return codes


def fixed(*columns: int) -> np.ndarray:
    factors = FACTORS.copy()
    factors[:, columns] = 1
    return factors


def odd(column: int, value: int) -> np.ndarray:
    """Factors of which one has a value that a single row has."""
    factors = FACTORS.copy()
    factors[5, column] = value
    return factors


def table(codes=None, factors=FACTORS, **settings) -> Representation:
    codes = noisy() if codes is None else codes
    return table_from_arrays(codes, factors, logvar=np.full(np.shape(codes), -2.0), **settings)


NUMBERS = np.arange(ROWS)
SPARSE = (FACTORS[:, 2] != 1) & (FACTORS[:, 1] != 0)
LETTERS = np.array(list("abcd"))[FACTORS]
FIRST = np.where(NUMBERS[:, None] == 0, 1, 0) * np.ones((1, 3), np.int64)
HUGE_ROW = np.where(NUMBERS[:, None] == 5, 1e300, noisy())

TABLES = {
    # latents
    "a dead latent": lambda: table(constant(1)),
    "a single live latent": lambda: table(constant(0, 1, 3)),
    "all latents dead": lambda: table(constant(0, 1, 2, 3)),
    "one latent": lambda: table(noisy()[:, 2:3]),
    "one latent, dead": lambda: table(np.zeros((ROWS, 1))),
    "two equal latents": lambda: table(noisy()[:, [0, 1, 2, 0]]),
    "all latents equal": lambda: table(noisy()[:, [2, 2, 2]]),
    "more latents than rows": lambda: table(noisy(24).reshape(6, 16), FACTORS[:6]),
    # factors
    "a constant factor": lambda: table(factors=fixed(1)),
    "a constant factor of three values": lambda: table(factors=fixed(1), factor_sizes=SIZES),
    "a single factor that varies": lambda: table(factors=fixed(0, 1)),
    "all factors constant": lambda: table(factors=fixed(0, 1, 2)),
    "one factor": lambda: table(factors=FACTORS[:, 2:]),
    "one latent and one factor": lambda: table(noisy()[:, 2:3], FACTORS[:, 2:]),
    "values that do not occur": lambda: table(factors=2 * FACTORS, factor_sizes=(5, 6, 9)),
    "absent combinations": lambda: table(noisy()[SPARSE], FACTORS[SPARSE], factor_sizes=SIZES),
    "equal factors": lambda: table(factors=FACTORS[:, [2, 2, 2]]),
    "as many values as rows": lambda: table(factors=np.column_stack([FACTORS, NUMBERS])),
    "one factor, as many values as rows": lambda: table(factors=NUMBERS),
    "a value that one row has": lambda: table(factors=odd(2, 9)),
    "a factor that varies in one row": lambda: table(factors=fixed(0) * 0 + FIRST),
    "fractions": lambda: table(factors=FACTORS * 0.25),
    "texts": lambda: table(factors=LETTERS),
    # rows
    "one row": lambda: bare(1),
    "two rows": lambda: table(noisy()[[0, -1]], FACTORS[[0, -1]]),
    "two rows, equal": lambda: table(noisy()[[0, 0]], FACTORS[[0, 0]]),
    "three rows": lambda: table(noisy()[[0, 7, 23]], FACTORS[[0, 7, 23]]),
    "fewer rows than are asked for": lambda: table(noisy(11), FACTORS[:11]),
    "all rows equal": lambda: table(np.repeat(noisy(1), ROWS, 0), np.repeat(FACTORS[:1], ROWS, 0)),
    "each row three times": lambda: table(np.tile(noisy(24), (3, 1))),
    # numbers
    "1e300": lambda: table(noisy() * 1e300),
    "the ends of double precision": lambda: table(np.sign(noisy()) * 1.7e308),
    "the ends of single precision": lambda: table(np.float32(np.sign(noisy()) * LARGEST)),
    "single precision, 1e20": lambda: table(np.float32(noisy() * 1e20)),
    "1e-300": lambda: table(noisy() * 1e-300),
    "the least number above 0": lambda: table(np.round(noisy()) * 5e-324),
    "single precision, 1e-42": lambda: table(np.float32(noisy() * 1e-42)),
    "scales that differ": lambda: table(noisy() * [1e300, 1, 1e-300, 1]),
    "a huge row": lambda: table(HUGE_ROW),
    "far from 0": lambda: table(np.float32(noisy() + 1e7)),
    "integers": lambda: table(np.round(noisy()).astype(np.int64)),
    "yes and no": lambda: table(noisy() > 0.5),
    "single precision": lambda: table(np.float32(noisy())),
    "wide posteriors": lambda: wide(30.0),
    "narrow posteriors": lambda: wide(-30.0),
    "absurd posteriors": lambda: wide(1e6),
}

GRIDS = {
    "a dead latent": lambda: table(constant(1)[:24], GRID),
    "all latents dead": lambda: table(constant(0, 1, 2, 3)[:24], GRID),
    "one latent": lambda: table(noisy(24)[:, 2:3], GRID),
    "two equal latents": lambda: table(noisy(24)[:, [0, 1, 2, 0]], GRID),
    "one factor": lambda: table(noisy(4), GRID[:4, 2:]),
    "one latent and one factor": lambda: table(noisy(4)[:, 2:3], GRID[:4, 2:]),
    "factors of one value": lambda: table(noisy(4), GRID[:4], factor_sizes=(1, 1, 4)),
    "one row": lambda: bare(1),
    "two rows": lambda: table(noisy(2), GRID[:2, 2:]),
    "no grid": lambda: table(noisy(23), GRID[:23]),
    "1e300": lambda: table(noisy(24) * 1e300, GRID),
    "single precision, 1e20": lambda: table(np.float32(noisy(24) * 1e20), GRID),
    "1e-300": lambda: table(noisy(24) * 1e-300, GRID),
    "the least number above 0": lambda: table(np.round(noisy(24)) * 5e-324, GRID),
    "single precision, 1e-42": lambda: table(np.float32(noisy(24) * 1e-42), GRID),
    "integers": lambda: table(np.round(noisy(24)).astype(np.int64), GRID),
}


def bare(rows: int) -> Representation:
    """A table as a run makes it, of however few images."""
    space = FactorSpace(tuple(Factor(f"f{k}", size) for k, size in enumerate(SIZES)))
    codes = np.float32(noisy(rows))
    return Representation(
        mean=codes, factors=FACTORS[:rows], factor_space=space, logvar=np.zeros_like(codes)
    )


def wide(logvar: float) -> Representation:
    return table_from_arrays(noisy(), FACTORS, logvar=np.full((ROWS, 4), logvar))


def score(metric: Metric, rows: Representation):
    """The score, by all that `evaluate` calls."""
    draws = Draws(0, metric.stream or metric.name)
    metric.check(np.asarray(rows.factors), rows.factor_space, rows.latents)
    metric.cost(rows)
    metric.prepare(rows, draws)
    return metric.score(rows, draws)


def complaint(metric: Metric, rows: Representation) -> str | None:
    """What is wrong with how a metric takes a table; None if nothing is."""
    low, high = metric.bounds
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = score(metric, rows)
    except DataError as error:
        return None if says_what_to_do(str(error)) else f"does not say what to do: {error}"
    except Exception as error:
        return repr(error)
    if type(found.value) is not float or not np.isfinite(found.value):
        return f"is {found.value!r}"
    if (low is not None and found.value < low) or (high is not None and found.value > high):
        return f"is {found.value!r}, out of its bounds"
    wrong = {name: part for name, part in found.parts.items() if not np.isfinite(part)}
    if wrong:
        return f"has the parts {wrong}"
    if found.matrix is not None and not np.isfinite(found.matrix.values).all():
        return f"has the matrix {found.matrix.values}"
    return None


def says_what_to_do(message: str) -> bool:
    """Whether a message is one paragraph that names what is needed or what to change."""
    known = r"\b(needs?|must|give|compares?|divide|scale|leave|score)\b"
    return "\n" not in message and message.endswith(".") and bool(re.search(known, message, re.I))


def complaints(metric: Metric, tables) -> dict[str, str]:
    found = {name: complaint(metric, make()) for name, make in tables.items()}
    return {name: text for name, text in found.items() if text is not None}


@pytest.mark.parametrize("metric", SMALL, ids=lambda metric: metric.name)
def test_every_metric_scores_every_table_or_says_what_to_do(metric):
    assert complaints(metric, TABLES) == {}


@pytest.mark.parametrize("metric", PUBLISHED, ids=str)
def test_published_settings_score_every_grid_or_say_what_to_do(metric):
    assert complaints(metric, GRIDS) == {}


@pytest.mark.parametrize("metric", PAPERS.values(), ids=PAPERS)
def test_settings_of_papers_score_every_table_or_say_what_to_do(metric):
    assert complaints(metric, TABLES) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PAPERS if PAPERS[name] != IN_FULL[name]])
def test_settings_of_papers_in_full_score_every_table_or_say_what_to_do(name):
    assert complaints(IN_FULL[name], TABLES) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*QUICK, *FEWER, *QUICKER}))
def test_default_settings_score_every_table_or_say_what_to_do(name):
    assert complaints(parse(name, Metric), TABLES) == {}


@pytest.mark.parametrize("exponent", [-900, 900])
@pytest.mark.parametrize(
    "metric", [each for each in SMALL if "scale" in each.invariant_to], ids=lambda each: each.name
)
def test_a_scale_whose_squares_are_no_numbers_does_not_matter(metric, exponent):
    if "logvar" in metric.needs:
        pytest.skip("logvars are single precision, and have no such scale")
    if metric.name == "factor_vae":
        # Its threshold is of the codes' own scale.
        metric = parse("factor_vae(train=60, test=30, batch=8, prune_std=0.0)", Metric)
    expected = score(metric, table())
    found = score(metric, table(np.ldexp(noisy(), exponent)))
    assert found.value == pytest.approx(expected.value, rel=1e-9)
    assert found.parts == pytest.approx(expected.parts, rel=1e-9)


@pytest.mark.parametrize("correlation", ["lasso", "spearman"])
@pytest.mark.parametrize("make", TABLES.values(), ids=TABLES)
def test_udr_compares_every_table_with_another(make, correlation):
    rows = make()
    codes = np.asarray(rows.mean, np.float64)
    kl = np.ones(rows.latents)
    if rows.factors.shape[0] < 2:
        with pytest.raises(DataError, match="with at least 2 rows"):
            udr([codes, codes], [kl, kl], correlation=correlation)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = udr([codes, codes[:, ::-1]], [kl, kl], correlation=correlation)
    assert ((found.scores >= 0) & (found.scores <= 1)).all()


# What is no table


def with_value(value: float, dtype: type = np.float64) -> np.ndarray:
    codes = noisy().astype(dtype)
    codes[7, 1] = value
    return codes


GONE = FACTORS.astype(float)
GONE[3, 1] = np.nan
ENDLESS = FACTORS.astype(float)
ENDLESS[3, 1] = np.inf
BELOW = FACTORS.copy()
BELOW[3, 1] = -1

REFUSED = {
    "NaN": ((with_value(np.nan), FACTORS), {}, ["codes must be finite", "row 7", "Leave"]),
    "inf": ((with_value(np.inf, np.float32), FACTORS), {}, ["codes must be finite", "row 7"]),
    "codes of one axis": ((noisy()[:, 0], FACTORS), {}, ["codes.reshape(-1, 1)"]),
    "codes of three axes": ((noisy()[None], FACTORS), {}, ["shape (N, L)", "(1, 72, 4)"]),
    "no latents": ((noisy()[:, :0], FACTORS), {}, ["shape (N, L)", "(72, 0)"]),
    "texts for codes": ((np.full((ROWS, 2), "a"), FACTORS), {}, ["codes must be numbers"]),
    "complex codes": ((noisy() * 1j, FACTORS), {}, ["codes must be numbers", "complex"]),
    "ragged codes": (([[1.0], [1.0, 2.0]], FACTORS[:2]), {}, ["rows differ in length"]),
    "codes turned round": ((noisy().T, FACTORS), {}, ["codes has 4 rows", "factors has 72"]),
    "no rows": ((noisy()[:0], FACTORS[:0]), {}, ["at least 2 rows", "0"]),
    "one row": ((noisy(1), FACTORS[:1]), {}, ["at least 2 rows", "1"]),
    "no factors": ((noisy(), FACTORS[:, :0]), {}, ["factors must have the shape (N, K)"]),
    "factors of three axes": ((noisy(), FACTORS[..., None]), {}, ["shape (N, K)"]),
    "a missing factor": ((noisy(), GONE), {}, ["factor_1 has no value", "row 3", "Leave"]),
    "an endless factor": ((noisy(), ENDLESS), {}, ["factor_1 has no value", "inf"]),
    "a missing text": ((noisy(), np.where(LETTERS == "c", "", LETTERS)), {}, ["no value"]),
    "a continuous factor": ((noisy(), noisy()[:, :1]), {}, ["continuous", "Bin it"]),
    "an index below 0": (
        (noisy(), BELOW),
        {"factor_sizes": SIZES},
        ["factor_1 has the index -1", "0 to 2"],
    ),
    "an index too high": (
        (noisy(), FACTORS),
        {"factor_sizes": (2, 3, 3)},
        ["factor_2 has the index 3", "0 to 2"],
    ),
    "indices with fractions": (
        (noisy(), FACTORS + 0.5),
        {"factor_sizes": SIZES},
        ["not of whole numbers", "Leave factor_sizes out"],
    ),
    "rows that are no grid": ((noisy(),), {"factor_sizes": SIZES}, ["24 rows", "72"]),
    "neither factors nor sizes": ((noisy(),), {}, ["give factors", "factor_sizes"]),
    "a logvar of another shape": (
        (noisy(), FACTORS),
        {"logvar": np.zeros((ROWS, 3))},
        ["logvar must have the shape of codes"],
    ),
    "a NaN in logvar": (
        (noisy(), FACTORS),
        {"logvar": with_value(np.nan)},
        ["logvar must be finite", "row 7"],
    ),
}


@pytest.mark.parametrize(("arrays", "settings", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_is_refused(arrays, settings, words):
    for call in (table_from_arrays, evaluate):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(UnweaveError) as caught:
                call(*arrays, **settings)
        message = str(caught.value)
        assert "\n" not in message
        for word in words:
            assert word in message


def test_indices_below_0_without_sizes_are_values_as_any():
    found = evaluate(noisy(), FACTORS - 5, metrics="mig")["mig"]
    assert found.parts == evaluate(noisy(), FACTORS, metrics="mig")["mig"].parts


def test_precision_hardly_matters():
    single, double = (evaluate(noisy().astype(kind), FACTORS) for kind in ("f4", "f8"))
    assert single.keys() == double.keys()
    for name, found in single.items():
        assert found.value == pytest.approx(double[name].value, abs=0.02), name
