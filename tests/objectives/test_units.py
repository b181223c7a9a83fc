"""Every value of a term has its true unit, or none."""

from __future__ import annotations

import pytest

from reference.members import shipped
from unweave.objectives import Term, parse_objective

# Of all others the default, nats an image.
UNITS = {
    "dip_i": "",
    "dip_ii": "",
    "mmd": "",
    "hessian": "",
    "commutator": "",
    "supervised": "nats an image",
    "supervised(compat=dlib)": "nats a batch",
    "supervised(loss=l2)": "",
    "supervised(loss=l2, compat=dlib)": "",
    "supervised(loss=cov)": "",
    "supervised(loss=embed)": "nats an image",
    "supervised(loss=embed, compat=dlib)": "nats an image",
    "label_agreement": "nats an image",
    "label_agreement(encoding=continuous)": "",
    "adversarial_information(encoding=continuous)": "",
}


@pytest.mark.parametrize("text", [*UNITS, *(n for n in shipped(Term) if n not in UNITS)])
def test_a_term_has_its_unit(text):
    terms = parse_objective(f"vae + {text}" if text not in ("reconstruction", "kl") else "vae")
    term = terms.expand().terms[text.partition("(")[0]]
    assert term.unit == UNITS.get(text, "nats an image")
