"""What an architecture promises: an encoder of trunk and head, a decoder, and first weights."""

from __future__ import annotations

__all__ = ["Architecture"]

import dataclasses
from abc import abstractmethod
from typing import ClassVar

import torch
from torch import nn

from unweave.errors import SpecError
from unweave.nn.initialise import Draw, he_uniform, initialise
from unweave.spec import Component, members


class Architecture(Component):
    """A published pair of encoder and decoder, chosen by name.

    The encoder is built in two pieces, trunk and head, because the head always runs in float32.

    Attributes:
        sides: Sides of the square images that it takes, in pixels; None where images may have any
            height and width.
        encodes: Whether it has an encoder; else it is a decoder alone.
    """

    family: ClassVar[str] = "architecture"
    sides: ClassVar[tuple[int, ...] | None] = (64,)
    encodes: ClassVar[bool] = True
    draw: ClassVar[Draw] = he_uniform
    """Draws the first weights of a dense or convolutional layer."""

    @property
    def min_batch(self) -> int:
        """Smallest batch that it can be trained on: 2 where it normalises over the batch."""
        return 1

    def min_batch_for(self, image_shape: tuple[int, int, int], latents: int) -> int:
        """The same, where it is known only of networks that are made for images (H, W, C)."""
        return self.min_batch

    def check(self, image_shape: tuple[int, int, int], latents: int) -> None:
        """Refuse images (H, W, C), or a number of latents, that the architecture does not take.

        Raises:
            SpecError: It does not take them; the message names architectures that do.
        """
        height, width, channels = image_shape
        if channels < 1:
            raise SpecError(f"{self.name} takes images of at least 1 channel, not {channels}.")
        if not _fits(self.sides, height, width):
            others = [
                cls.name
                for cls in members(Architecture).values()
                if _fits(cls.sides, height, width) and cls.encodes and not _must_be_told(cls)
            ]
            known = f" Images of {height}x{width} are taken by {_listed(others, 'and')}."
            raise SpecError(
                f"{self.name} takes images of {_listed([f'{s}x{s}' for s in self.sides or ()])}, "
                f"not {height}x{width} with {channels} channel{'s' * (channels > 1)}."
                f"{known if others else ''}"
            )

    def check_encodes(self, asker: str) -> None:
        """Refuse a decoder alone where images must be encoded.

        Args:
            asker: What encodes them, for the message.

        Raises:
            SpecError: It is one.
        """
        if not self.encodes:
            raise SpecError(
                f"{asker} encodes images, and {self.name} is a decoder alone, for the method "
                f"ground_truth_decoder. Take another architecture, or give this one an encoder: "
                f"pair(encode=kim, decode={self})."
            )

    @abstractmethod
    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """Network from images (B, C, H, W) to features (B, F), and F.

        Args:
            image_shape: (H, W, C); C is more than the channels of an image where a model sees
                planes of labels beside it.
        """

    def head(self, features: int, latents: int, moments: int) -> nn.Module:
        """Network from features (B, F) to the parameters of the posterior.

        Args:
            features: F.
            latents: Number of latents L.
            moments: 2 for means and log variances, (B, 2 L) with all means first; 1 for codes
                without noise, (B, L).
        """
        return nn.Linear(features, moments * latents)

    @abstractmethod
    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Network from latents (B, L) to pixel logits (B, C, H, W).

        Args:
            image_shape: (H, W, C).
            latents: L, with the labels that a model is told counted as latents.
        """

    @property
    def halves(self) -> tuple[Architecture | None, Architecture | None]:
        """Whose first weights encoder and decoder have; None where a half draws its own."""
        return self, self

    def initialise(self, network: nn.Module, generator: torch.Generator) -> None:
        """Draw the first weights of a network of this architecture, in place.

        Args:
            network: The whole model, or one that holds an encoder alone, on the CPU.
            generator: A generator on the CPU; nothing else may be drawn from.
        """
        initialise(network, generator, type(self).draw)


def _fits(sides: tuple[int, ...] | None, height: int, width: int) -> bool:
    return sides is None or (height == width and height in sides)


def _must_be_told(cls: type[Component]) -> bool:
    """Whether an architecture is none until it is told something, such as what it is made of."""
    return any(field.default is dataclasses.MISSING for field in dataclasses.fields(cls))


def _listed(words: list[str], last: str = "or") -> str:
    """Words as a sentence has them."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), words[-1] if words else "")))
