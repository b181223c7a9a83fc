"""The protocol for small labelled sets."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier

from unweave.metrics import DCI, MIG, SAP, evaluate
from unweave.metrics.predictive.sap import gaps, svc_accuracies
from unweave.metrics.protocols import protocol


def labelled(count=105, seed=0):
    rng = np.random.default_rng(seed)
    factors = rng.integers(0, [2, 3, 4], size=(count, 3))
    return np.float32(factors + rng.normal(0, 0.4, factors.shape)), factors


def test_a_labelled_set_is_scored_by_the_published_keys_as_it_stands():
    codes, factors = labelled()
    found = evaluate(codes, factors, metrics=("mig", "sap"), protocol="validation")
    whole = evaluate(codes, factors, metrics=("mig",), protocol="unweave")
    assert found["mig"].parts == {"discrete_mig": whole["mig"].value}
    # 94.5 of the first rows, rounded up, are fitted.
    accuracies = svc_accuracies((codes[:95], factors[:95]), (codes[95:], factors[95:]))
    assert found["sap"].parts == {"SAP_score": gaps(accuracies).mean()}
    again = evaluate(codes, factors, metrics=("mig", "sap"), protocol="validation", seed=9)
    assert {name: score.value for name, score in again.items()} == {
        name: score.value for name, score in found.items()
    }


def test_the_settings_are_those_of_the_reference():
    settings = {metric.name: metric for metric in protocol("validation").metrics}
    assert settings["mig"] == MIG(bins=20, compat="dlib")
    assert settings["sap"] == SAP(share=0.9, compat="dlib")
    assert settings["dci"] == DCI(share=0.9, compat="dlib")


def test_dci_fits_the_first_rows_and_tests_on_the_rest():
    codes, factors = labelled()
    found = evaluate(codes, factors, metrics=("dci",), protocol="validation")["dci"].parts
    accuracies = []
    for labels in factors.T:
        trees = GradientBoostingClassifier(random_state=0).fit(codes[:95], labels[:95])
        pairs = ((codes[:95], labels[:95]), (codes[95:], labels[95:]))
        accuracies.append([np.mean(trees.predict(x) == y) for x, y in pairs])
    train, test = np.mean(accuracies, axis=0)
    assert found["informativeness_train"] == pytest.approx(train, abs=1e-9)
    # Features that part equally well are chosen among by chance.
    assert found["informativeness_test"] == pytest.approx(test, abs=0.04)
    assert set(found) == {
        "informativeness_train",
        "informativeness_test",
        "disentanglement",
        "completeness",
    }
