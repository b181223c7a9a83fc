"""The model: encoder, Gaussian posterior, decoder and likelihood."""

from __future__ import annotations

__all__ = ["VAE", "no_encoder"]

import contextlib
from typing import final

import torch
from torch import Tensor, nn

from unweave.data.codes import FactorCodes
from unweave.errors import SpecError
from unweave.latents import DiagonalGaussian, Point, Posterior
from unweave.likelihoods import Likelihood
from unweave.nn.architecture import Architecture
from unweave.nn.conditions import Conditions, LabelPlanes
from unweave.nn.initialise import construct


@final
class VAE(nn.Module):
    """A variational autoencoder over images in [0, 1].

    Trunk and decoder may run in bfloat16; the head that gives means and logvars, and all that is
    returned, is float32.

    A conditional model is told labels beside the image: its decoder sees them after the latents,
    and its encoder as planes beside the image, where `conditions.planes` says so. Where no labels
    are given, each of their values stands with an equal share (`Conditions.neutral`); the codes
    that metrics read are encoded so, since the labels of an image would tell its factors.

    A decoder alone is given codes of true factors in the place of latents, and has no trunk and no
    head.

    Attributes:
        image_shape: (H, W, C).
        latents: Number of latents L.
        likelihood: p(x given z).
        conditions: Labels that the model is told, or None.
        given: Codes of true factors that a decoder alone is given, or None for an encoder.
        deterministic: Whether the encoder gives codes without noise.
        autocast_dtype: `torch.bfloat16` to run trunk and decoder under autocast, or None.

    References:
        | Auto-Encoding Variational Bayes (Kingma and Welling, 2013)
        | https://arxiv.org/abs/1312.6114
    """

    def __init__(
        self,
        architecture: Architecture,
        image_shape: tuple[int, int, int],
        latents: int,
        likelihood: Likelihood,
        *,
        conditions: Conditions | None = None,
        given: FactorCodes | None = None,
        deterministic: bool = False,
    ) -> None:
        super().__init__()
        self.image_shape = image_shape
        self.latents = latents
        self.likelihood = likelihood
        self.conditions = conditions
        self.given = given
        self.deterministic = deterministic
        self.autocast_dtype: torch.dtype | None = None
        height, width, channels = image_shape
        told = 0 if conditions is None else conditions.width
        planes = told if conditions is not None and conditions.planes else 0
        if given is None:
            self.trunk, features = architecture.trunk((height, width, channels + planes))
            self.head = architecture.head(features, latents, 1 if deterministic else 2)
        self.decoder = architecture.decoder(image_shape, latents + told)
        self.label_planes = LabelPlanes(planes, (height, width)) if planes else None

    @classmethod
    def create(
        cls,
        architecture: Architecture,
        image_shape: tuple[int, int, int],
        latents: int,
        likelihood: Likelihood,
        generator: torch.Generator,
        *,
        conditions: Conditions | None = None,
        given: FactorCodes | None = None,
        deterministic: bool = False,
    ) -> VAE:
        """A new model on the CPU whose weights are drawn from `generator`.

        Args:
            architecture: Which networks.
            image_shape: (H, W, C) of the images.
            latents: How many.
            likelihood: p(x given z).
            generator: Where first weights are drawn; on the CPU.
            conditions: Which labels the model is told, if any.
            given: Codes of true factors that are decoded, without an encoder.
            deterministic: Whether codes have no noise.
        """
        return construct(
            lambda: cls(
                architecture,
                image_shape,
                latents,
                likelihood,
                conditions=conditions,
                given=given,
                deterministic=deterministic,
            ),
            generator,
            architecture.initialise,
        )

    @property
    def encodes(self) -> bool:
        """Whether it has an encoder."""
        return self.given is None

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """The precision in which networks run; losses stay outside of it."""
        if self.autocast_dtype is None:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self.autocast_dtype)

    def condition(self, factors: Tensor | None) -> Tensor | None:
        """What a conditional model is told of images with factor indices (B, K); else None."""
        if self.conditions is None or factors is None:
            return None
        return self.conditions.encode(factors)

    def encode(self, images: Tensor, condition: Tensor | None = None) -> Posterior:
        """Posterior of images (B, C, H, W) in [0, 1].

        Args:
            images: The images.
            condition: Labels as `condition` gives them, (B, width); unknown where there are none.

        Raises:
            SpecError: The model is a decoder alone.
        """
        return self.posterior(self.features(images, condition))

    def features(self, images: Tensor, condition: Tensor | None = None) -> Tensor:
        """What the trunk makes of images, (B, F) in the precision of networks.

        Raises:
            SpecError: The model is a decoder alone.
        """
        if not self.encodes:
            raise no_encoder("What is asked for")
        with self.autocast():
            if self.label_planes is not None:
                planes = self.label_planes(self._told(len(images), condition).to(images.dtype))
                images = torch.cat([images, planes], dim=1)
                images = images.contiguous(memory_format=torch.channels_last)
            features: Tensor = self.trunk(images)
        return features

    def posterior(self, features: Tensor) -> Posterior:
        """Posterior of what the trunk makes of images, (B, F) in any precision."""
        moments = self.head(features.float())
        if self.deterministic:
            return Point(mean=moments)
        mean, logvar = moments.chunk(2, dim=1)
        return DiagonalGaussian(mean=mean, logvar=logvar)

    def decode(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Pixel logits (B, C, H, W), float32, of latents (B, L).

        Args:
            z: The latents.
            condition: Labels as `condition` gives them, (B, width); unknown where there are none.
        """
        if self.conditions is not None:
            z = torch.cat([z, self._told(len(z), condition)], dim=1)
        with self.autocast():
            logits: Tensor = self.decoder(z)
        return logits.float()

    def _told(self, count: int, condition: Tensor | None) -> Tensor:
        """Labels of so many images, (count, width)."""
        assert self.conditions is not None
        if condition is not None:
            return condition
        return self.conditions.neutral(self.device).expand(count, -1)


def no_encoder(asker: str) -> SpecError:
    """The error for what needs codes of images, of a model that is a decoder alone.

    Args:
        asker: What needs them.
    """
    return SpecError(
        f"{asker} needs codes of images, and this model has no encoder: its decoder is given true "
        "factors. It can be scored by test_losses (--metrics test_losses), drawn beside true "
        "images (the figures reconstructions and conditions), asked for images of any factors "
        "(run.render), and exported (--what decoder)."
    )
