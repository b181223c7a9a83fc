"""From latents to elements of a matrix Lie group, by generators of several kinds."""

from __future__ import annotations

__all__ = ["CommutingGroup", "DirectProduct", "ExponentialGroup", "Generators", "make_group"]

from collections.abc import Sequence
from typing import Literal, TypeAlias, final

import torch
from torch import Tensor, nn

from unweave.nn.matrix_exponential import matrix_exponential

Generators: TypeAlias = Literal["free", "skew", "commuting"]
"""Any matrices; matrices with A^T = -A; or matrices that commute with each other."""


@final
class ExponentialGroup(nn.Module):
    """Elements expm(t_1 A_1 + ... + t_L A_L), from latents (B, L) to (B, M * M), row by row.

    Args:
        latents: Number of generators L.
        side: Rows M of a matrix.
        init: Standard deviation of the first entries of `basis`.
        skew: Whether A is `basis` minus its transpose, so that the elements are rotations of M
            dimensions, whose entries are at most 1; else A is `basis`.
    """

    def __init__(self, latents: int, side: int, init: float, *, skew: bool = False) -> None:
        super().__init__()
        self.init = init
        self.skew = skew
        self.basis = nn.Parameter(torch.empty(latents, side, side))

    @torch.no_grad()
    def draw_weights(self, generator: torch.Generator) -> None:
        """Independent normal entries."""
        self.basis.normal_(0.0, self.init, generator=generator)

    def generators(self) -> Tensor:
        """The matrices A, (L, M, M)."""
        return self.basis - self.basis.mT if self.skew else self.basis

    def forward(self, z: Tensor) -> Tensor:
        """Group elements (B, M * M) of latents (B, L)."""
        generators = self.generators()
        algebra = z @ generators.flatten(1)
        return matrix_exponential(algebra.view(-1, *generators.shape[1:])).flatten(1)


@final
class CommutingGroup(nn.Module):
    r"""Elements of a group whose generators commute, without a matrix exponential.

    .. math:: A_i = P \, \mathrm{diag}_k \begin{pmatrix} a_{ik} & -b_{ik} \\
        b_{ik} & a_{ik} \end{pmatrix} P^{-1}

    With an odd number of rows the last block is a single number. These are all families of
    commuting matrices that can be diagonalised over the complex numbers, with eigenvectors in
    common. The exponential of a block is a rotation by sum t_i b_ik times e to the sum of
    t_i a_ik; the element is linear in such blocks, and so is computed by two products of matrices.

    Weights: `growth` a (L, ceil(M / 2)), `turning` b (L, floor(M / 2)) and `frame` P (M, M).

    Args:
        latents: Number of generators L.
        side: Rows M of a matrix.
        init: Standard deviation of the first entries of a and b.
    """

    def __init__(self, latents: int, side: int, init: float) -> None:
        super().__init__()
        self.init = init
        self.growth = nn.Parameter(torch.empty(latents, (side + 1) // 2))
        self.turning = nn.Parameter(torch.empty(latents, side // 2))
        self.frame = nn.Parameter(torch.empty(side, side))

    @torch.no_grad()
    def draw_weights(self, generator: torch.Generator) -> None:
        """Independent normal entries of the blocks; P is a random orthogonal matrix."""
        self.growth.normal_(0.0, self.init, generator=generator)
        self.turning.normal_(0.0, self.init, generator=generator)
        self.frame.copy_(torch.linalg.qr(self.frame.normal_(generator=generator))[0])

    def generators(self) -> Tensor:
        """The matrices A, (L, M, M)."""
        return self._in_place(self.growth, self.turning).view(-1, *self.frame.shape)

    def forward(self, z: Tensor) -> Tensor:
        """Group elements (B, M * M) of latents (B, L)."""
        growth, angle = torch.exp(z @ self.growth), z @ self.turning
        pairs = angle.shape[1]
        real = torch.cat([growth[:, :pairs] * torch.cos(angle), growth[:, pairs:]], dim=1)
        return self._in_place(real, growth[:, :pairs] * torch.sin(angle))

    def _in_place(self, real: Tensor, turn: Tensor) -> Tensor:
        """P times blocks times the inverse of P, (N, M * M).

        Args:
            real: Diagonal of each block, (N, ceil(M / 2)).
            turn: What stands below it, and with a minus sign above, (N, floor(M / 2)).
        """
        inverse, _ = torch.linalg.inv_ex(self.frame)
        paired = 2 * turn.shape[1]
        # Columns of P, and rows of its inverse: first and second of each block, and the last one.
        columns = self.frame.T
        u, v, w = columns[0:paired:2], columns[1:paired:2], columns[paired:]
        p, q, r = inverse[0:paired:2], inverse[1:paired:2], inverse[paired:]
        on = torch.cat([_outer(u, p) + _outer(v, q), _outer(w, r)])
        off = _outer(v, p) - _outer(u, q)
        return real @ on.flatten(1) + turn @ off.flatten(1)


@final
class DirectProduct(nn.Module):
    """Groups side by side, each with latents of its own: (B, L) to (B, sum of M * M).

    Args:
        groups: From latents of each to its elements.
        latents: Number of latents of each.
    """

    def __init__(
        self, groups: Sequence[ExponentialGroup | CommutingGroup], latents: Sequence[int]
    ) -> None:
        super().__init__()
        self.groups = nn.ModuleList(groups)
        self.latents = list(latents)

    def generators(self) -> list[Tensor]:
        """The matrices of each group, (L_k, M_k, M_k)."""
        return [group.generators() for group in self.groups]  # type: ignore[operator]

    def forward(self, z: Tensor) -> Tensor:
        """Elements of all groups, one behind the other, of latents (B, L)."""
        parts = torch.split(z, self.latents, dim=1)
        elements = [group(part) for group, part in zip(self.groups, parts, strict=True)]
        return elements[0] if len(elements) == 1 else torch.cat(elements, dim=1)


def _outer(columns: Tensor, rows: Tensor) -> Tensor:
    """Products of columns (K, M) with rows (K, N), (K, M, N)."""
    return columns[:, :, None] * rows[:, None, :]


def make_group(
    kind: Generators, latents: int, side: int, init: float
) -> ExponentialGroup | CommutingGroup:
    """A group of M = `side` rows with so many generators of a kind."""
    if kind == "commuting":
        return CommutingGroup(latents, side, init)
    return ExponentialGroup(latents, side, init, skew=kind == "skew")
