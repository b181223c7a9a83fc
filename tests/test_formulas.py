"""Formulas of the documentation become MathML that says what they say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("sphinx")

_FILE = Path(__file__).parents[1] / "docs" / "mathml.py"
_BEGIN = '<math xmlns="http://www.w3.org/1998/Math/MathML">'


@pytest.fixture(scope="module")
def extension() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mathml", _FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_fraction(extension):
    made = extension.mathml(r"\frac{1}{B}", block=False)
    assert made == f"{_BEGIN}<mfrac><mn>1</mn><mi>B</mi></mfrac></math>"


@pytest.mark.parametrize("latex", [r"\bar{z}_j", r"\bar z_j"])
def test_an_index_stands_beside_what_has_a_bar_and_not_beneath_it(extension, latex):
    made = extension.mathml(latex, block=False)
    assert "<munder" not in made
    assert made.startswith(f"{_BEGIN}<msub>")
    assert made.endswith("<mi>j</mi></msub></math>")


def test_bars_around_something_are_a_pair(extension):
    made = extension.mathml(r"\lVert z \rVert^2", block=False)
    assert made == (
        f"{_BEGIN}<msup><mrow><mo>‖</mo><mi>z</mi><mo>‖</mo></mrow><mn>2</mn></msup></math>"
    )


def test_a_logarithm_has_a_space_before_its_argument_but_none_before_a_bracket(extension):
    assert 'rspace="0.1667em"' in extension.mathml(r"\log q", block=False)
    assert "rspace" not in extension.mathml(r"\log (q)", block=False)


def test_a_command_that_is_not_known_is_an_error(extension):
    with pytest.raises(extension.MathError, match="nosuch"):
        extension.mathml(r"\nosuch q", block=False)


def test_a_display_formula_says_so(extension):
    assert 'display="block"' in extension.mathml("q", block=True)
