"""How little capacity a predictor needs before codes are of use to it."""

from __future__ import annotations

__all__ = ["DCIES", "Best", "ease_of_use"]

import time
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.metrics.base import Matrix, Score
from unweave.metrics.costs import duration
from unweave.metrics.dci.curves import Curve, Examples, follow
from unweave.metrics.dci.metric import Task, task_of
from unweave.metrics.dci.probes import FourierProbes, ProbeFamily
from unweave.metrics.dci.scores import completeness, disentanglement
from unweave.metrics.draws import Draws
from unweave.metrics.prepared import PreparedMetric
from unweave.metrics.sampling import RowSampler
from unweave.representation import Representation
from unweave.spec import number, option

if TYPE_CHECKING:
    from unweave.progress import Progress

Best: TypeAlias = Literal["zero", "least", "released"]

# Rows on which cost is measured.
_FEW = 1000
_WORTH_SAYING = 5.0


def ease_of_use(
    capacities: NDArray[np.float64], least: NDArray[np.float64], baseline: float, best: Best
) -> float:
    r"""One minus the area between losses and the best loss, relative to that of a triangle.

    .. math:: E = 1 - \frac{\int (\ell(\kappa) - \ell^*)\, d\kappa}
        {\frac{1}{2} (\kappa_{max} - \kappa_{min}) (\ell_{base} - \ell^*)}

    The losses are joined by straight lines. With :math:`\ell^*` = 0 it is 1 where the smallest
    probe finds all, 0 where the loss falls evenly from that of a constant to none, and -1 where
    no probe finds anything.

    Args:
        capacities: Of probes, in ascending order, (P,), P >= 2.
        least: The least loss up to each, at most `baseline`, (P,).
        baseline: The loss of the best constant, above 0.
        best: What :math:`\ell^*` is: 0 (`zero`); the last of the losses (`least`), and -1 is
            returned where that is no less than `baseline`; the last of the losses above the bar
            and 0 below it (`released`).

    Returns:
        -1 to 1.
    """
    above = 0.0 if best == "zero" else float(least[-1])
    below = float(least[-1]) if best == "least" else 0.0
    if below >= baseline:
        return -1.0
    heights = (least[1:] + least[:-1]) / 2 - above
    triangle = float(capacities[-1] - capacities[0]) * (baseline - below) / 2
    # Rounding may lead a little beyond.
    relative = float(heights @ np.diff(capacities)) / triangle
    return max(1 - relative, -1.0)


@final
class DCIES(PreparedMetric[dict[int, Curve]]):
    r"""How little capacity a predictor needs to find the factors: explicitness, or ease of use.

    Probes of growing capacity are fitted to each factor. The area under their losses on other
    rows, relative to that of a triangle, gives its ease of use E, from -1 to 1, and the value is
    the mean over factors. A categorical factor is predicted as classes, with the share of rows
    that are missed as loss. Another one is a number, a circular one its cosine and sine, and the
    loss is the share of variance that is not explained. No loss counts as more than that of the
    best constant.

    The value is 1 for codes that the smallest probe can read, which is linear by default; rotated
    codes are among them. What is nowhere in the codes lowers it as much as what no probe can read.
    `best=least` judges the ease of that alone which some probe finds, and for codes of noise it is
    chance that decides. With `best=released` the area counts from the least loss and the triangle
    from 0, as in the authors' code: codes in which nothing can be found then score 1.

    Parts are the size, number of factors over number of latents; disentanglement and completeness
    of importances by permutation, of the probe with the least loss, brought to the sum 1 for each
    factor; informativeness, one minus that loss; and for each factor its ease, its first and its
    least loss. A factor that is constant in the rows fitted or tested is left out.

    References:
        | DCI-ES: An Extended Disentanglement Framework with Connections to Identifiability
        | (Eastwood et al., 2023)
        | https://arxiv.org/abs/2210.00364
    """

    name: ClassVar[str] = "dci_es"
    source: ClassVar[str] = "Eastwood et al., 2023, arXiv 2210.00364"
    bounds: ClassVar[tuple[float | None, float | None]] = (-1.0, 1.0)
    opt_in: ClassVar[bool] = True

    probes: ProbeFamily = option(default=FourierProbes(), help="What is fitted for each factor.")
    best: Best = option(
        default="zero",
        help="The loss that counts as none: zero; the least of the probes; released: the least in "
        "the area and zero in the triangle.",
    )
    train: int = number(default=10_000, low=2, help="Rows that probes are fitted to.")
    test: int = number(default=5_000, low=1, help="Other rows that probes are tested on.")

    def check(self, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int) -> None:
        """Refuse factors that are all constant.

        Raises:
            DataError: They are.
        """
        if not (factors != factors[:1]).any():
            raise DataError("dci_es needs a factor that varies, but every factor is constant.")

    def measure_cost(self, representation: Representation) -> str | None:
        """Number of probes and time to fit them, from one factor in some rows; None if little."""
        task = self._task(representation, Draws(0, "cost"))
        factors, rows = len(task.columns), len(task.codes)

        def seconds(few: int) -> float:
            codes = task.codes[:few]
            examples = self._examples(task, 0, representation.factor_space, few)
            begun = time.perf_counter()
            fit = self.probes.start(codes, np.random.RandomState(0))
            started = time.perf_counter()
            follow(examples, fit)
            return started - begun + factors * (time.perf_counter() - started)

        # What is imported is imported before it counts.
        seconds(2)
        expected = seconds(_FEW)
        if rows > _FEW:
            # Part of the time is the same for any number of rows, and all of it at most grows
            # with them.
            half = seconds(_FEW // 2)
            more = min(max(2 * (expected - half), 0.0), expected)
            expected += more * (rows / _FEW - 1)
        if expected < _WORTH_SAYING:
            return None
        return f"{factors * len(self.probes.steps):,} probes to fit, about {duration(expected)}"

    def work(
        self, representation: Representation, draws: Draws, progress: Progress | None
    ) -> dict[int, Curve]:
        """Fit the probes of each factor, by its index.

        Raises:
            DataError: There are fewer than two rows, or no factor varies both in the rows to fit
                and in those to test on.
        """
        task = self._task(representation, draws)
        fit = self.probes.start(task.codes, task.random_state)
        total, done = len(task.columns) * len(self.probes.steps), 0

        def fitted() -> None:
            nonlocal done
            done += 1
            if progress is not None:
                progress("probes", done, total)

        curves = {}
        for k, factor in enumerate(task.columns):
            examples = self._examples(task, k, representation.factor_space)
            found = follow(examples, fit, fitted)
            if found is not None:
                curves[int(factor)] = found
        if not curves:
            raise DataError(
                f"dci_es needs a factor that varies, but in these {len(task.codes)} rows to fit "
                f"and {len(task.test_codes)} to test on none does in both. Give more rows."
            )
        return curves

    def read(self, representation: Representation, prepared: dict[int, Curve]) -> Score:
        """Ease of use, what else is known of the probes, and their losses."""
        names = tuple(representation.factor_space.names[k] for k in prepared)
        curves = tuple(prepared.values())
        ease = [
            ease_of_use(each.capacities, each.least, each.baseline, self.best) for each in curves
        ]
        grown = np.stack([each.importances for each in curves], axis=1)
        if grown.any():
            # A factor that no probe finds relies on nothing more than on anything else.
            grown[:, ~grown.any(axis=0)] = 1.0
            grown /= grown.sum(axis=0)
        parts = {
            "size": len(curves) / representation.latents,
            "informativeness_test": 1 - float(np.mean([each.least[-1] for each in curves])),
            "disentanglement": disentanglement(grown),
            "completeness": completeness(grown),
        }
        for name, value, each in zip(names, ease, curves, strict=True):
            parts[f"ease_{name}"] = value
            parts[f"first_loss_{name}"] = float(each.least[0])
            parts[f"least_loss_{name}"] = float(each.least[-1])
        matrix = Matrix(
            values=np.stack([each.losses for each in curves]),
            rows=names,
            columns=tuple(self.probes.label(step) for step in self.probes.steps),
            label="loss on test rows, by probe",
        )
        return Score(value=float(np.mean(ease)), parts=parts, matrix=matrix)

    def _task(self, table: Representation, draws: Draws) -> Task:
        factors = np.asarray(table.factors)
        self.check(factors, table.factor_space, table.latents)
        rows = RowSampler(factors, draws)
        return task_of(table, rows.split(self.train, self.test), rows.random_state, name=self.name)

    def _examples(
        self, task: Task, column: int, space: FactorSpace, rows: int | None = None
    ) -> Examples:
        """Those of one column of the labels, all rows or the first."""
        codes = task.test_codes[:rows]
        # Rows are in random order already, so that each may take the values of the next.
        order = np.roll(np.arange(len(codes)), 1)
        return Examples.of(
            space.factors[task.columns[column]],
            task.labels[:rows, column],
            codes,
            task.test_labels[:rows, column],
            order,
        )
