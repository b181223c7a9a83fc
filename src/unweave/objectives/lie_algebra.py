"""Penalties on the generators of a Lie group: that they commute, or annihilate each other."""

from __future__ import annotations

__all__ = [
    "Commutator",
    "Hessian",
    "LieCompat",
    "commutator_penalty",
    "generator_products",
    "group_of",
    "hessian_penalty",
    "lie_decoder",
]

from typing import ClassVar, Literal, TypeAlias, final

import torch
from torch import Tensor

from unweave.errors import SpecError
from unweave.nn import LieGroup
from unweave.nn.lie_group_networks import GroupDecoder
from unweave.objectives.base import Step, WeightedTerm
from unweave.objectives.needs import Setup
from unweave.schedules import Schedule
from unweave.spec import number, option
from unweave.vae import VAE

LieCompat: TypeAlias = Literal["none", "clg"]
"""Whose published commutator a penalty repeats, if any."""


@final
class Hessian(WeightedTerm):
    r"""Squared products of two different generators of a group.

    .. math:: \frac{1}{L^2} \sum_{i \neq j} \lVert A_i A_j \rVert_F^2

    Where it is 0, the group element is a sum of what each latent gives alone, since its second
    derivative by any two latents is 0. Several groups add up; one of a single latent gives 0, as
    does a network without generators.

    References:
        | Commutative Lie Group VAE for Disentanglement Learning (Zhu, Xu and Tao, 2021)
        | https://arxiv.org/abs/2106.03375
    """

    name: ClassVar[str] = "hessian"
    unit: ClassVar[str] = ""
    reads: ClassVar[Literal["nothing"]] = "nothing"

    def check(self, setup: Setup) -> None:
        """Generators are needed."""
        _check_generators(setup, self.name, self.weight)

    def value(self, step: Step) -> Tensor:
        """Sum over groups of the mean over all pairs of generators."""
        return _over_groups(step, [hessian_penalty(each) for each in _generators(step)])


@final
class Commutator(WeightedTerm):
    r"""Squared commutators of two different generators of a group.

    .. math:: \frac{1}{L^2} \sum_{i \neq j} \lVert A_i A_j - A_j A_i \rVert_F^2

    Where it is 0, the group element is a product, in any order, of what each latent gives alone.
    Several groups add up; one of a single latent gives 0, as does a network without generators.

    The code that was published with the paper transposes the product where it should exchange the
    two matrices, so that it penalises what of A_i A_j is not symmetric: 0 for a matrix and its
    transpose, which do not commute, and more than 0 for most that do. `compat=clg` repeats that.

    References:
        | Commutative Lie Group VAE for Disentanglement Learning (Zhu, Xu and Tao, 2021)
        | https://arxiv.org/abs/2106.03375
    """

    name: ClassVar[str] = "commutator"
    unit: ClassVar[str] = ""
    reads: ClassVar[Literal["nothing"]] = "nothing"

    weight: float | Schedule = number(default=1.0, low=0, help="Weight of the term.")
    compat: LieCompat = option(
        default="none", help="clg: what the published code takes for commutators."
    )

    def check(self, setup: Setup) -> None:
        """Generators are needed."""
        _check_generators(setup, self.name, self.weight)

    def value(self, step: Step) -> Tensor:
        """Sum over groups of the mean over all pairs of generators."""
        values = [commutator_penalty(each, self.compat) for each in _generators(step)]
        return _over_groups(step, values)


def hessian_penalty(generators: Tensor) -> Tensor:
    r"""Mean over all pairs of the squared products of two different generators, a scalar.

    With G_i = A_i^T A_i and H_j = A_j A_j^T the squared norm of A_i A_j is the inner product of
    G_i and H_j, so that L products of matrices are enough instead of L * L. In float64, since a
    small difference of large sums is what is left of generators that annihilate each other.

    Args:
        generators: A, (L, M, M).
    """
    exact = generators.double()
    grams, outer = exact.mT @ exact, exact @ exact.mT
    different = (grams.sum(0) * outer.sum(0)).sum() - (grams * outer).sum()
    return (different / len(generators) ** 2).to(generators.dtype)


def commutator_penalty(generators: Tensor, compat: LieCompat = "none") -> Tensor:
    """Mean over all pairs of the squared commutators of two generators, a scalar.

    Args:
        generators: A, (L, M, M).
        compat: `clg` takes the transpose of A_i A_j in place of A_j A_i, for different i and j.
    """
    products = _products(generators)
    if compat == "clg":
        squares = (products - products.mT).square().sum((2, 3))
        total = squares.sum() - squares.diagonal().sum()
    else:
        total = (products - products.transpose(0, 1)).square().sum()
    return total / len(generators) ** 2


@torch.no_grad()
def generator_products(model: VAE) -> Tensor:
    """How large the products of two generators are, relative to both, (L, L) from 0 to 1.

    Entry (i, j) is the Frobenius norm of A_i A_j over the product of the norms of A_i and A_j, and
    0 where one of them is 0. Generators of different groups act on matrices of their own, and
    their products are 0.

    Args:
        model: One with the architecture `lie_group`.
    """
    blocks = []
    for generators in lie_decoder(model).generators():
        exact = generators.double()
        norms = exact.flatten(1).norm(dim=1)
        both = norms[:, None] * norms[None, :]
        sizes = _products(exact).flatten(2).norm(dim=2)
        blocks.append(torch.where(both > 0, sizes / both, 0.0).to(generators.dtype))
    table: Tensor = torch.block_diag(*blocks)  # type: ignore[no-untyped-call]
    return table


def lie_decoder(model: VAE) -> GroupDecoder:
    """The decoder of a model whose architecture is `lie_group`."""
    assert isinstance(model.decoder, GroupDecoder)
    return model.decoder


def group_of(setup: Setup, asker: str) -> LieGroup:
    """The architecture `lie_group`, which a method or term needs.

    Raises:
        SpecError: It is another one.
    """
    if not isinstance(setup.architecture, LieGroup):
        raise SpecError(
            f"{asker} needs a model with a group between latents and images, and "
            f"{setup.architecture} has none. Train with the architecture "
            f"lie_group(latents=({setup.latents},))."
        )
    return setup.architecture


def _check_generators(setup: Setup, asker: str, weight: float | Schedule) -> None:
    group = group_of(setup, asker)
    if not group.exponential and weight != 0:
        raise SpecError(
            f"{asker} is a penalty on generators, and {group} has none. Give it the weight 0, or "
            f"leave exponential=False out."
        )


def _generators(step: Step) -> list[Tensor]:
    return step.once("lie_group/generators", lambda: lie_decoder(step.model).generators())


def _products(generators: Tensor) -> Tensor:
    """A_i A_j, (L, L, M, M), by one product of matrices."""
    count, side, _ = generators.shape
    rows = generators.reshape(count * side, side)
    columns = generators.permute(1, 0, 2).reshape(side, count * side)
    return (rows @ columns).view(count, side, count, side).transpose(1, 2)


def _over_groups(step: Step, values: list[Tensor]) -> Tensor:
    return torch.stack(values).sum() if values else step.z.new_zeros(())
