"""The terms of a run's objective over a whole part of a dataset, in evaluation mode."""

from __future__ import annotations

__all__ = ["TestLosses"]

import dataclasses
import math
import sys
from collections.abc import Mapping
from typing import ClassVar, Literal, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unweave.analysis.base import Analysis, Subject
from unweave.analysis.batches import scored_batch
from unweave.analysis.decoded import check_decodes
from unweave.encoding import Codes, Part, full_precision
from unweave.errors import DataError, SpecError
from unweave.latents import DiagonalGaussian
from unweave.metrics import Score
from unweave.objectives import (
    DimensionKL,
    Inputs,
    MutualInformation,
    Plan,
    Step,
    Term,
    TotalCorrelation,
)
from unweave.randomness import Streams, derive
from unweave.spec import number, option
from unweave.splits import keyed_permutation
from unweave.training.memory import keep_freed_memory

_UNIT = "nats an image"
_PURPOSE = "test losses"
_SHORT = {
    "reconstruction": "recon",
    "kl": "kl",
    "mutual_information": "mi",
    "total_correlation": "tc",
    "density_ratio_tc": "tc",
    "dimension_kl": "dw_kl",
}
_AFTER_ALL_SCHEDULES = sys.maxsize
_PUBLISHED_IMAGES = 1000


@final
class TestLosses(Analysis):
    """The loss and its terms, in nats an image, averaged over every image that is scored.

    The weights are those at the end of the objective's schedules. Latents are the posterior
    means, or one sample of each posterior when sampled codes are asked for. The parts are `loss`,
    the weighted total of the averaged terms; `recon`; `kl`, always the analytic one; `mi`, `tc`
    and `dw_kl` where the objective has them; and any other term under its own name. The value is
    `loss`.

    `mi`, `tc` and `dw_kl` of a batch are estimated from the batch alone, with the objective's own
    estimator, and so depend on its size. They are means over samples by definition; at the means
    they add up to `kl` plus half the sum of 1 - variance. The estimators presume random batches:
    the images are shuffled, by a key, and divided into batches that are as equal as can be; each
    counts by its size. Of a density ratio, `tc` is that of the discriminator that was trained with
    the model. Without that network (weights from elsewhere) neither `tc` nor `loss` is known; both
    are left out, and the value is `recon` + `kl`.

    With `compat=disvae` the numbers are those that the disentangling-vae code logged, times its
    number of batches. It looked at one batch of the first 1,000 images in file order, of which
    a method that needs two batches used the first half, at the posterior means. The decomposition
    is the published one whatever the objective's, with the size of the whole dataset. That code
    judged a density ratio by a new discriminator that was never trained, which is not repeated.
    """

    __test__: ClassVar[bool] = False  # not a test, whatever pytest thinks of the name

    name: ClassVar[str] = "test_losses"
    higher_is_better: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("model", "images", "objective")
    source: ClassVar[str] = "Kingma and Welling, 2013, arXiv 1312.6114"

    batch_size: int = number(
        default=1000, low=2, help="Most images in a batch; mi, tc and dw_kl depend on it."
    )
    compat: Literal["none", "disvae"] = option(
        default="none", help="disvae: one batch of the first images, as the published code did."
    )

    def check(self, part: Part, codes: Codes) -> None:
        """Refuse what the published evaluation did not do.

        Raises:
            SpecError: `compat=disvae` with sampled codes or with a part of the images.
        """
        if self.compat == "none":
            return
        for flag, given, only, reason in (
            ("codes", codes, "mean", "decodes posterior means"),
            ("part", part, "all", f"looks at the first {_PUBLISHED_IMAGES:,} images of all"),
        ):
            if given != only:
                raise SpecError(
                    f"{flag} must be {only} for {self}, but is {given}: the published evaluation "
                    f"{reason}. Leave --{flag} out, or use protocol unweave."
                )

    def rows(self, subject: Subject) -> NDArray[np.int64]:
        """All rows; of the published evaluation those of its only batch.

        Raises:
            DataError: A network that makes codes has no weights.
        """
        check_decodes(subject, self.name)
        if self.compat == "none":
            return subject.flat
        first = subject.flat[:_PUBLISHED_IMAGES]
        twofold = subject.objective.expand().needs.second
        return first[: len(first) // 2] if twofold else first

    @torch.inference_mode()
    def score(self, subject: Subject) -> Score:
        """The averages of the terms, and their weighted total.

        Raises:
            DataError: There are fewer images than a term compares, a network that makes codes has
                no weights, or a term is not finite.
        """
        plan = subject.objective.expand()
        terms = self._terms(plan, subject)
        batches = self._batches(subject, max((t.min_batch for t in terms.values()), default=1))
        total = sum(len(rows) for rows, _ in batches)
        sums = torch.zeros(1 + len(terms), dtype=torch.float64, device=subject.model.device)
        keep_freed_memory()
        done = 0
        with full_precision(subject.model):
            for index, (rows, second) in enumerate(batches):
                step = self._step(plan, subject, rows, second, index)
                values = [_analytic_kl(step), *(term.value(step) for term in terms.values())]
                sums += len(rows) * torch.stack([value.double() for value in values])
                done += len(rows)
                if subject.progress is not None:
                    subject.progress("test losses", done, total)
        means = (sums / total).cpu()
        return self._summary(means[0], dict(zip(terms, means[1:], strict=True)), terms, plan)

    def _terms(self, plan: Plan, subject: Subject) -> dict[str, Term]:
        """The terms whose networks are there, with the published decomposition if asked for."""
        terms: dict[str, Term] = {}
        for name, term in plan.terms.items():
            with torch.device("meta"):
                networks = term.parts(subject.setup)
            if not networks.keys() <= subject.parts.keys():
                continue
            if self.compat == "disvae" and isinstance(
                term, MutualInformation | TotalCorrelation | DimensionKL
            ):
                term = dataclasses.replace(term, estimator="stratified", compat="disvae")
            terms[name] = term
        return terms

    def _batches(
        self, subject: Subject, least: int
    ) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Flat indices of each batch, and of an independent second batch of the same size."""
        rows = self.rows(subject)
        if len(rows) < least:
            raise DataError(
                f"{self.name} of {subject.objective} compares images, so it needs at least "
                f"{least}, but there are {len(rows)} to score."
            )
        if self.compat == "disvae":
            return [(rows, subject.flat[len(rows) :][: len(rows)])]
        # A batch with more images than were trained on has no stratified weights.
        size = max(min(self.batch_size, subject.num_train), least)
        count = min(-(-len(rows) // size), len(rows) // least)
        first, second = (
            np.array_split(rows[keyed_permutation(len(rows), subject.seed, purpose)], count)
            for purpose in (_PURPOSE, f"{_PURPOSE}, second batches")
        )
        return list(zip(first, second, strict=True))

    def _step(
        self,
        plan: Plan,
        subject: Subject,
        rows: NDArray[np.int64],
        second: NDArray[np.int64],
        index: int,
    ) -> Step:
        """One forward pass, as in training, but for weights that stay as they are."""
        streams = Streams(
            derive(subject.seed, _PURPOSE),
            index + 1,
            subject.model.device,
            noiseless=subject.codes == "mean",
        )
        batch = scored_batch(subject, plan.needs, rows, second, index)
        known = len(subject.dataset) if self.compat == "disvae" else subject.num_train
        return plan.forward(
            Inputs(subject.model, subject.parts, batch, streams, _AFTER_ALL_SCHEDULES, known)
        )

    def _summary(
        self, kl: Tensor, raw: Mapping[str, Tensor], terms: Mapping[str, Term], plan: Plan
    ) -> Score:
        parts: dict[str, float] = {}
        units: dict[str, str] = {}
        for name, term in terms.items():
            short = _SHORT.get(name, name)
            # Two estimates of the total correlation, or a user's own term called `loss`.
            short = name if short in parts else short
            short = f"{name}_term" if short in ("loss", *parts) else short
            parts[short] = float(raw[name])
            if term.unit != _UNIT:
                units[short] = term.unit
        if plan.latent == "posterior":
            parts["kl"] = float(kl)
        if terms.keys() == plan.terms.keys():
            weighted = (t.weigh(raw[name], _AFTER_ALL_SCHEDULES) for name, t in terms.items())
            parts["loss"] = float(sum(weighted, torch.zeros((), dtype=torch.float64)))
        for name, value in parts.items():
            if not math.isfinite(value):
                raise DataError(f"{self.name}: {name} is not finite over these images.")
        order = ("loss", *dict.fromkeys(_SHORT.values()), *parts)
        parts = {name: parts[name] for name in dict.fromkeys(order) if name in parts}
        value = parts["loss"] if "loss" in parts else parts["recon"] + parts.get("kl", 0.0)
        return Score(value=value, parts=parts, unit=_UNIT, units=units)


def _analytic_kl(step: Step) -> Tensor:
    """Mean over the batch of the KL, nats; 0 for latents without noise."""
    if isinstance(step.posterior, DiagonalGaussian):
        return step.posterior.kl().sum(1).mean()
    return step.z.new_zeros(())
