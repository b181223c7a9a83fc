"""Every row can be run, and says the same as its preset."""

from __future__ import annotations

import pytest

from unweave.analysis import choose
from unweave.errors import SpecError
from unweave.metrics.protocols import names_of, protocol
from unweave.presets import preset
from unweave.reproduction import ROWS, SOURCES, find_row, find_rows, row_of
from unweave.reproduction.published import HELD_OUT


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_a_training_that_can_be_scored(name):
    row = ROWS[name]
    assert preset(name).name == name == row.preset.name
    found = row_of(row.config)
    # One that needs other weights is none without them.
    assert found is (row if row.preset.after is None else None)
    for request in row.requests:
        metrics, analyses = choose(protocol(request.protocol), request.metrics)
        assert len(metrics) + len(analyses) == len(request.metrics)
    asked = [(v.metric, v.part, v.protocol, v.data) for v in row.values]
    assert len(set(asked)) == len(asked) > 0


def test_the_protocols_are_those_that_presets_name():
    """Where a preset says how its source scored, a row asks for nothing else."""
    checked = 0
    for row in ROWS.values():
        scoring = row.preset.scoring
        for value in row.values if scoring else ():
            fitting = [
                asked
                for asked in scoring
                if asked.protocol == value.protocol
                and value.metric in names_of(asked.metrics)
                and (asked.data is None) == (value.data is None)
            ]
            assert fitting, (row.name, value)
            checked += 1
    assert checked > 150
    # Only the presets of this source say nothing; its logs have one protocol.
    silent = [row for row in ROWS.values() if not row.preset.scoring]
    assert {row.source for row in silent} == {"disvae"}
    assert {value.protocol for row in silent for value in row.values} == {"disvae"}


def test_values_are_on_the_scale_of_our_scores():
    for source in SOURCES:
        for row in source.rows:
            assert row.source == source.name
            for value in row.values:
                assert value.printed in source.printed
                assert round(value.value, value.digits) == pytest.approx(value.value, abs=6e-3)
                assert value.data in (None, HELD_OUT)
                if value.metric != "test_losses":
                    assert 0 < value.value < 1
                    assert value.sd is None or 0 < value.sd < 0.2
    assert all(source.left_out for source in SOURCES)


def test_numbers_that_hang_together():
    """Published losses are the sums that their objectives say."""
    parts = {name: {v.part: v.value for v in row.values} for name, row in ROWS.items()}
    # The annealed VAE: reconstruction and 100 times the distance of the KL from the capacity.
    for name, capacity in (("dsprites", 25), ("mnist", 25), ("chairs", 25), ("celeba", 50)):
        found = parts[f"disvae/betaB_{name}"]
        whole = found["recon"] + 100 * abs(found["kl"] - capacity)
        assert found["loss"] == pytest.approx(whole, abs=0.02)
    for name, beta in (("dsprites", 4), ("mnist", 4), ("chairs", 4), ("celeba", 10)):
        found = parts[f"disvae/betaH_{name}"]
        assert found["loss"] == pytest.approx(found["recon"] + beta * found["kl"], abs=0.02)
    for name, alpha, beta in (("btcvae_dsprites", 1, 6.4), ("btcvae_celeba_a-5", -5, 6.4)):
        found = parts[f"disvae/{name}"]
        whole = found["recon"] + alpha * found["mi"] + beta * found["tc"] + found["dw_kl"]
        assert found["loss"] == pytest.approx(whole, abs=0.02)
    challenge = ROWS["dpt/table1_real"].values
    assert sum(value.value for value in challenge) == pytest.approx(1.9652)


def test_how_many_there_are():
    counts = {source.name: len(source.rows) for source in SOURCES}
    assert counts == {
        "disvae": 26, "dpt": 2, "clg": 23, "dag": 53, "dlib": 13, "rpu": 0, "later": 0,
    }  # fmt: skip


def test_of_a_number_whose_network_is_not_known_each_candidate_is_a_row():
    candidates = {row.name: row for row in ROWS.values() if row.label == "candidate"}
    assert {name for name in candidates if "dsprites" in name} == {
        f"dag/decoder_{network}_dsprites_{condition}"
        for condition in ("leave1out", "shape2tx", "blank_side")
        for network in ("higgins", "burgess", "deep")
        # In no script.
        if (network, condition) != ("deep", "leave1out")
    }
    others = [row for row in candidates.values() if row.instead_of]
    assert len(others) == 5 + 6 == len(candidates) - 6
    for row in others:
        first = candidates[row.instead_of]
        assert (first.instead_of, first.values) == ("", row.values)
        assert first.config.dataset == row.config.dataset
        assert first.config.architecture != row.config.architecture
    assert not [row for row in ROWS.values() if row.instead_of and row.label != "candidate"]


def test_rows_are_found_by_name_and_by_source():
    assert find_row("lie-group-vae/hessian_40") is ROWS["clg/hessian_40"]
    assert find_rows(()) == list(ROWS.values())
    assert len(find_rows(("clg", "dlib/0", "clg/hessian_40"))) == 24
    with pytest.raises(SpecError, match="Did you mean disvae/VAE_dsprites"):
        find_row("disvae/VAE_dsprite")
    with pytest.raises(SpecError, match=r"demo is a preset.*unweave train --preset demo"):
        find_row("demo")
