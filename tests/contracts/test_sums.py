"""What every sum of a method and a term promises: it trains, or it is refused for a reason."""

from __future__ import annotations

import pytest

from contracts.learners import narrow_learner
from contracts.objectives import METHODS, TERMS, check_first_update
from unweave.errors import SpecError
from unweave.objectives import Term, parse_objective
from unweave.spec import members


def _sums() -> tuple[list[str], list[str]]:
    """Each method with each term that it does not have: those to train, and those to refuse."""
    sums, refused = [], []
    for method in METHODS:
        plan = parse_objective(method).expand()
        for term in TERMS:
            reads = members(Term)[term].reads
            has_none = plan.latent != "posterior" and reads == "posterior"
            if term not in plan.terms:
                (refused if has_none else sums).append(f"{method} + {term}")
    return sums, refused


SUMS, REFUSED = _sums()


def test_there_is_something_to_test():
    assert len(SUMS) > 10
    assert {text.split(" + ")[0] for text in SUMS} == set(METHODS)
    assert {text.split(" + ")[1] for text in SUMS} >= set(TERMS) - {"reconstruction"}


def test_a_term_that_a_method_has_cannot_be_added_to_it():
    for method in METHODS:
        for term in parse_objective(method).expand().terms:
            with pytest.raises(SpecError, match=f"has the term {term} more than once"):
                parse_objective(f"{method} + {term}")


@pytest.mark.parametrize("objective", REFUSED)
def test_terms_that_read_variances_are_refused_where_there_are_none(objective):
    with pytest.raises(SpecError, match=r"reads the variances of a posterior, and \w+ has none"):
        parse_objective(objective)


@pytest.mark.parametrize("objective", SUMS)
def test_terms_can_be_added_to_methods(objective):
    check_first_update(narrow_learner(objective))
