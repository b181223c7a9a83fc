"""What every sum of a method and a term promises: it trains, or it is refused for a reason."""

from __future__ import annotations

import pytest

from contracts.learners import narrow_learner
from contracts.objectives import METHODS, TERMS, check_first_update
from unweave.errors import SpecError
from unweave.objectives import Term, parse_objective
from unweave.spec import members


def _sums() -> tuple[list[str], list[str], list[str]]:
    """Each method with each term that it does not have: those to train, and those to refuse.

    Last come those whose batches are drawn by different samplers.
    """
    sums, refused, apart = [], [], []
    for method in METHODS:
        plan = parse_objective(method).expand()
        for term in TERMS:
            reads = members(Term)[term].reads
            has_none = plan.latent != "posterior" and reads == "posterior"
            has_none |= plan.latent == "given" and reads != "nothing"
            drawn = members(Term)[term]().needs.sampler
            two = drawn is not None and plan.needs.sampler not in (None, drawn)
            if term not in plan.terms:
                into = refused if has_none else apart if two else sums
                into.append(f"{method} + {term}")
    return sums, refused, apart


SUMS, REFUSED, APART = _sums()


def _is_quick(text: str) -> bool:
    """Whether a sum is of the third that is always trained: some of each method and each term."""
    method, term = text.split(" + ")
    return (METHODS.index(method) + TERMS.index(term)) % 3 == 0


QUICK = [text for text in SUMS if _is_quick(text)]


def test_there_is_something_to_test():
    assert len(SUMS) > 10
    assert APART == ["composer + laplace_transition"]
    for sums in (SUMS, QUICK):
        assert {text.split(" + ")[0] for text in sums} == set(METHODS)
        assert {text.split(" + ")[1] for text in sums} >= set(TERMS) - {"reconstruction"}


def test_a_term_that_a_method_has_cannot_be_added_to_it():
    for method in METHODS:
        for term in parse_objective(method).expand().terms:
            with pytest.raises(SpecError, match=f"has the term {term} more than once"):
                parse_objective(f"{method} + {term}")


@pytest.mark.parametrize("objective", REFUSED)
def test_terms_that_read_what_is_not_there_are_refused(objective):
    what = "(the variances of a posterior|what an encoder makes of images)"
    with pytest.raises(SpecError, match=rf"reads {what}, and \w+ has none"):
        parse_objective(objective)


@pytest.mark.parametrize("objective", APART)
def test_terms_of_other_draws_are_refused(objective):
    with pytest.raises(SpecError, match="One summand draws its batches by"):
        parse_objective(objective)


@pytest.mark.parametrize(
    "objective",
    [pytest.param(text, marks=[] if text in QUICK else [pytest.mark.slow]) for text in SUMS],
)
def test_terms_can_be_added_to_methods(objective):
    check_first_update(narrow_learner(objective))
