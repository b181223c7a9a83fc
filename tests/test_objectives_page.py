"""The page of objectives says what the code minimises; run as a script, this mends it."""

from __future__ import annotations

import dataclasses
import random
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from reference import component_texts as texts
from reference.members import shipped
from unweave.data.samplers import Labeller
from unweave.objectives import (
    Kernel,
    LabelLoss,
    Method,
    Objective,
    Plan,
    Term,
    parse_objective,
)
from unweave.spec import Component, parse

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "objectives.md"
_TABLE = re.compile(r"(<!-- (?!end )(\w+) -->\n)(.*?)(?=<!-- end -->)", re.S)

# The letters of each term. Those of `dip_i` and `dip_ii` have their weights within the term.
LETTERS = {
    "reconstruction": "R",
    "kl": "KL",
    "mutual_information": "MI",
    "total_correlation": "TC",
    "density_ratio_tc": "TC",
    "dimension_kl": "DKL",
    "dip_i": "off_diagonal * OFF + diagonal * ON",
    "dip_ii": "off_diagonal * OFF + diagonal * ON",
    "mmd": "MMD",
    "group_reconstruction": "G",
    "hessian": "H",
    "commutator": "C",
    "label_agreement": "A",
    "adversarial_information": "I",
    "laplace_transition": "LT",
    "supervised": "S",
}

_DIP = "off_diagonal * OFF + diagonal * ON"
# What each method minimises, in its fields and the letters of terms, by how the KL is weighted.
FORMULAS = {
    "vae": ["R + kl * KL"],
    "beta_vae": ["R + beta * KL"],
    "annealed_vae": ["R + gamma * abs(KL - capacity)"],
    "beta_tcvae": ["R + alpha * MI + beta * TC + gamma * DKL"],
    "factor_vae": ["R + kl * KL + gamma * TC"],
    "dip_vae_i": [f"R + kl * KL + {_DIP}"],
    "dip_vae_ii": [f"R + kl * KL + {_DIP}"],
    "info_vae": ["R + (1 - alpha) * KL + (alpha + lambda_ - 1) * MMD"],
    "autoencoder": ["weight * R"],
    "wae_mmd": ["R + lambda_ * MMD"],
    "lie_group_vae": ["R + kl * KL + group_reconstruction * G + hessian * H + commutator * C"],
    "cvae": ["R + kl * KL", "R + gamma * abs(KL - capacity)"],
    "ifcvae": [
        "R + kl * KL + label * A + auxiliary * I",
        "R + gamma * abs(KL - capacity) + label * A + auxiliary * I",
    ],
    "ada_gvae": ["R + beta * KL"],
    "ada_mlvae": ["R + beta * KL"],
    "group_vae_labels": ["R + beta * KL"],
    "mlvae_labels": ["R + beta * KL"],
    "slow_vae": ["R + beta * KL + gamma * LT"],
    "composer": ["R + 2 * beta * KL"],
    "ground_truth_decoder": ["R"],
    "s2_vae": ["R + beta * KL + gamma_sup * S"],
    "s2_factor_vae": ["R + KL + gamma * TC + gamma_sup * S"],
    "s2_beta_tcvae": ["R + MI + beta * TC + DKL + gamma_sup * S"],
    "s2_dip_vae": [f"R + KL + {_DIP} + gamma_sup * S"],
    "fully_supervised": ["R + S"],
}


def _group(method: Method, plan: Plan) -> str:
    """Under which heading a method stands, by what it learns from."""
    if plan.needs.labelled is not None:
        return "few_labels"
    if plan.needs.sampler is not None:
        return "pairs" if plan.needs.per_draw == 2 else "triplets"
    if plan.needs.factors:
        return "told_labels"
    if method.latent == "given":
        return "without_encoder"
    if method.latent != "posterior":
        return "without_noise"
    return "unsupervised" if method.architecture is None else "group"


GROUPS = (
    "unsupervised",
    "without_noise",
    "group",
    "told_labels",
    "pairs",
    "triplets",
    "few_labels",
    "without_encoder",
)


def _shown(formula: str) -> str:
    return f"`{formula.replace(' * ', ' ')}`"


def _methods(group: str) -> list[str]:
    lines = ["| method | what it minimises | fields | needs | source |", "|---|---|---|---|---|"]
    for name, cls in shipped(Method).items():
        method = cls()
        plan = Objective((method,)).expand()
        if _group(method, plan) != group:
            continue
        formula = ", or ".join(map(_shown, FORMULAS[name]))
        needs = ", ".join(texts.needs(plan)) or "nothing"
        lines.append(
            f"| [`{name}`](methods/{name}.md) | {texts.about(cls)}<br>{formula} "
            f"| {texts.fields(cls)} | {needs} | {texts.source(cls)} |"
        )
    return lines


def _terms() -> list[str]:
    lines = ["| term | value, and its unit | reads | fields | source |", "|---|---|---|---|---|"]
    for name, cls in shipped(Term).items():
        term = cls()
        reads = ", ".join([term.reads, *texts.needs(term)])
        lines.append(
            f"| `{name}`<br>{_shown(LETTERS[name])} | {texts.about(cls)}<br>"
            f"{term.unit or 'no unit'} | {reads} | {texts.fields(cls)} | {texts.source(cls)} |"
        )
    return lines


def _label_losses() -> list[str]:
    lines = ["| loss | value | unit | fields | source |", "|---|---|---|---|---|"]
    for name, cls in shipped(LabelLoss).items():
        unit = cls().unit(dlib=False) or "none"
        lines.append(
            f"| `{name}` | {texts.about(cls)} | {unit} | {texts.fields(cls)} "
            f"| {texts.source(cls)} |"
        )
    return lines


def _others(what: str, family: type[Component], value: str) -> list[str]:
    lines = [f"| {what} | {value} | fields | source |", "|---|---|---|---|"]
    lines += [
        f"| `{name}` | {texts.about(cls)} | {texts.fields(cls)} | {texts.source(cls)} |"
        for name, cls in shipped(family).items()
    ]
    return lines


def tables() -> dict[str, str]:
    """The lines of each table, by its mark on the page."""
    made = {group: _methods(group) for group in GROUPS}
    made |= {
        "terms": _terms(),
        "kernels": _others("kernel", Kernel, "value"),
        "label_losses": _label_losses(),
        "labellers": _others("labeller", Labeller, "labels"),
    }
    # An empty cell has one space.
    return {mark: "\n".join(lines).replace("|  ", "| ") for mark, lines in made.items()}


def _page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_the_tables_are_what_the_code_has():
    found = {mark: table.strip() for _, mark, table in _TABLE.findall(_page())}
    assert found == tables(), f"run python tests/{Path(__file__).name}"


def test_every_member_has_its_row():
    found = {mark: table for _, mark, table in _TABLE.findall(_page())}
    rows = {mark: re.findall(r"^\| \[?`(\w+)`", table, re.M) for mark, table in found.items()}
    assert sorted(name for group in GROUPS for name in rows[group]) == sorted(shipped(Method))
    assert all(rows[group] for group in GROUPS)
    families: dict[str, type[Component]] = {
        "terms": Term,
        "kernels": Kernel,
        "label_losses": LabelLoss,
        "labellers": Labeller,
    }
    for mark, family in families.items():
        assert rows[mark] == sorted(shipped(family))


def test_every_row_has_as_many_cells_as_its_head():
    for mark, table in tables().items():
        cells = {line.count("|") for line in table.splitlines()}
        assert len(cells) == 1, mark


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_formula_is_what_the_terms_add_up_to(name, seed):
    draw = random.Random(seed)
    cls = shipped(Method)[name]
    for formula in FORMULAS[name]:
        words = set(re.findall(r"\b[a-z_]+\b", formula)) - {"abs"}
        # More than half each, so that the weights of `info_vae` are not below 0.
        fields: dict[str, Any] = {word: draw.uniform(0.5, 1) for word in words}
        letters = {word: draw.uniform(-2, 2) for word in re.findall(r"\b[A-Z]+\b", formula)}
        total, seen = 0.0, set()
        for term in cls(**fields).terms():
            # The value of a DIP term has its weights already, which are those of the term.
            own = {field.name: getattr(term, field.name) for field in dataclasses.fields(term)}
            raw = _evaluated(LETTERS[term.name], own | letters)
            total += term.weigh(torch.tensor(raw, dtype=torch.float64), 1).item()
            seen |= set(re.findall(r"\b[A-Z]+\b", LETTERS[term.name]))
        assert seen == set(letters)
        assert total == pytest.approx(_evaluated(formula, fields | letters), rel=1e-12)


def _evaluated(formula: str, values: dict[str, Any]) -> float:
    return float(eval(formula, {"__builtins__": {}, "abs": abs}, values))


def test_what_is_said_of_units_is_so():
    [sentence] = re.findall(r"^Units are those .*$", _page(), re.M)
    told = re.findall(r"`(\w+\([^`]*\))`", sentence)
    for text in told:
        term = parse(text, Term)
        expected = "nats a batch" if "dlib" in text else ""
        assert isinstance(term, Term)
        assert term.unit == expected != type(term)().unit
    assert len(told) == 5


def test_examples_are_objectives():
    examples = re.findall(r"^unweave train \S+ \"(.*?)\"", _page(), re.M)
    assert len(examples) == 3
    for text in examples:
        parse_objective(text)


if __name__ == "__main__":
    made = tables()
    PAGE.write_text(
        _TABLE.sub(lambda found: f"{found[1]}\n{made[found[2]]}\n\n", _page()), encoding="utf-8"
    )
