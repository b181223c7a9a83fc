"""Which analyses a protocol defines, and that they run only when they are named."""

from __future__ import annotations

import pytest

from unweave.analysis import ANALYSES, Analysis, TestLosses, analyses_of, choose
from unweave.errors import SpecError
from unweave.metrics import PROTOCOLS
from unweave.metrics.protocols import DEFAULT, Protocol, protocol
from unweave.spec import members, parse

NOTHING = Protocol("disvae", 7, "A protocol without metrics.", ())
UNKNOWN = Protocol("another", 1, "A protocol that no analysis knows.", protocol(DEFAULT).metrics)


def test_protocols_with_analyses_exist_and_define_each_once_in_full():
    assert ANALYSES.keys() <= PROTOCOLS.keys()
    for analyses in ANALYSES.values():
        assert len({analysis.name for analysis in analyses}) == len(analyses)
        for analysis in analyses:
            assert parse(str(analysis), Analysis) == analysis


def test_the_default_protocol_defines_every_analysis():
    assert {analysis.name for analysis in ANALYSES[DEFAULT]} == members(Analysis).keys()


def test_what_test_losses_are_under_each_protocol():
    assert TestLosses(batch_size=1000, compat="none") in analyses_of(protocol("unweave"))
    assert TestLosses(compat="disvae") in analyses_of(protocol("disvae"))
    assert analyses_of(UNKNOWN) == ()


def test_an_analysis_runs_only_when_it_is_named():
    metrics, analyses = choose(protocol(DEFAULT), None)
    assert "mig" in [metric.name for metric in metrics]
    assert analyses == ()
    metrics, analyses = choose(protocol(DEFAULT), ("test_losses",))
    assert metrics == ()
    assert analyses == (TestLosses(),)
    metrics, analyses = choose(protocol(DEFAULT), ("test_losses", "mig"))
    assert [component.name for component in (*metrics, *analyses)] == ["mig", "test_losses"]


@pytest.mark.parametrize(
    ("chosen", "names", "reason"),
    [
        (protocol(DEFAULT), ("test_loss",), "'test_loss'. Did you mean test_losses?"),
        (protocol(DEFAULT), ("mgi",), "Unknown analysis or metric 'mgi'. Did you mean mig?"),
        (protocol(DEFAULT), ("",), "Unknown analysis or metric ''. Choose one of: "),
        (protocol(DEFAULT), ("test_losses", "test_losses"), "twice in test_losses, test_losses"),
        (protocol(DEFAULT), ("mig", "test_losses", "mig"), "given twice"),
        (NOTHING, ("mig",), "disvae/7 does not define mig; it defines test_losses."),
        (NOTHING, None, "disvae/7 scores nothing unless it is asked for by name. Give one or more "
                        "of its names with --metrics: test_losses."),
        (UNKNOWN, ("test_losses",), "another/1 does not define test_losses; it defines mig"),
    ],
)  # fmt: skip
def test_what_cannot_be_chosen(chosen, names, reason):
    with pytest.raises(SpecError) as caught:
        choose(chosen, names)
    assert reason in str(caught.value)
