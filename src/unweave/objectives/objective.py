"""An objective: a sum of methods and terms, read from text and expanded to a plan."""

from __future__ import annotations

__all__ = ["Objective", "parse_objective"]

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

from unweave import display
from unweave.errors import SpecError
from unweave.objectives.base import Method, Term
from unweave.objectives.methods import VAEMethod
from unweave.objectives.needs import Needs
from unweave.objectives.plan import Plan
from unweave.objectives.reconstruction import Reconstruction
from unweave.spec import from_dict, identity, parse_sum, to_dict


@final
@dataclass(frozen=True)
class Objective:
    """What is minimised: one or more methods and terms.

    Attributes:
        items: The summands in the order written.

    Raises:
        SpecError: The sum makes no sense; the message says why.
    """

    items: tuple[Method | Term, ...]

    def __post_init__(self) -> None:
        """Refuse sums that cannot be trained."""
        if not self.items:
            raise SpecError("An objective needs at least one method or term.")
        self.expand()

    def __str__(self) -> str:
        """The text that `parse_objective` reads."""
        return " + ".join(str(item) for item in self.items)

    def _repr_html_(self) -> str:
        """The terms that are minimised, with their weights, for a notebook."""
        return display.shown(f"Objective {self}", self.html())

    def html(self) -> display.Markup:
        """The terms with their weights as a table of HTML, and players with their own losses."""
        plan = self.expand()
        rows = [(term.name, _weight(term), term.unit, str(term)) for term in plan.terms.values()]
        made = display.note("Minimised: the sum of these terms, each times its weight.")
        made += display.table(("term", "weight", "unit before", "in full"), rows, ("weight",))
        others = [f"{player.name} (lr {player.optimizer.lr:g})" for player in plan.players]
        if others:
            made += display.note(f"With a loss of its own: {'; '.join(others)}")
        return made

    @property
    def method_name(self) -> str:
        """Names of the summands, for run folders: `beta_tcvae`, `vae+density_ratio_tc`."""
        return "+".join(item.name for item in self.items)

    def to_dict(self) -> dict[str, Any]:
        """The full form."""
        if len(self.items) == 1:
            return to_dict(self.items[0])
        return {"type": "sum", "items": [to_dict(item) for item in self.items]}

    def identity(self) -> dict[str, Any]:
        """The full form without fields that came later and are at their default."""
        if len(self.items) == 1:
            return identity(self.items[0])
        return {"type": "sum", "items": [identity(item) for item in self.items]}

    @classmethod
    def from_dict(cls, form: Any) -> Objective:
        """Read the full form back.

        Raises:
            SpecError: The form is not that of an objective.
        """
        if isinstance(form, dict) and form.get("type") == "sum":
            forms = form.get("items")
            if not isinstance(forms, list):
                raise SpecError('A sum needs a list of "items".')
        else:
            forms = [form]
        return cls(tuple(_item(from_dict(f, Method, Term)) for f in forms))

    def expand(self) -> Plan:
        """The plan that the loop trains, made once."""
        return self._plan

    @cached_property
    def _plan(self) -> Plan:
        methods = [item for item in self.items if isinstance(item, Method)]
        changing = [m for m in methods if _changes_the_pass(m)]
        if len(changing) > 1:
            raise SpecError(
                f"{changing[0].name} and {changing[1].name} both change the forward pass, "
                f"so they cannot be added. Choose one of them."
            )
        method = (changing or methods or [VAEMethod()])[0]
        terms = self._terms()
        for term in terms:
            _check_reads(term, method)
        sources: tuple[Method | Term, ...] = (*methods, *terms)
        try:
            needs = sum((source.needs for source in sources), Needs())
        except SpecError as error:
            raise SpecError(f"The summands of {self} do not go together. {error}") from error
        return Plan(
            method=method,
            needs=needs,
            terms={term.name: term for term in terms},
            players=tuple(player for source in sources for player in source.players()),
            sources=sources,
        )

    def _terms(self) -> tuple[Term, ...]:
        """The terms of the first method, what the others add, and the loose terms."""
        methods = [item for item in self.items if isinstance(item, Method)]
        loose = [item for item in self.items if isinstance(item, Term)]
        self._check_once(loose)
        first = methods[0].terms() if methods else ()
        # Parts of the ELBO that stand for the method's own, where those have their defaults.
        written = {t.name: t for t in loose if t.in_elbo and t != type(t)()}
        stand_ins = {
            t.name: written[t.name] for t in first if t.name in written and t == type(t)()
        }
        own = {id(m): _added(m, m.terms(), self.items[0]) for m in methods[1:]}
        own |= {id(m): [stand_ins.get(t.name, t) for t in first] for m in methods[:1]}
        terms: list[Term] = []
        for item in self.items:
            if isinstance(item, Method):
                terms += own[id(item)]
            elif item.name not in stand_ins:
                terms.append(item)
        self._check_once(terms)
        if not any(isinstance(term, Reconstruction) for term in terms):
            raise SpecError(
                f"{self} has no reconstruction term. Start from a method, such as "
                f"'vae + {self}', or add 'reconstruction'."
            )
        return tuple(terms)

    def _check_once(self, terms: Sequence[Term]) -> None:
        """Refuse two terms of one kind."""
        double = [name for name, n in Counter(t.name for t in terms).items() if n > 1]
        if double:
            raise SpecError(
                f"{self} has the term {double[0]} more than once; give it once, with the weight "
                f"that you want."
            )


def parse_objective(text: str) -> Objective:
    """Read an objective, such as `beta_tcvae(beta=6)` or `vae + density_ratio_tc(weight=10)`.

    Raises:
        SpecError: The text does not follow the grammar, or the sum makes no sense.
    """
    return Objective(tuple(_item(item) for item in parse_sum(text, Method, Term)))


def _weight(term: Term) -> str:
    """The weight of a term as it is written, or what tells it where it has several."""
    fields = {field.name: getattr(term, field.name) for field in dataclasses.fields(term)}
    if "weight" in fields:
        return f"{fields['weight']:g}" if isinstance(fields["weight"], float) else str(
            fields["weight"]
        )  # fmt: skip
    return ", ".join(f"{name}={value}" for name, value in fields.items())


def _added(method: Method, own: tuple[Term, ...], first: Method | Term) -> list[Term]:
    """The terms that a further method adds to those of the first."""
    changed = [term for term in own if term.in_elbo and term != type(term)()]
    if changed:
        raise SpecError(
            f"{method} weights its {changed[0].name}, which is a part of the ELBO, and that is "
            f"{first.name}'s already. Add a single term instead, such as "
            f"'{first} + total_correlation(weight=5)'."
        )
    added = [term for term in own if not term.in_elbo]
    if not added and not _changes_the_pass(method):
        raise SpecError(
            f"{method} adds no term to {first}: both only weight the reconstruction and the KL. "
            f"Choose one of them."
        )
    return added


def _changes_the_pass(method: Method) -> bool:
    """Whether a method encodes or decodes in another way than a VAE."""
    cls = type(method)
    return (
        cls.forward is not Method.forward
        or cls.conditions is not Method.conditions
        or cls.latent != Method.latent
    )


def _check_reads(term: Term, method: Method) -> None:
    """Refuse a term that reads what the method's latents do not have."""
    if term.reads != "nothing" and method.latent == "given":
        raise SpecError(
            f"{term.name} reads what an encoder makes of images, and {method.name} has none: its "
            f"latents are true factors. Leave {term.name} out, or start from a VAE: "
            f"'vae + {term}'."
        )
    if term.reads == "posterior" and method.latent != "posterior":
        raise SpecError(
            f"{term.name} reads the variances of a posterior, and {method.name} has none: its "
            f"latents have no noise. Leave {term.name} out, or start from a VAE: 'vae + {term}'."
        )


def _item(component: object) -> Method | Term:
    assert isinstance(component, Method | Term)
    return component
