"""Scores of one information matrix: codes of known scores, loops over definitions, edges."""

from __future__ import annotations

import numpy as np
import pytest

from reference import information_reference, tables
from reference.metrics_reference import draw_rows
from unweave.errors import DataError, SpecError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import (
    DCIMIG,
    EDI,
    JEMMIG,
    MED,
    MIG,
    NMIG,
    RMIG,
    Distinct,
    Draws,
    FactorLeakage,
    Histogram,
    InfoC,
    InfoM,
    Metric,
    MIGSup,
    Minimality,
    Modularity,
    NearestNeighbours,
    Sufficiency,
    evaluate,
)
from unweave.metrics.information.metric import InformationMetric
from unweave.metrics.sampling import RowSampler
from unweave.representation import Representation
from unweave.spec import parse

LOG9, LOG3, LOG2 = np.log([9, 3, 2])
# Entropy of two thirds and one third.
THIRD = LOG3 - 2 / 3 * LOG2


def table_of(codes, factors, sizes=None):
    factors = np.asarray(factors)
    sizes = sizes or [int(size) for size in factors.max(0) + 1]
    space = FactorSpace(tuple(Factor(f"f{k}", size) for k, size in enumerate(sizes)))
    return Representation(mean=np.asarray(codes, np.float32), factors=factors, factor_space=space)


def score(metric, table, seed=0):
    return metric.score(table, Draws(seed, metric.stream or metric.name))


def constructed(name):
    """Every combination of factors of nine values once, and codes that are as their name says."""
    count = 3 if name.startswith("m0c1") else 2
    factors = np.indices((9,) * count).reshape(count, -1).T
    kept = factors if name.endswith("i1") else factors // 3
    size = 9 if name.endswith("i1") else 3
    if name.startswith("m1c1"):
        codes = kept
    elif name.startswith("m0c1"):
        codes = np.stack([kept[:, 0] * size + kept[:, 1], kept[:, 2]], axis=1)
    elif name.startswith("m1c0"):
        halves = np.stack([factors[:, 0] // 3, factors[:, 0] % 3], axis=1)
        halves = halves if name.endswith("i1") else halves // 2
        codes = np.concatenate([halves, kept[:, 1:]], axis=1)
    else:
        pair = np.random.default_rng(5).permutation(size**2)[kept[:, 0] * size + kept[:, 1]]
        codes = np.stack([pair // size, pair % size], axis=1)
    return table_of(codes, factors)


# What follows from the construction, on the full grid, where each value is a class of its own.
EXPECTED = {
    "m1c1i1": {
        "mig_sup": 1,
        "rmig": LOG9,
        "jemmig": 1,
        "dcimig": 1,
        "nmig": 1,
        "modularity": 1,
        "minimality": 1,
        "sufficiency": 1,
        "med": 1,
        "info_m": 1,
        "info_c": 1,
        "factor_leakage": 0,
    },
    "m1c1i0": {
        "mig_sup": 0.5,
        "rmig": LOG3,
        "jemmig": 2 / 3,
        "dcimig": 0.5,
        "nmig": 0.5,
        "modularity": 1,
        "minimality": 1,
        "sufficiency": 0.5,
        "med": 1,
        "info_m": 1,
        "info_c": 1,
        "factor_leakage": 0,
    },
    "m0c1i1": {
        "mig_sup": 0.5,
        "rmig": LOG9,
        # Two factors in one latent of 81 values, one in its own.
        "jemmig": 1 - 2 / 3 * (LOG9 / (3 * LOG9)),
        "dcimig": 1 / 3,
        "nmig": 1 / 3,
        "modularity": 0.75,
        "minimality": 0.75,
        "sufficiency": 1,
        "med": 1 - 2 / 3 * LOG2 / LOG3,
        "info_m": (0.75 - 1 / 3) / (2 / 3),
        "info_c": 1,
        "factor_leakage": 0,
    },
    "m0c1i0": {
        "mig_sup": 0.25,
        "rmig": LOG3,
        "jemmig": 5 / 9,
        "dcimig": 1 / 6,
        "nmig": 1 / 6,
        "modularity": 0.75,
        "minimality": 0.75,
        "sufficiency": 0.5,
        "med": 1 - 2 / 3 * LOG2 / LOG3,
        "info_m": (0.75 - 1 / 3) / (2 / 3),
        "info_c": 1,
        "factor_leakage": 0,
    },
    "m1c0i1": {
        "mig_sup": 2 / 3,
        "rmig": LOG9 / 2,
        # Of the split factor H + log 3 - 2 log 3 + log 3 = log 9, relative to 3 log 3.
        "jemmig": (1 / 3 + 1) / 2,
        "dcimig": 0.75,
        "nmig": 0.75,
        "modularity": 1,
        "minimality": 1,
        "sufficiency": 0.75,
        "med": 1,
        "info_m": 1,
        "info_c": (0.75 - 1 / 3) / (2 / 3),
        "factor_leakage": LOG3 / 4,
    },
    "m1c0i0": {
        "mig_sup": (2 * THIRD / LOG9 + 0.5) / 3,
        "rmig": LOG3 / 2,
        "jemmig": (1 - LOG9 / (LOG9 + LOG2) + 2 / 3) / 2,
        "dcimig": (THIRD + LOG3) / (2 * LOG9),
        "nmig": (THIRD / LOG9 + 0.5) / 2,
        "modularity": 1,
        "minimality": 1,
        "sufficiency": (THIRD / LOG9 + 0.5) / 2,
        "med": 1,
        "info_m": 1,
        "info_c": (0.75 - 1 / 3) / (2 / 3),
        "factor_leakage": THIRD / 4,
    },
}
MATRIX_METRICS = (
    MIGSup,
    RMIG,
    JEMMIG,
    DCIMIG,
    NMIG,
    Modularity,
    Minimality,
    Sufficiency,
    MED,
    FactorLeakage,
)


def of_values(cls):
    """The metric with each value a class of its own."""
    if issubclass(cls, InformationMetric):
        return cls(estimator=Distinct())
    return cls(codes="discrete", samples=None)


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("cls", [*MATRIX_METRICS, InfoM, InfoC], ids=lambda cls: cls.name)
def test_codes_of_known_make_have_known_scores(name, cls):
    found = score(of_values(cls), constructed(name))
    assert found.value == pytest.approx(EXPECTED[name][cls.name], abs=1e-9)


@pytest.mark.parametrize("name", ["m0c0i1", "m0c0i0"])
def test_pairs_written_through_a_permutation_are_neither_modular_nor_compact(name):
    table = constructed(name)
    matrix = Distinct().estimate(table, Draws(0, "")).information
    np.testing.assert_allclose(
        matrix, information_reference.information(table.mean, table.factors)[0], atol=1e-12
    )
    for cls in (MIGSup, DCIMIG, NMIG):
        assert abs(score(of_values(cls), table).value) < 0.05
    assert score(of_values(Minimality), table).value < 0.4


@pytest.mark.parametrize(
    ("name", "modularity", "compactness", "explicitness"),
    [
        ("m1c1i1", 1, 1, 1),
        ("m1c1i0", 1, 1, 0.5),
        # (1, 1, 0) less the root mean square of (1, 0), twice, and 1.
        ("m0c1i1", (1 - 0.5**0.5 + 1) / 3, 1, 1),
        ("m0c1i0", (1 - 0.5**0.5 + 1) / 3, 1, 0.5),
        # 0.5 less the root mean square of (0.5, 0), and 1.
        ("m1c0i1", 1, (0.5 - 0.125**0.5 + 1) / 2, 1),
        ("m1c0i0", 1, (0.5 - 0.125**0.5 + 1) / 2, (2 * THIRD / LOG9 + 0.5) / 2),
        ("m0c0i1", 0, 0, 1),
        ("m0c0i0", 0, 0, 0.5),
    ],
)
def test_exclusivity_of_codes_of_known_make(name, modularity, compactness, explicitness):
    table = constructed(name)
    repeats = np.tile(np.arange(len(table)), 6000 // len(table))
    found = score(EDI(estimator=Distinct(), trees=5), table.subset(repeats))
    close = 0.12 if name.startswith("m0c0") else 0.02
    assert found.value == found.parts["modularity"]
    assert found.parts["modularity"] == pytest.approx(modularity, abs=close)
    assert found.parts["compactness"] == pytest.approx(compactness, abs=close)
    assert found.parts["explicitness"] == pytest.approx(explicitness, abs=0.02)


# Loops over the definitions


def messy(seed=0, rows=1200, latents=6):
    rng = np.random.default_rng(seed)
    factors = rng.integers(0, [3, 4, 6, 5], size=(rows, 4))
    codes = factors @ rng.normal(size=(4, latents)) + rng.normal(size=(rows, latents))
    return table_of(codes, factors)


@pytest.mark.parametrize("bins", [5, 20])
@pytest.mark.parametrize("seed", [0, 1])
def test_they_are_what_loops_over_their_definitions_give(bins, seed):
    table = messy(seed)
    estimator = Histogram(bins=bins)
    rows, factor, code = information_reference.information(table.mean, table.factors, bins)
    disentanglement, completeness = information_reference.med(rows)
    expected = {
        MIGSup: information_reference.mig_sup(rows, factor),
        RMIG: information_reference.rmig(rows),
        JEMMIG: information_reference.jemmig(rows, factor, code, bins),
        DCIMIG: information_reference.dcimig(rows, factor),
        NMIG: information_reference.nmig(rows, factor),
        Modularity: information_reference.modularity(rows),
        Minimality: information_reference.minimality(rows, code),
        Sufficiency: information_reference.sufficiency(rows, factor),
        MED: disentanglement,
        FactorLeakage: information_reference.leakage(rows)[0],
    }
    for cls, value in expected.items():
        found = score(cls(estimator=estimator), table)
        assert found.value == pytest.approx(value, abs=1e-10), cls.name
        np.testing.assert_allclose(found.matrix.values, rows, atol=1e-10)
    assert score(MED(estimator=estimator), table).parts["completeness"] == pytest.approx(
        completeness
    )
    few = score(MED(estimator=estimator, top=2), table).parts
    assert tuple(few.values()) == pytest.approx(information_reference.med(rows, top=2))
    assert tuple(score(FactorLeakage(estimator=estimator), table).parts.values()) == pytest.approx(
        information_reference.leakage(rows)
    )
    edi = EDI(estimator=estimator)
    matrix = estimator.estimate(table, Draws(0, ""))
    best = [max(column) for column in zip(*rows, strict=True)]
    assert tuple(edi.score_matrix(matrix, table).parts.values()) == pytest.approx(
        information_reference.edi(rows, best, factor)
    )


def test_parts_are_those_of_the_mean():
    table = messy()
    for cls, count in [(MIGSup, 6), (RMIG, 4), (JEMMIG, 4), (NMIG, 4), (Modularity, 6)]:
        found = score(cls(), table)
        assert len(found.parts) == count
        assert found.value == pytest.approx(np.mean(list(found.parts.values())))
    weights = np.log([3, 4, 6, 5])
    parts = score(DCIMIG(), table).parts
    # Entropies of the sample are near those of uniform factors.
    assert score(DCIMIG(), table).value == pytest.approx(
        np.average(list(parts.values()), weights=weights), abs=0.002
    )


def test_leakage_is_in_nats_and_its_shares_have_no_unit():
    found = score(FactorLeakage(), messy())
    assert found.unit == "nats"
    assert "factor_leakage_mean" not in found.units
    assert found.units["factor_leakage_auc"] == ""
    assert score(RMIG(), messy()).unit == "nats"


# Published values: of disentanglement_lib, for the seeds 0 and 4

MODULARITY = {
    "g1_perfect": (0.826838334988318, 0.780111491075453),
    "g1_rot": (0.8822196649205422, 0.886188465220682),
    "g1_warp": (0.8972796404416334, 0.8629589090843133),
    "g1_dup": (0.9999966503412722, 0.9999967305251631),
    "g2_noisy": (0.8320875723599476, 0.8450636605916809),
    "g2_mixed": (0.738547903769016, 0.7160923995535099),
    # The constant latent of six counts as 0 there, and not at all here.
    "g2_missing": (0.636101931962273 * 6 / 5, 0.6252813828194471 * 6 / 5),
}


@pytest.mark.parametrize("name", MODULARITY)
def test_on_the_rows_of_disentanglement_lib_it_is_its_modularity(name):
    table = tables.table(name)
    for seed, value in zip((0, 4), MODULARITY[name], strict=True):
        rows = table.subset(draw_rows(table.factor_space.sizes, 10_000, seed))
        assert score(Modularity(), rows).value == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("name", tables.NAMES)
def test_on_all_published_seeds_it_is_its_modularity(reference, name):
    table = tables.table(name)
    missing = name == "g2_missing"
    metric = "modularity_only" if missing else "modularity_explicitness"
    for seed, found in tables.published(reference, name, metric).items():
        rows = table.subset(draw_rows(table.factor_space.sizes, 10_000, seed))
        expected = found["modularity_score"] * (6 / 5 if missing else 1)
        assert score(Modularity(), rows).value == pytest.approx(expected, abs=1e-6)


def test_unnormalised_gaps_are_those_of_mig_in_nats():
    table = tables.table("g2_noisy")
    mig = score(MIG(), table)
    entropy = np.log(table.factor_space.sizes)
    rmig = score(RMIG(), table)
    assert list(rmig.parts.values()) == pytest.approx(list(mig.parts.values()) * entropy)


# Edges

EDGES = [*MATRIX_METRICS, EDI, InfoM, InfoC]


@pytest.mark.parametrize("cls", EDGES, ids=lambda cls: cls.name)
def test_codes_that_are_all_constant_score_worst(cls):
    table = messy()
    dead = table_of(np.ones((len(table), 3)), table.factors)
    found = score(cls(), dead)
    # Nothing leaks where nothing is known, and an empty code matches nothing.
    assert found.value == pytest.approx(0, abs=1e-12)
    assert all(np.isfinite(value) for value in found.parts.values())


@pytest.mark.parametrize("cls", EDGES, ids=lambda cls: cls.name)
def test_a_factor_that_is_constant_changes_nothing(cls):
    table = messy()
    factors = np.insert(table.factors, 1, 0, axis=1)
    with_constant = table_of(table.mean, factors, sizes=[3, 2, 4, 6, 5])
    one, other = score(cls(), table), score(cls(), with_constant)
    assert one.value == pytest.approx(other.value, abs=1e-12)
    assert list(one.parts.values()) == pytest.approx(list(other.parts.values()))
    assert "f1" not in other.parts


@pytest.mark.parametrize("cls", [MIGSup, Modularity, Minimality, InfoM, MED, DCIMIG, NMIG])
def test_latents_that_are_constant_change_nothing(cls):
    table = messy()
    padded = np.concatenate([table.mean, np.full((len(table), 3), 2.0)], axis=1)
    found = score(cls(), table_of(padded, table.factors))
    # The base of the logarithm of completeness grows, and it alone.
    assert found.value == pytest.approx(score(cls(), table).value, abs=1e-12)


@pytest.mark.parametrize("cls", EDGES, ids=lambda cls: cls.name)
def test_one_latent_or_one_factor_is_scored(cls):
    # One factor in one of two latents: as good as can be. The rest are single latents.
    factors = np.tile(np.arange(4), 200)[:, None]
    noise = np.random.default_rng(0).permutation(factors)
    two = table_of(np.concatenate([factors, noise], axis=1), factors)
    copy = table_of(factors, factors)
    metric = of_values(cls)
    assert score(metric, copy).value == (
        0 if cls is FactorLeakage else pytest.approx(np.log(4) if cls is RMIG else 1)
    )
    assert np.isfinite(score(metric, two).value)
    both = table_of(factors, np.concatenate([factors, factors], axis=1))
    assert np.isfinite(score(metric, both).value)


@pytest.mark.parametrize("cls", EDGES, ids=lambda cls: cls.name)
def test_factors_that_are_all_constant_are_refused(cls):
    table = table_of(np.eye(4), np.zeros((4, 2), np.int64), sizes=[3, 3])
    with pytest.raises(DataError, match=f"{cls.name} needs a factor that varies"):
        score(cls(), table)


def test_factors_that_happen_to_be_constant_in_the_sample_are_refused():
    factors = np.zeros((1000, 2), np.int64)
    factors[0] = 1
    table = table_of(np.random.default_rng(0).normal(size=(1000, 2)), factors)
    with pytest.raises(DataError, match="needs a factor that varies"):
        score(MIGSup(samples=2), table)


def test_a_factor_nobody_knows_leaks_nothing_and_skipped_ones_do_not_count():
    factors = np.indices((3, 4)).reshape(2, -1).T
    table = table_of(factors[:, [1, 1]], factors)
    plain = score(FactorLeakage(estimator=Distinct()), table)
    assert plain.value == pytest.approx(np.log(4) / 2)
    assert plain.parts["factor_leakage_norm_mean"] == pytest.approx(0.5)
    skipped = score(FactorLeakage(estimator=Distinct(), skip=1), table)
    assert skipped.value == pytest.approx(np.log(4))
    assert skipped.matrix.columns == ("f1",)
    with pytest.raises(DataError, match="skip is 2, but there are 2 factors"):
        score(FactorLeakage(skip=2), table)


def test_a_latent_that_knows_more_of_another_factor_is_below_zero():
    # f1 repeats half of f0, and the only latent is f0.
    first = np.tile(np.arange(4), 50)
    table = table_of(first[:, None] // 2, np.stack([first, first // 2], axis=1))
    found = score(of_values(NMIG), table)
    assert found.parts == pytest.approx({"f0": 0.5 - 1, "f1": 1 - 0.5})


def test_information_is_estimated_once_for_all_of_them(monkeypatch):
    calls = []
    whole = Histogram.estimate

    def counted(self, table, draws):
        calls.append(self)
        return whole(self, table, draws)

    monkeypatch.setattr(Histogram, "estimate", counted)
    table = messy()
    for cls in (MIGSup, RMIG, JEMMIG, DCIMIG, NMIG, Modularity, MED):
        score(cls(), table)
    assert calls == [Histogram()]
    score(MIGSup(estimator=Histogram(bins=10)), table)
    score(MIGSup(samples=500), table)
    assert len(calls) == 3


def test_samples_are_drawn_by_the_seed_and_all_rows_suffice_where_there_are_fewer():
    table = messy()
    whole = score(MIGSup(), table)
    assert score(MIGSup(samples=10**6), table).parts == whole.parts
    some = [score(MIGSup(samples=300), messy(), seed=seed) for seed in (1, 1, 2)]
    assert some[0].parts == some[1].parts != some[2].parts


@pytest.mark.parametrize(
    "text",
    [
        "mig_sup(estimator=histogram(bins=10, spacing=quantile))",
        "rmig(estimator=posterior(components=all))",
        "jemmig(estimator=distinct)",
        "nmig(samples=1000, estimator=knn(neighbours=10))",
    ],
)
def test_their_text_names_the_estimator(text):
    assert str(parse(text, Metric)) == text


@pytest.mark.parametrize("text", ["jemmig(estimator=knn)", "minimality(estimator=posterior)"])
def test_scores_of_the_entropy_of_latents_refuse_continuous_ones(text):
    with pytest.raises(SpecError, match="estimator"):
        parse(text, Metric)


def test_an_estimator_without_bins_serves_the_others():
    table = messy()
    for cls in (MIGSup, RMIG, DCIMIG, NMIG, Modularity, Sufficiency, MED, FactorLeakage, EDI):
        low, high = cls.bounds
        value = score(cls(estimator=NearestNeighbours()), table).value
        assert low <= value
        assert high is None or value <= high


# Protocols


def test_clg_leaves_the_first_factor_out_and_takes_no_bias_off():
    table = messy(rows=1600)
    found = evaluate(table, metrics=("factor_leakage", "mig"), protocol="clg")
    assert list(found["mig"].parts) == ["f1", "f2", "f3"]
    rows = RowSampler(table.factors, Draws(0, "information")).sample(1000)
    counted, _, _ = information_reference.information(
        table.mean[rows], table.factors[rows][:, 1:], 20
    )
    expected = information_reference.leakage(counted)
    assert tuple(found["factor_leakage"].parts.values()) == pytest.approx(expected)


def test_rpu_takes_its_rows_without_replacement_and_all_of_a_smaller_table():
    table = messy()
    rows, factor, _ = information_reference.information(table.mean, table.factors, 20)
    found = evaluate(table, metrics="nmig", protocol="rpu")["nmig"]
    assert found.value == pytest.approx(information_reference.nmig(rows, factor))
