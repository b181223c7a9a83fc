"""Operators of the composition task: codes of two images and a factor, to the code of a third."""

from __future__ import annotations

__all__ = [
    "FixedInterpolation",
    "Interpolation",
    "LinearOperator",
    "MLPOperator",
    "Operator",
    "OperatorName",
    "make_operator",
]

from abc import abstractmethod
from typing import Literal, TypeAlias, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unweave.errors import SpecError
from unweave.nn.initialise import initialise, pytorch_default

OperatorName: TypeAlias = Literal["linear", "interp", "mlp", "fixint"]
_HIDDEN = 128


class Operator(nn.Module):
    """Family of networks that put one factor of an image into the code of another.

    First weights are drawn as PyTorch draws them by itself, as in the published code, whatever
    those of encoder and decoder.

    Args:
        latents: Number of latents L.
        factors: Number of factors K.
    """

    def __init__(self, latents: int, factors: int) -> None:
        super().__init__()
        self.latents = latents
        self.factors = factors

    def draw_weights(self, generator: torch.Generator) -> None:
        """The first weights of its layers, from a generator on the CPU."""
        for layer in self.children():
            initialise(layer, generator, pytorch_default)

    @abstractmethod
    def forward(self, reference: Tensor, transform: Tensor, action: Tensor) -> Tensor:
        """The code of the composed image, (B, L).

        Args:
            reference: Code of the image whose other factors are kept, (B, L).
            transform: Code of the image that the factor is taken from, (B, L).
            action: Which factor that is, one-hot, (B, K) float32.
        """


@final
class LinearOperator(Operator):
    """The sum of a dense layer of the reference and one of the transform, each with the action.

    References:
        | The Role of Disentanglement in Generalisation (Montero et al., ICLR 2021)
        | https://openreview.net/forum?id=qbH974jKUVy
    """

    def __init__(self, latents: int, factors: int) -> None:
        super().__init__(latents, factors)
        self.of_reference = nn.Linear(latents + factors, latents)
        self.of_transform = nn.Linear(latents + factors, latents)

    def forward(self, reference: Tensor, transform: Tensor, action: Tensor) -> Tensor:
        """The sum W_r [z_r; a] + b_r + W_s [z_s; a] + b_s."""
        first: Tensor = self.of_reference(torch.cat([reference, action], dim=1))
        second: Tensor = self.of_transform(torch.cat([transform, action], dim=1))
        return first + second


@final
class Interpolation(Operator):
    """A mean of both codes, whose weights a dense layer tells from all three, latent by latent.

    References:
        | Lost in Latent Space (Montero et al., NeurIPS 2022), in the code
        | https://arxiv.org/abs/2204.02283
    """

    def __init__(self, latents: int, factors: int) -> None:
        super().__init__(latents, factors)
        self.weight = nn.Linear(2 * latents + factors, latents)

    def forward(self, reference: Tensor, transform: Tensor, action: Tensor) -> Tensor:
        """With w = sigmoid(W [z_r; z_s; a] + b), w z_r + (1 - w) z_s."""
        weight = torch.sigmoid(self.weight(torch.cat([reference, transform, action], dim=1)))
        return weight * reference + (1 - weight) * transform


@final
class MLPOperator(Operator):
    """A hidden layer of 128 units with ReLU and batch normalisation, of codes and action.

    It needs two triplets or more to train on. In the code that was published first it could not
    be run; in that of 2022 it has no normalisation.

    References:
        | The Role of Disentanglement in Generalisation (Montero et al., ICLR 2021), in the code
        | https://openreview.net/forum?id=qbH974jKUVy
    """

    def __init__(self, latents: int, factors: int) -> None:
        super().__init__(latents, factors)
        self.layers = nn.Sequential(
            nn.Linear(2 * latents + factors, _HIDDEN),
            nn.ReLU(),
            nn.BatchNorm1d(_HIDDEN),
            nn.Linear(_HIDDEN, latents),
        )

    def forward(self, reference: Tensor, transform: Tensor, action: Tensor) -> Tensor:
        """Two dense layers of [z_r; z_s; a]."""
        composed: Tensor = self.layers(torch.cat([reference, transform, action], dim=1))
        return composed


@final
class FixedInterpolation(Operator):
    """The reference's code, but for the latent of the action's factor, which is the transform's.

    It has no weights: latent k is to hold factor k, and latents beyond the factors are always the
    reference's.

    Raises:
        SpecError: There are fewer latents than factors.

    References:
        | Lost in Latent Space (Montero et al., NeurIPS 2022), in the code
        | https://arxiv.org/abs/2204.02283
    """

    def __init__(self, latents: int, factors: int) -> None:
        super().__init__(latents, factors)
        if latents < factors:
            raise SpecError(
                f"fixint keeps a latent for each of {factors} factors, but latents is {latents}: "
                f"give at least {factors}."
            )

    def forward(self, reference: Tensor, transform: Tensor, action: Tensor) -> Tensor:
        """The mean (1 - a) z_r + a z_s, with zeros after the action's K numbers."""
        taken = F.pad(action, (0, self.latents - self.factors))
        return (1 - taken) * reference + taken * transform


_OPERATORS: dict[OperatorName, type[Operator]] = {
    "linear": LinearOperator,
    "interp": Interpolation,
    "mlp": MLPOperator,
    "fixint": FixedInterpolation,
}


def make_operator(name: OperatorName, latents: int, factors: int) -> Operator:
    """The operator of a name.

    Args:
        name: Which.
        latents: Number of latents L.
        factors: Number of factors K.

    Raises:
        SpecError: There are fewer latents than the operator needs.
    """
    return _OPERATORS[name](latents, factors)
