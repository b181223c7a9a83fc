"""Losses that tie codes to labels of the same images."""

from __future__ import annotations

__all__ = ["LabelCov", "LabelEmbed", "LabelL2", "LabelLoss", "LabelXent"]

import math
from abc import abstractmethod
from typing import ClassVar, Literal, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unweave.spec import Component, number, option


class LabelLoss(Component):
    """Family of losses between codes and labels, which `supervised` weights.

    Source: Locatello et al. (2020), "Disentangling factors of variation using few labels".

    Class attributes:
        matched: Whether latent i is that of label i, so that there must be a latent for each.
        min_batch: Smallest batch in which it means something.
    """

    family: ClassVar[str] = "label loss"
    matched: ClassVar[bool] = True
    min_batch: ClassVar[int] = 1

    def unit(self, *, dlib: bool) -> str:
        """Unit of its value; empty for a plain number.

        Args:
            dlib: Whether the numbers are those of disentanglement_lib.
        """
        return ""

    @abstractmethod
    def network(self, sizes: tuple[int, ...], *, dlib: bool) -> nn.Module:
        """What computes it, and holds what it learns.

        Its `forward` makes a scalar of codes (M, L) float32 and labels (M, F) int64.

        Args:
            sizes: How many different labels each column may have, (F,).
            dlib: Whether the numbers are those of disentanglement_lib.
        """


@final
class LabelXent(LabelLoss):
    """Cross-entropy of the sigmoid of latent i with label i scaled to [0, 1).

    A label of v values counts as label / v. The mean over images of the sum over labels, nats;
    with disentanglement_lib the sum over images.

    References:
        | Disentangling Factors of Variation Using Few Labels (Locatello et al., ICLR 2020)
        | https://arxiv.org/abs/1905.01258
    """

    name: ClassVar[str] = "xent"

    def unit(self, *, dlib: bool) -> str:
        """Nats, of an image or of all images of a batch."""
        return "nats a batch" if dlib else "nats an image"

    def network(self, sizes: tuple[int, ...], *, dlib: bool) -> nn.Module:
        """Without weights."""
        return _Xent(sizes, dlib=dlib)


@final
class LabelL2(LabelLoss):
    """Squared distance of latent i to label i.

    With `learn_scale` it is that of the latents, times one learned number that starts at 1, to the
    labels as whole numbers. Without, it is that of the sigmoid of the latents to label / v, for
    labels of v values. The mean over images of the sum over labels; with disentanglement_lib the
    sum over images, which without a learned scale compares each code with the labels of all.

    References:
        | Disentangling Factors of Variation Using Few Labels (Locatello et al., ICLR 2020)
        | https://arxiv.org/abs/1905.01258
    """

    name: ClassVar[str] = "l2"

    learn_scale: bool = option(default=True, help="Whether latents are scaled to the labels.")

    def network(self, sizes: tuple[int, ...], *, dlib: bool) -> nn.Module:
        """With the scale, where it is learned."""
        return _ScaledL2(sizes, dlib=dlib) if self.learn_scale else _SigmoidL2(sizes, dlib=dlib)


@final
class LabelCov(LabelLoss):
    """Squared covariances between latents and labels, but for those of latent i with label i.

    Covariances are those of the batch, divided by its size, with labels as whole numbers. The sum
    over latents and labels.

    References:
        | Disentangling Factors of Variation Using Few Labels (Locatello et al., ICLR 2020)
        | https://arxiv.org/abs/1905.01258
    """

    name: ClassVar[str] = "cov"
    matched: ClassVar[bool] = False
    min_batch: ClassVar[int] = 2

    def network(self, sizes: tuple[int, ...], *, dlib: bool) -> nn.Module:
        """Without weights."""
        return _Cov()


@final
class LabelEmbed(LabelLoss):
    """Cross-entropy of label i with the softmax of -(sigma * (latent i - e))^2.

    There is one e for each value of a label: a learned number, or a learned line through them in
    their order. The mean over images of the sum over labels, nats.

    References:
        | Disentangling Factors of Variation Using Few Labels (Locatello et al., ICLR 2020)
        | https://arxiv.org/abs/1905.01258
    """

    name: ClassVar[str] = "embed"

    sigma: float | Literal["learned"] = number(
        default="learned",
        above=0,
        help="How sharp the softmax is; learned begins at 1 for each label.",
    )
    use_order: bool = option(
        default=False, help="Whether the numbers of a label's values lie on a line."
    )

    def unit(self, *, dlib: bool) -> str:
        """Nats."""
        return "nats an image"

    def network(self, sizes: tuple[int, ...], *, dlib: bool) -> nn.Module:
        """With the numbers of all values, and sigma where it is learned."""
        return _Embed(sizes, self.sigma, use_order=self.use_order)


class _Matched(nn.Module):
    """Latents and labels in pairs, and the sizes of labels.

    Sizes are a buffer that is filled when weights are drawn, since networks are built without
    values, and belong to no checkpoint.
    """

    sizes: Tensor

    def __init__(self, sizes: tuple[int, ...], *, dlib: bool) -> None:
        super().__init__()
        self._sizes = sizes
        self._dlib = dlib
        self.register_buffer("sizes", torch.empty(len(sizes)), persistent=False)

    def draw_weights(self, generator: torch.Generator) -> None:
        """Nothing is drawn."""
        self.sizes.copy_(torch.tensor(self._sizes))

    def first(self, codes: Tensor) -> Tensor:
        """The latents that have a label, (M, F)."""
        return codes[:, : len(self._sizes)]

    def total(self, each: Tensor) -> Tensor:
        """Of losses (M, F), the mean over images of the sum over labels, or the sum of all."""
        return each.sum() if self._dlib else each.sum(1).mean()


@final
class _Xent(_Matched):
    def forward(self, codes: Tensor, labels: Tensor) -> Tensor:
        """The loss."""
        goal = labels / self.sizes
        each = F.binary_cross_entropy_with_logits(self.first(codes), goal, reduction="none")
        return self.total(each)


@final
class _SigmoidL2(_Matched):
    def forward(self, codes: Tensor, labels: Tensor) -> Tensor:
        """The loss."""
        found, goal = torch.sigmoid(self.first(codes)), labels / self.sizes
        if self._dlib:
            # Published: a misplaced axis compares the codes of each image with all labels.
            return (found[:, None] - goal).square().sum()
        return self.total((found - goal).square())


@final
class _ScaledL2(_Matched):
    def __init__(self, sizes: tuple[int, ...], *, dlib: bool) -> None:
        super().__init__(sizes, dlib=dlib)
        self.scale = nn.Parameter(torch.empty(1))

    def draw_weights(self, generator: torch.Generator) -> None:
        """A scale of 1."""
        super().draw_weights(generator)
        with torch.no_grad():
            self.scale.fill_(1.0)

    def forward(self, codes: Tensor, labels: Tensor) -> Tensor:
        """The loss."""
        return self.total((self.scale * self.first(codes) - labels).square())


@final
class _Cov(nn.Module):
    def forward(self, codes: Tensor, labels: Tensor) -> Tensor:
        """The loss."""
        told = labels.to(codes.dtype)
        covariance = (codes - codes.mean(0)).t() @ (told - told.mean(0)) / len(codes)
        return covariance.square().sum() - covariance.diagonal().square().sum()


@final
class _Embed(_Matched):
    """Values of all labels in one table, (F, V), with as many columns as the largest label has."""

    def __init__(
        self, sizes: tuple[int, ...], sigma: float | Literal["learned"], *, use_order: bool
    ) -> None:
        super().__init__(sizes, dlib=False)
        self._fixed = None if isinstance(sigma, str) else sigma
        self._use_order = use_order
        columns = 2 if use_order else max(sizes)
        self.embedding = nn.Parameter(torch.empty(len(sizes), columns))
        if self._fixed is None:
            self.sigma = nn.Parameter(torch.empty(len(sizes), 1))

    @torch.no_grad()
    def draw_weights(self, generator: torch.Generator) -> None:
        """Numbers with the variance of the prior, and sigmas of 1."""
        super().draw_weights(generator)
        self.embedding.uniform_(-math.sqrt(3), math.sqrt(3), generator=generator)
        if self._fixed is None:
            self.sigma.fill_(1.0)

    def forward(self, codes: Tensor, labels: Tensor) -> Tensor:
        """The loss."""
        values = torch.arange(max(self._sizes), device=codes.device)
        places: Tensor = self.embedding
        if self._use_order:
            slope, bias = self.embedding.unbind(1)
            places = slope[:, None] * values + bias[:, None]
        sigma = self.sigma if self._fixed is None else self._fixed
        logits = -(sigma * (self.first(codes)[:, :, None] - places)).square()
        logits = logits.masked_fill(values >= self.sizes[:, None], -math.inf)
        chosen = logits.log_softmax(2).gather(2, labels[:, :, None])
        return self.total(-chosen[:, :, 0])
